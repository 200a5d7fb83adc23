//! Fan-outs that stop before their end, and outcomes that are known.

use std::os::unix::fs::PermissionsExt;

use crate::support::output::Output;
use crate::support::{TestRepo, days_ago, refused};

/// Three folders of two files each.
fn six_files() -> TestRepo {
    let repo = TestRepo::unborn();
    let files =
        [("a/1", "1\n"), ("a/2", "2\n"), ("b/3", "3\n"), ("b/4", "4\n"), ("c/5", "5\n"), ("c/6", "6\n")];
    repo.commit(&files, "six files", "Ann", days_ago(1));
    repo
}

/// Fails in `b` until there is a file `ready` beside the repository.
const NOT_READY: &str =
    r#"case $1 in ./b/*) cat "$GIT_ORCH_ROOT/../ready" || exit 3;; esac; for f; do echo y >>"$f"; done"#;

const BY_FOLDER: [&str; 4] = ["--shards", "directory", "-j", "1"];

fn fan_out(repo: &TestRepo, run: &str, more: &[&str]) -> Output {
    repo.orch(&[&["fanout", "x", "--run", run], &BY_FOLDER[..], more].concat())
}

#[test]
fn what_is_left_is_done_in_place_of_the_result() {
    let repo = six_files();
    assert_eq!(fan_out(&repo, NOT_READY, &["-q"]).exit, 1);
    let first = repo.git(&["rev-parse", "review/x"]);
    repo.write("../ready", "");
    // Work that went on meanwhile is not in it.
    repo.commit(&[("d/7", "7\n")], "more", "Ann", days_ago(0));
    fan_out(&repo, NOT_READY, &["--resume"]).expect(
        r#"
        exit 0
        -- stdout
        3 shards, 6 files changed, disjoint
        review/x
        -- stderr
        x: `case $1 in ./b/*) cat "$GIT_ORCH_ROOT/../ready" || exit 3;; esac; for f; do echo y >>"$f"; done`; 6 files in 3 shards, 1 at a time
        2 outcomes known from `x`; `--again` runs everything
          done      b                           2 files  2 changed      <time>
        next: git orch review x --diff, then git orch merge x
        "#,
    );
    assert_ne!(repo.git(&["rev-parse", "review/x"]), first);
    assert_eq!(
        repo.git(&["diff", "--stat", "--format=", "review/x~1", "review/x", "--", "a", "c"]).lines().count(),
        5
    );
    assert_eq!(repo.git(&["rev-parse", "review/x~1"]), repo.git(&["rev-parse", "main~1"]));
    let shards = &repo.orch(&["show", "x", "--json"]).json()["data"]["shards"];
    let from: Vec<String> =
        shards.as_array().unwrap().iter().map(|shard| shard["known_from"].to_string()).collect();
    assert_eq!(from, ["\"x\"", "null", "\"x\""]);
    fan_out(&repo, NOT_READY, &["--resume"]).expect(
        "
        exit 0
        -- stdout
        nothing is left of `x`: every shard came to its end
        review/x
        ",
    );
}

#[test]
fn an_outcome_that_is_known_is_used_again_until_what_it_depends_on_changes() {
    let repo = six_files();
    let run = r#"echo >>"$GIT_ORCH_ROOT/../ran"; cat "$@""#;
    let ran = || std::fs::read_to_string(repo.path("../ran")).unwrap().lines().count();
    let sparse = ["--tree", "sparse"];
    let count = |more: &[&str]| {
        fan_out(&repo, run, &[&sparse[..], more].concat()).expect_success();
        ran()
    };
    assert_eq!(count(&[]), 3);
    assert_eq!(count(&[]), 3);
    repo.commit(&[("b/3", "other\n")], "one file changes", "Ann", days_ago(0));
    repo.git(&["reset", "-q", "--hard"]);
    assert_eq!(count(&[]), 4);
    assert_eq!(count(&["--env", "KEY=value"]), 7);
    assert_eq!(count(&["--env", "KEY=value"]), 7);
    assert_eq!(count(&["--again"]), 10);
    // With the whole tree before it, a command may depend on any file.
    fan_out(&repo, run, &[]).expect_success();
    assert_eq!(ran(), 13);
    repo.commit(&[("d/7", "7\n")], "a file elsewhere", "Ann", days_ago(0));
    repo.git(&["reset", "-q", "--hard"]);
    fan_out(&repo, run, &["--paths", "a", "b", "c"]).expect_success();
    assert_eq!(ran(), 16);
    fan_out(&repo, run, &["--paths", "a", "b", "c"]).expect_success();
    assert_eq!(ran(), 16);
}

#[test]
fn a_program_that_is_another_now_runs_again() {
    let repo = six_files();
    repo.commit(&[(".gitignore", "node_modules\n")], "what is installed is ignored", "Ann", days_ago(0));
    repo.git(&["reset", "-q", "--hard"]);
    let installed = repo.path("node_modules/.bin/tool");
    std::fs::create_dir_all(installed.parent().unwrap()).unwrap();
    let anywhere = repo.path("../tool");
    for (tool, word) in [(&anywhere, anywhere.display().to_string()), (&installed, "tool".to_owned())] {
        let install = |text: &str| {
            std::fs::write(tool, format!("#!/bin/sh\necho {text} >> \"$1\"\n")).unwrap();
            std::fs::set_permissions(tool, PermissionsExt::from_mode(0o755)).unwrap();
        };
        let run = format!("{word} \"$1\"");
        let tree = || {
            let tree = fan_out(&repo, &run, &["--json"]).json()["data"]["tree"].as_str().unwrap().to_owned();
            repo.orch(&["cancel", "x"]).expect_success();
            tree
        };
        install("one");
        let one = tree();
        assert_eq!(tree(), one);
        install("another");
        assert_ne!(tree(), one, "{word}");
    }
}

#[test]
fn what_was_done_before_an_interrupt_is_not_done_again() {
    let repo = six_files();
    let run = r#"case $1 in ./c/*) test -e "$GIT_ORCH_ROOT/../ready" || { kill -INT $(cut -d' ' -f4 /proc/$PPID/stat); sleep 60; };; esac; echo y >>"$1""#;
    fan_out(&repo, run, &["-q"]).expect(
        "
        exit 130
        -- stderr
        error: interrupted
        hint: 2 shards came to an end: `git orch fanout x --resume` goes on from there
        ",
    );
    assert_eq!(repo.git(&["branch", "--list", "review/*"]), "");
    repo.git(&["gc", "--quiet", "--prune=now"]);
    repo.write("../ready", "");
    let fanout = &fan_out(&repo, run, &["--resume", "--json"]).json()["data"];
    let from: Vec<bool> =
        fanout["shards"].as_array().unwrap().iter().map(|shard| shard["known_from"] == "x").collect();
    assert_eq!(from, [true, true, false], "{fanout}");
    assert_eq!(repo.git(&["show", "review/x:a/1"]), "1\ny\n");
}

#[test]
fn what_was_done_before_a_kill_is_not_done_again() {
    let repo = six_files();
    let run = r#"case $1 in ./c/*) test -e "$GIT_ORCH_ROOT/../ready" || { kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); sleep 60; };; esac; echo y >>"$1""#;
    assert_eq!(fan_out(&repo, run, &["-q"]).exit, 128 + 9);
    repo.git(&["gc", "--quiet", "--prune=now"]);
    repo.write("../ready", "");
    fan_out(&repo, run, &[]).expect(
        r#"
        exit 0
        -- stdout
        3 shards, 3 files changed, disjoint
        review/x
        -- stderr
        fan-out x had died, 2 shards done
        x: `case $1 in ./c/*) test -e "$GIT_ORCH_ROOT/../ready" || { kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); sleep 60; };; esac; echo y >>"$1"`; 6 files in 3 shards, 1 at a time
        2 outcomes known from `x`; `--again` runs everything
          done      c                           2 files  1 changed      <time>
        next: git orch review x --diff, then git orch merge x
        "#,
    );
    assert_eq!(repo.git(&["show", "review/x:a/1"]), "1\ny\n");
}

#[test]
fn too_much_failing_ends_a_fan_out() {
    let repo = six_files();
    let run = "case $1 in ./a/*) echo y >>\"$1\";; *) exit 3;; esac";
    fan_out(&repo, run, &["--halt", "soon,fail=1"]).expect(
        r#"
        exit 1
        -- stdout
        1 of 3 shards, 1 file changed, disjoint
        review/x
        failed: b   log: git orch log x --shard 2
        not run: 1 shard   go on: git orch fanout x --resume
        -- stderr
        x: `case $1 in ./a/*) echo y >>"$1";; *) exit 3;; esac`; 6 files in 3 shards, 1 at a time
          done      a                           2 files  1 changed      <time>
        1 shard failed: no more are started
          failed    b                           2 files  exit 3         <time>
        with `--shards file` only the files that fail are left out
        next: git orch review x --diff, then git orch merge x
        "#,
    );
    // One fails once the other two are at work; they are ended.
    let run = r#"echo >>"$GIT_ORCH_ROOT/../at-work"; case $1 in ./a/*) while [ "$(wc -l <"$GIT_ORCH_ROOT/../at-work")" -lt 3 ]; do :; done; exit 3;; *) sleep 60;; esac"#;
    let call = ["fanout", "y", "--run", run, "--shards", "directory", "-j", "3", "--halt", "now", "-q"];
    repo.orch(&call).expect(
        "
        exit 1
        -- stdout
        0 of 3 shards, nothing taken
        failed: a   log: git orch log y --shard 1
        not run: 2 shards   go on: git orch fanout y --resume
        ",
    );
}

#[test]
fn bad_wishes_to_go_on_are_refused() {
    let repo = six_files();
    let refuse = |args: &[&str], block: &str| refused(&repo, args).expect(block);
    let begin = ["fanout", "x", "--run", "exit 3", "--resume"];
    refuse(&begin, "exit 2\n-- stderr\nerror: `x` was not fanned out yet");
    refuse(
        &["fanout", "x", "--run", "true", "--halt", "never"],
        "
        exit 2
        -- stderr
        error: invalid value 'never' for '--halt <WHEN>': write it as `soon,fail=3`, `now,fail=1` or `soon,fail=10%`

        For more information, try '--help'.
        ",
    );
    assert_eq!(fan_out(&repo, NOT_READY, &["-q"]).exit, 1);
    refuse(
        &["fanout", "x", "--run", "true", "--resume"],
        r#"
        exit 2
        -- stderr
        error: `x` ran `case $1 in ./b/*) cat "$GIT_ORCH_ROOT/../ready" || exit 3;; esac; for f; do echo y >>"$f"; done`, not `true`
        hint: give the options that it was begun with, or leave `--resume` out
        "#,
    );
    let again = [&["fanout", "x", "--run", NOT_READY, "--resume", "-q"], &BY_FOLDER[..]].concat();
    repo.git(&["worktree", "add", "-q", "../looked-at", "review/x"]);
    refuse(
        &again,
        "
        exit 3
        -- stderr
        error: `review/x` is checked out in `$TMP/looked-at`
        hint: `git orch fanout x --again` makes another result
        ",
    );
    repo.shell("git -C ../looked-at rm -q a/1 && git -C ../looked-at commit -qm mine && git worktree remove ../looked-at").run().expect("exit 0");
    refuse(
        &again,
        "
        exit 3
        -- stderr
        error: `review/x` is not what the fan-out made any more
        hint: `git orch fanout x --again` makes another result
        ",
    );
    repo.orch(&["cancel", "x"]).expect_success();
    refuse(
        &again,
        "
        exit 3
        -- stderr
        error: the fan-out `x` is cancelled
        hint: run what it left anew: `git orch fanout x --retry-failed`
        ",
    );
}
