//! `git orch done`: a person, or an agent, says that a task is finished.

use crate::support::TestRepo;

/// A session in which a person works on a task.
fn at_work() -> TestRepo {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    repo.orch(&["task", "fix login", "-q"]).expect_success();
    repo
}

#[test]
fn a_person_is_given_a_place_and_a_brief() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    repo.orch(&["task", "fix login"]).expect(
        "
        exit 0
        -- stdout
        $TMP/shop.orch/backend
        -- stderr
        backend takes fix-login (0.25)
        no agent is set: fix-login is yours
          worktree   $TMP/shop.orch/backend
          brief      $TMP/shop/.git/orch/task/fix-login/brief.md
        next: work and commit there, then git orch done fix-login
        ",
    );
    repo.orch(&["sessions"]).expect(
        "
        exit 0
        -- stdout
          session  state    task       ahead  behind  load  last    knows
          backend  running  fix-login      0       0     1  <time> ago  src/api
        ",
    );
}

#[test]
fn a_person_commits_and_says_done_in_the_worktree() {
    let repo = at_work();
    let script =
        "cd ../shop.orch/backend && echo '// fixed' >> src/api/login.rs && git commit -qam 'login: fixed'
        git orch done";
    repo.shell(script).run().expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        done in <time>: 1 commit, 1 file
          M src/api/login.rs
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.orch(&["done", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        fix-login is done already
        done in <time>: 1 commit, 1 file
          M src/api/login.rs
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
}

#[test]
fn nothing_at_all_is_not_done_unless_that_is_right() {
    let repo = at_work();
    let before = repo.everything();
    repo.orch(&["done", "fix-login"]).expect(
        "
        exit 3
        -- stderr
        error: `fix-login` changes nothing yet
        hint: if that is right: `git orch done fix-login --empty`; to call it off: `git orch cancel fix-login`
        ",
    );
    before.expect_same(&repo.everything(), "done");
    repo.orch(&["done", "fix-login", "--empty"]).expect(
        "
        exit 0
        -- stderr
        fix-login is closed without any change
        ",
    );
}

#[test]
fn uncommitted_files_are_committed_only_when_told() {
    let repo = at_work();
    repo.shell("echo new > ../shop.orch/backend/new.txt").run().expect("exit 0");
    let before = repo.everything();
    repo.orch(&["done", "fix-login"]).expect(
        "
        exit 3
        -- stderr
        error: `fix-login` has an uncommitted file, `new.txt`
        hint: commit them as you like, or let them be committed: `git orch done fix-login --commit`
        ",
    );
    before.expect_same(&repo.everything(), "done");
    repo.orch(&["done", "fix-login", "--commit"]).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        done in <time>: 1 commit, 1 file
          A new.txt
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
}

#[test]
fn the_users_own_checkout_is_no_sessions() {
    let repo = at_work();
    repo.orch(&["done"]).expect(
        "
        exit 2
        -- stderr
        error: this worktree, on `main`, is no session's: which task is done?
        hint: name it: `git orch done TASK`; `git orch tasks` lists them
        ",
    );
    repo.call(&["done"]).within(repo.worktree("backend")).env("GIT_ORCH_TASK", "no-such").run().expect(
        "
        exit 2
        -- stderr
        error: no task `no-such`
        hint: `git orch tasks --all` lists them
        ",
    );
}

#[test]
fn an_agent_that_says_done_is_judged_when_it_ends() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    repo.orch(&[
        "task",
        "fix login",
        "--",
        "sh",
        "-c",
        "echo x > x.txt; git orch done 2>&1; git orch done --commit 2>&1",
    ])
    .expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login (0.25)
        done in <time>: 1 commit, 1 file
          A x.txt
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.orch(&["log", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        fix-login is judged when its command ends
        fix-login is judged when its command ends
        ",
    );
}

#[test]
fn a_session_that_a_person_works_in_takes_no_other_task() {
    let repo = at_work();
    let refs = repo.refs();
    repo.orch(&["task", "fix logout", "--session", "backend", "--", "true"]).expect(
        "
        exit 3
        -- stderr
        backend takes fix-logout
        error: session `backend` works on `fix-login`
        hint: say when it is done: `git orch done fix-login`, or call it off: `git orch cancel fix-login`
        hint: or give this to another session with `--session`
        ",
    );
    assert_eq!(repo.refs(), refs);
}
