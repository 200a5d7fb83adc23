//! The tests' own footing: sealed off from the machine, and strict.

use crate::support::{TestRepo, days_ago};

#[test]
fn a_test_repository_is_clean_and_has_its_own_home() {
    let repo = TestRepo::new();
    repo.commit(&[("README.md", "# shop\n\nSells.\n")], "readme: say more", "Ben", days_ago(1));
    repo.shell(
        "git status --short; git log --format='%an <%ae> %s'; git config --global user.name; echo $HOME",
    )
    .run()
    .expect(
        "
        exit 0
        -- stdout
        Ben <ben@example.com> readme: say more
        Ben <ben@example.com> web: login and cart
        Ann <ann@example.com> api: login and cart
        Ann <ann@example.com> readme: say hello
        Test
        $TMP/home
        ",
    );
    repo.everything().expect_same(&repo.everything(), "nothing");
}

#[test]
fn an_environment_and_input_reach_the_program() {
    let repo = TestRepo::unborn();
    let call = repo.shell("cat; echo $GREETING; pwd; echo ${LC_ALL-none} >&2; exit 3");
    call.env("GREETING", "hello").without_env("LC_ALL").within(repo.top()).stdin("in\n").run().expect(
        "
        exit 3
        -- stdout
        in
        hello
        $TMP
        -- stderr
        none
        ",
    );
}

#[test]
fn a_command_that_touches_the_checkout_is_caught() {
    for script in [
        "echo x >> README.md",
        "chmod +x README.md",
        "git rm -q --cached README.md",
        "git branch main2",
        "git symbolic-ref HEAD refs/heads/main2",
        "git config x.y z",
        "mkdir -p .git/hooks; echo x > .git/hooks/pre-commit",
        "echo x > ~/.netrc",
    ] {
        let repo = TestRepo::new();
        let touched = std::panic::catch_unwind(|| repo.shell(script).run().exit);
        assert!(touched.is_err(), "{script}");
    }
}

#[test]
fn branches_and_refs_of_git_orch_are_no_change_of_the_checkout() {
    let repo = TestRepo::unborn();
    repo.commit(&[("a.txt", "a\n")], "one", "Ann", days_ago(1));
    repo.shell("git branch orch/mine && git update-ref refs/orch/x HEAD").run().expect("exit 0");
    repo.refs().expect(
        "
        exit 0
        -- stdout
        refs/heads/main one
        refs/heads/orch/mine one
        refs/orch/x one
        ",
    );
}

#[test]
fn each_agent_does_what_its_name_says() {
    let repo = TestRepo::new();
    let lines = [
        format!("{} new/a.txt", repo.agent("edit.sh")),
        format!("{} b.txt", repo.agent("commit.sh")),
        format!("{} 3; echo $?", repo.agent("fail.sh")),
        repo.agent("noop.sh"),
        format!("{} README.md", repo.agent("escape.sh")),
        "git status --short -uall; git log -1 --format=%s".to_owned(),
    ];
    repo.shell(&lines.join("\n")).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
        3
         M README.md
        ?? half.txt
        ?? new/a.txt
        ?? outside.txt
        agent: edit b.txt
        -- stderr
        could not go on
        ",
    );
    assert_eq!(repo.read("shop/new/a.txt"), "edited for nobody\n");
}

#[test]
fn the_program_starts_and_says_its_version() {
    let repo = TestRepo::new();
    assert_eq!(repo.orch(&["--version"]).exit, 0);
    assert!(!repo.worktree("backend").exists());
    assert_eq!(repo.shell("echo '{\"a\":1}'").run().json()["a"], 1);
}
