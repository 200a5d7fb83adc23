//! `git orch skill`: what tells an agent when and how to use git-orch.

use crate::support::TestRepo;

#[test]
fn it_is_printed_and_nothing_is_written_uninvited() {
    let repo = TestRepo::new();
    let before = repo.everything();
    let printed = repo.orch(&["skill"]);
    assert!(printed.stdout.starts_with("---\nname: git-orch\ndescription: "), "{printed}");
    assert_eq!(repo.call(&["skill", "--json"]).within(repo.top()).run().json()["data"], printed.stdout);
    before.expect_same(&repo.everything(), "skill");
}

#[test]
fn it_is_installed_where_it_is_wanted_over_itself_alone() {
    let repo = TestRepo::new();
    let install = ["skill", "--install", "../skills"];
    let written = "
        exit 0
        -- stdout
        $TMP/shop/../skills/git-orch/SKILL.md
        ";
    repo.orch(&install).expect(written);
    let skill = repo.read("skills/git-orch/SKILL.md");
    assert_eq!(skill, repo.orch(&["skill"]).stdout);
    repo.shell("echo old >>../skills/git-orch/SKILL.md").run().expect("exit 0");
    repo.orch(&install).expect(written);
    assert_eq!(repo.read("skills/git-orch/SKILL.md"), skill);
    repo.shell("echo mine >../skills/git-orch/SKILL.md").run().expect("exit 0");
    repo.orch(&install).expect(
        "
        exit 3
        -- stderr
        error: `$TMP/shop/../skills/git-orch/SKILL.md` is there already, and is none of git-orch
        hint: move it away first
        ",
    );
    assert_eq!(repo.read("skills/git-orch/SKILL.md"), "mine\n");
}
