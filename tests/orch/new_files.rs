//! Files that shards make where their folder is their own.

use super::elsewhere::{expect_nothing_left, six_files};
use crate::support::output::Output;
use crate::support::{TestRepo, days_ago, serial_tree};

/// Writes a test for each file, and one in a new folder for all.
const TESTS: &str = r#"for file; do echo "tests $file" >"$file.test"; done; at=$(dirname "$1"); mkdir "$at/new"; ls "$at" >"$at/new/all""#;

/// Folders in one another, two of them packages.
fn nested() -> TestRepo {
    let repo = TestRepo::unborn();
    let files = [
        ("Cargo.toml", "[workspace]\n"),
        ("src/a.rs", "a\n"),
        ("src/b.rs", "b\n"),
        ("x/Cargo.toml", "[package]\n"),
        ("x/src/c.rs", "c\n"),
        ("x/src/d.rs", "d\n"),
    ];
    repo.commit(&files, "two packages", "Ann", days_ago(1));
    repo
}

fn fan_out(repo: &TestRepo, run: &str, more: &[&str]) -> Output {
    let call = ["fanout", "tests", "--run", run, "--shards", "directory", "-j", "1"];
    repo.orch(&[&call[..], &["--exclude", "**/Cargo.toml"], more].concat())
}

#[test]
fn a_shard_that_is_a_directory_makes_files_in_it() {
    let repo = nested();
    fan_out(&repo, TESTS, &["--dry-run", "-q"]).expect(&format!(
        "
        exit 0
        -- stdout
        tests: `{TESTS}`; 4 files in 2 shards
          shard  files  where
              1      2  src
              2      2  x/src
        1 at a time here, in worktrees of 402 B together at most
        new files are taken in a shard's own folder
        "
    ));
    fan_out(&repo, TESTS, &["-q"]).expect(
        "
        exit 0
        -- stdout
        2 shards, 6 files changed, disjoint
        review/tests
        ",
    );
    let serial = serial_tree(&repo, &format!("for at in src x/src; do set -- ./$at/*; {TESTS}; done"));
    assert_eq!(repo.git(&["rev-parse", "review/tests^{tree}"]), serial);
    let shards = &repo.orch(&["show", "tests", "--json"]).json()["data"]["shards"];
    assert_eq!(shards[0]["made"], serde_json::json!(["src/a.rs.test", "src/b.rs.test", "src/new/all"]));
    // As a commit of each, it is the same.
    fan_out(&repo, TESTS, &["-q", "--again", "--commits", "shard"]).expect_success();
    assert_eq!(repo.git(&["rev-parse", "review/tests-2^{tree}"]), serial);
    assert_eq!(
        repo.git(&["show", "--format=%s", "--name-only", "review/tests-2"]),
        "tests: x/src\n\nx/src/c.rs.test\nx/src/d.rs.test\nx/src/new/all\n"
    );
}

#[test]
fn a_shard_that_is_a_package_makes_files_down_to_the_next() {
    let repo = nested();
    let run =
        r#"at=$(dirname "$(ls "$@" | grep Cargo)"); mkdir -p "$at/tests/deep"; echo x >"$at/tests/deep/new""#;
    let call = ["fanout", "x", "--run", run, "--shards", "package", "-j", "1"];
    repo.orch(&[&call[..], &["-q"]].concat())
        .expect("exit 0\n-- stdout\n2 shards, 2 files changed, disjoint\nreview/x");
    assert_eq!(repo.git(&["diff", "--name-only", "main", "review/x"]), "tests/deep/new\nx/tests/deep/new\n");
    // Of the package around it, it is no part.
    let run = r#"case $1 in ./Cargo.toml) echo x >x/src/new;; esac"#;
    let call = ["fanout", "y", "--run", run, "--shards", "package", "-j", "1", "-q"];
    repo.orch(&call).expect(
        "
        exit 1
        -- stdout
        1 of 2 shards, nothing taken
        escaped: Cargo.toml … src   log: git orch log y --shard 1
          what it left: git diff <oid>...review/y-shard-1
        ",
    );
}

#[test]
fn a_file_made_next_door_or_changed_there_is_an_escape() {
    let repo = nested();
    for (number, (what, escaped)) in [
        ("echo x >x/new", "x/new"),
        ("echo x >x/src/new", "x/src/new"),
        ("mkdir -p new && echo x >new/x", "new/x"),
        ("echo x >>x/src/c.rs", "x/src/c.rs"),
        ("rm x/src/c.rs", "x/src/c.rs"),
        ("echo x >src/A.rs", "src/A.rs"),
        ("git init -q src/sub && git -C src/sub commit -qm x --allow-empty", "src/sub"),
    ]
    .into_iter()
    .enumerate()
    {
        let run = format!(r#"echo made >"$1.made"; case $1 in ./src/*) {what};; esac"#);
        let name = format!("y{number}");
        let call =
            ["fanout", &name, "--run", &run, "--shards", "directory", "--paths", "src", "x/src", "--json"];
        let fanout = &repo.orch(&call).json()["data"];
        assert_eq!(fanout["escaped"], serde_json::json!([escaped]), "{what}: {fanout}");
        assert_eq!(
            repo.git(&["diff", "--name-only", "main", &format!("review/{name}")]),
            "x/src/c.rs.made\n",
            "{what}"
        );
    }
    // Nobody has a folder where shards are no folders.
    let call = ["fanout", "z", "--run", "echo x >src/new", "--paths", "src/a.rs", "-j", "1"];
    repo.orch(&call).expect(
        "
        exit 1
        -- stdout
        0 of 1 shard, nothing taken
        escaped: src/a.rs   log: git orch log z --shard 1
          what it left: git diff <oid>...review/z-shard-1
        -- stderr
        z: `echo x >src/new`; 1 file in 1 shard, 1 at a time
          escaped   src/a.rs                     1 file  1 changed      <time>  changed `src/new`, not its own
        with `--shards directory` or `package` new files in a shard's own folder are taken
        ",
    );
}

#[test]
fn what_a_sparse_worktree_did_not_hold_is_not_overwritten() {
    let repo = nested();
    // Only `src/a.rs` is in it.
    for (number, what) in
        ["echo x >src/b.rs", "mkdir src/b.rs && echo x >src/b.rs/x", "echo b >src/b.rs", "echo x >x"]
            .into_iter()
            .enumerate()
    {
        let name = format!("x{number}");
        let run = format!("test ! -e src/b.rs && echo x >src/new && {what}");
        let call = [
            "fanout", &name, "--run", &run, "--shards", "package", "--tree", "sparse", "--paths", "src/a.rs",
        ];
        let fanout = &repo.orch(&[&call[..], &["--json"]].concat()).json()["data"];
        assert_eq!(fanout["shards"][0]["state"], "escaped", "{what}: {fanout}");
        assert_eq!(fanout["escaped"].as_array().unwrap().len(), 1, "{what}: {fanout}");
    }
    let run = "echo x >src/new";
    let call = [
        "fanout",
        "x",
        "--run",
        run,
        "--shards",
        "directory",
        "--tree",
        "sparse",
        "--paths",
        "src/a.rs",
        "-q",
    ];
    repo.orch(&call).expect("exit 0\n-- stdout\n1 shard, 1 file changed, disjoint\nreview/x");
    assert_eq!(repo.git(&["diff", "--name-status", "main", "review/x"]), "A\tsrc/new\n");
}

#[test]
fn what_was_made_before_a_kill_is_not_made_again() {
    for kill in ["-9", "-INT"] {
        let repo = nested();
        let stop = format!(
            r#"case $1 in ./x/*) test -e "$GIT_ORCH_ROOT/../ready" || {{ until grep -q a.rs.test "$GIT_ORCH_ROOT/.git/orch/fanout/tests/joblog"; do :; done; kill {kill} $(cut -d' ' -f4 /proc/$PPID/stat); sleep 60; }};; esac"#
        );
        let run = format!("echo >>\"$GIT_ORCH_ROOT/../ran\"; {stop}; {TESTS}");
        assert_ne!(fan_out(&repo, &run, &["-q"]).exit, 0);
        repo.shell("git orch doctor -q; git gc --quiet --prune=now")
            .changing_checkout()
            .run()
            .expect_success();
        repo.write("../ready", "");
        let fanout = &fan_out(&repo, &run, &["--resume", "--json"]).json()["data"];
        let from: Vec<bool> =
            fanout["shards"].as_array().unwrap().iter().map(|shard| shard["known_from"] == "tests").collect();
        assert_eq!(from, [true, false], "{fanout}");
        assert_eq!(repo.read("ran"), "\n\n\n");
        assert_eq!(repo.git(&["show", "review/tests:src/b.rs.test"]), "tests ./src/b.rs\n");
        assert_eq!(repo.git(&["diff", "--name-only", "main", "review/tests"]).lines().count(), 6);
    }
}

#[test]
fn what_was_made_is_known_until_it_is_there() {
    let repo = nested();
    let run = r#"echo >>"$GIT_ORCH_ROOT/../ran"; echo new >"$(dirname "$1")/new.rs""#;
    let ran = || repo.read("ran").lines().count();
    let sparse = ["--tree", "sparse", "-q", "--exclude", "**/new.rs"];
    fan_out(&repo, run, &sparse).expect_success();
    repo.orch(&["cancel", "tests"]).expect_success();
    fan_out(&repo, run, &sparse)
        .expect("exit 0\n-- stdout\n2 shards, 2 files changed, disjoint\nreview/tests");
    assert_eq!(ran(), 2);
    // Once it has landed, a worktree that does not hold it would have it made again.
    repo.call(&["merge", "tests", "-q"]).changing_checkout().run().expect_success();
    let fanout = &fan_out(&repo, run, &[&sparse[..], &["--json"]].concat()).json()["data"];
    assert_eq!(fanout["escaped"], serde_json::json!(["src/new.rs", "x/src/new.rs"]), "{fanout}");
    assert_eq!(ran(), 4);
    // One that holds it has nothing to change.
    fan_out(&repo, run, &["--tree", "sparse", "-q", "--exclude", "**/new.rs", "--needs", "**/new.rs"])
        .expect("exit 0\n-- stdout\n2 shards, nothing to change");
}

#[test]
fn files_are_made_elsewhere_too() {
    let repo = six_files();
    let run = r#"echo x >"$(dirname "$1")/new"; case $1 in ./b/*) echo x >c/new;; esac"#;
    let call = ["fanout", "x", "--run", run, "--shards", "directory", "--on", "exec:here", "-q"];
    repo.orch(&call).expect(
        "
        exit 1
        -- stdout
        2 of 3 shards, 2 files changed, disjoint
        review/x
        escaped: b   log: git orch log x --shard 2
          what it left: git diff <oid>...review/x-shard-2
        ",
    );
    assert_eq!(repo.git(&["diff", "--name-only", "main", "review/x"]), "a/new\nc/new\n");
    expect_nothing_left(&repo);
}

#[test]
fn a_round_makes_files_and_the_next_has_them() {
    let repo = nested();
    // Every source needs a test, and every test a second line.
    let from = r#"for file in src/*; do case $file in
        *.test) test $(wc -l <$file) -ge 2 || echo "$file:1: short";;
        *) test -e $file.test || printf '%s\n' "$file:1: no test" "$file:1: no idea";; esac; done"#;
    let run =
        r#"for file; do case $file in *.test) echo more >>"$file";; *) echo test >"$file.test";; esac; done"#;
    let call = ["fanout", "x", "--from", from, "--run", run, "--shards", "directory", "-j", "1", "-q"];
    repo.orch(&call).expect(
        "
        exit 0
        -- stdout
        round 1: 4 problems, 4 fixed, 2 new, 2 left; 2 files changed
        round 2: 2 problems, 2 fixed, 0 new, 0 left; 2 files changed
        no problem is left of 4
        review/x
        ",
    );
    assert_eq!(repo.git(&["show", "review/x:src/b.rs.test"]), "test\nmore\n");
}
