//! `git orch note`: what is kept with a task, whoever else writes its record.

use crate::support::TestRepo;
use crate::support::results::{by_script, merge, sessions};

fn shop() -> TestRepo {
    let repo = TestRepo::new();
    sessions(&repo, &["backend"]);
    repo
}

/// The texts of a task's notes.
fn notes(repo: &TestRepo, task: &str) -> Vec<String> {
    let told = repo.orch(&["show", task, "--json"]).json();
    let notes = told["data"]["notes"].as_array().cloned().unwrap_or_default();
    notes.iter().map(|note| note["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_run_keeps_what_it_found_and_later_briefs_tell_it() {
    let repo = shop();
    let script =
        "echo fixed >>src/api/login.rs; git orch note 'the proxy checks tokens'; git orch note '  two
lines ' -q; git orch note 'the proxy checks tokens'";
    repo.orch(&["task", "fix login", "--session", "backend", "--", "sh", "-c", script]).expect(
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
    repo.orch(&["log", "fix-login"]).expect(
        "
        exit 0
        -- stdout
        kept with fix-login: git orch show fix-login
        fix-login has that note already
        ",
    );
    repo.shell(
        "git orch show fix-login | grep -A1 note; git orch show fix-login --json | grep -o '\"notes\":[^]]*'",
    )
    .run()
    .expect(
        "
        exit 0
        -- stdout
          note       backend, <time> ago: the proxy checks tokens
          note       backend, <time> ago: two
                     lines
        \"notes\":[{\"text\":\"the proxy checks tokens\",\"by\":\"backend\",\"session\":\"backend\",\"time\":\"<moment>\"},{\"text\":\"two\\nlines\",\"by\":\"backend\",\"session\":\"backend\",\"time\":\"<moment>\"}
        ",
    );
    merge(&repo, &["-q"]).expect_success();
    by_script(&repo, "test login", "backend", "cp $GIT_ORCH_BRIEF ../../brief; echo x >x");
    repo.shell("grep -A7 '## Kept' ../brief | sed 's/, 20..-..-../, DATE/'").run().expect(
        "
        exit 0
        -- stdout
        ## Kept from earlier tasks

        ```text
        fix-login, DATE backend: two
          lines
        fix-login, DATE backend: the proxy checks tokens
        ```
        ",
    );
}

#[test]
fn a_note_finds_its_task_by_the_worktree_or_is_told() {
    let repo = shop();
    repo.orch(&["note", "x"]).expect(
        "
        exit 2
        -- stderr
        error: this worktree, on `main`, is no session's: which task is it about?
        hint: name it: `git orch note TEXT --task TASK`; `git orch tasks` lists them
        ",
    );
    let there = |arguments: &[&str]| repo.call(arguments).within(repo.worktree("backend")).run();
    there(&["note", "x"]).expect(
        "
        exit 3
        -- stderr
        error: session `backend` works on no task
        hint: name it: `git orch note TEXT --task TASK`; `git orch tasks` lists them
        ",
    );
    repo.orch(&["task", "fix login", "-q"]).expect_success();
    let before = repo.everything();
    there(&["note", "x", "--dry-run"]).expect(
        "
        exit 0
        -- stderr
        would keep it with fix-login, as told by backend
        ",
    );
    before.expect_same(&repo.everything(), "a dry run");
    there(&["note", "x"]).expect(
        "
        exit 0
        -- stderr
        kept with fix-login: git orch show fix-login
        ",
    );
    repo.orch(&["note", "y", "--task", "fix-login", "--json"]).expect_success();
    repo.shell("git orch show fix-login | grep note").run().expect(
        "
        exit 0
        -- stdout
          note       backend, <time> ago: x
          note       Test <test@example.com>, <time> ago: y
        ",
    );
}

#[test]
fn a_note_says_something_and_not_too_much() {
    let repo = shop();
    by_script(&repo, "fix login", "backend", "echo x >x");
    let note = |text: &str| repo.orch(&["note", text, "--task", "fix-login"]);
    note(" ").expect(
        "
        exit 2
        -- stderr
        error: the note has no text
        hint: say what to keep: `git orch note TEXT`
        ",
    );
    note(&"é".repeat(1_001)).expect(
        "
        exit 3
        -- stderr
        error: the note has 2002 bytes, and 2000 are the most
        hint: write it into a file of the repository, and note where it is
        ",
    );
    assert!(notes(&repo, "fix-login").is_empty());
    note(&"é".repeat(1_000)).expect_success();
}

#[test]
fn no_note_is_lost_and_no_run_fails_however_it_ends() {
    for (end, exit) in [("echo x >>x", 0), ("git commit -qm x --allow-empty; exit 3", 1), ("sleep 60", 1)] {
        let repo = shop();
        let script = format!(
            "for writer in 1 2 3 4; do
                (for note in 1 2 3; do git orch note \"$writer-$note\" || echo no >>../../lost; done) &
            done; wait; >../../noted; {end}"
        );
        let run = format!(
            "git-orch task 'fix login' --session backend -q -- sh -c '{script}' & run=$!
            until [ -e ../noted ]; do sleep 0.02; done
            git-orch note late --task fix-login -q
            case '{end}' in sleep*) git-orch cancel fix-login -q;; esac
            wait $run; code=$?; git-orch note after --task fix-login -q; exit $code"
        );
        let ended = repo.shell(&run).run();
        assert_eq!(ended.exit, exit, "{ended}");
        let mut found = notes(&repo, "fix-login");
        assert_eq!(found.len(), 14, "{found:?} {ended}");
        assert_eq!(found.pop().as_deref(), Some("after"));
        assert!(!repo.top().join("lost").exists());
        drop(repo.orch(&["retry", "fix-login", "-q", "--", "sh", "-c", "echo y >>y"]));
        assert_eq!(notes(&repo, "fix-login").len(), 14);
        repo.orch(&["doctor"]).expect_success();
    }
}

#[test]
fn a_note_goes_back_by_undo() {
    let repo = shop();
    by_script(&repo, "fix login", "backend", "echo x >x");
    repo.orch(&["note", "x", "--task", "fix-login", "-q"]).expect_success();
    repo.orch(&["undo", "-q"]).expect_success();
    assert!(notes(&repo, "fix-login").is_empty());
    repo.orch(&["undo", "-q"]).expect_success();
}

#[test]
fn a_note_does_not_move_what_waits() {
    let repo = shop();
    sessions(&repo, &["docs"]);
    by_script(&repo, "fix login", "backend", "echo x >x");
    by_script(&repo, "write guide", "docs", "echo y >y");
    let before = repo.orch(&["review"]);
    repo.call(&["note", "x", "--task", "fix-login", "-q"]).run().expect_success();
    assert_eq!(repo.orch(&["review"]), before);
}
