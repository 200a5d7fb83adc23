//! Results that reach their base by somebody's own git, in whatever form.

use crate::support::TestRepo;

/// A session with a result of two commits that waits, and a base that went on.
fn shop() -> TestRepo {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    let script =
        "echo one >>src/api/login.rs; git commit -qam one; echo two >two; git add two; git commit -qm two";
    repo.orch(&["task", "work", "--session", "backend", "-q", "--", "sh", "-c", script]).expect_success();
    repo.git(&["commit", "-q", "--allow-empty", "-m", "nothing"]);
    repo.shell("echo other >other; echo more >>src/web/cart.ts; git add .; git commit -qm other")
        .changing_checkout()
        .run()
        .expect_success();
    repo
}

/// What becomes of the result once a script ran in the user's checkout.
fn after(repo: &TestRepo, script: &str) -> String {
    repo.shell(script).changing_checkout().run().expect_success();
    repo.orch(&["doctor", "--fix"]).expect_success();
    let tell = "git-orch show work | head -1; git for-each-ref --format='%(refname:short)' refs/heads
        git rev-parse main orch/backend | uniq | wc -l; git -C ../shop.orch/backend status --short";
    repo.shell(tell).run().stdout
}

const FREE: &str = "task work: merged\nmain\norch/backend\n1\n";
const WAITS: &str = "task work: review\nmain\norch/backend\nreview/work\n2\n";

#[test]
fn a_squash_merge_frees_the_session() {
    let repo = shop();
    assert_eq!(after(&repo, "git merge -q --squash review/work && git commit -qm squashed"), FREE);
    repo.orch(&["sessions"]).expect(
        "
        exit 0
        -- stdout
          session  state  task  ahead  behind  load  last    knows
          backend  idle             0       0     0  <time> ago  src/api, two
        ",
    );
}

#[test]
fn a_squash_merge_below_other_commits_is_found() {
    let repo = shop();
    let squash = "git merge -q --squash review/work && git commit -qm squashed
        for i in 1 2 3; do echo $i >>src/api/login.rs; git commit -qam $i; done
        git switch -qc side; echo side >side; git add side; git commit -qm side; git switch -q main
        git merge -q --no-ff side -m merged; git branch -qD side";
    assert_eq!(after(&repo, squash), FREE);
}

#[test]
fn a_rebase_merge_frees_the_session() {
    let repo = shop();
    let rebase = "git switch -qc copy review/work; git rebase -q main; git switch -q main
        git merge -q --ff-only copy; git branch -qd copy";
    assert_eq!(after(&repo, rebase), FREE);
}

#[test]
fn cherry_picks_free_the_session_once_all_are_there() {
    let repo = shop();
    assert_eq!(after(&repo, "git cherry-pick review/work >/dev/null"), WAITS);
    assert_eq!(after(&repo, "git cherry-pick review/work~1 >/dev/null"), FREE);
}

#[test]
fn a_squash_that_was_edited_still_waits() {
    let repo = shop();
    let edited = "git merge -q --squash review/work; echo three >>two; git add .; git commit -qm squashed";
    assert_eq!(after(&repo, edited), WAITS);
}

#[test]
fn a_squash_that_was_taken_back_still_waits() {
    let repo = shop();
    let reverted =
        "git merge -q --squash review/work; git commit -qm squashed; git revert --no-edit HEAD >/dev/null";
    assert_eq!(after(&repo, reverted), WAITS);
}

#[test]
fn a_change_of_binary_files_and_modes_is_known_by_its_content() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    let script = "printf '\\0one' >data; chmod +x README.md; ln -s README.md link; printf x >'a\"\\n\tb'";
    repo.orch(&["task", "work", "--session", "backend", "-q", "--", "sh", "-c", script]).expect_success();
    let other = "printf '\\0two' >data; chmod +x README.md; ln -s README.md link; printf x >'a\"\\n\tb'
        git add .; git commit -qm 'not the same'";
    assert_eq!(after(&repo, other), WAITS);
    assert_eq!(
        after(
            &repo,
            "git reset -q --hard HEAD~; git merge -q --squash review/work; echo >>src/web/cart.ts
        git commit -qm squashed; git commit -qam later"
        ),
        FREE
    );
}

#[test]
fn a_result_that_changes_nothing_of_its_own_still_waits() {
    let repo = shop();
    let emptied =
        "git branch -f review/work $(git commit-tree review/work~2^{tree} -p review/work -m 'all back')";
    repo.shell(emptied).run().expect_success();
    assert_eq!(after(&repo, "git commit -q --allow-empty -m empty"), WAITS);
}

#[test]
fn of_a_stack_the_squashed_part_lands() {
    let repo = shop();
    let script = "echo three >>src/api/login.rs";
    repo.orch(&["task", "more", "--session", "backend", "-q", "--", "sh", "-c", script]).expect_success();
    repo.shell("git merge -q --squash review/work && git commit -qm squashed")
        .changing_checkout()
        .run()
        .expect_success();
    repo.orch(&["doctor", "--fix"]).expect_success();
    repo.orch(&["tasks", "--all"]).expect(
        "
        exit 0
        -- stdout
          task  state   session  files  last    text
          more  review  backend      1  <time> ago  more
          work  merged  backend      2  <time> ago  work
        ",
    );
    let squash = "git reset -q --hard HEAD~; git merge -q --squash review/more; git commit -qm both";
    repo.shell(squash).changing_checkout().run().expect_success();
    repo.orch(&["doctor", "--fix"]).expect_success();
    repo.orch(&["tasks"]).expect("exit 0\n-- stderr\nno open tasks; --all lists those that are over");
}

#[test]
fn the_doctor_tells_of_a_squash_before_it_is_settled() {
    let repo = shop();
    repo.shell("git merge -q --squash review/work && git commit -qm squashed")
        .changing_checkout()
        .run()
        .expect_success();
    let found = repo.shell("git-orch doctor | grep -o 'work has .* say so'").run();
    found.expect("exit 0\n-- stdout\nwork has landed, but its record does not say so");
}
