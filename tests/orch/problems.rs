//! `git orch fanout --from`: problems of a checker, worked on in rounds.

use crate::support::{TestRepo, days_ago};

/// Names each line with BAD; with its file and line, as grep does.
const LINT: &str = "grep -rn BAD a b || test $? = 1";

/// Takes one BAD out of each file.
const FIX_ONE: &str = r#"for file; do sed -i '0,/BAD/s//good/' "$file"; done"#;

/// Takes every BAD out of each file.
const FIX_ALL: &str = r#"sed -i s/BAD/good/ "$@""#;

/// Three files with problems, the worst has three; and one without.
fn bad_files() -> TestRepo {
    let repo = TestRepo::unborn();
    let files = [("a/1", "BAD\n"), ("a/2", "BAD\nBAD\nBAD\n"), ("a/fine", "x\n"), ("b/3", "y\nBAD\n")];
    repo.commit(&files, "bad files", "Ann", days_ago(1));
    repo
}

#[test]
fn rounds_go_on_until_no_problem_is_left() {
    let repo = bad_files();
    repo.orch(&["fanout", "fix", "--from", LINT, "--run", FIX_ONE, "--shards", "file", "-j", "1"]).expect(
        r#"
        exit 0
        -- stdout
        round 1: 5 problems, 3 fixed, 0 new, 2 left; 3 files changed
        round 2: 2 problems, 1 fixed, 0 new, 1 left; 1 file changed
        round 3: 1 problem, 1 fixed, 0 new, 0 left; 1 file changed
        no problem is left of 5
        review/fix
        -- stderr
        fix: `for file; do sed -i '0,/BAD/s//good/' "$file"; done` for the problems of `grep -rn BAD a b || test $? = 1`, 3 rounds at most
        round 1: 5 problems in 3 files; 3 shards, 1 at a time
          done      a/1                          1 file  1 changed      <time>
          done      a/2                          1 file  1 changed      <time>
          done      b/3                          1 file  1 changed      <time>
        round 2: 2 problems in 1 file; 1 shard, 1 at a time
          done      a/2                          1 file  1 changed      <time>
        round 3: 1 problem in 1 file; 1 shard, 1 at a time
          done      a/2                          1 file  1 changed      <time>
        next: git orch review fix --diff, then git orch merge fix
        "#,
    );
    assert_eq!(repo.git(&["show", "review/fix:a/2"]), "good\ngood\ngood\n");
    let subjects = repo.git(&["log", "--format=%s", "main..review/fix"]);
    assert_eq!(subjects, "fix: change 1 file\nfix: change 1 file\nfix: change 3 files\n");
    repo.shell("git worktree list | wc -l; git for-each-ref refs/orch/keep; ls .git/orch/journal; ls -A ..")
        .run()
        .expect("exit 0\n-- stdout\n1\nagents\nhome\nshop\ntmp");
}

#[test]
fn what_remains_is_listed_and_recorded() {
    let repo = bad_files();
    let call = ["fanout", "fix", "--from", LINT, "--run", FIX_ONE, "--rounds", "1", "-q"];
    repo.orch(&call).expect(
        "
        exit 1
        -- stdout
        round 1: 5 problems, 3 fixed, 0 new, 2 left; 3 files changed
        2 problems are left of 5
        review/fix
          a/2:2: BAD
          a/2:3: BAD
        ",
    );
    repo.orch(&["show", "fix"]).expect(
        r#"
        exit 0
        -- stdout
        fan-out fix: review
          command    for file; do sed -i '0,/BAD/s//good/' "$file"; done
          base       main <oid>
          branch     review/fix
          problems   grep -rn BAD a b || test $? = 1
          round 1: 5 problems, 3 fixed, 0 new, 2 left; 3 files changed
          shard  state  files  changed  exit  began   took  printed  where
              1  done       3        3     0  <time> ago  <time>      0 B  a … b
        next: git orch review fix --diff, then git orch merge fix
        "#,
    );
    let fanout = &repo.orch(&["show", "fix", "--json"]).json()["data"];
    assert_eq!(fanout["from"], LINT);
    let round = &fanout["rounds"][0];
    assert_eq!((&round["problems"], &round["fixed"], &round["added"]), (&5.into(), &3.into(), &0.into()));
    assert_eq!(round["shards"], serde_json::json!([1]));
    assert_eq!(fanout["remaining"][1], serde_json::json!({"path": "a/2", "line": 3, "message": "BAD"}));
    repo.orch(&call).expect(
        "
        exit 3
        -- stderr
        error: the same work on the same files is open already: `fix`
        hint: look at it: `git orch review fix`; or do it once more: `--again`
        ",
    );
}

#[test]
fn a_round_that_makes_more_problems_is_not_taken() {
    let repo = bad_files();
    // The second round spoils what it touches.
    let run = r#"case $GIT_ORCH_SHARD in 1) sed -i '0,/BAD/s//good/' "$@";; *) echo BAD BAD >>a/2; echo BAD >>a/2;; esac"#;
    let call = ["fanout", "fix", "--from", LINT, "--run", run, "--shards", "1", "-q", "--json"];
    let output = repo.orch(&call);
    assert_eq!(output.exit, 1);
    let fanout = &output.json()["data"];
    let rounds = fanout["rounds"].as_array().unwrap();
    assert_eq!(rounds.len(), 2);
    assert_eq!(rounds[1]["dropped"], "it made more problems than there were");
    assert_eq!(fanout["remaining"].as_array().unwrap().len(), 2);
    assert_eq!(repo.git(&["rev-parse", "review/fix"]).trim_end(), rounds[0]["commit"].as_str().unwrap());
    // What it did can still be looked at.
    let dropped = rounds[1]["commit"].as_str().unwrap();
    repo.shell("git gc -q --prune=now").changing_checkout().run().expect("exit 0");
    assert_eq!(repo.git(&["diff", "--name-only", "review/fix", dropped]), "a/2\n");
}

#[test]
fn rounds_end_where_nothing_gets_better() {
    let repo = bad_files();
    let call = ["fanout", "fix", "--from", LINT, "--run"];
    repo.orch(&[&call[..], &["true", "-q"]].concat()).expect(
        "
        exit 1
        -- stdout
        round 1: 5 problems, nothing changed
        5 problems are left of 5
          a/1:1: BAD
          a/2:1: BAD
          a/2:2: BAD
          a/2:3: BAD
          b/3:2: BAD
        ",
    );
    let swap = r#"sed -i 's/BAD/BAD still/' "$@""#;
    repo.orch(&[&call[..], &[swap, "-q", "--paths", "a/1"]].concat()).expect(
        "
        exit 1
        -- stdout
        round 1: 1 problem, 1 fixed, 1 new, 1 left; 1 file changed
        1 problem is left of 1
        review/fix
          a/1:1: BAD still
        ",
    );
}

#[test]
fn where_nothing_is_wrong_nothing_is_done() {
    let repo = bad_files();
    repo.orch(&["fanout", "fix", "--from", "echo all is well", "--run", "touch never"]).expect(
        "
        exit 0
        -- stdout
        no problems: nothing to do
        -- stderr
        fix: `touch never` for the problems of `echo all is well`, 3 rounds at most
        ",
    );
}

#[test]
fn a_dry_run_asks_the_checker_and_changes_nothing() {
    let repo = bad_files();
    let before = repo.refs();
    let call = ["fanout", "fix", "--run", "exit 3", "--dry-run", "--from"];
    repo.orch(&[&call[..], &[LINT, "--shards", "directory"]].concat()).expect(
        "
        exit 0
        -- stdout
        fix: `exit 3` for the problems of `grep -rn BAD a b || test $? = 1`, 3 rounds at most; 5 problems in 3 files, 2 shards
          shard  problems  files  where
              1         4      2  a
              2         1      1  b/3
        new files are taken in a shard's own folder
        ",
    );
    repo.orch(&[&call[..], &[LINT, "--paths", "a/fine"]].concat()).expect(
        "
        exit 0
        -- stdout
        fix: `exit 3` for the problems of `grep -rn BAD a b || test $? = 1`, 3 rounds at most
        no problems: nothing to do
        ",
    );
    repo.orch(&[&call[..], &["touch built; echo gone:1: x; exit 1"]].concat()).expect(
        "
        exit 1
        -- stderr
        error: `touch built; echo gone:1: x; exit 1` names no tracked file, only `gone`
        hint: paths are read from the top of the repository
        ",
    );
    let told = repo.orch(&[&call[..], &[LINT, "--json", "--shards", "file"]].concat()).json();
    let shards = told["data"]["shards"].as_array().unwrap();
    assert_eq!(shards[1], serde_json::json!({"n": 2, "label": "a/2", "paths": ["a/2"], "problems": 3}));
    assert_eq!(repo.refs(), before);
    repo.shell("git worktree list | wc -l; ls .git/orch/journal; ls -A ..")
        .run()
        .expect("exit 0\n-- stdout\n1\nagents\nhome\nshop\ntmp");
}

/// A job whose checker is this one.
fn with_job(job: &str) -> TestRepo {
    let repo = bad_files();
    let agent = r#"cat >/dev/null; tr "\0" "\n" <"$GIT_ORCH_SHARD_FILES" | xargs sed -i "0,/BAD/s//good/""#;
    repo.write(
        ".orch.yml",
        &format!("version: 1\nagents:\n  house: {{ run: '{agent}' }}\njobs:\n  fix: {job}\n"),
    );
    repo
}

#[test]
fn a_job_can_have_a_checker() {
    let repo = with_job("{ from: 'grep -rn BAD a b || test $? = 1', agent: house, rounds: 2 }");
    for dry_run in [&[][..], &["--dry-run"], &["--run", "true"]] {
        repo.orch(&[&["fanout", "fix"], dry_run].concat()).expect(
            "
            exit 5
            -- stderr
            error: the checker of job fix `grep -rn BAD a b || test $? = 1` of this repository is not trusted
            hint: read what it would run and allow it: `git orch trust`
            ",
        );
    }
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    repo.orch(&["fanout", "fix", "-q"]).expect(
        "
        exit 1
        -- stdout
        round 1: 5 problems, 3 fixed, 0 new, 2 left; 3 files changed
        round 2: 2 problems, 1 fixed, 0 new, 1 left; 1 file changed
        1 problem is left of 5
        review/fix
          a/2:3: BAD
        ",
    );
    repo.orch(&["cancel", "fix", "-q"]).expect_success();
    // The command line goes over it.
    let over = [
        "fanout",
        "fix",
        "--from",
        "grep -Hn BAD a/1 || test $? = 1",
        "--run",
        FIX_ALL,
        "--rounds",
        "1",
        "-q",
    ];
    repo.orch(&over).expect(
        "
        exit 0
        -- stdout
        round 1: 1 problem, 1 fixed, 0 new, 0 left; 1 file changed
        no problem is left of 1
        review/fix
        ",
    );
}

#[test]
fn what_goes_with_no_checker_is_refused_for_a_job_that_has_one() {
    let repo = with_job("{ from: 'true', agent: house }");
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    for option in [
        &["--resume"][..],
        &["--retry-failed"],
        &["--files-from", "x"],
        &["--commits", "shard"],
        &["--emit", "matrix"],
        &["--header", "x"],
    ] {
        repo.orch(&[&["fanout", "fix"], option].concat()).expect(&format!(
            "
            exit 2
            -- stderr
            error: `{}` makes no sense for `fix`, whose checker says what there is to do
            hint: the same command without it goes on with what is left
            ",
            option[0]
        ));
    }
}

#[test]
fn a_checker_that_fails_without_a_problem_is_an_error() {
    let repo = bad_files();
    let before = repo.refs();
    for (from, block) in [
        (
            "echo 'error: no config' >&2; exit 2",
            "
            exit 1
            -- stderr
            error: `echo 'error: no config' >&2; exit 2` names no problem, yet it failed (exit 2): error: no config
            hint: it has to print problems as `path:line: message`, as JSON or as SARIF
            ",
        ),
        (
            "echo gone.c:3: oops; exit 1",
            "
            exit 1
            -- stderr
            error: `echo gone.c:3: oops; exit 1` names no tracked file, only `gone.c`
            hint: paths are read from the top of the repository
            ",
        ),
        (
            "false",
            "
            exit 1
            -- stderr
            error: `false` printed nothing, yet it failed (exit 1)
            hint: where that means that nothing is wrong, say so: `grep -n … || test $? = 1`
            ",
        ),
    ] {
        repo.orch(&["fanout", "fix", "--from", from, "--run", "true", "-q"]).expect(block);
        assert_eq!(repo.refs(), before);
    }
}

#[test]
fn an_agent_finds_its_problems_in_the_brief() {
    let repo = bad_files();
    let config = "version: 1\nagents:\n  house: { run: 'cat >/dev/null; tr \"\\0\" \"\\n\" <\"$GIT_ORCH_SHARD_FILES\" | xargs sed -i s/BAD/good/' }\n";
    repo.write(".orch.yml", config);
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    let call = ["fanout", "fix", "--from", LINT, "--agent", "house", "-j", "1"];
    repo.orch(&call).expect(
        "
        exit 0
        -- stdout
        round 1: 5 problems, 5 fixed, 0 new, 0 left; 3 files changed
        no problem is left of 5
        review/fix
        -- stderr
        fix: agent house, `Fix the problems listed below.` for the problems of `grep -rn BAD a b || test $? = 1`, 3 rounds at most
        round 1: 5 problems in 3 files; 1 shard, 1 at a time
          done      a … b                       3 files  3 changed      <time>
        next: git orch review fix --diff, then git orch merge fix
        ",
    );
    let brief = repo.read("shop/.git/orch/fanout/fix/shard-1.brief.md");
    let problems =
        "## 5 problems, said by `grep -rn BAD a b || test $? = 1`\n\n```text\na/1:1: BAD\na/2:1: BAD\n";
    assert!(brief.contains(problems), "{brief}");
}

#[test]
fn the_checker_sees_what_is_committed_and_keeps_what_it_built() {
    let repo = bad_files();
    repo.commit(&[(".gitignore", "built\n")], "ignore", "Ann", days_ago(1));
    repo.write("a/1", "uncommitted BAD BAD\n");
    // It counts how often it ran in what it leaves behind.
    let from = format!("echo >>built; test $(wc -l <built) -lt 3 || touch \"$SEEN\"; {LINT}");
    let seen = repo.path("../seen");
    let call = ["fanout", "fix", "--from", &from, "--run", FIX_ONE, "-q"];
    let output = repo.call(&call).env("SEEN", &seen).run();
    assert!(output.stdout.starts_with("round 1: 5 problems, 3 fixed"), "{output}");
    assert!(seen.exists());
    assert!(!repo.path("built").exists());
}

#[test]
fn a_command_finds_its_problems_in_a_file() {
    let repo = bad_files();
    let run = r#"cp "$GIT_ORCH_PROBLEMS" "$OUT"; sed -i s/BAD/good/ "$@""#;
    let out = repo.path("../problems");
    let call = ["fanout", "fix", "--from", LINT, "--run", run, "--paths", "b", "-q"];
    repo.call(&call).env("OUT", &out).run().expect_success();
    assert_eq!(repo.read("problems"), "{\"path\":\"b/3\",\"line\":2,\"message\":\"BAD\"}\n");
}

#[test]
fn what_a_shard_fails_at_is_tried_again_in_the_next_round() {
    let repo = bad_files();
    let run = format!(r#"case $GIT_ORCH_SHARD in 2) echo no luck; exit 1;; *) {FIX_ALL};; esac"#);
    repo.orch(&["fanout", "fix", "--from", LINT, "--run", &run, "--shards", "file", "-j", "1", "-q"]).expect(
        "
        exit 0
        -- stdout
        round 1: 5 problems, 2 fixed, 0 new, 3 left; 2 files changed
        round 2: 3 problems, 3 fixed, 0 new, 0 left; 1 file changed
        no problem is left of 5
        review/fix
        ",
    );
}

#[test]
fn rounds_that_were_killed_go_on_from_what_was_done() {
    let repo = bad_files();
    // The second round kills the fan-out, once.
    let kill = "kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); sleep 60";
    let run = format!(
        r#"test $GIT_ORCH_SHARD = 1 || test -e "$ONCE" || {{ touch "$ONCE"; {kill}; }}; echo >>"$RUNS"; {FIX_ONE}"#
    );
    let (once, runs) = (repo.path("../once"), repo.path("../runs"));
    let call = ["fanout", "fix", "--from", LINT, "--run", &run, "--shards", "1", "-q"];
    let carry_out = || repo.call(&call).env("ONCE", &once).env("RUNS", &runs).run();
    assert_eq!(carry_out().exit, 128 + 9);
    let output = carry_out();
    assert_eq!(output.exit, 0, "{output}");
    // The first round was not run again.
    assert_eq!(repo.read("runs"), "\n\n\n");
    repo.shell("git worktree list | wc -l; git for-each-ref refs/orch/keep; ls .git/orch/journal")
        .run()
        .expect("exit 0\n-- stdout\n1");
}

#[test]
fn what_each_round_had_done_before_a_kill_is_known_as_it_was() {
    let repo = bad_files();
    // Asked about the result of the second round, the checker kills the fan-out, once.
    let from = format!(
        r#"echo >>"$ASKED"; test "$(wc -l <"$ASKED")" != 3 || {{ kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); sleep 60; }}; {LINT}"#
    );
    let run = format!(r#"echo >>"$RUNS"; {FIX_ONE}"#);
    let (asked, runs) = (repo.path("../asked"), repo.path("../runs"));
    let call = ["fanout", "fix", "--from", &from, "--run", &run, "--shards", "1", "-q"];
    let carry_out = || repo.call(&call).env("ASKED", &asked).env("RUNS", &runs).run();
    assert_eq!(carry_out().exit, 128 + 9);
    repo.git(&["gc", "--quiet", "--prune=now"]);
    let output = carry_out();
    assert_eq!(output.exit, 0, "{output}");
    assert_eq!(repo.read("runs"), "\n\n\n");
    // The second round's share of it is not in the first.
    let of_round = |n: &str| repo.git(&["show", &format!("review/fix~{n}:a/2")]);
    assert_eq!(
        ["2", "1", "0"].map(of_round),
        ["good\nBAD\nBAD\n", "good\ngood\nBAD\n", "good\ngood\ngood\n"]
    );
}

#[test]
fn options_that_make_no_sense_with_a_checker_are_refused() {
    let repo = bad_files();
    for (call, block) in [
        (
            &["fanout", "fix", "--from", "true"][..],
            "
            exit 2
            -- stderr
            error: nothing is there to work on problems
            hint: have it done: `--agent NAME`, or `--run CMD` with the files as \"$@\"
            ",
        ),
        (
            &["fanout", "fix", "--run", "true", "--rounds", "2"],
            "
            exit 2
            -- stderr
            error: `--rounds` is for the problems of a checker
            hint: name one: `--from CMD`, or `from` in a job of `.orch.yml`
            ",
        ),
    ] {
        repo.orch(call).expect(block);
    }
    for (call, word) in [
        (&["fanout", "fix", "--run", "true", "--from", "x", "--rounds", "0"][..], "0 is not in 1..=50"),
        (&["fanout", "fix", "--run", "true", "--from", "x", "--resume"], "cannot be used with"),
    ] {
        let output = repo.orch(call);
        assert!(output.exit == 2 && output.stderr.contains(word), "{output}");
    }
}
