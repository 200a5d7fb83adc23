//! `git orch trash`: what is in it, how it comes back, how it is emptied.

use crate::support::{TestRepo, days_ago, refused};

/// A session that holds work of each kind, removed; and one that holds none.
fn shop() -> TestRepo {
    let repo = TestRepo::new();
    repo.commit(&[(".gitignore", "*.secret\n")], "ignore secrets", "Ann", days_ago(1));
    let script = "
        for name in backend web; do git-orch -q add-session $name --paths src >/dev/null; done
        cd ../shop.orch/backend; echo 1 >one; git add one; git commit -qm one; echo 2 >two; echo 3 >a.secret
        cd ../../shop; for name in backend web; do git-orch -q remove-session $name; done";
    repo.shell(script).run().expect_success();
    repo
}

#[test]
fn it_is_listed_with_what_else_has_the_work() {
    let repo = TestRepo::new();
    repo.orch(&["trash"]).expect("exit 0\n-- stderr\nthe trash is empty");
    let repo = shop();
    repo.shell("git-orch trash | sed -E 's/ +[0-9.]+ K?B//; s/([^ ])  +/\\1  /g'").run().expect(
        "
        exit 0
        -- stdout
          id  session  since  size  work
          backend-<oid>  backend  <time> ago  unpushed
          web-<oid>  web  <time> ago  merged
        ",
    );
    let entry = &repo.orch(&["trash", "--json"]).json()["data"][0];
    let told: Vec<&str> = ["id", "session", "since", "folder", "reason"]
        .iter()
        .map(|key| entry[*key].as_str().unwrap())
        .collect();
    let folder = repo.top().join("shop.orch/.trash/backend-1700500000").display().to_string();
    assert_eq!(told, ["backend-1700500000", "backend", "2023-11-20T17:06:40Z", &folder, "unpushed"]);
}

#[test]
fn a_session_comes_back_with_everything_in_it() {
    let repo = shop();
    repo.orch(&["trash", "restore", "backend-1700500000", "--dry-run"])
        .expect("exit 0\n-- stderr\nwould undo <oid>: -q remove-session backend");
    repo.orch(&["trash", "restore", "backend-1700500000"])
        .expect("exit 0\n-- stderr\nrestored backend-<oid>: undone is -q remove-session backend");
    repo.shell("cd ../shop.orch/backend; git status --short --branch; cat one two a.secret").run().expect(
        "
        exit 0
        -- stdout
        ## orch/backend
        ?? two
        1
        2
        3
        ",
    );
    repo.orch(&["trash", "restore", "backend-1700500000"])
        .expect("exit 0\n-- stderr\nbackend-<oid> is restored already");
    repo.orch(&["doctor"]).expect_success();
    repo.orch(&["remove-session", "backend", "-q"]).expect_success();
    repo.orch(&["trash", "restore", "backend-1700500000", "-q"]).expect_success();
}

#[test]
fn a_name_that_is_taken_refuses_and_its_work_becomes_a_branch() {
    let repo = shop();
    repo.orch(&["add-session", "backend", "--paths", "src", "-q"]).expect_success();
    refused(&repo, &["trash", "restore", "backend-1700500000"]).expect(
        "
        exit 3
        -- stderr
        error: there is a session `backend` again
        hint: remove that one first: `git orch remove-session backend`
        hint: have its work as a branch: `git orch trash restore backend-<oid> --branch NAME`
        ",
    );
    let restore = |name: &str| {
        repo.call(&["trash", "restore", "backend-1700500000", "--branch", name]).changing_checkout().run()
    };
    restore("saved").expect("exit 0\n-- stderr\nits work is on the branch saved, <oid>");
    restore("saved").expect("exit 0\n-- stderr\nbackend-<oid> is restored already");
    repo.shell(
        "git show saved:one saved:two; git-orch trash | sed -n '2s/.* //p'; git-orch doctor >/dev/null",
    )
    .run()
    .expect("exit 0\n-- stdout\n1\n2\nelsewhere");
    for (name, exit, why) in [
        ("main", 3, "error: there is a branch `main` already\nhint: choose another name"),
        ("-x", 2, "error: `-x` is no name for a branch"),
        ("a..b", 2, "error: `a..b` is no name for a branch"),
        ("orch/x", 2, "error: `orch/x` is a name of git-orch's own"),
    ] {
        let name = format!("--branch={name}");
        refused(&repo, &["trash", "restore", "backend-1700500000", &name])
            .expect(&format!("exit {exit}\n-- stderr\n{why}"));
    }
    refused(&repo, &["trash", "restore", "backend-170050000"]).expect(
        "
        exit 2
        -- stderr
        error: no entry of the trash `backend-<oid>`; did you mean `backend-<oid>`?
        hint: `git orch trash` lists them
        ",
    );
}

#[test]
fn what_no_session_was_says_what_can_be_done() {
    let repo = TestRepo::new();
    let script = "git-orch -q add-session backend --paths src >/dev/null
        git update-ref refs/orch/trash/backend-7 $(git commit-tree main^{tree} -p main -m x)
        git-orch -q task work --session backend -- sh -c 'echo kept >.gitignore; echo 1 >kept; exit 1'; :";
    repo.shell(script).run().expect_success();
    refused(&repo, &["trash", "restore", "backend-7"]).expect(
        "
        exit 3
        -- stderr
        error: `backend-7` is no removed session
        hint: have its work as a branch: `git orch trash restore backend-7 --branch NAME`
        ",
    );
    refused(&repo, &["trash", "restore", "backend-work-1700500000"]).expect(
        "
        exit 3
        -- stderr
        error: `backend-work-<oid>` is no removed session
        hint: its files are in `$TMP/shop.orch/.trash/backend-work-<oid>`: take what is needed
        ",
    );
    refused(&repo, &["trash", "restore", "backend-work-1700500000", "--branch", "x"])
        .expect("exit 3\n-- stderr\nerror: `backend-work-<oid>` has no commits");
}

#[test]
fn emptying_leaves_work_that_is_nowhere_else_until_it_is_named() {
    let repo = shop();
    let empty = |arguments: &str| {
        let script = format!(
            "git-orch trash empty {arguments} 2>&1 | sed -E 's/,? +[0-9.]+ K?B//; s/([^ ])  +/\\1  /g'"
        );
        let output = repo.shell(&script).run();
        repo.orch(&["doctor"]).expect_success();
        output
    };
    empty("--older 1d").expect("exit 0\n-- stdout\nnothing to delete\n2 items not old enough yet");
    empty("web-1700500000 --older 1d")
        .expect("exit 0\n-- stdout\nnothing to delete\n1 item not old enough yet");
    let before = repo.everything();
    empty("--dry-run").expect(
        "
        exit 0
        -- stdout
          would go  web-<oid>  web  <time> ago  merged
          stays  backend-<oid>  backend  <time> ago  unpushed
        1 item, would go
        what stays goes by its name, or with `--unpushed`
        ",
    );
    before.expect_same(&repo.everything(), "trash empty --dry-run");
    empty("").expect(
        "
        exit 0
        -- stdout
          deleted  web-<oid>  web  <time> ago  merged
          stays  backend-<oid>  backend  <time> ago  unpushed
        deleted 1 item
        what stays goes by its name, or with `--unpushed`
        ",
    );
    empty("-q").expect("exit 0\n-- stdout\n  stays  backend-<oid>  backend  <time> ago  unpushed");
    empty("web-1700500000").expect("exit 0\n-- stdout\nnothing to delete");
    empty("backend-1700500000").expect(
        "
        exit 0
        -- stdout
          deleted  backend-<oid>  backend  <time> ago  unpushed
        deleted 1 item
        ",
    );
    empty("backend-1700500000 --unpushed").expect("exit 0\n-- stdout\nnothing to delete");
    repo.shell("ls -A ../shop.orch/.trash .git/orch/trash; git for-each-ref refs/orch/trash").run().expect(
        "
        exit 0
        -- stdout
        ../shop.orch/.trash:

        .git/orch/trash:
        ",
    );
}

#[test]
fn emptying_with_unpushed_leaves_nothing() {
    let repo = shop();
    repo.orch(&["trash", "empty", "--unpushed", "-q"]).expect_success();
    repo.orch(&["trash"]).expect("exit 0\n-- stderr\nthe trash is empty");
}

#[test]
fn what_was_deleted_can_not_be_undone_and_says_so() {
    let repo = shop();
    repo.orch(&["trash", "empty", "backend-1700500000", "-q"]).expect_success();
    refused(&repo, &["undo"]).expect(
        "
        exit 3
        -- stderr
        error: what `trash empty backend-<oid> -q` deleted is gone for good
        hint: what came before: `git orch undo <oid>`
        ",
    );
    let removal =
        repo.shell("git-orch log --ops | sed -n 's/^  \\([^ ]*\\) .* -q remove-session backend/\\1/p'").run();
    refused(&repo, &["undo", removal.stdout.trim()]).expect(
        "
        exit 3
        -- stderr
        error: `backend-<oid>` is gone from the trash: `trash empty backend-<oid> -q` deleted it
        hint: its commits, while git has them: `git branch NAME <oid>`
        ",
    );
    std::fs::remove_dir_all(repo.top().join("shop.orch/.trash/web-1700500000")).unwrap();
    refused(&repo, &["trash", "restore", "web-1700500000"]).expect(
        "
        exit 3
        -- stderr
        error: the trash does not have `web-<oid>` any more
        hint: its commits are still there: `git log refs/orch/trash/web-<oid>`
        ",
    );
}

#[test]
fn bad_spans_and_names_are_refused() {
    let repo = shop();
    refused(&repo, &["trash", "empty", "--older", "soon"])
        .expect("exit 2\n-- stderr\nerror: `soon` is no time span\nhint: write it as `14d`");
    refused(&repo, &["trash", "empty", "nothing"]).expect(
        "exit 2\n-- stderr\nerror: no entry of the trash `nothing`\nhint: `git orch trash` lists them",
    );
}
