//! Agents that talk: conversations that go on, questions, limits, what is told of them.

use crate::support::output::Output;
use crate::support::{TestRepo, found, skip};

/// A repository with a session whose agent talks as Claude Code does, and what else is said of it.
fn shop(more: &str) -> TestRepo {
    let repo = TestRepo::new();
    let talk = repo.agent("talk.sh");
    let agent = format!(
        "{{ run: [{talk}], begin: [--session-id], resume: [{talk}, --resume], attach: [sh, --resume], like: claude, \
         transcript: [\"$TMPDIR/talks/{{id}}\"]"
    );
    repo.write(
        ".orch.yml",
        &format!("version: 1\nagents:\n  default: house\n  house: {agent}, timeout: 1m{more} }}\n"),
    );
    repo.orch(&["add-session", "backend", "--paths", "src/api", "--adopt-history", "-q"]).expect_success();
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    repo
}

fn task(repo: &TestRepo, text: &str) -> Output {
    repo.orch(&["task", text, "--session", "backend"])
}

/// The last run of the task whose name begins so.
fn last_run(repo: &TestRepo, name: &str) -> serde_json::Value {
    let tasks = repo.orch(&["tasks", "--all", "--json"]).json()["data"].clone();
    let is_meant = |task: &&serde_json::Value| task["name"].as_str().unwrap().starts_with(name);
    tasks.as_array().unwrap().iter().find(is_meant).unwrap()["runs"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone()
}

fn id(run: &serde_json::Value) -> String {
    run["conversation"].as_str().unwrap().to_owned()
}

#[test]
fn the_next_task_goes_on_with_the_conversation_and_another_agent_begins_its_own() {
    let repo = shop("");
    task(&repo, "One\nDO: echo 1 >> src/api/login.rs\nSAY: NEXT: two").expect_success();
    let one = last_run(&repo, "one");
    assert_eq!(
        (one["agent"].as_str(), one["said"].as_str(), one["session"].as_str()),
        (Some("house"), Some("NEXT: two"), Some("backend"))
    );
    let usage = serde_json::json!({"input_tokens": 10, "cached_tokens": 0, "output_tokens": 5,
        "cost": 0.25, "turns": 2, "context": 0.01});
    assert_eq!(one["usage"], usage);
    assert!(one["command"].to_string().ends_with(&format!("\"--session-id\",\"{}\"]", id(&one))));
    task(&repo, "Two\nDO: echo 2 >> src/api/login.rs").expect_success();
    let two = last_run(&repo, "two");
    assert_eq!(id(&two), id(&one));
    assert!(two["command"].to_string().ends_with(&format!("\"--resume\",\"{}\"]", id(&one))));
    // Both briefs were sent into the one conversation.
    let talk = repo.read(&format!("tmp/talks/{}", id(&one)));
    assert!(talk.contains("DO: echo 1") && talk.contains("DO: echo 2"), "{talk}");
    repo.shell("git-orch show $(git-orch tasks --all | grep -o 'one-[^ ]*') | sed -n '/  run/,/  commit/p'")
        .run()
        .expect(&format!(
            "
        exit 0
        -- stdout
          run        1 committed, <time> ago, 10 tokens in, 5 out, $0.25, 1% of its context
          talk       house <oid>{}<oid>
          said       NEXT: two
          commit     <oid> One
        ",
            &id(&one)[8..24]
        ));
}

#[test]
fn a_conversation_that_is_gone_or_full_is_begun_anew() {
    let repo = shop(", context: { warn: 0.5, fresh: 0.9 }");
    task(&repo, "One\nSAY: RULED OUT: a second cache\nDO: echo 1 >> src/api/login.rs").expect_success();
    let one = id(&last_run(&repo, "one"));
    let said = "## What you said last, at the end of task one-say-ruled-out-a-second-cache-do, in another conversation\n\n\
        ```text\nRULED OUT\na second cache\n```\n";
    // Who was there needs not be told.
    task(&repo, "Same\nDO: echo same >> src/api/login.rs").expect_success();
    let brief = |name: &str| {
        repo.shell(&format!("git-orch brief $(git-orch tasks --all | grep -o '{name}-[^ ]*')")).run().stdout
    };
    assert_eq!(
        (id(&last_run(&repo, "same")), brief("same").contains("What you said last")),
        (one.clone(), false)
    );
    repo.shell(&format!("rm ../tmp/talks/{one}")).run().expect_success();
    let told = task(&repo, "Two\nSAY: RULED OUT: a third\nTOOK: 950\nDO: echo 2 >> src/api/login.rs").told();
    assert!(
        told.contains("warning: house does not have its conversation any more: a new one begins"),
        "{told}"
    );
    assert!(
        told.contains("warning: the conversation of backend fills 95% of its context window; from 90% on the next task begins a new one"),
        "{told}"
    );
    let two = id(&last_run(&repo, "two"));
    assert_ne!(one, two);
    assert!(last_run(&repo, "two")["command"].to_string().ends_with(&format!("\"--session-id\",\"{two}\"]")));
    // It was told again, and the record has what it was told.
    let talk = repo.read(&format!("tmp/talks/{two}"));
    assert!(
        talk.contains("## What you said last, at the end of task same-")
            && brief("two").trim() == talk.trim(),
        "{talk}"
    );
    let told = task(&repo, "Three\nDO: echo 3 >> src/api/login.rs").told();
    assert!(
        told.contains("the conversation of backend has filled 95% of its context window: a new one begins"),
        "{told}"
    );
    assert_ne!(two, id(&last_run(&repo, "three")));
    let said = said
        .replace("one-say-ruled-out-a-second-cache-do", "two-say-ruled-out-a-third-took-950-do")
        .replace("a second cache", "a third");
    assert!(brief("three").contains(&said), "{}", brief("three"));
}

#[test]
fn what_was_said_of_it_on_the_way_goes_over_too() {
    let repo = shop("");
    repo.orch(&["add-session", "other", "--paths", "src/web", "-q"]).expect_success();
    let words = ["I look around.", "In login the key sk-ant-abcdefgh12 is parsed twice.", "So I stop."];
    let line =
        |text| format!("{{\"type\":\"assistant\",\"message\":{{\"content\":[{{\"text\":\"{text}\"}}]}}}}\n");
    repo.write("../tmp/words", &words.map(line).concat());
    assert_eq!(task(&repo, "Fix login\nDO: cat $TMPDIR/words; exit 1").exit, 1);
    let name = "fix-login-do-cat-tmpdir-words-exit-1";
    repo.orch(&["handoff", name, "--to", "other", "-q"]).expect_success();
    let told = "In login the key [redacted] is parsed twice.";
    assert_eq!(repo.orch(&["show", name, "--json"]).json()["data"]["handoffs"][0]["excerpt"], told);
    let brief = repo.orch(&["brief", name]).stdout.clone();
    let section = format!("## What was said of it in the conversation of backend\n\n```text\n{told}\n```\n");
    assert!(brief.contains(&section), "{brief}");
    let shown = repo.orch(&["show", name]).stdout;
    assert!(shown.contains(&format!("  on the way {told}\n")), "{shown}");
}

#[test]
fn an_agent_that_fails_at_once_keeps_its_conversation() {
    let repo = shop("");
    let talk = |text: &str| {
        repo.call(&["task", text, "--session", "backend"]).env("HOME", repo.top().join("tmp")).run()
    };
    talk("One\nDO: echo >x").expect_success();
    talk("Two\nDO: exit 1").expect(
        "
        exit 1
        -- stderr
        backend takes two-do-exit-1
        not done: the run failed (exit 1) after <time>; session backend is free
        next: git orch log two-do-exit-1, then git orch retry two-do-exit-1
        ",
    );
    let one = id(&last_run(&repo, "one"));
    assert_eq!(id(&last_run(&repo, "two")), one);
}

#[test]
fn a_question_waits_for_its_answer_and_the_conversation_goes_on() {
    let repo = shop("");
    task(&repo, "Ask\nDO: echo half >> src/api/login.rs; git-orch report input -m 'Which colour?' -q").expect(
        "
        exit 6
        -- stderr
        backend takes ask-do-echo-half-src-api-login-rs-git
        backend asks: Which colour?
        next: git orch answer ask-do-echo-half-src-api-login-rs-git TEXT, or git orch attach ask-do-echo-half-src-api-login-rs-git
        ",
    );
    let name = "ask-do-echo-half-src-api-login-rs-git";
    assert_eq!(repo.orch(&["wait", name]).exit, 6);
    // What it did is on the record, and its session clean.
    assert_eq!(repo.git(&["-C", "../shop.orch/backend", "status", "--short"]), "");
    let asked = id(&last_run(&repo, name));
    let shown = repo.orch(&["attach", name, "--dry-run"]).stdout;
    assert!(shown.contains(&format!("/sh --resume {asked} in ")), "{shown}");
    repo.call(&["answer", name, "-"]).stdin("Blue.\nNOW: echo blue >> src/api/login.rs\n").run().expect(
        &format!(
            "
        exit 0
        -- stdout
        review/{name}
        -- stderr
        done in <time>: 1 commit, 1 file
          M src/api/login.rs
        next: git orch review {name} --diff
        then: git orch merge {name}
        "
        ),
    );
    assert_eq!(
        repo.git(&["show", &format!("review/{name}:src/api/login.rs")]),
        "fn login() {}\nhalf\nblue\n"
    );
    assert_eq!(id(&last_run(&repo, name)), asked);
    let shown = repo.orch(&["show", name]).stdout;
    assert!(shown.contains("answered   Blue."), "{shown}");
    let brief = repo.orch(&["brief", name]).stdout.clone();
    assert!(brief.contains("Which colour?") && brief.contains("Blue."), "{brief}");
    repo.orch(&["answer", name, "Red."]).expect(&format!(
        "
        exit 3
        -- stderr
        error: `{name}` asks nothing: it is review
        hint: say what has to change: `git orch review {name} --request-changes -m TEXT`
        "
    ));
}

#[test]
fn an_answer_waits_for_the_command_that_asks_and_still_runs() {
    let repo = shop("");
    let text = "Ask\nDO: echo half >> src/api/login.rs; git-orch report input -m why -q; until [ -f $TMPDIR/go ]; do sleep 0.02; done";
    let name = "ask-do-echo-half-src-api-login-rs-git";
    let script = format!(
        "git-orch task '{text}' --session backend --detach -q; git-orch wait {name} -q; echo $?
        (git-orch answer {name} 'NOW: echo blue >> src/api/login.rs' 2>../told; echo $?) &
        until grep -qs 'the command of {name}' ../told; do kill -0 $! || exit 9; sleep 0.02; done; touch $TMPDIR/go; wait"
    );
    repo.shell(&script).run().expect(&format!(
        "
        exit 0
        -- stdout
        {name}
        {name} is input
        6
        review/{name}
        0
        "
    ));
    assert_eq!(
        repo.git(&["show", &format!("review/{name}:src/api/login.rs")]),
        "fn login() {}\nhalf\nblue\n"
    );
}

#[test]
fn what_a_person_goes_on_with_at_a_terminal_is_kept_too() {
    if !found("script").is_absolute() {
        skip("this machine lacks script, which opens a terminal");
        return;
    }
    let repo = shop("");
    let name = "ask-say-shall-i";
    assert_eq!(task(&repo, "Ask\nSAY: Shall I?").exit, 6);
    let settings = repo.read("shop/.orch.yml");
    let attach = |program: &str| {
        repo.write(".orch.yml", &settings.replace("attach: [sh, ", &format!("attach: [{program}, ")));
        repo.orch(&["trust", "--yes", "-q"]).expect_success();
        repo.shell(&format!("script -qec 'git-orch attach {name}' /dev/null")).run()
    };
    // What is not there takes nothing over.
    let told = attach("gone");
    assert!(told.stdout.contains("no command `gone`"), "{told}");
    assert_eq!(repo.orch(&["show", name, "--json"]).json()["data"]["state"], "input");
    repo.write("../person", "#!/bin/sh\ntest -t 0 && echo 'I did' >>$TMPDIR/talks/$2; echo 1 >one; git add one; git commit -qm one\n");
    repo.shell("chmod +x ../person").run().expect_success();
    let told = attach(&format!("{}/person", repo.top().display()));
    assert!(told.stdout.contains(&format!("next: git orch done {name}")), "{told}");
    repo.orch(&["done", name, "-q"]).expect_success();
    let talk = repo.orch(&["log", name, "--transcript"]).stdout;
    assert!(talk.contains("SAY: Shall I?") && talk.ends_with("I did\n"), "{talk}");
    assert_eq!(repo.orch(&["log", name, "--grep", "i did", "-q"]).exit, 0);
    assert_eq!(repo.orch(&["log", "backend", "--grep", "nobody did", "-q"]).exit, 1);
}

#[test]
fn a_shell_that_the_repository_names_waits_for_trust() {
    let repo = TestRepo::new();
    repo.write(".orch.yml", "version: 1\nagents: { default: shell }\n");
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    repo.orch(&["task", "one", "--session", "backend"]).expect(
        "
        exit 5
        -- stderr
        error: this repository is not trusted
        hint: read what it would run and allow it: `git orch trust`
        ",
    );
    repo.orch(&["task", "one", "--session", "backend", "--agent", "shell", "-q"]).expect_success();
}

#[test]
fn a_conversation_that_no_file_has_is_printed_once_the_result_is_there() {
    let repo = shop("");
    let talk = repo.agent("talk.sh");
    let house = |export: &str| {
        let house =
            format!("run: [{talk}], begin: [--session-id], like: claude, export: [sh, -c, '{export}', x]");
        repo.write(".orch.yml", &format!("version: 1\nagents:\n  default: house\n  house: {{ {house} }}\n"));
        repo.orch(&["trust", "--yes", "-q"]).expect_success();
    };
    // What it leaves is nobody's, what it complains of no part of it.
    house("echo leak >leak; echo no >&2; echo talk of $1");
    task(&repo, "One\nDO: echo 1 >one").expect_success();
    let one = id(&last_run(&repo, "one"));
    assert_eq!(repo.orch(&["log", "one-do-echo-1-one", "--transcript"]).stdout, format!("talk of {one}\n"));
    assert_eq!(repo.git(&["diff", "--name-only", "main", "orch/backend"]), "one\n");
    repo.shell("find .git/orch -name 'transcript-*'").run().expect("exit 0");
    // One that hangs is ended with all it started, and holds no result up.
    house("echo $$ >$TMPDIR/hangs; sleep 300");
    let script = "git-orch task 'Two\nDO: echo 2 >two' --session backend -q & p=$!
        until [ -s $TMPDIR/hangs ]; do kill -0 $p || exit 9; sleep 0.05; done
        git show-ref -q review/two-do-echo-2-two && kill -INT $p; wait $p; echo $?
        kill -0 $(cat $TMPDIR/hangs) 2>/dev/null && echo lives; git-orch show two-do-echo-2-two | head -1";
    repo.shell(script).run().expect(
        "
        exit 0
        -- stdout
        review/two-do-echo-2-two
        0
        task two-do-echo-2-two: review
        ",
    );
}

#[test]
fn a_refused_attempt_goes_on_in_the_conversation_that_was_there() {
    let repo = shop(", wait: 1s");
    task(&repo, "One\nDO: echo 1 >>src/api/login.rs").expect_success();
    repo.shell("rm ../tmp/talks/calls").run().expect_success();
    task(&repo, "Two\nLIMIT: 1\nDO: echo 2 >>src/api/login.rs").expect_success();
    let (one, two) = (last_run(&repo, "one"), last_run(&repo, "two"));
    assert_eq!(id(&one), id(&two));
    assert!(two["command"].to_string().ends_with(&format!("\"--resume\",\"{}\"]", id(&one))), "{two}");
    // One that was not there is put down before it begins.
    repo.shell("rm ../tmp/talks/calls").run().expect_success();
    let new = "git-orch task 'Three\nLIMIT: 1\nDO: cat .git >$TMPDIR/there; sleep 60' --session backend --agent new -q & p=$!";
    let settings = repo.read("shop/.orch.yml");
    let house = settings
        .lines()
        .last()
        .unwrap()
        .replace("house:", "new:")
        .replace(", resume:", ", sticky: false, resume:");
    repo.write(".orch.yml", &format!("{settings}{house}\n"));
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    let script = format!(
        "{new}; until [ -s $TMPDIR/there ]; do kill -0 $p || exit 9; sleep 0.05; done; kill -9 $p; wait $p || true; git-orch doctor -q"
    );
    drop(repo.shell(&script).run());
    let three = last_run(&repo, "three");
    let talk = repo.read(&format!("tmp/talks/{}", id(&three)));
    assert!(talk.contains("Three"), "{three}");
}

#[test]
#[ignore = "needs tmux"]
fn second_tier_a_person_works_in_a_window_of_tmux() {
    if !found("tmux").is_absolute() {
        assert!(std::env::vars_os().all(|(key, _)| key != "CI"), "this machine lacks tmux");
        skip("this machine lacks tmux");
        return;
    }
    let repo = shop("");
    let tmux = |script: &str| {
        repo.shell(script).env("TMUX_TMPDIR", repo.top().join("tmp")).env("SHELL", "/bin/sh").run()
    };
    // A shell in a window that says where it is and whose.
    let told = tmux(
        "tmux -f /dev/null new-session -d -x 200 -y 50 'git-orch task work --session backend --agent tmux 2>../told; sleep 60'
        until window=$(tmux list-windows -F '#W' | grep '^work-'); do sleep 0.05; done
        tmux send-keys -t $window 'echo $GIT_ORCH_TASK >task; pwd >>task; git add task; git commit -qm task; git-orch done -q; touch ../end' Enter
        until [ -f ../shop.orch/end ]; do sleep 0.05; done; cat ../shop.orch/backend/task; grep next ../told; git-orch show work | head -1",
    );
    told.expect(
        "
        exit 0
        -- stdout
        work
        $TMP/shop.orch/backend
        next: git orch done work
        task work: review
        ",
    );
    assert_eq!(task(&repo, "Ask\nSAY: Shall I?").exit, 6);
    repo.write("../person", "#!/bin/sh\necho \"$@\" >talk; exec sleep 60\n");
    let settings = repo
        .read("shop/.orch.yml")
        .replace("attach: [sh, ", &format!("attach: [{}/person, ", repo.top().display()));
    repo.write(".orch.yml", &settings);
    repo.shell("chmod +x ../person; git-orch trust --yes -q").run().expect_success();
    tmux(
        "TMUX=$(tmux display -p '#{socket_path},1,0') git-orch attach ask-say-shall-i --tmux -q
        until [ -s ../shop.orch/backend/talk ]; do sleep 0.05; done; tmux list-windows -F '#W' | grep -c ask-say-shall-i; tmux kill-server",
    )
    .expect("exit 0\n-- stdout\n1");
    assert!(repo.read("shop.orch/backend/talk").starts_with("--resume "));
}

#[test]
fn a_run_that_goes_wrong_asks_nothing() {
    let repo = shop("");
    repo.write(
        "../tmp/words",
        r#"{"type":"result","is_error":true,"result":"Shall I go on with sk-ant-abcdefgh12?"}"#,
    );
    let failed = task(&repo, "Ask\nDO: cat $TMPDIR/words; git-orch report input -m why -q; exit 1");
    assert_eq!(failed.exit, 1, "{failed}");
    let run = last_run(&repo, "ask");
    assert_eq!(
        (&run["outcome"], &run["error"]),
        (&"failed".into(), &"Shall I go on with [redacted]?".into()),
        "{run}"
    );
}

#[test]
fn what_travels_has_no_secrets() {
    let repo = shop("");
    repo.orch(&["add-session", "other", "--paths", "src/web", "-q"]).expect_success();
    let secret = "sk-ant-abcdefgh12";
    let text = "Ask\nDO: git-orch report input -m \"use $(cat $TMPDIR/words)?\" -q\nSAY: it is so";
    repo.write("../tmp/words", secret);
    assert_eq!(task(&repo, text).exit, 6);
    let name = "ask-do-git-orch-report-input-m-use-cat";
    repo.orch(&["note", secret, "--task", name, "-q"]).expect_success();
    repo.orch(&["handoff", name, "--to", "other", "-m", secret, "-q"]).expect_success();
    let record = repo.git(&[
        "show",
        &format!("refs/orch/task/{name}:task.json"),
        &format!("refs/orch/task/{name}:handoff.md"),
    ]);
    assert_eq!((record.matches("[redacted]").count(), record.contains(secret)), (5, false), "{record}");
}

#[test]
fn what_asks_is_handed_over_with_its_work() {
    let repo = shop("");
    repo.orch(&["add-session", "other", "--paths", "src/web", "-q"]).expect_success();
    assert_eq!(
        task(&repo, "Ask\nDO: echo half >> src/api/login.rs; git-orch report input -m why -q").exit,
        6
    );
    let name = "ask-do-echo-half-src-api-login-rs-git";
    let told = repo.orch(&["plan"]).told();
    assert!(!told.contains("no open tasks"), "{told}");
    repo.orch(&["handoff", name, "--to", "other", "-q"]).expect_success();
    let record = repo.orch(&["show", name, "--json"]).json()["data"].clone();
    assert!(
        record["handoffs"][0]["work"].is_string() && record["runs"][0]["snapshot"].is_string(),
        "{record}"
    );
    repo.orch(&["attach", name, "--dry-run"]).expect(
        "
        exit 0
        -- stdout
        /bin/sh in $TMP/shop.orch/other
        ",
    );
    let edit = repo.agent("edit.sh");
    repo.orch(&["retry", name, "-q", "--", &edit, "x.txt"]).expect_success();
    assert_eq!(repo.git(&["show", &format!("review/{name}:src/api/login.rs")]), "fn login() {}\nhalf\n");
}

#[test]
fn a_task_in_the_background_that_cannot_begin_says_why() {
    let repo = shop("");
    assert_eq!(task(&repo, "Ask\nSAY: Shall I?").exit, 6);
    repo.orch(&["task", "late", "--session", "backend", "--detach", "-q"]).expect(
        "
        exit 0
        -- stdout
        late
        ",
    );
    assert_eq!(repo.orch(&["wait", "late"]).exit, 1);
    let run = last_run(&repo, "late");
    assert_eq!(
        (&run["outcome"], &run["error"]),
        (&"failed".into(), &"session `backend` works on `ask-say-shall-i`".into())
    );
    repo.orch(&["cancel", "ask-say-shall-i", "-q"]).expect_success();
    repo.orch(&["retry", "late", "-q", "--", &repo.agent("edit.sh"), "x.txt"]).expect_success();
}

#[test]
fn a_task_in_the_background_is_called_off_while_it_waits() {
    let repo = shop("");
    let script = "git-orch task busy --session backend --detach -q -- sleep 60
        git-orch task soon --session backend --detach -q
        git-orch cancel soon; git-orch show soon | head -1; git-orch cancel busy -q";
    repo.shell(script).run().expect(
        "
        exit 0
        -- stdout
        busy
        soon
        task soon: cancelled
        -- stderr
        soon is cancelled
        to take it up again: git orch retry soon
        ",
    );
}

/// A git on the `PATH` that kills git-orch as it takes what a run left.
const KILLER: &str = r#"mkdir ../killer; cat >../killer/git <<'EOF'; chmod +x ../killer/git
#!/bin/sh
PATH=${PATH#*:}
case " $* " in *" add "*) kill -9 $PPID;; esac
exec git "$@"
EOF
"#;

#[test]
fn a_conversation_that_only_its_output_told_is_gone_on_with_after_a_kill() {
    let repo = shop("");
    let talk = repo.agent("talk.sh");
    let reads = "{ when: { /type: system }, conversation: /session_id }";
    repo.write(
        ".orch.yml",
        &format!(
            "version: 1\nagents:\n  teller: {{ run: {talk} --session-id told, resume: [{talk}, --resume], reads: [{reads}] }}\n"
        ),
    );
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    // The agent is done before anybody looks at what it prints.
    let killed = "PATH=$(cd ../killer; pwd):$PATH git-orch task 'One\nDO: echo 1 >>src/api/login.rs' \
                  --session backend --agent teller -q; [ $? = 137 ]";
    repo.shell(&format!("{KILLER}{killed}")).run().expect_success();
    repo.orch(&["doctor", "--fix"]).expect_success();
    assert_eq!(id(&last_run(&repo, "one")), "told");
    repo.shell("git-orch retry $(git-orch tasks --all | grep -o 'one-[^ ]*') -q").run().expect_success();
    assert!(last_run(&repo, "one")["command"].to_string().ends_with("\"--resume\",\"told\"]"));
}

#[test]
fn what_a_kill_left_of_a_conversation_being_kept_goes() {
    let repo = shop("");
    task(&repo, "One\nDO: echo 1 >>src/api/login.rs").expect_success();
    let left = "touch -d '2 hours ago' .git/orch/transcript-old; touch .git/orch/transcript-new";
    repo.shell(&format!("{left}; git orch doctor --fix -q")).run().expect_success();
    let kept = format!(
        ".git/orch/transcript-new\n.git/orch/transcripts/backend/{}.jsonl.gz\n",
        id(&last_run(&repo, "one"))
    );
    assert_eq!(repo.shell("find .git/orch -path '*transcript*' -type f | sort").run().stdout, kept);
}

#[test]
fn what_a_killed_run_said_of_itself_goes() {
    let repo = shop("");
    let script = "git-orch report input -q -m why; kill -9 $(cut -d ' ' -f 4 /proc/$PPID/stat); sleep 10";
    let _ = repo.orch(&["task", "one", "--session", "backend", "--", "sh", "-c", script]);
    let said = repo.path(".git/orch/task/one/report.json");
    assert!(said.exists());
    repo.orch(&["doctor", "--fix", "-q"]).expect_success();
    assert!(!said.exists());
}

#[test]
fn an_id_that_is_no_word_is_none() {
    let repo = shop("");
    // The last that is told.
    let odd =
        r#"trap 'printf "{\"type\":\"result\",\"session_id\":\"-x\"}\n"' EXIT; echo 1 >> src/api/login.rs"#;
    for name in ["One", "Two"] {
        task(&repo, &format!("{name}\nDO: {odd}")).expect_success();
    }
    assert_eq!(id(&last_run(&repo, "one")), id(&last_run(&repo, "two")));
    let printed =
        repo.shell("git-orch log $(git-orch tasks --all | grep -o 'two-[^ ]*') | tail -1").run().stdout;
    assert_eq!(printed, "{\"type\":\"result\",\"session_id\":\"-x\"}\n");
}

#[test]
fn an_agent_whose_output_tells_nothing_is_run_once() {
    let repo = shop("");
    repo.write(
        ".orch.yml",
        "version: 1\nagents:\n  dumb: { run: [sh, -c, 'echo ran >>$TMPDIR/ran; exit 1', x], begin: [--id], resume: [sh, -c, 'echo ran >>$TMPDIR/ran; exit 1', x] }\n",
    );
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    for text in ["one", "two"] {
        let failed = repo.orch(&["task", text, "--session", "backend", "--agent", "dumb"]);
        assert!(failed.exit == 1 && !failed.told().contains("a new one begins"), "{failed}");
    }
    assert_eq!(repo.read("tmp/ran"), "ran\nran\n");
}

#[test]
fn what_begins_and_what_is_read_of_an_agent_is_trusted_too() {
    let repo = shop("");
    let settings = repo.read("shop/.orch.yml");
    for (from, to, purpose) in [
        (
            "begin: [--session-id]",
            "begin: [--evil, --session-id]",
            "agent house, beginning `[\"--evil\", \"--session-id\"]`",
        ),
        ("$TMPDIR/talks/{id}", "~/{id}", "agent house, its transcripts `[\"~/{id}\"]`"),
    ] {
        repo.write(".orch.yml", &settings.replace(from, to));
        task(&repo, "One").expect(&format!(
            "
            exit 5
            -- stderr
            error: the {purpose} of this repository is not trusted
            hint: read what it would run and allow it: `git orch trust`
            "
        ));
    }
}

#[test]
fn a_session_that_waits_for_an_answer_takes_no_other_task() {
    let repo = shop("");
    let name = "ask-say-shall-i";
    assert_eq!(task(&repo, "Ask\nSAY: Shall I?").exit, 6);
    task(&repo, "Other").expect(&format!(
        "
        exit 3
        -- stderr
        backend takes other
        error: session `backend` works on `{name}`
        hint: it waits for an answer: `git orch answer {name} TEXT`, or call it off: `git orch cancel {name}`
        hint: or give this to another session with `--session`
        "
    ));
}

#[test]
fn last_words_that_ask_are_a_question_where_nothing_was_done() {
    let repo = shop("");
    task(&repo, "Ask\nSAY: Shall I?").expect(
        "
        exit 6
        -- stderr
        backend takes ask-say-shall-i
        backend asks: Shall I?
        next: git orch answer ask-say-shall-i TEXT, or git orch attach ask-say-shall-i
        ",
    );
    repo.orch(&["cancel", "ask-say-shall-i", "-q"]).expect_success();
    task(&repo, "Do\nSAY: I will not.").expect(
        "
        exit 1
        -- stderr
        backend takes do-say-i-will-not
        not done: the run changed nothing after <time>; session backend is free
        next: git orch log do-say-i-will-not, then git orch retry do-say-i-will-not
        ",
    );
}

#[test]
fn a_service_that_takes_no_more_is_asked_again_and_in_the_end_no_more() {
    let repo = shop(", retries: 2, wait: 1s");
    let again = "warning: house: its service takes no more at the moment; again in 1.0s\n";
    let told = task(&repo, "One\nLIMIT: 1\nDO: echo 1 >> src/api/login.rs").told();
    assert!(told.contains("done in") && told.matches(again).count() == 1, "{told}");
    // What all attempts took counts, and what all printed is kept.
    assert_eq!(last_run(&repo, "one")["usage"]["input_tokens"], 13);
    let log = repo.shell("git-orch log $(git-orch tasks --all | grep -o 'one-[^ ]*')").run().stdout;
    let (first, second) = log.split_once("\n\n[tried again]\n").unwrap();
    assert!(first.contains("too many") && second.contains("\"result\":\"done\""), "{log}");
    repo.shell("rm ../tmp/talks/calls").run().expect_success();
    task(&repo, "Two\nLIMIT: 9").expect(
        "
        exit 1
        -- stderr
        backend takes two-limit-9
        warning: house: its service takes no more at the moment; again in <time>
        warning: house: its service takes no more at the moment; again in <time>
        not done: the run was limited (exit 1) after <time>: too many; session backend is free
        next: git orch log two-limit-9, then git orch retry two-limit-9
        ",
    );
    assert_eq!(last_run(&repo, "two")["outcome"], "limited");
}

#[test]
fn attempts_take_no_more_together_than_a_run_may() {
    let repo = shop(", retries: 9, wait: 1s, max_tokens: 5");
    let told = task(&repo, "One\nLIMIT: 9").told();
    assert!(
        told.contains("the run took too much (exit 1) after") && told.contains("it took 6 of 5 tokens"),
        "{told}"
    );
    assert_eq!(repo.read("tmp/talks/calls"), "2\n");
}

#[test]
fn a_run_that_takes_more_than_it_may_is_ended() {
    let repo = shop(", max_tokens: 100");
    task(&repo, "One\nTOOK: 4000\nDO: echo 1 >> src/api/login.rs; printf '{\"type\":\"result\",\"usage\":{\"input_tokens\":4000}}\\n'; sleep 60").expect(
        "
        exit 1
        -- stderr
        backend takes one-took-4000-do-echo-1-src-api-login-rs
        not done: the run took too much after <time>: it took 4,000 of 100 tokens; its edits are kept on the task's record; session backend is free
        next: git orch log one-took-4000-do-echo-1-src-api-login-rs, then git orch retry one-took-4000-do-echo-1-src-api-login-rs
        ",
    );
}

/// The runs of a task whose command is killed once `until` holds, and that is run again.
fn killed(repo: &TestRepo, until: &str) -> serde_json::Value {
    let text = "One\nDO: test -f $TMPDIR/two || { touch $TMPDIR/two; echo 1 >> src/api/login.rs; sleep 60; }; echo 1 >> src/api/login.rs";
    let script = format!(
        "git-orch task '{text}' --session backend -q & p=$!
        until {until} && [ -f $TMPDIR/two ]; do kill -0 $p || exit 9; sleep 0.05; done
        kill -9 $p; wait $p || true; git-orch retry $(git-orch tasks --all 2>/dev/null | grep -o 'one-[^ ]*') -q 2>&1"
    );
    repo.shell(&script).run().expect_success();
    let runs = repo.orch(&["tasks", "--all", "--json"]).json()["data"][0]["runs"].clone();
    let how = (runs[0]["outcome"].as_str(), runs[1]["agent"].as_str());
    assert_eq!(how, (Some("died"), Some("house")), "{runs}");
    runs
}

#[test]
fn a_conversation_outlives_a_killed_command() {
    let repo = shop("");
    let runs = killed(&repo, "grep -qs 1 ../shop.orch/backend/src/api/login.rs");
    assert_eq!(id(&runs[0]), id(&runs[1]));
}

#[test]
fn a_conversation_whose_id_the_agent_told_outlives_a_killed_command_too() {
    let repo = shop("");
    let talk = repo.agent("talk.sh");
    let reads = "reads: [{ when: { /type: system }, conversation: /session_id }]";
    let house = format!("house: {{ run: [{talk}, thread-1], resume: [{talk}, --resume], {reads} }}");
    repo.write(".orch.yml", &format!("version: 1\nagents:\n  default: house\n  {house}\n"));
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    let runs = killed(&repo, "ls .git/orch/task/*/conversation >/dev/null 2>&1");
    assert_eq!((id(&runs[0]), id(&runs[1])), ("thread-1".to_owned(), "thread-1".to_owned()));
    assert!(runs[1]["command"].to_string().ends_with("\"--resume\",\"thread-1\"]"), "{runs}");
}

#[test]
fn agents_are_listed_and_shown_as_they_would_be_written() {
    let repo = TestRepo::new();
    repo.write("../bin/codex", "#!/bin/sh\necho codex-cli 0.1.2\n");
    repo.write("../bin/aider", "#!/bin/sh\necho aider 3.4.\n");
    repo.shell("chmod +x ../bin/codex ../bin/aider").run().expect_success();
    let path = format!("{}/bin:/usr/bin:/bin", repo.top().display());
    let list = |arguments: &[&str]| repo.call(arguments).env("PATH", &path).run();
    list(&["agents"]).expect(
        "
        exit 0
        -- stdout
          agent     from      installed  conversations  may start
          codex     built-in  0.1.2      goes on        once trusted
          aider     built-in  3.4        new each time  once trusted
          claude    built-in  no         goes on        once trusted
          opencode  built-in  no         goes on        once trusted
          gemini    built-in  no         goes on        once trusted
          copilot   built-in  no         goes on        once trusted
          pi        built-in  no         goes on        once trusted
          qwen      built-in  no         goes on        once trusted
        -- stderr
        no default is set: a person takes over, and codex once this repository is trusted: git orch trust
        ",
    );
    let shown = repo.orch(&["agents", "codex"]).stdout.clone();
    assert!(shown.contains("agents:\n  codex:\n    run:\n    - codex\n"), "{shown}");
    repo.orch(&["agents", "codx"]).expect(
        "
        exit 2
        -- stderr
        error: no agent `codx`; did you mean `codex`?
        hint: `git orch agents` lists them; name it under `agents:` in `.orch.yml`, or give its command behind `--`
        ",
    );
    repo.orch(&["add-session", "a", "--paths", "src", "-q"]).expect_success();
    repo.call(&["task", "x", "--agent", "codex"]).env("PATH", &path).run().expect(
        "
        exit 5
        -- stderr
        error: this repository is not trusted
        hint: read what it would run and allow it: `git orch trust`
        ",
    );
}

#[test]
fn where_no_agent_is_named_the_first_that_is_installed_does_what_is_new() {
    let repo = TestRepo::new();
    repo.write("../bin/claude", "#!/bin/sh\necho 1 >>new.txt\n");
    repo.write("../bin/codex", "#!/bin/sh\necho 0.1.2\n");
    repo.shell("chmod +x ../bin/*").run().expect_success();
    let path = format!("{}/bin:/usr/bin:/bin", repo.top().display());
    let call = |arguments: &[&str]| repo.call(arguments).env("PATH", &path).run();
    call(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    call(&["task", "one", "--session", "backend"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        -- stderr
        no agent is named; claude is installed, and may start here after git orch trust
        backend takes one
        no agent is set: one is yours
          worktree   $TMP/shop.orch/backend
          brief      $TMP/shop/.git/orch/task/one/brief.md
        next: work and commit there, then git orch done one
        ",
    );
    call(&["done", "one", "--empty", "-q"]).expect_success();
    call(&["trust", "--yes", "-q"]).expect_success();
    assert!(
        call(&["agents"]).told().ends_with(
            "no default is set: claude does new tasks, the first that is installed\n\
             next: git config orch.agent NAME sets one; person is nobody\n"
        ),
        "{}",
        call(&["agents"])
    );
    let told = call(&["task", "two", "--session", "backend"]).told();
    let named =
        "no agent is named: claude, the first that is installed (git config orch.agent NAME, or person)\n";
    assert!(told.starts_with(named) && told.contains("done in"), "{told}");
    assert_eq!(last_run(&repo, "two")["agent"], "claude");
    // A plan says it once.
    let told = call(&["plan", "three", "four", "--run"]).told();
    assert_eq!(
        (told.matches(named).count(), last_run(&repo, "four")["agent"].as_str()),
        (1, Some("claude")),
        "{told}"
    );
    // What a person had stays a person's.
    let told = call(&["retry", "one"]).told();
    assert!(told.contains("no agent is set: one is yours"), "{told}");
    call(&["cancel", "one", "-q"]).expect_success();
    repo.git(&["config", "orch.agent", "person"]);
    let told = call(&["task", "five", "--session", "backend"]).told();
    assert!(told.contains("backend takes five\nno agent is set: five is yours"), "{told}");
}

#[test]
fn conversations_outlive_their_worktree_without_their_secrets_and_are_searched() {
    let repo = shop("");
    let secret = format!("sk-ant-{}", "a1B2".repeat(4));
    task(&repo, &format!("One: why Blue, with {secret}\nDO: echo 1 >> src/api/login.rs")).expect_success();
    let id = id(&last_run(&repo, "one"));
    repo.call(&["merge", "-q"]).changing_checkout().run().expect_success();
    repo.shell("rm -r ../tmp/talks").run().expect_success();
    repo.orch(&["remove-session", "backend", "-q"]).expect_success();
    let found = repo.orch(&["log", "--grep", "why b.ue", "--json"]).json()["data"].clone();
    let first = &found.as_array().unwrap()[0];
    assert_eq!(
        (first["session"].as_str(), first["conversation"].as_str(), first["text"].as_str()),
        (Some("backend"), Some(id.as_str()), Some("One: why Blue, with [redacted]"))
    );
    let whole =
        repo.shell("git-orch log $(git-orch tasks --all | grep -o 'one-[^ ]*') --transcript").run().stdout;
    assert!(
        whole.contains("DO: echo 1") && whole.contains("[redacted]") && !whole.contains(&secret),
        "{whole}"
    );
    let mode = repo.shell("find .git/orch/transcripts -type f -perm /077").run().stdout;
    assert_eq!(mode, "", "others can read it");
    repo.orch(&["log", "--grep", "green"]).expect(
        "
        exit 1
        -- stderr
        nothing like `green` in 2 files
        ",
    );
    repo.orch(&["log", "backend", "--grep", "("]).expect(
        "
        exit 2
        -- stderr
        error: `(` is no regular expression
        hint: for special characters themselves put a backslash in front
        ",
    );
}
