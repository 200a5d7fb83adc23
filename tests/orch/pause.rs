//! `git orch pause` and `git orch resume`: a session that takes no tasks.

use crate::support::TestRepo;

/// Two sessions.
fn shop() -> TestRepo {
    let repo = TestRepo::new();
    for (name, path) in [("backend", "src/api"), ("frontend", "src/web")] {
        repo.orch(&["add-session", name, "--paths", path, "--adopt-history", "-q"]).expect_success();
    }
    repo
}

/// Two tasks for one session, which is paused while the first runs and the second waits.
const WAITS: &str = "exec 2>&1
    until_() { until \"$@\" >/dev/null 2>&1; do sleep 0.02; done; }
    git orch task one --session backend -q -- sh -c 'until [ -e ../../go ]; do sleep 0.02; done; echo x >x' & one=$!
    until_ sh -c 'git orch tasks | grep running'
    git orch task two --session backend -- sh -c 'echo y >y' 2>../two & two=$!
    until_ sh -c 'git orch tasks | grep queued'
    git orch pause backend -m 'on holiday'
    touch ../go; wait $one; echo $?; until_ grep paused ../two;";

#[test]
fn a_paused_session_is_seen_to_be() {
    let repo = shop();
    repo.orch(&["pause", "backend", "-m", "on holiday"]).expect(
        "
        exit 0
        -- stderr
        backend takes no tasks until git orch resume backend
        ",
    );
    repo.orch(&["sessions"]).expect(
        "
        exit 0
        -- stdout
          session   state   task  ahead  behind  load  last    knows
          backend   paused            0       0     0  <time> ago  src/api/cart.rs, src/api/login.rs  paused (on holiday): git orch resume backend
          frontend  idle              0       0     0  <time> ago  src/web/cart.ts, src/web/login.ts
        ",
    );
    repo.orch(&["show", "backend"]).expect(
        "
        exit 0
        -- stdout
        session backend: paused
          branch     orch/backend (0 ahead of main, 0 behind)
          worktree   $TMP/shop.orch/backend
          dirty      0 uncommitted files
          paths      src/api
          why        on holiday
          knows      src/api/cart.rs 0.48 and src/api/login.rs 0.48
        ",
    );
}

#[test]
fn the_router_leaves_a_paused_session_out_and_says_so() {
    let repo = shop();
    repo.orch(&["pause", "backend"]).expect_success();
    repo.orch(&["route", "api login", "--why"]).expect(
        "
        exit 0
        -- stdout
        api login → frontend   0.14

        targets, predicted from 2 similar commits
          src/api/login.rs  1.00
          src/api/cart.rs   0.89
          src/web/login.ts  0.39
          src/web/cart.ts   0.28

                    context  recent  last  focus  words  similar  specialty  load  score
          weight       0.12    0.12  0.15   0.15   0.31     0.15        0.5    -1
          frontend     0.06    0.02  0.10   0.21   0.19     0.03       0.04  0.00   0.14

        left out, as paused: backend

        frontend, because
          src               1 touch, last <time> ago  <oid> 2023-11-10  web: login and cart
          src/web/login.ts  1 touch, last <time> ago  <oid> 2023-11-10  web: login and cart
          src/web/cart.ts   1 touch, last <time> ago  <oid> 2023-11-10  web: login and cart
          <oid> 2023-11-10  web: login and cart  0.03 alike
        ",
    );
    let route = repo.orch(&["route", "api login", "--json"]).json();
    assert_eq!(route["data"]["paused"], serde_json::json!(["backend"]));
    assert_eq!(route["data"]["choice"], "frontend");
}

#[test]
fn new_tasks_go_to_others_while_there_are_any() {
    let repo = shop();
    repo.orch(&["pause", "backend"]).expect_success();
    repo.orch(&["task", "api login", "--dry-run"]).expect(
        "
        exit 0
        -- stdout
        frontend would take it (0.14): it touched 2 of 4 likely files
        ",
    );
    repo.orch(&["plan", "api login"]).expect(
        "
        exit 0
        -- stdout
          wave  task       session   score  why
             1  api-login  frontend   0.14  touched 2 of 4 likely files
        -- stderr
        1 task for 1 session
        next: git orch plan 'api login' --run -- AGENT
        ",
    );
    repo.orch(&["pause", "frontend"]).expect_success();
    repo.orch(&["route", "api login"]).expect(
        "
        exit 3
        -- stderr
        error: there is no session to route to that is not paused
        hint: let one take tasks again: `git orch resume backend`
        hint: or ask who knows the code: `git orch route --import authors TEXT`
        ",
    );
    repo.orch(&["task", "api login", "--", "true"]).expect(
        "
        exit 3
        -- stderr
        error: there is no session to give it to that is not paused
        hint: let one take tasks again: `git orch resume backend`
        ",
    );
    repo.orch(&["plan", "api login"]).expect(
        "
        exit 3
        -- stderr
        error: there is no session to give tasks to that is not paused
        hint: let one take tasks again: `git orch resume backend`
        ",
    );
}

#[test]
fn a_task_given_to_it_by_name_is_refused() {
    let repo = shop();
    let fail = repo.agent("fail.sh");
    assert_eq!(repo.orch(&["task", "one", "--session", "backend", "-q", "--", &fail]).exit, 1);
    repo.orch(&["task", "two", "--session", "frontend", "-q", "--", &repo.agent("edit.sh")]).expect_success();
    repo.orch(&["pause", "backend", "-m", "on holiday"]).expect_success();
    let before = repo.everything();
    let refused = "
        exit 3
        -- stderr
        error: session `backend` is paused (on holiday)
        hint: let it take tasks again: `git orch resume backend`
        ";
    for words in [
        &["task", "three", "--session", "backend", "--", "true"][..],
        &["task", "three", "--session", "backend", "--dry-run"],
        &["retry", "one"],
        &["review", "two", "--by", "backend", "--", "true"],
    ] {
        repo.orch(words).expect(refused);
    }
    before.expect_same(&repo.everything(), "tasks for a paused session");
}

#[test]
fn it_is_the_same_however_often_it_is_said_and_is_undone() {
    let repo = shop();
    let before = repo.refs();
    repo.orch(&["resume", "backend"]).expect(
        "
        exit 0
        -- stderr
        backend takes tasks already
        ",
    );
    repo.orch(&["pause", "backend", "--dry-run"]).expect(
        "
        exit 0
        -- stderr
        backend would take no tasks
        ",
    );
    assert_eq!(repo.refs(), before);
    repo.orch(&["pause", "backend", "-m", "on holiday"]).expect_success();
    let paused = repo.refs();
    repo.orch(&["pause", "backend"]).expect(
        "
        exit 0
        -- stderr
        backend is paused already
        ",
    );
    assert_eq!(repo.refs(), paused);
    let session = repo.orch(&["pause", "backend", "-m", "ill", "--json"]).json();
    assert_eq!((&session["data"]["state"], &session["data"]["why"]), (&"paused".into(), &"ill".into()));
    repo.orch(&["resume", "backend"]).expect(
        "
        exit 0
        -- stderr
        backend takes tasks again
        ",
    );
    repo.orch(&["undo", "-q"]).expect_success();
    let session = repo.orch(&["show", "backend", "--json"]).json();
    assert_eq!((&session["data"]["state"], &session["data"]["why"]), (&"paused".into(), &"ill".into()));
    repo.orch(&["log", "--ops"]).expect(
        "
        exit 0
        -- stdout
          <oid>  <time> ago  undoes <oid>     undo <oid>
          <oid>  <time> ago  undone by <oid>  resume backend
          <oid>  <time> ago                     pause backend -m ill --json
          <oid>  <time> ago                     pause backend -m 'on holiday'
          <oid>  <time> ago                     add-session frontend --paths src/web --adopt-history -q
          <oid>  <time> ago                     add-session backend --paths src/api --adopt-history -q
        ",
    );
    repo.orch(&["pause", "backnd"]).expect(
        "
        exit 2
        -- stderr
        error: no session `backnd`; did you mean `backend`?
        hint: `git orch sessions` lists them
        ",
    );
}

#[test]
fn what_runs_goes_on_and_what_is_queued_waits() {
    let repo = shop();
    let script = format!(
        "{WAITS}
        git orch plan; git orch sessions; git orch tasks
        git orch resume backend; wait $two; echo $?; sed 's,process [0-9]*,process N,' ../two"
    );
    repo.shell(&script).run().expect(
        "
        exit 0
        -- stdout
        backend takes no tasks until git orch resume backend
        1 task waits for it
        what runs goes on: one
        review/one
        0
          wave  task  session  score  why
             1  two   backend         queued; backend is paused: git orch resume backend
        1 task for 1 session
          session   state   task  ahead  behind  load  last    knows
          backend   paused  two       1       0     1  <time> ago  x, src/api  paused (on holiday): git orch resume backend
          frontend  idle              0       0     0  <time> ago  src/web/cart.ts, src/web/login.ts
          task  state   session  files  last    text
          one   review  backend      1  <time> ago  one
          two   queued  backend      0  <time> ago  two
        backend takes tasks again
        1 task waits for it
        review/two
        0
        backend takes two
        waiting for session backend: process N (task one)
        waiting for session backend, which is paused (on holiday): git orch resume backend
        done in <time>: 1 commit, 1 file, on top of one
          A y
        next: git orch review two --diff, then git orch merge two
        ",
    );
}

#[test]
fn who_waits_for_a_paused_session_can_be_stopped() {
    let repo = shop();
    repo.shell(&format!("{WAITS} git orch cancel two; wait $two; echo $?; sed 's,process [0-9]*,process N,' ../two; git orch tasks"))
        .run()
        .expect(
            "
        exit 0
        -- stdout
        backend takes no tasks until git orch resume backend
        1 task waits for it
        what runs goes on: one
        review/one
        0
        error: the task `two` ended before it began
        143
        backend takes two
        waiting for session backend: process N (task one)
        waiting for session backend, which is paused (on holiday): git orch resume backend
        error: terminated
          task  state   session  files  last    text
          one   review  backend      1  <time> ago  one
        ",
        );
}
