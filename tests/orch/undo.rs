//! `git orch undo`: what a command did goes back, and comes back.

use crate::support::{TestRepo, days_ago, refused};

fn shop() -> TestRepo {
    let repo = TestRepo::new();
    repo.commit(&[(".gitignore", "*.secret\n")], "ignore secrets", "Ann", days_ago(1));
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    repo
}

/// All refs but the log and the trash, every session's files and what git says
/// of them, and the user's own checkout.
fn state(repo: &TestRepo) -> String {
    let script = "
        git for-each-ref --format='%(refname) %(objectname)' | grep -v -e refs/orch/op -e refs/orch/trash
        for session in ../shop.orch/*; do
            echo; echo $session; git -C $session status --short --branch; (cd $session && sha1sum $(git ls-files -co))
        done
        git status --short; git rev-parse HEAD; git ls-files -s | sha1sum";
    repo.shell(script).run().stdout
}

/// Undoes the last operation and brings it back.
#[track_caller]
fn goes_back_and_forth(repo: &TestRepo, before: &str, done: &str) {
    let after = state(repo);
    assert_ne!(before, after, "{done} did nothing");
    for (wanted, way) in [(before, "undone"), (&after, "brought back")] {
        let last = repo.shell("git-orch log --ops | head -1 | cut -c 3-9").run().stdout;
        let undo = repo.call(&["undo", last.trim()]).changing_checkout().run();
        undo.expect_success();
        assert_eq!(state(repo), wanted, "{done}, {way}");
    }
    repo.orch(&["doctor"]).expect_success();
}

/// One command, after some others.
fn undone(setup: &str, command: &str) {
    let repo = shop();
    repo.shell(setup).changing_checkout().run().expect_success();
    let before = state(&repo);
    let done = repo.shell(&format!("git-orch -q {command} >/dev/null 2>&1")).changing_checkout().run();
    assert!(done.exit < 2, "{command}: {done}");
    goes_back_and_forth(&repo, &before, command);
}

/// A task that changes a file.
const TASK: &str = "git-orch -q task work --session backend -- sh -c 'echo 1 >>src/api/login.rs' >/dev/null";
/// One that a person does.
const BY_HAND: &str = "git-orch -q task work --session backend >/dev/null;
    cd ../shop.orch/backend; echo 1 >>src/api/login.rs; echo 2 >new";

#[test]
fn a_session() {
    undone("true", "add-session web --paths src/web");
}

#[test]
fn a_session_that_was_removed_with_everything_in_it() {
    let dirty = "cd ../shop.orch/backend; echo 1 >>README.md; echo 2 >new; echo 3 >a.secret; git add new";
    undone(dirty, "remove-session backend");
}

#[test]
fn a_task_that_ended_well() {
    undone("true", "task work --session backend -- sh -c 'echo 1 >>src/api/login.rs'");
}

#[test]
fn a_task_that_ended_badly() {
    undone("true", "task work --session backend -- sh -c 'echo 1 >>src/api/login.rs; exit 1'");
}

#[test]
fn a_task_on_top_of_another() {
    undone(TASK, "task more --session backend -- sh -c 'echo 2 >>src/api/login.rs'");
}

#[test]
fn what_a_person_said_was_done() {
    undone(&format!("{BY_HAND}; git add . && git commit -qm work"), "done work");
}

#[test]
fn what_a_person_said_was_done_with_what_was_uncommitted() {
    undone(BY_HAND, "done work --commit");
}

#[test]
fn a_persons_task_that_was_called_off_with_its_edits() {
    undone(BY_HAND, "cancel work");
}

#[test]
fn a_result_that_was_called_off() {
    undone(TASK, "cancel work");
}

#[test]
fn another_run() {
    let failed = "git-orch -q task work --session backend -- sh -c 'echo 1 >>src/api/login.rs; test -e ../../ok' \
                  >/dev/null; touch ../ok";
    undone(failed, "retry work");
}

#[test]
fn a_verdict() {
    undone(
        &format!("{TASK}; git-orch -q review work --approve >/dev/null"),
        "review work --request-changes -m no",
    );
}

#[test]
fn a_landing_in_the_users_checkout() {
    undone(&format!("{TASK}; echo mine >mine"), "merge work");
}

#[test]
fn a_landing_on_a_branch_that_nobody_has_checked_out() {
    undone(&format!("{TASK}; git switch -qc mine; git branch -q kept main"), "merge work");
}

#[test]
fn a_landing_beside_other_commits() {
    undone(&format!("{TASK}; git commit -q --allow-empty -m other"), "merge work");
}

#[test]
fn a_fan_out() {
    undone("true", "fanout x --run 'for f; do echo 1 >>$f; done' --paths src --shards 2");
    undone(
        "git-orch -q fanout x --run 'for f; do echo 1 >>$f; done' --paths src --shards 2 >/dev/null",
        "merge x",
    );
}

#[test]
fn without_a_name_it_goes_ever_further_back() {
    let repo = shop();
    repo.orch(&["task", "work", "--session", "backend", "--", "sh", "-c", "echo 1 >>README.md"])
        .expect_success();
    repo.orch(&["undo"]).expect_success();
    repo.orch(&["undo", "--dry-run"]).expect_success();
    repo.orch(&["undo"]).expect(
        "
        exit 0
        -- stderr
        undone: add-session backend --paths src/api
        to bring it back: git orch undo <oid>
        ",
    );
    repo.orch(&["undo"]).expect("exit 3\n-- stderr\nerror: there is nothing to undo");
    repo.refs().expect(
        "exit 0\n-- stdout\nrefs/heads/main ignore secrets\nrefs/orch/trash/backend-<oid> ignore secrets",
    );
}

#[test]
fn what_was_changed_since_refuses_and_says_by_what() {
    let repo = shop();
    repo.shell(TASK).run().expect_success();
    repo.shell("git-orch -q task more --session backend -- sh -c 'echo 2 >>README.md' >/dev/null")
        .run()
        .expect_success();
    let first = repo.shell("git-orch log --ops | sed -n 2p | cut -c 3-9").run().stdout;
    refused(&repo, &["undo", first.trim()]).expect(
        "
        exit 3
        -- stderr
        error: `refs/heads/orch/backend` was changed since `<oid>`, by `-q task more --session backend -- sh -c 'echo 2 >>README.md'`
        hint: undo that first: `git orch undo <oid>`
        ",
    );
    repo.shell("git branch -f review/more $(git commit-tree main^{tree} -p main -m x)")
        .run()
        .expect_success();
    refused(&repo, &["undo"]).expect(
        "
        exit 3
        -- stderr
        error: `refs/heads/review/more` was changed since `<oid>`
        hint: `git orch log --ops` shows what happened
        ",
    );
}

#[test]
fn a_base_that_others_have_stays() {
    let repo = shop();
    repo.shell(&format!("{TASK}; git-orch -q merge >/dev/null")).changing_checkout().run().expect_success();
    repo.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    refused(&repo, &["undo"]).expect(
        "
        exit 3
        -- stderr
        error: `refs/remotes/origin/main` has what landed on `main` already
        hint: take it back with a commit: `git revert <oid>`
        ",
    );
    repo.git(&["update-ref", "-d", "refs/remotes/origin/main"]);
    repo.git(&["commit", "-q", "--allow-empty", "-m", "later"]);
    refused(&repo, &["undo"]).expect(
        "
        exit 3
        -- stderr
        error: `main` has moved on since
        hint: take it back with a commit: `git revert <oid>`
        ",
    );
}

#[test]
fn work_in_the_way_refuses() {
    let repo = shop();
    repo.shell(TASK).run().expect_success();
    std::fs::write(repo.worktree("backend").join("mine"), "mine").unwrap();
    refused(&repo, &["undo"]).expect(
        "
        exit 3
        -- stderr
        error: session `backend` has an uncommitted file, `mine`
        hint: commit them in `$TMP/shop.orch/backend`, or finish the work there: `git orch done`
        ",
    );
    std::fs::remove_file(repo.worktree("backend").join("mine")).unwrap();
    repo.shell("git-orch -q merge >/dev/null; echo mine >>src/api/login.rs")
        .changing_checkout()
        .run()
        .expect_success();
    refused(&repo, &["undo"]).expect(
        "
        exit 3
        -- stderr
        error: `main` is checked out in `$TMP/shop` with changes to `src/api/login.rs`, which it also changes
        hint: commit or stash them there, then run the command again
        ",
    );
}

#[test]
fn a_session_with_an_open_task_stays() {
    let repo = shop();
    repo.shell("git-orch -q task work --session backend >/dev/null").run().expect_success();
    let first = repo.shell("git-orch log --ops | sed -n 2p | cut -c 3-9").run().stdout;
    refused(&repo, &["undo", first.trim()]).expect(
        "
        exit 3
        -- stderr
        error: session `backend` has the task `work` (running)
        hint: finish it, or call it off: `git orch cancel work`
        ",
    );
}

#[test]
fn operations_are_named_by_the_start_of_their_id() {
    let repo = shop();
    refused(&repo, &["undo", "abc"]).expect(
        "
        exit 2
        -- stderr
        error: no operation `abc`
        hint: `git orch log --ops` lists them; four digits are enough
        ",
    );
    repo.orch(&["log", "--ops"])
        .expect("exit 0\n-- stdout\n  <oid>  <time> ago     add-session backend --paths src/api");
}
