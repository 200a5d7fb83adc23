//! What others do to results while they are checked, changed or resolved.

use crate::support::TestRepo;
use crate::support::results::{by_script, merge, sessions};

fn settings(repo: &TestRepo, text: &str) {
    repo.write(".orch.yml", &format!("version: 1\n{text}\n"));
    repo.git(&["add", ".orch.yml"]);
    repo.git(&["commit", "-qm", "settings"]);
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
}

/// Somebody does something while the check of `x` runs.
fn while_checked(deed: &str) -> TestRepo {
    let repo = TestRepo::new();
    let top = repo.top().display().to_string();
    settings(&repo, &format!("checks: ['touch {top}/begun; until [ -e {top}/go ]; do sleep 0.02; done']"));
    sessions(&repo, &["s1"]);
    by_script(&repo, "x", "s1", "echo 1 >x.txt");
    let script = format!(
        "git-orch merge x >../told 2>&1 & until [ -e ../begun ]; do sleep 0.02; done; {deed}; touch ../go; wait; cat ../told"
    );
    repo.shell(&script).changing_checkout().run().expect_success();
    repo
}

#[test]
fn what_is_called_off_while_it_is_checked_does_not_land() {
    let repo = while_checked("git-orch cancel x -q");
    repo.shell("cat ../told; git orch tasks --all; git log -1 --format=%s main").run().expect(
        "
        exit 0
        -- stdout
        error: `x` does not wait to land: it is cancelled
          task  state      session  files  last    text
          x     cancelled  s1           1  <time> ago  x
        settings
        ",
    );
}

#[test]
fn what_is_sent_back_while_it_is_checked_does_not_land() {
    let repo = while_checked("git-orch review x --request-changes -m no -q");
    repo.shell("cat ../told; git orch tasks --all; git log -1 --format=%s main").run().expect(
        "
        exit 0
        -- stdout
        error: changes were asked of `x`
        hint: let them be made: `git orch retry x`; or approve it as it is
          task  state    session  files  last    text
          x     changes  s1           1  <time> ago  x
        settings
        ",
    );
}

#[test]
fn what_somebody_adds_while_it_is_checked_is_checked_too() {
    let add = "git worktree add -q ../mine review/x; (cd ../mine; echo 2 >y.txt; git add .; git commit -qm more); git worktree remove ../mine";
    let repo = while_checked(add);
    repo.shell("cat ../told; git ls-tree --name-only main; git orch tasks --all").run().expect(
        "
        exit 0
        -- stdout
          landed  x  check passed in <time>             main <oid> → <oid>
        .orch.yml
        README.md
        src
        x.txt
        y.txt
          task  state   session  files  last    text
          x     merged  s1           1  <time> ago  x
        ",
    );
}

#[test]
fn a_rejected_lower_result_does_not_land_with_the_one_above() {
    let repo = TestRepo::new();
    settings(&repo, "viewpoints: { default: [], rules: [{ paths: [low], require: [tester] }] }");
    sessions(&repo, &["s1"]);
    by_script(&repo, "lower", "s1", "echo one >f; echo low >low");
    by_script(&repo, "upper", "s1", "echo two >f");
    repo.orch(&["review", "lower", "--request-changes", "-m", "no", "-q"]).expect_success();
    repo.orch(&["retry", "lower", "--", "sh", "-c", "rm low; echo three >f"]).expect(
        "
        exit 0
        -- stdout
        review/lower
        -- stderr
        warning: upper conflicts in `f` with what it was built on
        done in <time>: 2 commits, 1 file
          A f
        next: git orch review lower --diff, then git orch merge lower
        ",
    );
    repo.shell("git orch show upper | tail -4").run().expect(
        "
        exit 0
        -- stdout
          touched    M f
          asked for  What this was built on is another commit by now, and it conflicts with that in `f`.
                     Merge review/lower into this branch (`git merge review/lower`) and resolve it.
        next: git orch retry upper
        ",
    );
    repo.orch(&[
        "retry",
        "upper",
        "-q",
        "--",
        "sh",
        "-c",
        "git merge -q review/lower || { echo both >f; git add .; git commit -qm both; }",
    ])
    .expect_success();
    repo.orch(&["review", "lower", "--request-changes", "-m", "still no", "-q"]).expect_success();
    merge(&repo, &["upper"]).expect(
        "
        exit 3
        -- stderr
        error: `upper` builds on `lower`, which has not landed
        hint: land both: `git orch merge lower upper`
        ",
    );
    repo.shell("git orch review; git diff --name-only main review/lower review/upper").run().expect(
        "
        exit 0
        -- stdout
          task   state    session  waits for  since   size          risk
          upper  review   s1       you        <time> ago  1 file +1 -1  on top of lower
          lower  changes  s1       s1         <time> ago  1 file +1 -0  -
        f
        -- stderr
        next: git orch review upper --diff, then git orch merge upper
        ",
    );
}

#[test]
fn what_a_person_added_to_a_result_is_gone_on_from() {
    let repo = TestRepo::new();
    sessions(&repo, &["s1"]);
    by_script(&repo, "fix", "s1", "echo 1 >a");
    repo.shell("git worktree add -q ../mine review/fix; cd ../mine; echo 2 >b; git add .; git commit -qm mine; cd ../shop; git worktree remove ../mine").run().expect_success();
    repo.orch(&["review", "fix", "--request-changes", "-m", "more", "-q"]).expect_success();
    repo.orch(&["retry", "fix", "-q", "--", "sh", "-c", "echo 3 >c"]).expect_success();
    repo.shell("git log --format=%s main..review/fix; git ls-tree --name-only review/fix").run().expect(
        "
        exit 0
        -- stdout
        fix
        mine
        fix
        README.md
        a
        b
        c
        src
        ",
    );
}

#[test]
fn what_a_person_added_to_a_lower_result_lands_with_both() {
    let repo = TestRepo::new();
    settings(&repo, "checks: ['true']");
    sessions(&repo, &["s1"]);
    by_script(&repo, "lower", "s1", "echo 1 >a");
    by_script(&repo, "upper", "s1", "echo 2 >b");
    repo.shell("git worktree add -q ../mine review/lower; cd ../mine; echo 3 >c; git add .; git commit -qm mine; cd ../shop; git worktree remove ../mine").run().expect_success();
    assert_eq!(merge(&repo, &[]).exit, 0);
    repo.shell("git log --format=%s main | sort").run().expect(
        "
        exit 0
        -- stdout
        Merge 2 results: lower and upper
        api: login and cart
        lower
        mine
        readme: say hello
        settings
        upper
        web: login and cart
        ",
    );
}

/// A result that a tester has to approve, which conflicts with what landed.
fn clash() -> TestRepo {
    let repo = TestRepo::new();
    for (name, path) in [("backend", "src/api"), ("frontend", "src/web")] {
        repo.orch(&["add-session", name, "--paths", path, "-q"]).expect_success();
    }
    by_script(&repo, "fix login", "backend", "echo 'fn login() { fixed() }' >src/api/login.rs");
    let needs = "git orch task clash --session frontend --viewpoints tester --agent person -q
        cd ../shop.orch/frontend; echo 'fn log_in() {}' >src/api/login.rs; git orch done --commit -q";
    repo.shell(needs).run().expect_success();
    assert_eq!(merge(&repo, &["fix-login"]).exit, 0);
    repo
}

#[test]
fn a_resolved_result_has_landed_in_any_style_and_keeps_its_viewpoints() {
    let repo = clash();
    repo.orch(&["review", "clash", "--approve", "--viewpoint", "tester", "-q"]).expect("exit 0");
    merge(&repo, &["clash"]).expect(
        "
        exit 3
        -- stdout
          back    clash  conflicts with main in `src/api/login.rs` → backend, as resolve-clash
        -- stderr
        next: git orch retry resolve-clash
        ",
    );
    let resolve = "git merge -q --no-edit review/clash >/dev/null || { echo both >src/api/login.rs; git commit -qam both; }";
    repo.orch(&["retry", "resolve-clash", "-q", "--", "sh", "-c", resolve]).expect_success();
    merge(&repo, &["--squash", "resolve-clash"]).expect(
        "
        exit 3
        -- stderr
        error: `resolve-clash` lacks the approval of tester
        hint: `git orch review resolve-clash --approve --viewpoint tester`
        hint: or have a session look at it: `git orch review resolve-clash --by`
        ",
    );
    repo.orch(&["review", "resolve-clash", "--approve", "--viewpoint", "tester", "-q"]).expect("exit 0");
    merge(&repo, &["--squash", "resolve-clash"]).expect(
        "
        exit 0
        -- stdout
          landed  resolve-clash  unchecked: no checks configured  main <oid> → <oid>
        ",
    );
    repo.shell("git orch tasks --all; cat src/api/login.rs").run().expect(
        "
        exit 0
        -- stdout
          task           state   session   files  last    text
          clash          merged  frontend      1  <time> ago  clash
          fix-login      merged  backend       1  <time> ago  fix login
          resolve-clash  merged  backend       1  <time> ago  resolve clash
        both
        ",
    );
}

#[test]
fn a_result_whose_lower_one_landed_while_it_had_to_change_can_be_retried() {
    let repo = TestRepo::new();
    sessions(&repo, &["s1"]);
    by_script(&repo, "lower", "s1", "echo one >f");
    by_script(&repo, "upper", "s1", "echo two >f");
    repo.orch(&["review", "lower", "--request-changes", "-m", "no", "-q"]).expect_success();
    repo.orch(&["retry", "lower", "-q", "--", "sh", "-c", "echo three >f"]).expect_success();
    assert_eq!(merge(&repo, &["lower", "-q"]).exit, 0);
    repo.orch(&[
        "retry",
        "upper",
        "-q",
        "--",
        "sh",
        "-c",
        "git merge -q main || { echo both >f; git add .; git commit -qm both; }",
    ])
    .expect_success();
    merge(&repo, &["upper"]).expect(
        "
        exit 0
        -- stdout
          landed  upper  unchecked: no checks configured  main <oid> → <oid>
        ",
    );
    repo.shell("cat f; git orch sessions").run().expect(
        "
        exit 0
        -- stdout
        both
          session  state  task  ahead  behind  load  last    knows
          s1       idle             0       0     0  <time> ago  f
        ",
    );
}

#[test]
fn what_a_result_merged_of_its_base_is_not_its_own() {
    let repo = TestRepo::new();
    settings(&repo, "viewpoints: { default: [], rules: [{ paths: [docs], require: [documenter] }] }");
    sessions(&repo, &["s1"]);
    by_script(&repo, "fix", "s1", "echo one >f");
    repo.commit(&[("docs/a", "a\n"), ("f", "other\n")], "docs", "Ann", crate::support::days_ago(0));
    assert_eq!(merge(&repo, &["fix"]).exit, 3);
    repo.orch(&[
        "retry",
        "fix",
        "-q",
        "--",
        "sh",
        "-c",
        "git merge -q main || { echo both >f; git add .; git commit -qm both; }",
    ])
    .expect_success();
    repo.shell("git orch review fix --diff | grep ^diff").run().expect(
        "
        exit 0
        -- stdout
        diff --git a/f b/f
        ",
    );
    merge(&repo, &["fix"]).expect(
        "
        exit 0
        -- stdout
          landed  fix  unchecked: no checks configured  main <oid> → <oid>
        ",
    );
}
