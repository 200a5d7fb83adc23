//! `git orch review`: what waits, what it changes, what is said of it.

use crate::support::TestRepo;

/// A repository with one result that waits.
fn waiting() -> TestRepo {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    repo.orch(&["task", "fix login", "-q", "--", &repo.agent("edit.sh"), "src/api/login.rs"])
        .expect_success();
    repo
}

#[test]
fn nothing_waits_at_first() {
    let repo = TestRepo::new();
    repo.orch(&["review"]).expect(
        "
        exit 0
        -- stderr
        nothing waits for review
        ",
    );
}

#[test]
fn one_result_is_shown_with_its_commits_and_files() {
    let repo = waiting();
    repo.orch(&["review"]).expect(
        "
        exit 0
        -- stdout
          task       state   session  commits  since   text
          fix-login  review  backend        1  <time> ago  fix login
        -- stderr
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.orch(&["review", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        review/fix-login: fix login (review)
          <oid> fix login  Test
         src/api/login.rs | 1 +
         1 file changed, 1 insertion(+)
        -- stderr
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.orch(&["review", "review/fix-login", "--diff"]).expect(
        "
        exit 0
        -- stdout
        diff --git a/src/api/login.rs b/src/api/login.rs
        index <oid>..<oid> 100644
        --- a/src/api/login.rs
        +++ b/src/api/login.rs
        @@ -1 +1,2 @@
         fn login() {}
        +edited for fix-login
        ",
    );
}

#[test]
fn an_approval_is_noted_on_the_reviewed_commit() {
    let repo = waiting();
    repo.orch(&["review", "fix-login", "--approve", "-m", "reads well"]).expect(
        "
        exit 0
        -- stderr
        approved fix-login at <oid>
        next: git orch merge fix-login
        ",
    );
    repo.orch(&["review", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        review/fix-login: fix login (review)
          <oid> fix login  Test
         src/api/login.rs | 1 +
         1 file changed, 1 insertion(+)
        reviewer Test <test@example.com> approves (<time> ago): reads well
        -- stderr
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    let note = repo.git(&["notes", "--ref", "orch/verdict", "show", "review/fix-login"]);
    assert!(note.contains("\"decision\":\"approve\""), "{note}");
}

#[test]
fn changes_are_asked_for_in_words_and_a_retry_hears_them() {
    let repo = waiting();
    repo.orch(&["review", "fix-login", "--request-changes"]).expect(
        "
        exit 2
        -- stderr
        error: the following required arguments were not provided:
          --message <TEXT>

        Usage: git orch review --message <TEXT> --request-changes <TASK> [-- <CMD>...]

        For more information, try '--help'.
        ",
    );
    repo.orch(&["review", "fix-login", "--request-changes", "-m", "say why"]).expect(
        "
        exit 0
        -- stderr
        asked for changes in fix-login
        next: git orch retry fix-login
        ",
    );
    repo.orch(&["merge", "fix-login"]).expect(
        "
        exit 3
        -- stderr
        error: changes were asked of `fix-login`
        hint: let them be made: `git orch retry fix-login`; or approve it as it is
        ",
    );
    repo.orch(&["retry", "fix-login", "--", "sh", "-c", "grep -A3 'Changes asked' > why.txt"]).expect(
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
        say why
        ",
    );
}

#[test]
fn an_approval_is_carried_to_the_same_patch_and_to_no_other() {
    let repo = waiting();
    repo.orch(&["review", "fix-login", "--approve"]).expect(
        "
        exit 0
        -- stderr
        approved fix-login at <oid>
        next: git orch merge fix-login
        ",
    );
    repo.shell("cd ../shop.orch/backend && git commit -q --amend -m 'login: other words' && git branch -f review/fix-login")
        .run()
        .expect("exit 0");
    repo.orch(&["review", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        review/fix-login: fix login (review)
          <oid> login: other words  Test
         src/api/login.rs | 1 +
         1 file changed, 1 insertion(+)
        reviewer Test <test@example.com> approves (<time> ago, carried from <oid>)
        -- stderr
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
    repo.shell("cd ../shop.orch/backend && echo more >> src/api/cart.rs && git commit -q -a --amend --no-edit && git branch -f review/fix-login")
        .run()
        .expect("exit 0");
    repo.orch(&["review", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        review/fix-login: fix login (review)
          <oid> login: other words  Test
         src/api/cart.rs  | 1 +
         src/api/login.rs | 1 +
         2 files changed, 2 insertions(+)
        -- stderr
        next: git orch review fix-login --diff, then git orch merge fix-login
        ",
    );
}

#[test]
fn nobody_approves_from_inside_a_session() {
    let repo = waiting();
    let before = repo.everything();
    repo.call(&["review", "fix-login", "--approve"]).within(repo.worktree("backend")).run().expect(
        "
        exit 3
        -- stderr
        error: this can't be said inside session `backend`
        hint: say it in the repository's own checkout
        ",
    );
    repo.call(&["review", "fix-login", "--approve"]).env("GIT_ORCH_SESSION", "backend").run().expect(
        "
        exit 3
        -- stderr
        error: this can't be said inside session `backend`
        hint: say it in the repository's own checkout
        ",
    );
    before.expect_same(&repo.everything(), "review --approve");
}
