//! `git orch task --detach`: a task that is carried out in the background.

use crate::support::results::both_sides;

/// An agent that ends once the file `go` is there.
const WAITS: &str = "until [ -e ../../go ]; do sleep 0.02; done; echo x >>x.txt; echo said";

#[test]
fn the_name_comes_at_once_and_the_result_later() {
    let repo = both_sides();
    let words = ["task", "fix login", "--session", "backend", "--detach", "--", "sh", "-c", WAITS];
    repo.orch(&words).expect(
        "
        exit 0
        -- stdout
        fix-login
        -- stderr
        backend takes fix-login
        fix-login is carried out in the background: git orch log fix-login -f, git orch wait fix-login
        ",
    );
    let started = repo.orch(&["show", "fix-login", "--json"]).json();
    assert!(["queued", "running"].contains(&started["data"]["state"].as_str().unwrap()), "{started}");
    assert_eq!(repo.orch(&["wait", "fix-login", "--timeout", "1s"]).exit, 124);
    repo.shell("touch ../go").run().expect("exit 0");
    repo.orch(&["wait", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        fix-login is review
        ",
    );
    repo.orch(&["log", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        said
        ",
    );
    repo.shell("cd .git/orch/task/fix-login; until grep next: detached.log >../log; do sleep 0.02; done; cat detached.log").run().expect(
        "
        exit 0
        -- stdout
        done in <time>: 1 commit, 1 file
          A x.txt
        review/fix-login
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.orch(&["log", "--ops"]).expect(
        "
        exit 0
        -- stdout
          <oid>  <time> ago     task 'fix login' --session backend --detach -- sh -c 'until [ -e ../../go ]; do sleep 0.02; done; echo x >>x.txt; echo said'
          <oid>  <time> ago     add-session frontend --paths src/web -q
          <oid>  <time> ago     add-session backend --paths src/api -q
        ",
    );
}

#[test]
fn what_keeps_it_from_beginning_is_told_at_once() {
    let repo = both_sides();
    let before = repo.everything();
    repo.orch(&["task", "fix login", "--session", "backnd", "--detach", "--", "true"]).expect(
        "
        exit 2
        -- stderr
        error: no session `backnd`; did you mean `backend`?
        hint: `git orch sessions` lists them
        ",
    );
    repo.orch(&["task", "fix login", "--detach", "--json", "--", "no-such-program"]).expect(
        r#"
        exit 2
        -- stdout
        {"schema":"git-orch/1","command":"task","error":{"kind":"usage","message":"no command `no-such-program`","hints":["it is not on the PATH; write `./NAME` for a file in this folder"]}}
        "#,
    );
    repo.orch(&["task", "api login", "--detach", "--dry-run", "--session", "backend", "--", "true"]).expect(
        "
        exit 0
        -- stdout
        backend would take it
        ",
    );
    before.expect_same(&repo.everything(), "tasks that could not begin");
}

#[test]
fn programs_get_the_record_and_it_can_be_called_off() {
    let repo = both_sides();
    let words =
        ["task", "fix login", "--session", "backend", "--detach", "-q", "--json", "--", "sh", "-c", WAITS];
    let task = repo.orch(&words).json();
    assert_eq!((&task["command"], &task["data"]["name"]), (&"task".into(), &"fix-login".into()));
    assert_eq!(task["data"]["state"], "queued");
    repo.shell("until git orch tasks | grep -q running; do sleep 0.02; done").run().expect("exit 0");
    repo.orch(&["cancel", "fix-login"]).expect(
        "
        exit 0
        -- stderr
        fix-login is cancelled
        to take it up again: git orch retry fix-login
        ",
    );
    repo.orch(&["sessions"]).expect(
        "
        exit 0
        -- stdout
          session   state  task  ahead  behind  load  last    knows
          backend   idle             0       0     0  <time> ago  src/api
          frontend  idle             0       0     0  <time> ago  src/web
        ",
    );
}

#[test]
fn a_second_one_waits_for_the_first() {
    let repo = both_sides();
    for name in ["one", "two"] {
        repo.orch(&["task", name, "--session", "backend", "--detach", "-q", "--", "sh", "-c", WAITS])
            .expect_success();
    }
    repo.shell("touch ../go; git orch wait one; git orch wait two").run().expect(
        "
        exit 0
        -- stdout
        one is review
        two is review
        ",
    );
    repo.orch(&["show", "two"]).expect(
        "
        exit 0
        -- stdout
        task two: review
          two
          session    backend, by sh
          on top of  one
          base       main <oid>
          run        1 committed, <time> ago
          commit     <oid> two
          touched    M x.txt
        next: git orch review two --diff, then git orch merge two
        ",
    );
}

#[test]
fn one_that_an_agent_hands_on_outlives_the_agent_and_nothing_else_does() {
    let repo = both_sides();
    // Who only calls itself so goes with the agent.
    let agent = format!(
        "git orch task two --session frontend --detach -q -- sh -c '{WAITS}'
        printf 'sleep 600\n' >../../__detached; (cd ../..; sh __detached & echo $! >pid); echo y >y.txt"
    );
    repo.orch(&["task", "one", "--session", "backend", "--", "sh", "-c", &agent]).expect(
        "
        exit 0
        -- stdout
        review/one
        -- stderr
        backend takes one
        done in <time>: 1 commit, 1 file
          A y.txt
        next: git orch review one --diff, then git orch merge one
        ",
    );
    repo.shell("! kill -0 $(cat ../pid) 2>/dev/null").run().expect("exit 0");
    repo.shell("touch ../go; git orch wait two").run().expect(
        "
        exit 0
        -- stdout
        two is review
        ",
    );
}

#[test]
fn nothing_is_left_where_nobody_hears_the_answer() {
    let repo = both_sides();
    let script = "
        mkfifo ../pipe; git-orch __detached task 'fix login' --session backend --detach -q -- true >../pipe 2>../told &
        exec 3<../pipe; exec 3<&-; wait $!; echo $?; cat ../told; git orch tasks";
    repo.shell(script).run().expect(
        "
        exit 0
        -- stdout
        130
        error: whoever started this is gone: Broken pipe (os error 32)
        -- stderr
        no open tasks; --all lists those that are over
        ",
    );
}
