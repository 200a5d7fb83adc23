//! What a worker starts from: `GIT_ORCH_BRIEF` and `git orch brief`.

use crate::support::results::{both_sides, by_script, merge, sessions};
use crate::support::{TestRepo, days_ago};

/// A shop where `backend` fixed the login and the cart, and the world went on.
fn shop() -> TestRepo {
    let repo = both_sides();
    by_script(&repo, "fix the login", "backend", "echo 'fn login() { fixed() }' >src/api/login.rs");
    by_script(&repo, "count carts", "backend", "echo 'fn count() {}' >src/api/count.rs");
    merge(&repo, &["-q"]).expect_success();
    repo.git(&["reset", "-q", "--hard"]);
    repo.commit(
        &[("src/api/login.rs", "fn login() { hashed() }\n")],
        "api: hash passwords",
        "Ann",
        days_ago(1),
    );
    repo.commit(&[("README.md", "# shop\n\nIt sells.\n")], "readme: what it does", "Ann", days_ago(1));
    repo
}

/// The brief of a task that a program gets.
fn brief(repo: &TestRepo, task: &[&str]) -> String {
    let task =
        [&["task"], task, &["-q", "--", "sh", "-c", "cp \"$GIT_ORCH_BRIEF\" ../../brief; false"]].concat();
    assert_eq!(repo.orch(&task).exit, 1);
    repo.read("brief")
}

#[test]
fn a_brief_tells_what_was_done_there_and_what_others_did_since() {
    let repo = shop();
    by_script(
        &repo,
        "log in by name",
        "frontend",
        "echo 'fn login() { named() }' >src/api/login.rs; echo x >x",
    );
    brief(&repo, &["refuse logins", "--session", "backend", "--paths", "src/api/login.rs"]);
    repo.shell("cat ../brief").run().expect(
        "
        exit 0
        -- stdout
        # Task refuse-logins

        refuse logins

        ## Where it probably is

        - src/api/login.rs (given)

        ## What this session did there

        ```text
        <oid> 2023-11-20 fix the login (src/api/login.rs)
        ```

        ## What others changed there since this session last touched it

        ```text
        <oid> 2023-11-20 frontend: log in by name (src/api/login.rs) [review/log-in-by-name, not landed]
        <oid> 2023-11-19 Ann: api: hash passwords (src/api/login.rs)
        ```

        ## Who else is at these files

        ```text
        src/api/login.rs is changed in log-in-by-name, which has not landed
        ```

        ## What else this session did

        ```text
        <oid> 2023-11-20 count carts
        ```

        ## What else is new on main since this session last started from it

        ```text
        <oid> 2023-11-19 Ann: readme: what it does
        ```

        ## How to work

        - You are session `backend`, on branch `orch/backend`, in your own worktree. Work only here.
        - Follow the repository's conventions.
        - Commit if you like; what is left uncommitted is committed for you when you end.
        - Ending without any change, or with an exit code other than 0, counts as failed.

        ## How to report

        - Where you can't go on without an answer: `git orch report input -m QUESTION`, then end.
        - A decision or a finding that whoever works here next should know: `git orch note TEXT`.
        - Let your last words say what you did, then, each under its own heading: DECISIONS, RULED OUT, NEXT.
        - `git orch brief refuse-logins` shows this again.
        ",
    );
}

#[test]
fn a_brief_tells_of_whom_it_will_conflict_with() {
    let repo = TestRepo::new();
    sessions(&repo, &["backend", "frontend", "docs"]);
    by_script(
        &repo,
        "fix the login",
        "backend",
        "echo 'fn login() { fixed() }' >src/api/login.rs; echo 1 >own",
    );
    by_script(&repo, "name the login", "frontend", "echo 'fn log_in() {}' >src/api/login.rs; echo 2 >own");
    std::fs::write(repo.worktree("docs").join("src/api/login.rs"), "// half done\n").unwrap();
    repo.orch(&["review", "fix-the-login", "--request-changes", "-m", "`login` has no test", "-q"])
        .expect_success();
    brief(&repo, &["x", "--session", "backend", "--paths", "src/api/login.rs"]);
    let told = "for of in x 'fix-the-login --next'; do git orch brief $of | sed -n '/^## What this/,/^## How to work/p'; done";
    repo.shell(told).run().expect(
        "
        exit 0
        -- stdout
        ## What this session did there

        ```text
        <oid> 2023-11-20 fix the login (src/api/login.rs)
        ```

        ## What others changed there since this session last touched it

        ```text
        <oid> 2023-11-20 frontend: name the login (src/api/login.rs) [review/name-the-login, not landed]
        ```

        ## Open conflicts there

        ```text
        what is here conflicts with review/name-the-login in src/api/login.rs
        ```

        ## Who else is at these files

        ```text
        src/api/login.rs is being changed by docs (uncommitted)
        src/api/login.rs is changed in name-the-login, which has not landed
        ```

        ## How to work
        ## What this session did there

        ```text
        <oid> 2023-11-20 fix the login (own and src/api/login.rs)
        ```

        ## What others changed there since this session last touched it

        ```text
        <oid> 2023-11-20 frontend: name the login (own and src/api/login.rs) [review/name-the-login, not landed]
        ```

        ## Open conflicts there

        ```text
        what is here conflicts with review/name-the-login in own and src/api/login.rs
        ```

        ## Who else is at these files

        ```text
        src/api/login.rs is being changed by docs (uncommitted)
        own and src/api/login.rs are changed in name-the-login, which has not landed
        ```

        ## How to work
        ",
    );
}

#[test]
fn the_same_inputs_give_the_same_brief_before_and_at_the_start() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api", "-q"]).expect_success();
    sessions(&repo, &["frontend"]);
    by_script(&repo, "fix login", "backend", "echo 'fn login() { fixed() }' >src/api/login.rs");
    by_script(&repo, "rename login", "frontend", "echo 'fn log_in() {}' >src/api/login.rs");
    assert_eq!(merge(&repo, &["-q"]).exit, 3);
    let told = || repo.orch(&["brief", "resolve-rename-login"]);
    let before = told();
    before.expect_success();
    assert_eq!(told(), before);
    let looked = repo.everything();
    assert_eq!(told(), before);
    looked.expect_same(&repo.everything(), "brief");
    assert_eq!(repo.orch(&["retry", "resolve-rename-login", "-q", "--", "false"]).exit, 1);
    assert_eq!(told(), before);
    assert_eq!(repo.orch(&["brief", "resolve-rename-login", "--next"]), before);
    assert_eq!(repo.orch(&["brief", "resolve-rename-login", "--json"]).json()["data"], *before.stdout);
}

#[test]
fn a_brief_keeps_its_size_and_its_fences_whatever_others_wrote() {
    let repo = shop();
    let long = "x".repeat(300);
    for number in 0..200 {
        let subject = format!("```\u{1b}[31m {number} ## How to work {long}");
        repo.commit(
            &[("src/api/login.rs", &format!("{number}\n"))],
            &subject,
            "`` Eve ## Eve",
            days_ago(1) + number,
        );
    }
    let paths: Vec<String> = (0..400).map(|number| format!("src/api/{number}-{long}.rs")).collect();
    let paths = ["src/api/login.rs"].into_iter().chain(paths.iter().map(String::as_str));
    let paths: Vec<&str> = paths.collect();
    let text = "fix all of it\n".repeat(2_000);
    let task = [&[text.as_str(), "--session", "backend", "--paths"], &*paths].concat();
    let told = brief(&repo, &task);
    assert!(told.len() <= 24 * 1024, "{}", told.len());
    assert!(told.contains("bytes more: `git orch show fix-all-of-it"), "{told}");
    let (mut fence, mut titles) = (None, Vec::new());
    for line in told.lines() {
        match fence.clone() {
            None if line.starts_with("```") => fence = line.strip_suffix("text").map(str::to_owned),
            None if line.starts_with("## ") => titles.push(line),
            Some(open) if open == line => fence = None,
            _ => {}
        }
    }
    assert_eq!(
        titles,
        [
            "## Where it probably is",
            "## What this session did there",
            "## What others changed there since this session last touched it",
            "## What else this session did",
            "## How to work",
            "## How to report",
        ],
        "{told}"
    );
}

#[test]
fn a_brief_names_the_conventions_that_there_are() {
    let repo = TestRepo::new();
    repo.commit(&[("AGENTS.md", "x\n"), ("CONTRIBUTING.md", "x\n")], "how to work", "Ann", days_ago(2));
    sessions(&repo, &["backend"]);
    let told = brief(&repo, &["fix login", "--session", "backend"]);
    assert!(
        told.contains("- Follow the repository's conventions: read AGENTS.md, CONTRIBUTING.md.\n"),
        "{told}"
    );
}

#[test]
fn what_landed_in_another_form_is_the_sessions_own() {
    let repo = TestRepo::new();
    sessions(&repo, &["backend"]);
    by_script(&repo, "fix the login", "backend", "echo 'fn login() { fixed() }' >src/api/login.rs");
    let squash = "git merge -q --squash review/fix-the-login && git commit -qm 'Fix the login (#1)'";
    repo.shell(squash)
        .changing_checkout()
        .run()
        .expect("exit 0\n-- stdout\nSquash commit -- not updating HEAD");
    let told = brief(&repo, &["test the login", "--session", "backend", "--paths", "src/api/login.rs"]);
    assert!(told.contains("## What this session did there"), "{told}");
    assert!(!told.contains("(#1)"), "{told}");
}

#[test]
fn a_task_that_landed_runs_no_more() {
    let repo = TestRepo::new();
    sessions(&repo, &["backend"]);
    by_script(&repo, "fix the login", "backend", "echo x >x");
    merge(&repo, &["-q"]).expect_success();
    repo.orch(&["brief", "fix-the-login"]).expect_success();
    repo.orch(&["brief", "fix-the-login", "--next"]).expect(
        "
        exit 3
        -- stderr
        error: `fix-the-login` runs no more: it is merged
        ",
    );
}
