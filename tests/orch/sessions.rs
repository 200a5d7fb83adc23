//! `git orch sessions` and `git orch show`.

use crate::support::{TestRepo, days_ago};

#[test]
fn there_are_none_at_first() {
    let repo = TestRepo::new();
    repo.orch(&["sessions"]).expect(
        "
        exit 0
        -- stderr
        no sessions yet
        next: git orch add-session NAME --paths GLOB
        ",
    );
    repo.orch(&["sessions", "--json"]).expect(
        r#"
        exit 0
        -- stdout
        {"schema":"git-orch/1","command":"sessions","data":[]}
        -- stderr
        no sessions yet
        next: git orch add-session NAME --paths GLOB
        "#,
    );
}

#[test]
fn each_line_tells_state_drift_load_and_knowledge() {
    let repo = TestRepo::new();
    for (name, path) in [("backend", "src/api"), ("frontend", "src/web"), ("docs", "README.md")] {
        repo.orch(&["add-session", name, "--paths", path, "--adopt-history", "-q"]).expect_success();
    }
    repo.commit(&[("src/web/cart.ts", "cart(1)\n")], "web: one cart", "Ben", days_ago(1));
    repo.orch(&["task", "write a guide", "--session", "docs", "-q"]).expect_success();
    repo.orch(&["task", "fix login", "--session", "backend", "-q", "--", &repo.agent("edit.sh")])
        .expect_success();
    repo.shell("echo more >> ../shop.orch/docs/README.md; rm -r ../shop.orch/frontend")
        .run()
        .expect("exit 0");
    repo.orch(&["sessions", "--dirty"]).expect("
        exit 0
        -- stdout
          session   state    task           ahead  behind  dirty  load  last    knows
          backend   idle                        1       0      0     0  <time> ago  work.txt, src/api
          docs      running  write-a-guide      0       0      1     1  <time> ago  README.md
          frontend  blocked                     0       1      ?     0  <time> ago  src/web/cart.ts, src/web/login.ts  see: git orch doctor
        ");
    repo.orch(&["show", "backend"]).expect(
        "
        exit 0
        -- stdout
        session backend: idle
          branch     orch/backend (1 ahead of main, 0 behind)
          worktree   $TMP/shop.orch/backend
          dirty      0 uncommitted files
          paths      src/api
          knows      work.txt 1.00 and src/api 0.96
          task       fix-login (review, <time> ago)
        ",
    );
    repo.orch(&["show", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        task fix-login: review
          fix login
          session    backend, by $TMP/agents/edit.sh
          base       main <oid>
          target     src/web/login.ts 0.93
          target     src/api/login.rs 0.92
          target     src/api/cart.rs 0.74
          target     src/web/cart.ts 0.72
          run        1 committed, <time> ago
          commit     <oid> fix login
          touched    A work.txt
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.orch(&["ls", "--all", "-q"]).expect("
        exit 0
        -- stdout
          session   state    task           ahead  behind  load  last    knows
          backend   idle                        1       0     0  <time> ago  work.txt, src/api
          docs      running  write-a-guide      0       0     1  <time> ago  README.md
          frontend  blocked                     0       1     0  <time> ago  src/web/cart.ts, src/web/login.ts  see: git orch doctor
        ");
}

#[test]
fn looking_changes_nothing() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    repo.orch(&["task", "fix login", "-q", "--", &repo.agent("edit.sh")]).expect_success();
    let before = repo.everything();
    for verb in [
        &["sessions"][..],
        &["sessions", "--dirty"],
        &["show", "backend"],
        &["show", "fix-login"],
        &["tasks", "--all"],
        &["brief", "fix-login"],
        &["log", "fix-login"],
        &["review"],
        &["review", "fix-login"],
        &["review", "fix-login", "--diff"],
        &["merge", "--dry-run"],
        &["config"],
        &["trust", "--dry-run"],
        &["doctor"],
        &["init", "--dry-run"],
        &["route", "fix login", "--why"],
    ] {
        repo.orch(verb).expect_success();
        before.expect_same(&repo.everything(), &verb.join(" "));
    }
}

#[test]
fn a_session_works_from_any_worktree_and_folder() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    let from_top = repo.orch(&["sessions"]).stdout;
    for folder in [repo.path("src/api"), repo.worktree("backend"), repo.worktree("backend").join("src")] {
        assert_eq!(repo.call(&["sessions"]).within(folder).run().stdout, from_top);
    }
    assert_eq!(repo.orch(&["-C", "../shop.orch/backend", "sessions"]).stdout, from_top);
    assert_eq!(repo.shell("git -C src orch sessions").run().stdout, from_top);
}
