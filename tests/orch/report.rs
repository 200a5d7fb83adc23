//! `git orch report`: where the run of a task says that it is.

use crate::support::TestRepo;
use crate::support::results::both_sides;

/// Runs a task of `backend` whose agent is this script, `$top` the folder above
/// all; what it left in `seen` there.
fn seen(repo: &TestRepo, script: &str) -> String {
    let script = format!(
        "top='{}'; exec >\"$top/seen\" 2>&1; {script}; git orch report working -q; echo x >x.txt",
        repo.top().display()
    );
    repo.orch(&["task", "fix login", "--session", "backend", "-q", "--", "sh", "-c", &script]).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        ",
    );
    repo.shell("cat ../seen").run().to_string()
}

#[track_caller]
fn expect(shown: &str, wanted: &str) {
    let lines = |text: &str| text.trim().lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    assert_eq!(lines(shown), lines(wanted), "\n{shown}");
}

#[test]
fn an_agent_that_waits_is_seen_to_wait_and_for_what() {
    let repo = both_sides();
    let shown = seen(
        &repo,
        "git orch show fix-login | grep -E 'task|reports|next'
        git orch report working -m 'reading the code'; git orch show fix-login | grep reports
        git orch report input -m 'which tone?'
        git orch tasks; git orch sessions; git orch show fix-login | grep -E 'task|reports|next'
        git orch show backend | grep -E 'session|reports'; git orch wait fix-login; echo $?
        git orch report working; git orch tasks; git orch report done; git orch show fix-login | grep reports",
    );
    expect(
        &shown,
        "
        exit 0
        -- stdout
        task fix-login: running
        reports    unknown
        fix-login says: working
        reports    working, <time> ago: reading the code
        fix-login says: input
        task       state  session  files  last    text
        fix-login  input  backend      0  <time> ago  fix login
        fix-login asks, <time> ago: which tone?
        git orch answer fix-login TEXT
        session   state  task       ahead  behind  load  last    knows
        backend   input  fix-login      0       0     1  <time> ago  src/api  asks: which tone?  waits: git orch answer fix-login TEXT
        frontend  idle                  0       0     0  <time> ago  src/web
        task fix-login: input
        reports    input, <time> ago: which tone?
        next: git orch answer fix-login TEXT, or git orch attach fix-login
        session backend: input
        reports    input, <time> ago: which tone?
        fix-login is input
        6
        fix-login says: working
        task       state    session  files  last    text
        fix-login  running  backend      0  <time> ago  fix login
        fix-login says: done
        reports    done, <time> ago
        ",
    );
    assert!(!repo.orch(&["show", "fix-login"]).stdout.contains("reports"), "it says no more once it ended");
}

#[test]
fn programs_read_it_too_and_the_record_does_not_hold_it() {
    let repo = both_sides();
    let shown = seen(
        &repo,
        "git orch report input -m 'which tone?' --json
        git orch tasks --json | grep -o '\"state\":\"input\",\"session\"' 
        git orch tasks --json | grep -o '\"reported\".*'
        git orch sessions --json | grep -o '\"state\":\"input\",\"task\":\"fix-login\",\"reported\":{[^}]*}'
        git cat-file -p refs/orch/task/fix-login:task.json | grep -cE '^  \"(reported|state\": \"input)'
        stat -c %a \"$(git rev-parse --git-common-dir)/orch/task/fix-login/report.json\"",
    );
    expect(
        &shown,
        r#"
        exit 0
        -- stdout
        {"schema":"git-orch/1","command":"report","data":{"task":"fix-login","state":"input","text":"which tone?","time":"<moment>"}}
        fix-login says: input
        "state":"input","session"
        "reported":{"state":"input","text":"which tone?","time":"<moment>"}}]}
        "state":"input","task":"fix-login","reported":{"state":"input","text":"which tone?","time":"<moment>"}
        0
        600
        "#,
    );
}

#[test]
fn a_hook_of_an_agent_says_it_in_one_line() {
    let repo = both_sides();
    let shown = seen(
        &repo,
        r#"hook() { printf '{"session_id":"1","hook_event_name":"%s"%s}' "$1" "$2" | git orch report --hook; echo $?; }
        hook Notification ',"message":"Claude needs your permission to use Bash"'; git orch show fix-login | grep reports
        hook PreToolUse ',"tool_name":"Bash","tool_input":{"command":"ls"}'; git orch show fix-login | grep reports
        hook Stop ''; git orch show fix-login | grep reports
        hook SubagentStop ''; echo garbage | git orch report --hook; echo $?
        head -c 40000000 /dev/zero | git orch report --hook; echo $?; git orch show fix-login | grep reports"#,
    );
    expect(
        &shown,
        "
        exit 0
        -- stdout
        0
        reports    input, <time> ago: Claude needs your permission to use Bash
        0
        reports    working, <time> ago
        0
        reports    done, <time> ago
        0
        0
        0
        reports    done, <time> ago
        ",
    );
}

#[test]
fn a_hook_fails_no_agent_where_there_is_no_task() {
    let repo = both_sides();
    repo.orch(&["task", "fix login", "--session", "backend", "-q"]).expect_success();
    let before = repo.everything();
    let event = r#"{"hook_event_name":"Notification","message":"x"}"#;
    for (folder, task) in [
        (repo.path(""), None),
        (repo.top().to_owned(), None),
        (repo.worktree("frontend"), None),
        (repo.path(""), Some("fix-login")),
        (repo.path(""), Some("no-such")),
        (repo.path(""), Some("../../x")),
    ] {
        let call = repo.call(&["report", "--hook"]).within(folder).stdin(event);
        let call = task.into_iter().fold(call, |call, task| call.env("GIT_ORCH_TASK", task));
        call.run().expect("exit 0");
    }
    before.expect_same(&repo.everything(), "hooks away from any task");
}

#[test]
fn only_the_run_of_a_task_says_where_it_is() {
    let repo = both_sides();
    repo.orch(&["task", "write a page", "--session", "frontend", "-q"]).expect_success();
    repo.orch(&["report", "working"]).expect(
        "
        exit 2
        -- stderr
        error: this worktree, on `main`, is no session's: which task says so?
        hint: say it in the worktree of a session, or in the run of a task
        ",
    );
    let elsewhere = "
        exit 3
        -- stderr
        error: this is not the run of `write-a-page`
        hint: only an agent says where its own task is
        ";
    repo.call(&["report", "input"]).env("GIT_ORCH_TASK", "write-a-page").run().expect(elsewhere);
    let shown = seen(&repo, "GIT_ORCH_TASK=write-a-page git orch report input; echo $?");
    expect(
        &shown,
        "
        exit 0
        -- stdout
        error: this is not the run of `write-a-page`
        hint: only an agent says where its own task is
        3
        ",
    );
    repo.call(&["report", "input"]).env("GIT_ORCH_TASK", "fix-login").run().expect(
        "
        exit 3
        -- stderr
        error: nobody works on `fix-login`: it is review
        ",
    );
    repo.call(&["report", "input", "-m", "which page?"]).within(repo.worktree("frontend")).run().expect(
        "
        exit 0
        -- stderr
        write-a-page says: input
        ",
    );
    repo.orch(&["tasks", "-q"]).expect(
        "
        exit 0
        -- stdout
          task          state   session   files  last    text
          write-a-page  input   frontend      0  <time> ago  write a page
          fix-login     review  backend       1  <time> ago  fix login
        write-a-page asks, <time> ago: which page?
          git orch answer write-a-page TEXT
        ",
    );
}

#[test]
fn two_tasks_of_one_process_do_not_speak_for_each_other() {
    let repo = both_sides();
    let script = format!(
        "cd '{}'; touch \"$GIT_ORCH_TASK.here\"; until [ -e one.here ] && [ -e two.here ]; do sleep 0.02; done
        case $GIT_ORCH_TASK in one) other=two;; *) other=one;; esac
        cd \"$GIT_ORCH_ROOT\"; GIT_ORCH_TASK=$other git orch report input >\"../../$GIT_ORCH_TASK.said\" 2>&1
        echo x >\"$GIT_ORCH_TASK.txt\"; cd ../..; touch \"$GIT_ORCH_TASK.gone\"
        until [ -e one.gone ] && [ -e two.gone ]; do sleep 0.02; done",
        repo.top().display()
    );
    std::fs::write(repo.path("list"), "one\ntwo\n").unwrap();
    let plan = repo.orch(&["plan", "list", "--json"]).json();
    let sessions: Vec<&str> = plan["data"]["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["session"].as_str().unwrap())
        .collect();
    assert!(sessions.contains(&"backend") && sessions.contains(&"frontend"), "{sessions:?}");
    repo.orch(&["plan", "list", "--run", "-j", "2", "-q", "--", "sh", "-c", &script]).expect_success();
    repo.shell("cat ../one.said ../two.said").run().expect(
        "
        exit 0
        -- stdout
        error: this is not the run of `two`
        hint: only an agent says where its own task is
        error: this is not the run of `one`
        hint: only an agent says where its own task is
        ",
    );
}

#[test]
fn words_are_cut_and_speak_to_no_terminal() {
    let repo = both_sides();
    let shown = seen(
        &repo,
        r#"git orch report input -m "$(printf 'red \033[31m\342\200\256'; head -c 5000 /dev/zero | tr '\0' x)"
        git orch tasks | tail -2 | cut -c 1-70; git orch show fix-login | grep reports | wc -c"#,
    );
    expect(
        &shown,
        r"
        exit 0
        -- stdout
        fix-login says: input
        fix-login asks, <time> ago: red \u{1b}[31m\u{202e}xxxxxxxxxxxxxxxxxxxxxxxx
        git orch answer fix-login TEXT
        2087
        ",
    );
}

#[test]
fn what_an_earlier_run_said_is_forgotten() {
    let repo = both_sides();
    let script = "git orch report input -m 'which tone?'; exit 1";
    let failed = repo.orch(&["task", "fix login", "--session", "backend", "-q", "--", "sh", "-c", script]);
    assert_eq!(failed.exit, 6, "{failed}");
    let again =
        format!("git orch show fix-login | grep reports >'{}/seen'; echo x >x.txt", repo.top().display());
    repo.orch(&["cancel", "fix-login", "-q"]).expect_success();
    repo.orch(&["retry", "fix-login", "-q", "--", "sh", "-c", &again]).expect_success();
    repo.shell("cat ../seen").run().expect(
        "
        exit 0
        -- stdout
          reports    unknown
        ",
    );
    // Nor is anything taken from a file that is none of ours.
    let broken = "printf '{\"version\":1' >\"$(git rev-parse --git-common-dir)/orch/task/x/report.json\"
        git orch show x | grep reports >../../seen; echo y >y.txt";
    repo.orch(&["task", "x", "--session", "backend", "-q", "--", "sh", "-c", broken]).expect_success();
    assert_eq!(repo.read("seen"), "  reports    unknown\n");
}

#[test]
fn it_takes_one_of_three_words() {
    let repo = both_sides();
    repo.orch(&["report", "thinking"]).expect(
        "
        exit 2
        -- stderr
        error: invalid value 'thinking' for '[STATE]'
          [possible values: working, input, done]

        For more information, try '--help'.
        ",
    );
}
