//! `git orch merge`: results land, checked, or nothing moves.

use crate::support::results::both_sides;
use crate::support::{TestRepo, days_ago};

/// Makes a result that changes these files.
fn result(repo: &TestRepo, text: &str, session: &str, files: &[&str]) {
    let agent = repo.agent("edit.sh");
    let arguments = [&["task", text, "--session", session, "-q", "--", &agent][..], files].concat();
    repo.orch(&arguments).expect_success();
}

#[test]
fn nothing_waits_to_land_at_first() {
    let repo = both_sides();
    repo.orch(&["merge"]).expect(
        "
        exit 0
        -- stderr
        nothing waits to land
        ",
    );
}

#[test]
fn a_result_lands_where_the_base_is_checked_out() {
    let repo = both_sides();
    result(&repo, "fix login", "backend", &["src/api/login.rs"]);
    repo.orch(&["merge", "--dry-run"]).expect(
        "
        exit 0
        -- stdout
          would land     fix-login  straight ahead of main <oid>, tree <oid>
        ",
    );
    repo.call(&["merge", "fix-login"]).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
          landed  fix-login  unchecked: no checks configured  main <oid> → <oid>
        ",
    );
    assert_eq!(repo.read("shop/src/api/login.rs"), "fn login() {}\nedited for fix-login\n");
    assert_eq!(repo.git(&["status", "--short"]), "");
    assert_eq!(repo.git(&["branch", "--list", "review/*"]), "");
    repo.orch(&["show", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        task fix-login: merged
          fix login
          session    backend, by $TMP/agents/edit.sh
          base       main <oid>
          target     src/web/login.ts 1.00
          target     src/api/login.rs 0.99
          target     src/web/cart.ts 0.82
          target     src/api/cart.rs 0.81
          run        1 committed, <time> ago
          commit     <oid> fix login
          touched    M src/api/login.rs
          landed     main <oid> → <oid>, unchecked
        ",
    );
    repo.orch(&["merge", "fix-login"]).expect(
        "
        exit 0
        -- stderr
        fix-login has landed already
        nothing waits to land
        ",
    );
}

#[test]
fn several_results_land_in_order() {
    let repo = both_sides();
    result(&repo, "fix login", "backend", &["src/api/login.rs"]);
    result(&repo, "fix cart", "frontend", &["src/web/cart.ts"]);
    result(&repo, "more login", "backend", &["src/api/login.rs"]);
    repo.call(&["merge"]).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
          landed  fix-cart    unchecked: no checks configured  main <oid> → <oid>
          landed  fix-login   unchecked: no checks configured  main <oid> → <oid>
          landed  more-login  unchecked: no checks configured  main <oid> → <oid>
        -- stderr
        3 of 3 landed
        ",
    );
    repo.shell("git log --graph --format=%s; git status --short").run().expect(
        r#"
        exit 0
        -- stdout
        *   Merge review/more-login: more login
        |\  
        | * more login
        * | Merge review/fix-login: fix login
        |\| 
        | * fix login
        * | fix cart
        |/  
        * web: login and cart
        * api: login and cart
        * readme: say hello
        "#,
    );
    repo.orch(&["sessions"]).expect(
        "
        exit 0
        -- stdout
          session   state  task  ahead  behind  load  last    knows
          backend   idle             0       0     0  <time> ago  src/api/login.rs
          frontend  idle             0       4     0  <time> ago  src/web/cart.ts
        ",
    );
}

#[test]
fn a_conflict_keeps_both_as_they_are() {
    let repo = both_sides();
    result(&repo, "fix login", "backend", &["src/api/login.rs"]);
    result(&repo, "redo login", "frontend", &["src/api/login.rs"]);
    repo.call(&["merge", "fix-login"]).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
          landed  fix-login  unchecked: no checks configured  main <oid> → <oid>
        ",
    );
    let before = repo.git(&["rev-parse", "main", "review/redo-login", "orch/frontend"]);
    let told = "
        exit 3
        -- stdout
          back    redo-login  conflicts with main in `src/api/login.rs` → backend, as resolve-redo-login
        -- stderr
        next: git orch retry resolve-redo-login
        ";
    repo.orch(&["merge", "redo-login"]).expect(told);
    assert_eq!(repo.git(&["rev-parse", "main", "review/redo-login", "orch/frontend"]), before);
    // Once is enough.
    repo.orch(&["merge", "redo-login"]).expect(told);
    repo.orch(&["tasks"]).expect(
        "
        exit 0
        -- stdout
          task                state   session   files  last    text
          redo-login          review  frontend      1  <time> ago  redo login
          resolve-redo-login  queued  backend       0  <time> ago  resolve redo-login
        ",
    );
}

#[test]
fn unrelated_uncommitted_work_is_kept_and_overlapping_work_refuses() {
    let repo = both_sides();
    result(&repo, "fix login", "backend", &["src/api/login.rs"]);
    repo.write("src/api/login.rs", "mine\n");
    let before = repo.everything();
    repo.orch(&["merge", "fix-login"]).expect(
        "
        exit 3
        -- stderr
        error: cannot land `fix-login`: `main` is checked out in `$TMP/shop` with changes to `src/api/login.rs`, which it also changes
        hint: commit or stash them there, then run the command again
        ",
    );
    before.expect_same(&repo.everything(), "merge");
    repo.write("src/api/login.rs", "fn login() {}\n");
    repo.write("src/api/cart.rs", "mine\n");
    repo.write("untracked.txt", "mine\n");
    repo.call(&["merge", "fix-login"]).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
          landed  fix-login  unchecked: no checks configured  main <oid> → <oid>
        ",
    );
    repo.shell("git status --short; cat src/api/cart.rs untracked.txt").run().expect(
        "
        exit 0
        -- stdout
         M src/api/cart.rs
        ?? untracked.txt
        mine
        mine
        ",
    );
}

#[test]
fn an_ignored_file_in_the_way_is_not_overwritten() {
    let repo = both_sides();
    repo.commit(&[(".gitignore", "*.secret\n")], "ignore secrets", "Ann", days_ago(1));
    let script = "echo theirs > a.secret; git add -f a.secret; git commit -qm 'add a secret'";
    repo.orch(&["task", "add a secret", "--session", "backend", "-q", "--", "sh", "-c", script])
        .expect_success();
    repo.write("a.secret", "mine\n");
    let before = repo.everything();
    repo.orch(&["merge", "add-a-secret"]).expect(
        "
        exit 3
        -- stderr
        error: cannot land `add-a-secret`: `main` is checked out in `$TMP/shop` with changes to `a.secret`, which it also changes
        hint: commit or stash them there, then run the command again
        ",
    );
    before.expect_same(&repo.everything(), "merge");
}

#[test]
fn checks_of_the_base_decide_on_the_combined_tree() {
    let repo = both_sides();
    let settings = "version: 1\nchecks: [\"! grep -r edited src/web\"]\n";
    repo.commit(&[(".orch.yml", settings)], "check", "Ann", days_ago(1));
    result(&repo, "fix login", "backend", &["src/api/login.rs"]);
    result(&repo, "fix cart", "frontend", &["src/web/cart.ts"]);
    repo.orch(&["merge", "fix-login"]).expect(
        "
        exit 5
        -- stderr
        error: the check `! grep -r edited src/web` of this repository is not trusted
        hint: read what it would run and allow it: `git orch trust`
        ",
    );
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    repo.call(&["merge"]).changing_checkout().run().expect("
        exit 1
        -- stdout
          back    fix-cart   check `! grep -r edited src/web` failed (exit 1) on top of main, which was not moved
          landed  fix-login  check passed in <time>             main <oid> → <oid>
        -- stderr
        2 results fail together: looking for the first that does
        last 1 line of $TMP/shop/.git/orch/check/fix-cart/check-1.log:
            src/web/cart.ts:edited for fix-cart
        1 of 2 landed
        next: git orch retry fix-cart
        ");
    repo.orch(&["tasks", "--all"]).expect(
        "
        exit 0
        -- stdout
          task       state    session   files  last    text
          fix-cart   changes  frontend      1  <time> ago  fix cart
          fix-login  merged   backend       1  <time> ago  fix login
        ",
    );
}

#[test]
fn a_result_cannot_weaken_its_own_gate() {
    let repo = both_sides();
    repo.commit(
        &[(".orch.yml", "version: 1\nchecks: [\"echo broken; test ! -e weak\"]\n")],
        "check",
        "Ann",
        days_ago(1),
    );
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    let script = "echo 'version: 1' > .orch.yml; touch weak";
    repo.orch(&["task", "no checks", "--session", "backend", "-q", "--", "sh", "-c", script])
        .expect_success();
    repo.orch(&["merge", "no-checks"]).expect(
        "
        exit 1
        -- stdout
          back    no-checks  check `echo broken; test ! -e weak` failed (exit 1) on top of main, which was not moved
        -- stderr
        last 1 line of $TMP/shop/.git/orch/check/no-checks/check-1.log:
            broken
        next: git orch retry no-checks
        ",
    );
}

#[test]
fn a_needed_viewpoint_has_to_approve() {
    let repo = both_sides();
    let settings = "version: 1\nviewpoints: { default: [], rules: [{ paths: [src/api], require: [reviewer, tester] }] }\n";
    repo.commit(&[(".orch.yml", settings)], "viewpoints", "Ann", days_ago(1));
    result(&repo, "fix login", "backend", &["src/api/login.rs"]);
    repo.orch(&["merge", "fix-login"]).expect(
        "
        exit 3
        -- stderr
        error: `fix-login` lacks the approval of reviewer and tester
        hint: `git orch review fix-login --approve --viewpoint reviewer`
        hint: or have a session look at it: `git orch review fix-login --by`
        ",
    );
    repo.orch(&["review", "fix-login", "--approve", "-q"]).expect("exit 0");
    repo.orch(&["merge", "fix-login"]).expect(
        "
        exit 3
        -- stderr
        error: `fix-login` lacks the approval of tester
        hint: `git orch review fix-login --approve --viewpoint tester`
        hint: or have a session look at it: `git orch review fix-login --by`
        ",
    );
    repo.orch(&["review", "fix-login", "--approve", "--viewpoint", "tester", "-q"]).expect("exit 0");
    repo.call(&["merge", "fix-login"]).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
          landed  fix-login  unchecked: no checks configured  main <oid> → <oid>
        ",
    );
}

#[test]
fn a_base_that_nobody_has_checked_out_moves_by_its_ref() {
    let repo = both_sides();
    result(&repo, "fix login", "backend", &["src/api/login.rs"]);
    repo.git(&["checkout", "-q", "-b", "elsewhere"]);
    repo.call(&["merge", "fix-login"]).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
          landed  fix-login  unchecked: no checks configured  main <oid> → <oid>
        ",
    );
    repo.shell("git status --short --branch; git log -1 --format=%s main").run().expect(
        "
        exit 0
        -- stdout
        ## elsewhere
        fix login
        ",
    );
}

#[test]
fn a_stacked_result_waits_for_the_one_below() {
    let repo = both_sides();
    result(&repo, "one", "backend", &["one.txt"]);
    result(&repo, "two", "backend", &["two.txt"]);
    repo.orch(&["merge", "two"]).expect(
        "
        exit 3
        -- stderr
        error: `two` builds on `one`, which has not landed
        hint: land both: `git orch merge one two`
        ",
    );
    repo.orch(&["cancel", "one"]).expect(
        "
        exit 3
        -- stderr
        error: `two` builds on `one`
        hint: cancel that one first: `git orch cancel two`
        ",
    );
    repo.call(&["merge", "one", "two"]).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
          landed  one  unchecked: no checks configured  main <oid> → <oid>
          landed  two  unchecked: no checks configured  main <oid> → <oid>
        -- stderr
        2 of 2 landed
        ",
    );
}

#[test]
fn a_stack_lands_from_below_whatever_its_names() {
    let repo = both_sides();
    result(&repo, "b below", "backend", &["one.txt"]);
    result(&repo, "a above", "backend", &["two.txt"]);
    repo.call(&["merge"]).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
          landed  b-below  unchecked: no checks configured  main <oid> → <oid>
          landed  a-above  unchecked: no checks configured  main <oid> → <oid>
        -- stderr
        2 of 2 landed
        ",
    );
}

#[test]
fn a_failed_check_shows_its_last_words_and_sends_the_result_back() {
    let repo = both_sides();
    repo.commit(
        &[(".orch.yml", "version: 1\nchecks: [\"if grep -c edited src/api/login.rs; then exit 3; fi\"]\n")],
        "check",
        "Ann",
        days_ago(1),
    );
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    result(&repo, "fix login", "backend", &["src/api/login.rs"]);
    let before = repo.git(&["rev-parse", "main"]);
    repo.orch(&["merge", "fix-login"]).expect("
        exit 1
        -- stdout
          back    fix-login  check `if grep -c edited src/api/login.rs; then exit 3; fi` failed (exit 3) on top of main, which was not moved
        -- stderr
        last 1 line of $TMP/shop/.git/orch/check/fix-login/check-1.log:
            1
        next: git orch retry fix-login
        ");
    assert_eq!(repo.git(&["rev-parse", "main"]), before);
    let shown = repo.orch(&["show", "fix-login"]).stdout;
    let asked = "The check `if grep -c edited src/api/login.rs; then exit 3; fi` fails on top of main:\n             1\nnext: git orch retry fix-login\n";
    assert!(shown.ends_with(&format!("  asked for  {asked}")), "{shown}");
    repo.orch(&["retry", "fix-login", "--", "sh", "-c", "grep -A5 'Changes asked' > why.txt"]).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        done in <time>: 2 commits, 2 files
          M src/api/login.rs
          A why.txt
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.shell("git show review/fix-login:why.txt").run().expect(
        "
        exit 0
        -- stdout
        ## Changes asked for in review

        ```text
        The check `if grep -c edited src/api/login.rs; then exit 3; fi` fails on top of main:
        1
        ```
        ",
    );
}

#[test]
fn a_dry_run_takes_what_comes_before_as_landed() {
    let repo = both_sides();
    result(&repo, "one", "backend", &["src/api/login.rs"]);
    result(&repo, "two", "backend", &["src/api/login.rs"]);
    result(&repo, "another login", "frontend", &["src/api/login.rs"]);
    let before = repo.refs();
    repo.orch(&["merge", "one", "two", "another-login", "--dry-run"]).expect(
        "
        exit 3
        -- stdout
          would land     one            straight ahead of main <oid>, tree <oid>
          would land     two            straight ahead of main <oid>, tree <oid>
          would go back  another-login  conflicts with main in `src/api/login.rs`
        ",
    );
    assert_eq!(repo.refs(), before);
    repo.call(&["merge", "one", "two", "another-login"]).changing_checkout().run().expect(
        "
        exit 3
        -- stdout
          landed  one            unchecked: no checks configured  main <oid> → <oid>
          landed  two            unchecked: no checks configured  main <oid> → <oid>
          back    another-login  conflicts with main in `src/api/login.rs` → backend, as resolve-another-login
        -- stderr
        2 of 3 landed
        next: git orch retry resolve-another-login
        ",
    );
}

#[test]
fn merges_at_the_same_time_land_each_result_once() {
    let repo = both_sides();
    for (text, session) in [("one", "backend"), ("two", "frontend"), ("three", "backend")] {
        result(&repo, text, session, &[&format!("{text}.txt")]);
    }
    let script = "for i in 1 2 3; do git-orch merge >/dev/null 2>&1 || echo $? & done; wait
        git log --first-parent --format=%s main | sort; git orch tasks --all; git status --short";
    repo.shell(script).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
        Merge review/two: two
        api: login and cart
        one
        readme: say hello
        three
        web: login and cart
          task   state   session   files  last    text
          one    merged  backend       1  <time> ago  one
          three  merged  backend       1  <time> ago  three
          two    merged  frontend      1  <time> ago  two
        ",
    );
}

#[test]
fn a_conflict_is_resolved_by_the_session_and_its_commits_stay_its_own() {
    let repo = both_sides();
    result(&repo, "fix login", "backend", &["src/api/login.rs"]);
    repo.write("src/api/login.rs", "fn login() { done() }\n");
    repo.git(&["commit", "-qam", "the owner was faster"]);
    repo.orch(&["merge", "fix-login"]).expect(
        "
        exit 3
        -- stdout
          back    fix-login  conflicts with main in `src/api/login.rs` → backend
        -- stderr
        next: git orch retry fix-login
        ",
    );
    repo.orch(&["retry", "fix-login", "-q", "--", "git", "merge", "-q", "-X", "ours", "main"])
        .expect_success();
    let task = &repo.orch(&["show", "fix-login", "--json"]).json()["data"];
    let subjects: Vec<String> = task["commits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|oid| repo.git(&["log", "-1", "--format=%s", oid.as_str().unwrap()]).trim().to_owned())
        .collect();
    assert_eq!(subjects, ["fix login", "Merge branch 'main' into orch/backend"]);
    repo.call(&["merge", "fix-login", "-q"]).changing_checkout().run().expect_success();
}
