//! Runs that do their work in another worktree than their own.

use crate::support::TestRepo;
use crate::support::results::both_sides;

/// Runs a task of `backend` at `src/api` whose agent is this script.
fn run(repo: &TestRepo, script: &str) -> crate::support::output::Output {
    let words = ["task", "fix login", "--session", "backend", "--paths", "src/api", "--", "sh", "-c", script];
    repo.call(&words).changing_checkout().run()
}

#[test]
fn what_a_run_commits_in_its_users_checkout_is_told_and_brought_over() {
    let repo = both_sides();
    run(&repo, "cd ../../shop; echo '// fixed' >>src/api/login.rs; git commit -qam 'login: fixed'").expect(
        "
        exit 1
        -- stderr
        backend takes fix-login
        warning: while it ran, 1 commit came onto `main` in $TMP/shop: git orch show fix-login
        not done: the run changed nothing after <time>; session backend is free
        next: git orch log fix-login, then git orch retry fix-login
        ",
    );
    repo.orch(&["show", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        task fix-login: failed
          fix login
          session    backend, by sh
          base       main <oid>
          target     src/api 1.00
          run        1 changed nothing, <time> ago
          elsewhere  <oid> login: fixed, on main in $TMP/shop while it ran
          bring over git -C $TMP/shop revert --no-edit <oid>
                then git orch retry fix-login -- git cherry-pick <oid>
        next: git orch log fix-login, then git orch retry fix-login
        ",
    );
    let shown = repo.orch(&["show", "fix-login", "--json"]).json();
    let elsewhere = &shown["data"]["elsewhere"][0];
    assert_eq!(elsewhere["branch"], "main");
    let head = repo.git(&["rev-parse", "HEAD"]);
    assert_eq!(elsewhere["commits"][0], head.trim());
    bring_over(&repo);
    repo.shell("git log --format=%s -2 main; git log --format=%s main..review/fix-login").run().expect(
        r#"
        exit 0
        -- stdout
        Revert "login: fixed"
        login: fixed
        login: fixed
        "#,
    );
}

/// Does what `show` says that is to be done, with some commits.
fn bring_over(repo: &TestRepo) {
    let steps = "git orch show fix-login | sed -n '/bring over/,/cherry-pick/{s/.*bring over//;s/^ *then//;p}' | sh -e";
    repo.shell(steps).changing_checkout().run().expect_success();
}

#[test]
fn what_has_nothing_to_do_with_the_task_is_not_told() {
    let repo = both_sides();
    repo.write("src/api/cart.rs", "dirty before\n");
    let script = "sleep 0.1; echo '// fixed' >>src/api/login.rs; cd ../../shop; echo more >>README.md
        git commit -qm 'readme: more' README.md; echo new >new.txt; git checkout -q -b other";
    run(&repo, script).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login
        done in <time>: 1 commit, 1 file
          M src/api/login.rs
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    let shown = repo.orch(&["show", "fix-login", "--json"]).json();
    assert_eq!(shown["data"].get("elsewhere"), None, "{shown}");
}

#[test]
fn files_of_the_task_that_change_in_the_checkout_are_leaks() {
    let repo = both_sides();
    repo.write("src/api/cart.rs", "dirty before\n");
    let script = "sleep 0.1; echo '// fixed' >>src/api/login.rs; echo x >new.txt; cd ../../shop
        echo '// fixed' >>src/api/login.rs; echo x >new.txt; echo x >other.txt";
    run(&repo, script).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login
        warning: while it ran, src/api/login.rs and new.txt were changed in $TMP/shop, which is not its worktree
        done in <time>: 1 commit, 2 files
          A new.txt
          M src/api/login.rs
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.orch(&["show", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        task fix-login: review
          fix login
          session    backend, by sh
          base       main <oid>
          target     src/api 1.00
          run        1 committed, <time> ago
          commit     <oid> fix login
          touched    A new.txt
          touched    M src/api/login.rs
          leak       src/api/login.rs, in $TMP/shop while it ran
          leak       new.txt, in $TMP/shop while it ran
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.orch(&["review", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        review/fix-login: fix login (review)
          <oid> fix login  Test
         new.txt          | 1 +
         src/api/login.rs | 1 +
         2 files changed, 2 insertions(+)
          leak       src/api/login.rs, in $TMP/shop while it ran
          leak       new.txt, in $TMP/shop while it ran
        -- stderr
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
}

#[test]
fn commits_in_an_idle_session_are_told_and_those_of_one_at_work_are_not() {
    let repo = both_sides();
    let elsewhere =
        "echo x >x.txt; cd ../frontend; echo y >>src/api/login.rs; git commit -qam 'login: by mistake'";
    run(&repo, elsewhere).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login
        warning: while it ran, 1 commit came onto `orch/frontend` in $TMP/shop.orch/frontend: git orch show fix-login
        done in <time>: 1 commit, 1 file
          A x.txt
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    let repo = both_sides();
    repo.orch(&["task", "write a page", "--session", "frontend", "-q"]).expect_success();
    run(&repo, elsewhere).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login
        done in <time>: 1 commit, 1 file
          A x.txt
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
}

#[test]
fn a_run_that_fails_is_looked_after_too_and_a_result_says_how_to_go_on() {
    let repo = both_sides();
    let astray = "cd ../../shop; echo '// fixed' >>src/api/login.rs; git commit -qam 'login: fixed'";
    run(&repo, &format!("({astray}); exit 1")).expect(
        "
        exit 1
        -- stderr
        backend takes fix-login
        warning: while it ran, 1 commit came onto `main` in $TMP/shop: git orch show fix-login
        not done: the run failed (exit 1) after <time>; session backend is free
        next: git orch log fix-login, then git orch retry fix-login
        ",
    );
    let repo = both_sides();
    run(&repo, &format!("echo x >>src/api/cart.rs; {astray}")).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        backend takes fix-login
        warning: while it ran, 1 commit came onto `main` in $TMP/shop: git orch show fix-login
        done in <time>: 1 commit, 1 file
          M src/api/cart.rs
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.orch(&["show", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        task fix-login: review
          fix login
          session    backend, by sh
          base       main <oid>
          target     src/api 1.00
          run        1 committed, <time> ago
          commit     <oid> fix login
          touched    M src/api/cart.rs
          elsewhere  <oid> login: fixed, on main in $TMP/shop while it ran
          bring over git -C $TMP/shop revert --no-edit <oid>
                then git orch review fix-login --request-changes -m 'bring them over'
                then git orch retry fix-login -- git cherry-pick <oid>
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    bring_over(&repo);
    repo.shell("git log --format=%s main..review/fix-login").run().expect(
        "
        exit 0
        -- stdout
        login: fixed
        fix login
        ",
    );
}

#[test]
fn landing_and_pulling_in_the_checkout_meanwhile_is_nobodys_mistake() {
    let repo = both_sides();
    repo.orch(&[
        "task",
        "add cart",
        "--session",
        "frontend",
        "-q",
        "--",
        &repo.agent("edit.sh"),
        "src/api/cart.rs",
    ])
    .expect_success();
    let script = "echo x >>src/api/cart.rs; tip=$(git rev-parse review/add-cart); cd ../../shop
        git orch merge -q add-cart; git reset -q --hard HEAD~1; git merge -q --ff-only $tip";
    run(&repo, script).expect(
        "
        exit 0
        -- stdout
        review/fix-login
        -- stderr
        warning: src/api/cart.rs is changed in add-cart, which has not landed
        backend takes fix-login
        done in <time>: 1 commit, 1 file
          M src/api/cart.rs
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    assert_eq!(repo.git(&["log", "--format=%s", "-1"]), "add cart\n");
}

#[test]
fn a_guard_refuses_what_a_run_commits_elsewhere() {
    let repo = both_sides();
    repo.call(&["init", "--guard"]).changing_checkout().run().expect(
        "
        exit 0
        -- stderr
        wrote $TMP/shop/.git/hooks/pre-commit: delete it to be rid of it
        ",
    );
    repo.orch(&["init", "--guard"]).expect(
        "
        exit 0
        -- stderr
        the guard is there already
        ",
    );
    let astray = "echo x >>src/api/cart.rs; git commit -qam 'cart: x' && cd ../../shop &&
        echo '// fixed' >>src/api/login.rs && git commit -qam 'login: fixed'";
    assert_eq!(run(&repo, astray).exit, 1);
    repo.orch(&["log", "fix-login"]).expect(
        r#"
        exit 0
        -- stdout
        error: the run of backend commits in $TMP/shop.orch/backend, not in $TMP/shop
        hint: bring the change there: git diff HEAD | git -C "$TMP/shop.orch/backend" apply
        "#,
    );
    assert_eq!(repo.git(&["log", "--format=%s", "-1"]), "web: login and cart\n");
    // Its user commits as before.
    repo.git(&["commit", "-qam", "mine"]);
}

#[test]
fn a_guard_takes_no_other_hooks_place() {
    let repo = both_sides();
    repo.orch(&["init", "--guard", "--dry-run"]).expect(
        r#"
        exit 0
        -- stdout
        #!/bin/sh
        # A guard of git-orch: what runs in a session commits in its worktree alone.
        # Made by `git orch init --guard`; to be rid of it, delete this file.
        [ -n "$GIT_ORCH_ROOT" ] || exit 0
        top=$(git rev-parse --show-toplevel) || exit 1
        [ "$(cd "$top" && pwd -P)" = "$(cd "$GIT_ORCH_ROOT" && pwd -P)" ] && exit 0
        echo "error: the run of ${GIT_ORCH_SESSION:-a shard} commits in $GIT_ORCH_ROOT, not in $top" >&2
        echo "hint: bring the change there: git diff HEAD | git -C \"$GIT_ORCH_ROOT\" apply" >&2
        exit 1
        "#,
    );
    repo.write(".git/hooks/pre-commit", "#!/bin/sh\n");
    let before = repo.everything();
    repo.orch(&["init", "--guard"]).expect(
        "
        exit 3
        -- stderr
        error: there is a hook `$TMP/shop/.git/hooks/pre-commit` already
        hint: have your own run what `git orch init --guard --dry-run` prints
        ",
    );
    repo.git(&["config", "core.hooksPath", ".husky"]);
    repo.orch(&["init", "--guard"]).expect(
        "
        exit 3
        -- stderr
        error: hooks lie in `.husky` here, by `core.hooksPath`
        hint: have your own run what `git orch init --guard --dry-run` prints
        ",
    );
    repo.git(&["config", "--unset", "core.hooksPath"]);
    before.expect_same(&repo.everything(), "a hook in the way");
}
