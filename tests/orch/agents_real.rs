//! Tasks done by agents that people use: the real clients, and a model played
//! by a script that stands in the tasks' texts. All of the second tier.

use git_orch::config::{Profile, agents};
use serde_json::Value;

use crate::support::TestRepo;
use crate::support::agents::{CLAUDE, CODEX, Client, GEMINI, Model, OPENCODE, PI};
use crate::support::output::Output;

/// A script that changes a file and adds one, by the tools for each.
const WORK: &str = "MODEL-RUN: sed -i s/login/sign_in/ src/api/login.rs
MODEL-WRITE: src/api/logout.rs fn logout() {}\\n
MODEL-USAGE: 1200 60 1000
MODEL-SAY: It is called sign_in now.";

/// Prints what runs for the session, by a variable that all of it inherits.
const RUNNING: &str = "for process in /proc/[0-9]*; do
    tr '\\0' '\\n' 2>/dev/null <$process/environ | grep -qx \"GIT_ORCH_ROOT=$PWD.orch/backend\" &&
        tr '\\0' ' ' <$process/cmdline; done";

/// An agent in a repository with a session.
struct Agent<'repo> {
    repo: &'repo TestRepo,
    model: Model<'repo>,
    client: &'static Client,
    name: &'static str,
}

/// Has each of the agents at hand prove something, in a repository of its own.
fn each(prove: impl Fn(&Agent<'_>)) {
    each_of(&[CLAUDE, CODEX, PI, OPENCODE, GEMINI], prove);
}

/// The same for those that can be told to give up at once where their service fails.
fn each_that_gives_up(prove: impl Fn(&Agent<'_>)) {
    each_of(&[CLAUDE, CODEX, PI], prove);
}

fn each_of(clients: &'static [Client], prove: impl Fn(&Agent<'_>)) {
    for client in clients {
        let repo = TestRepo::new();
        let Some(model) = Model::of(&repo, client) else { continue };
        repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
        let agent = Agent { repo: &repo, model, client, name: client.name };
        agent.configure(client.name, &client.profile());
        prove(&agent);
    }
}

impl Agent<'_> {
    /// Gives it a task; what became of that.
    fn task(&self, agent: &str, text: &str) -> (i32, Value) {
        let call = ["task", text, "--session", "backend", "--agent", agent, "--json", "-q"];
        ended(&self.model.call(&call).run())
    }

    /// Gives it a name, unless it is built in under that, and trusts it.
    fn configure(&self, name: &str, profile: &Profile) {
        if !agents::built_in().contains_key(name) {
            let entry = agents::entry(name, profile).unwrap();
            self.repo.write(".orch.yml", &format!("version: 1\n{entry}"));
        }
        self.repo.orch(&["trust", "--yes", "-q"]).expect_success();
    }

    /// Names it `quick`: it may take so long, and is soon tried again, once.
    fn quicken(&self, timeout: &str) {
        let mut quick = self.client.profile();
        quick.timeout = Some(timeout.to_owned());
        (quick.retries, quick.wait) = (Some(1), Some("1s".to_owned()));
        self.configure("quick", &quick);
    }

    /// A script that says which task it is, and then takes ten minutes.
    fn long(&self) -> String {
        format!(
            "MODEL-RUN: echo half >half; echo $GIT_ORCH_TASK >{}/began; sleep 600",
            self.repo.top().display()
        )
    }

    /// Nothing of a run lives on.
    fn expect_nothing_left(&self) {
        self.repo.shell(&format!("{RUNNING}; true")).run().expect("exit 0");
    }
}

/// The exit code, and the task as it was told.
fn ended(output: &Output) -> (i32, Value) {
    (output.exit, output.json()["data"].clone())
}

/// What a task's last run came to, in a line.
fn came_to(agent: &Agent<'_>, (exit, task): &(i32, Value)) -> String {
    let run = task["runs"].as_array().unwrap().last().unwrap();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    format!("{}: exit {exit}, {}, {}", agent.name, word(&task["state"]), word(&run["outcome"]))
}

#[test]
#[ignore = "needs agents and Python"]
fn second_tier_what_agents_do_arrives_with_what_they_touched() {
    each(|agent| {
        let (exit, task) = agent.task(agent.name, WORK);
        assert_eq!((exit, &task["state"]), (0, &Value::from("review")), "{task}");
        let branch = task["review_branch"].as_str().unwrap();
        let changes = agent.repo.git(&["diff", "--name-status", "main", branch]);
        assert_eq!(changes, "M\tsrc/api/login.rs\nA\tsrc/api/logout.rs\n", "{}", agent.name);
        let touches = agent.repo.git(&["notes", "--ref", "orch/touch/backend", "show", branch]);
        assert!(
            ["src/api/login.rs", "src/api/logout.rs"].iter().all(|path| touches.contains(path)),
            "{touches}"
        );
        let run = &task["runs"][0];
        assert_eq!(run["said"], "It is called sign_in now.", "{run}");
        let counts = ["input_tokens", "cached_tokens", "output_tokens"].map(|count| &run["usage"][count]);
        assert_eq!(counts, [3600, 3000, 180], "{run}");
    });
}

#[test]
#[ignore = "needs agents and Python"]
fn second_tier_conversations_are_kept_and_searched() {
    each(|agent| {
        let (exit, task) =
            agent.task(agent.name, "MODEL-WRITE: src/api/new.rs x\nMODEL-SAY: Kept sk-ant-abcdefgh12 it.");
        assert_eq!(exit, 0, "{task}");
        let (exit, task) = agent.task(agent.name, "MODEL-WRITE: src/api/more.rs x\nMODEL-SAY: Went on.");
        assert_eq!(exit, 0, "{task}");
        let name = task["name"].as_str().unwrap();
        agent.repo.orch(&["remove-session", "backend", "-q"]).expect_success();
        let talk = agent.repo.orch(&["log", name, "--transcript"]).stdout;
        for said in ["Kept [redacted] it.", "Went on.", "src/api/new.rs"] {
            assert!(talk.contains(said), "{}: {said}: {talk}", agent.name);
        }
        assert!(!talk.contains("sk-ant-"), "{}: {talk}", agent.name);
        let found = agent.repo.orch(&["log", "--grep", "went on"]).stdout;
        assert!(found.contains("Went on."), "{}: {found}", agent.name);
    });
}

#[test]
#[ignore = "needs agents and Python"]
fn second_tier_the_next_task_goes_on_with_the_conversation() {
    each(|agent| {
        let (_, first) = agent.task(agent.name, WORK);
        let (exit, second) = agent.task(agent.name, "MODEL-WRITE: src/api/next.rs x\nMODEL-USAGE: 2000 70");
        assert_eq!(exit, 0, "{second}");
        let conversation = |task: &Value| task["runs"][0]["conversation"].as_str().unwrap().to_owned();
        assert_eq!(conversation(&first), conversation(&second));
        let requests = agent.model.requests();
        let last = requests.last().unwrap();
        assert!(last.has("user", "MODEL-SAY: It is called sign_in now."), "{last:?}");
        assert!(last.has("assistant", "It is called sign_in now."), "{last:?}");
        // What the first run took is not the second's.
        let usage = &second["runs"][0]["usage"];
        assert_eq!((&usage["input_tokens"], &usage["output_tokens"]), (&4000.into(), &140.into()), "{usage}");
    });
}

#[test]
#[ignore = "needs agents and Python"]
fn second_tier_who_takes_over_is_sent_the_decision_that_mattered() {
    each(|agent| {
        let (exit, first) =
            agent.task(agent.name, "MODEL-SAY: DECISIONS: tokens rotate hourly. Shall I go on?");
        assert_eq!((exit, &first["state"]), (6, &Value::from("input")), "{first}");
        let name = first["name"].as_str().unwrap();
        agent.repo.orch(&["add-session", "other", "--paths", "src/web", "-q"]).expect_success();
        agent.repo.orch(&["handoff", name, "--to", "other", "-q"]).expect_success();
        let (_, second) =
            ended(&agent.model.call(&["retry", name, "--agent", agent.name, "--json", "-q"]).run());
        let runs = second["runs"].as_array().unwrap();
        assert_ne!(runs[0]["conversation"], runs[1]["conversation"], "{second}");
        let requests = agent.model.requests();
        let last = requests.last().unwrap();
        // As the handoff has it, not as the task does.
        assert!(last.has("user", "DECISIONS\ntokens rotate hourly. Shall I go on?"), "{last:?}");
    });
}

#[test]
#[ignore = "needs agents and Python"]
fn second_tier_an_agent_that_is_called_off_leaves_nothing_running() {
    each(|agent| {
        agent.quicken("50s");
        let task = format!(
            "git-orch task '{}' --session backend --agent quick -q & orch=$!
             until [ -s ../began ]; do kill -0 $orch || exit 9; sleep 0.05; done
             {{ {RUNNING}; }} | grep -q 'sleep 600' || exit 8
             git-orch cancel $(cat ../began) -q; wait $orch; echo exit $?
             git-orch show $(cat ../began) --json",
            agent.long()
        );
        let output = agent.model.shell(&task).run();
        let (exit, shown) = output.stdout.split_once('\n').unwrap();
        assert_eq!(exit, "exit 1", "{output}");
        let shown: Value = serde_json::from_str(shown).unwrap();
        assert_eq!(shown["data"]["state"], "cancelled", "{shown}");
        assert!(shown["data"]["runs"][0]["snapshot"].is_string(), "{shown}");
        agent.expect_nothing_left();
    });
}

#[test]
#[ignore = "needs agents and Python"]
fn second_tier_an_agent_out_of_time_leaves_nothing_running() {
    each(|agent| {
        agent.quicken("4s");
        for script in [agent.long().as_str(), "MODEL-SLEEP: 600"] {
            let ended = agent.task("quick", script);
            let wanted = format!("{}: exit 124, failed, timed-out", agent.name);
            assert_eq!(came_to(agent, &ended), wanted, "{script}: {}", ended.1);
            agent.expect_nothing_left();
        }
    });
}

#[test]
#[ignore = "needs agents and Python"]
fn second_tier_what_goes_wrong_with_an_agent_is_told() {
    each_that_gives_up(|agent| {
        agent.quicken("50s");
        // Codex says nothing of a refusal: it did nothing, then.
        let refused = if agent.name == "codex" { "empty" } else { "failed" };
        for (script, state, outcome, error) in [
            ("MODEL-FAIL: 429", "failed", "limited", "429"),
            ("MODEL-FAIL: 401", "failed", "failed", "401"),
            ("MODEL-FAIL: 400", "failed", "failed", "told to fail"),
            ("MODEL-REFUSE\nMODEL-SAY: I will not.", "failed", refused, ""),
            ("MODEL-RUN: echo half >half; kill -9 $PPID", "failed", "failed", ""),
        ] {
            let before = agent.model.requests().len();
            let ended = agent.task("quick", script);
            let wanted = format!("{}: exit 1, {state}, {outcome}", agent.name);
            assert_eq!(came_to(agent, &ended), wanted, "{script}: {}", ended.1);
            let run = &ended.1["runs"][0];
            assert!(run["error"].as_str().unwrap_or_default().contains(error), "{script}: {run}");
            assert_eq!(run["snapshot"].is_string(), script.contains("half"), "{script}: {run}");
            let tries = if outcome == "limited" { 2 } else { 1 };
            assert_eq!(agent.model.requests().len() - before, tries, "{}: {script}: {run}", agent.name);
        }
    });
}

#[test]
#[ignore = "needs agents and Python"]
fn second_tier_an_agent_whose_service_takes_no_more_is_tried_again() {
    each_that_gives_up(|agent| {
        agent.quicken("50s");
        let ended = agent.task("quick", "MODEL-FAIL: 429 1\nMODEL-WRITE: src/api/late.rs x");
        assert_eq!(
            came_to(agent, &ended),
            format!("{}: exit 0, review, committed", agent.name),
            "{}",
            ended.1
        );
    });
}

#[test]
#[ignore = "needs agents and Python"]
fn second_tier_what_an_agent_asks_is_answered_in_its_conversation() {
    each(|agent| {
        let asked = agent.task(agent.name, "MODEL-SAY: Shall it be red or blue?");
        assert_eq!(came_to(agent, &asked), format!("{}: exit 6, input, asked", agent.name), "{}", asked.1);
        let name = asked.1["name"].as_str().unwrap();
        let answer =
            ["answer", name, "Blue.\nMODEL-WRITE: src/api/blue.rs x\nMODEL-SAY: Blue it is.", "--json", "-q"];
        let answered = ended(&agent.model.call(&answer).run());
        let wanted = format!("{}: exit 0, review, committed", agent.name);
        assert_eq!(came_to(agent, &answered), wanted, "{}", answered.1);
        let requests = agent.model.requests();
        let last = requests.last().unwrap();
        assert!(last.has("assistant", "Shall it be red or blue?") && last.has("user", "Blue."), "{last:?}");
    });
}
