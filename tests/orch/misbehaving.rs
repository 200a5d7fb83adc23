//! Agents that do what they should not: their edits are kept, their session is
//! free or says how it gets free.

use super::support::TestRepo;

fn shop() -> TestRepo {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    repo
}

/// Runs a script that edits a file first; its exit code.
fn task(repo: &TestRepo, script: &str) -> i32 {
    let script = format!("echo edit >kept; {script}");
    let task = ["task", "do it", "--session", "backend", "--", "sh", "-c", &script];
    repo.call(&task).changing_checkout().run().exit
}

fn expect_free(repo: &TestRepo) {
    let next = ["task", "next", "--session", "backend", "--", "sh", "-c", "echo next >next"];
    repo.orch(&next).expect_success();
}

#[test]
fn what_was_committed_before_head_went_elsewhere_is_kept() {
    for (away, exit) in [
        ("git checkout -q --detach HEAD~1", 1),
        ("git reset -q --hard HEAD~2", 1),
        ("git checkout -q --orphan other", 1),
        ("git checkout -qb other HEAD~1 && echo more >more", 0),
        ("git reset -q --hard HEAD~1 && echo more >more", 0),
    ] {
        let repo = shop();
        assert_eq!(task(&repo, &format!("git add . && git commit -qm kept && {away}")), exit, "{away}");
        let kept = repo.shell("git log --all --format=%s | grep -x kept").run();
        assert_eq!(kept.exit, 0, "{away}");
        expect_free(&repo);
    }
}

/// A file that the session's worktree lost to the trash.
fn trashed(repo: &TestRepo, file: &str) -> String {
    repo.shell(&format!("cat ../shop.orch/.trash/*/{file}")).run().stdout
}

#[test]
fn a_file_that_the_agent_ignored_is_not_taken_away() {
    let repo = shop();
    assert_eq!(task(&repo, "echo '*.log' >.gitignore; echo mine >x.log; exit 3"), 1);
    assert_eq!(trashed(&repo, "x.log"), "mine\n");
    expect_free(&repo);
    let repo = shop();
    let hide = "git rm -q --cached README.md; echo README.md >.gitignore; echo mine >README.md; exit 3";
    assert_eq!(task(&repo, hide), 3, "git can't bring the tracked file back over it");
    assert_eq!(repo.read("shop.orch/backend/README.md"), "mine\n");
    std::fs::remove_file(repo.worktree("backend").join("README.md")).unwrap();
    expect_free(&repo);
}

#[test]
fn a_worktree_out_of_reach_ends_the_task_and_can_be_removed() {
    for spoil in [
        "rm .git; git init -q",
        "rm .git; touch .git",
        "d=$PWD; cd ..; mv \"$d\" moved",
        "echo x >\"$(git rev-parse --git-dir)/index\"",
    ] {
        let repo = shop();
        assert_ne!(task(&repo, spoil), 0, "{spoil}");
        assert_eq!(repo.orch(&["show", "do-it", "--json"]).json()["data"]["state"], "failed", "{spoil}");
        repo.orch(&["remove-session", "backend"]).expect_success();
        let kept = repo.shell("cat ../shop.orch/moved/kept ../shop.orch/.trash/*/kept 2>/dev/null").run();
        assert_eq!(kept.stdout, "edit\n", "{spoil}");
    }
}

#[test]
fn locks_and_half_done_operations_are_cleared() {
    let diverge = "git add .; git commit -qm one; git checkout -qb side HEAD~1
        echo two >kept; git add .; git commit -qm two;";
    for leave in [
        "touch \"$(git rev-parse --git-dir)/index.lock\"".to_owned(),
        format!("{diverge} git merge -q orch/backend"),
        format!("{diverge} git rebase -q orch/backend"),
    ] {
        let repo = shop();
        assert_eq!(task(&repo, &format!("{leave}; exit 3")), 1, "{leave}");
        expect_free(&repo);
    }
}

#[test]
fn a_repository_without_a_commit_inside_the_worktree_is_kept_whole() {
    let repo = shop();
    assert_eq!(task(&repo, "git init -q inner; echo mine >inner/file"), 4);
    assert_eq!(trashed(&repo, "inner/file"), "mine\n");
    let kept = repo.shell("git log --all --full-history --format= --name-only | grep -x kept").run();
    assert_eq!(kept.exit, 0);
}

#[test]
fn what_a_run_began_to_ignore_goes_to_the_trash_and_its_session_is_free() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    let script =
        "echo secret.env > .gitignore; echo key > secret.env; git init -q inner; echo x > inner/x; exit 1";
    assert_eq!(repo.orch(&["task", "fix login", "-q", "--", "sh", "-c", script]).exit, 1);
    let left = repo
        .shell("cd ../shop.orch; cat .trash/*/secret.env .trash/*/inner/x; git -C backend status --short")
        .run();
    assert_eq!(left.stdout, "key\nx\n", "{left:?}");
    let kept = repo.shell("git rev-list --objects --all | grep -c secret").run();
    assert_eq!(kept.stdout, "0\n", "what was ignored must not become an object");
    repo.orch(&["task", "fix logout", "-q", "--", "sh", "-c", "echo y > y"]).expect_success();
}

#[test]
fn the_git_file_that_a_run_removed_is_written_again() {
    for (script, exit, state) in [("rm .git", 0, "review"), ("rm .git; exit 3", 1, "failed")] {
        let repo = shop();
        let file = repo.read("shop.orch/backend/.git");
        assert_eq!(task(&repo, script), exit, "{script}");
        assert_eq!(repo.orch(&["show", "do-it", "--json"]).json()["data"]["state"], state);
        assert_eq!(repo.read("shop.orch/backend/.git"), file);
        let kept = repo.shell("git log --all --full-history --format= --name-only | grep -x kept").run();
        assert_eq!(kept.exit, 0, "{script}");
        expect_free(&repo);
        repo.orch(&["doctor"]).expect_success();
    }
    let repo = shop();
    let kills = "rm .git; kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); sleep 60";
    assert_eq!(task(&repo, kills), 137);
    repo.orch(&["tasks"]).expect_success();
    repo.orch(&["retry", "do-it", "--", "true"]).expect(
        "
        exit 0
        -- stdout
        review/do-it
        -- stderr
        warning: the worktree of session backend had no `.git` file any more; it is written again
        do-it had died; its edits are kept: `git orch show do-it`
        done in <time>: 1 commit, 1 file
          A kept
        next: git orch review do-it --diff, then git orch merge do-it
        ",
    );
}

#[test]
fn a_session_whose_worktree_is_out_of_reach_is_not_told_to_be_free() {
    let repo = shop();
    let task = ["task", "do it", "--session", "backend", "--", "sh", "-c", "rm .git; mkdir .git"];
    repo.orch(&task).expect(
        "
        exit 1
        -- stderr
        backend takes do-it
        warning: the worktree of session `backend` leads to another repository; look at `$TMP/shop.orch/backend/.git`; `git worktree repair` mends a moved worktree
        not done: the run failed after <time>; session backend is not free: git orch doctor
        next: git orch log do-it, then git orch retry do-it
        ",
    );
}

#[test]
fn a_program_that_goes_by_its_environment_works_in_the_worktree() {
    let repo = shop();
    let script =
        "git-orch task 'Look' --session backend -q -- env >/dev/null 2>&1; git-orch log look | grep ^PWD=";
    let output = repo.shell(script).run();
    assert!(output.stdout.trim_end().ends_with("shop.orch/backend"), "{output}");
}

#[test]
fn a_merge_that_a_run_left_half_way_is_no_part_of_the_next_task() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    repo.shell("git branch secret; git worktree add -q ../secret secret; cd ../secret; echo x >evil; git add evil; git commit -qm evil")
        .changing_checkout()
        .run()
        .expect_success();
    let leave = "echo 1 >>src/api/login.rs; git commit -qam one; git merge -q --no-commit --no-ff secret; git rm -qf evil; true";
    let task = |name: &str, script: &str| {
        repo.orch(&["task", name, "--session", "backend", "-q", "--", "sh", "-c", script]).expect_success();
    };
    task("one", leave);
    task("two", "echo 2 >>src/api/login.rs");
    assert_eq!(repo.git(&["log", "--format=%s", "main..orch/backend"]), "two\none\n");
    repo.shell("git merge-base --is-ancestor secret orch/backend || echo no")
        .run()
        .expect("exit 0\n-- stdout\nno");
}
