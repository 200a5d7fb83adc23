//! `git orch completions`: what shells are answered.

use crate::support::TestRepo;

#[test]
fn commands_and_live_names_are_proposed() {
    let repo = TestRepo::new();
    repo.shell("for name in session/backend session/docs task/fix-login trash/docs-1; do git update-ref refs/orch/$name HEAD; done; git remote add origin ../hub.git")
        .changing_checkout()
        .run()
        .expect("exit 0");
    for (words, proposed) in [
        (vec!["git-orch", "add-s"], "add-session"),
        (vec!["git-orch", "task", "x", "--session", ""], "backend docs"),
        (vec!["git-orch", "task", "x", "--session=b"], "--session=backend"),
        (vec!["git-orch", "review", "fix"], "fix-login"),
        (vec!["git-orch", "ses"], "sessions"),
        (vec!["git-orch", "trash", "restore", ""], "docs-1"),
        (vec!["git-orch", "review", "fix-login", "--pr", "--remote", ""], "origin"),
        (vec!["git-orch", "review", "fix-login", "--pr", "--forge", "g"], "gh glab gitlab gerrit"),
    ] {
        let index = (words.len() - 1).to_string();
        let output = repo.orch(&[&["completions", "--at", &index, "--"][..], &words].concat());
        let values = output.stdout.lines().map(|line| line.split('\t').next().unwrap());
        assert_eq!(values.collect::<Vec<_>>().join(" "), proposed, "{words:?}");
        assert_eq!((output.exit, output.stderr.as_str()), (0, ""), "{words:?}");
    }
}

#[test]
fn outside_a_repository_commands_are_proposed_and_no_names() {
    let repo = TestRepo::new();
    let ask = |words: &[&str]| repo.call(words).within(repo.top()).run().stdout;
    assert!(ask(&["completions", "--at", "1", "--", "git-orch", "add-s"]).starts_with("add-session\t"));
    assert_eq!(ask(&["completions", "--at", "3", "--", "git-orch", "task", "--session", ""]), "");
}

#[test]
fn every_script_can_be_read_by_its_shell() {
    let repo = TestRepo::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = repo.orch(&["completions", shell]);
        assert_eq!((output.exit, output.stderr.as_str()), (0, ""), "{shell}");
        assert!(output.stdout.contains("git-orch"), "{shell}");
        let check =
            format!("command -v {shell} >/dev/null || exit 0; git-orch completions {shell} | {shell} -n");
        if ["bash", "zsh"].contains(&shell) {
            repo.shell(&check).run().expect("exit 0");
        }
    }
}

#[test]
fn bash_completes_git_orch_as_git_calls_it() {
    let repo = TestRepo::new();
    repo.shell("git update-ref refs/orch/session/backend HEAD").run().expect("exit 0");
    let script = r#"
        command -v bash >/dev/null || { echo "[--session=backend ] [backend ]"; exit; }
        git-orch completions bash > ~/orch.bash
        bash -c '
            . ~/orch.bash
            __git() { git "$@"; }
            words=(git orch task x --session=b) cword=4 cur=--session=b __git_cmd_idx=1 COMP_WORDBREAKS=
            _git_orch; printf "[%s] " "${COMPREPLY[@]}"
            COMP_WORDBREAKS="=:"
            _git_orch; printf "[%s]\n" "${COMPREPLY[@]}"
        '"#;
    repo.shell(script).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
        [--session=backend ] [backend ]
        ",
    );
}
