//! Repositories whose git directory lies elsewhere: the checkout of a base is
//! found and follows, or landing is refused; it is never left behind.

use crate::support::TestRepo;

/// Adds a session, does a task in it and lands it, in the folder `$1`.
const STORY: &str = "cd \"$1\" && git-orch add-session a --paths x -q >/dev/null &&
    git-orch task t1 -q -- sh -c 'echo 1 >x' && git-orch merge t1 -q && git status --short && git log --format=%s";

fn story(prepare: &str, folder: &str) -> String {
    let repo = TestRepo::new();
    let script = format!("set -e; {prepare}\n set -- {folder}; {STORY}");
    let output = repo.shell(&script).run();
    assert_eq!(output.exit, 0, "{output:?}");
    output.stdout
}

#[test]
fn a_git_directory_of_another_name_has_its_checkout_follow() {
    let prepare = "cd ..; git init -q -b main --separate-git-dir store sep; cd sep; git commit -q --allow-empty -m one; cd ..";
    let told = story(prepare, "sep");
    assert!(told.starts_with("review/t1\n  landed  t1"), "{told}");
    assert!(told.ends_with("\nt1\none\n") && !told.contains("\nD  x"), "{told}");
}

#[test]
fn a_submodule_has_its_checkout_follow() {
    let prepare = "cd ..; git init -q sup; cd sup; git -c protocol.file.allow=always submodule --quiet add ../shop sub; cd ..";
    let told = story(prepare, "sup/sub");
    assert!(told.starts_with("review/t1\n  landed  t1"), "{told}");
    assert!(!told.contains("\nD  x"), "{told}");
}

#[test]
fn a_bare_repository_called_dot_git_has_its_worktree_follow() {
    let prepare = "cd ..; mkdir bare; cd bare; git clone -q --bare ../shop .git; git --git-dir=.git worktree add -q work main; cd ..";
    let told = story(prepare, "bare/work");
    assert!(told.starts_with("review/t1\n  landed  t1"), "{told}");
    assert!(!told.contains("\nD  x"), "{told}");
}

#[test]
fn landing_is_refused_where_nothing_tells_the_main_worktree() {
    let repo = TestRepo::new();
    let output = repo
        .shell(
            "cd ..; git init -q -b main --separate-git-dir store sep; cd sep; git commit -q --allow-empty -m one
            git-orch add-session a --paths x -q >/dev/null; cd ../sep.orch/a
            git-orch task t1 -q -- sh -c 'echo 1 >x'; git-orch merge t1; echo $?; cd ../../sep; git status --short",
        )
        .run();
    output.expect(
        "
        exit 0
        -- stdout
        review/t1
        3
        -- stderr
        error: `main` is checked out in the main worktree, and nothing tells where that is
        hint: run the command in the main worktree
        ",
    );
}
