//! What shards changed, put together: commits, checks, and what is left out.

use crate::support::{TestRepo, days_ago, serial_tree};

/// Appends a line to each of the shard's files.
const STAMP: &str = r#"for file; do echo stamped >> "$file"; done"#;

/// A repository with files in three folders.
fn six_files() -> TestRepo {
    let repo = TestRepo::unborn();
    let files =
        [("a/1", "1\n"), ("a/2", "2\n"), ("b/3", "3\n"), ("b/4", "4\n"), ("c/5", "5\n"), ("c/6", "6\n")];
    repo.commit(&files, "six files", "Ann", days_ago(1));
    repo
}

#[test]
fn a_result_comes_as_one_commit_for_each_shard_that_changed_anything() {
    let repo = six_files();
    let run = r#"case $1 in ./b/*) ;; *) for file; do echo stamped >> "$file"; done;; esac"#;
    let by = ["--shards", "directory", "-q"];
    repo.orch(&[&["fanout", "x", "--run", run, "--commits", "shard"], &by[..]].concat()).expect(
        "
        exit 0
        -- stdout
        3 shards, 4 files changed, disjoint
        review/x
        ",
    );
    repo.orch(&[&["fanout", "y", "--run", run], &by[..]].concat()).expect_success();
    let log = "git log --reverse --format='%an <%ae>|%cn|%B' --name-only main..review/x; git fsck --strict --no-dangling";
    repo.shell(log).run().expect(&format!(
        "
        exit 0
        -- stdout
        Test <test@example.com>|Test|x: a

        Run: {run}

        Orch-Task: x


        a/1
        a/2
        Test <test@example.com>|Test|x: c

        Run: {run}

        Orch-Task: x


        c/5
        c/6
        "
    ));
    let trees = ["x", "y"].map(|name| repo.git(&["rev-parse", &format!("review/{name}^{{tree}}")]));
    assert_eq!(trees[0], trees[1]);
    assert_eq!(trees[0], serial_tree(&repo, "for file in [ac]/*; do echo stamped >> $file; done"));
    let shown = repo.orch(&["show", "x", "--json"]).json();
    let shards = shown["data"]["shards"].as_array().unwrap();
    let commits: Vec<&str> = shards.iter().filter_map(|shard| shard["commit"].as_str()).collect();
    let tips = repo.git(&["log", "--reverse", "--format=%H", "main..review/x"]);
    assert_eq!(commits, tips.lines().collect::<Vec<_>>());
}

#[test]
fn a_job_says_how_its_result_comes_and_the_command_line_says_it_louder() {
    let repo = six_files();
    let config = |commits: &str| {
        format!(
            "version: 1\njobs:\n  mark: {{ run: 'echo m >> $1', shard: directory, commits: {commits} }}\n"
        )
    };
    repo.commit(&[(".orch.yml", &config("shard"))], "jobs", "Ann", days_ago(1));
    assert_eq!(repo.shell("git orch trust --yes").changing_checkout().run().exit, 0);
    repo.orch(&["fanout", "mark", "-q", "--paths", "a", "b"]).expect_success();
    repo.orch(&["fanout", "mark", "-q", "--paths", "a", "b", "--commits", "one", "--again"]).expect_success();
    assert_eq!(repo.git(&["rev-list", "--count", "main..review/mark"]), "2\n");
    assert_eq!(repo.git(&["rev-list", "--count", "main..review/mark-2"]), "1\n");
    repo.git(&["diff", "--exit-code", "review/mark", "review/mark-2"]);
    repo.orch(&["fanout", "mark", "--commits", "each"]).expect(
        "
        exit 2
        -- stderr
        error: invalid value 'each' for '--commits <KIND>'
          [possible values: one, shard]

        For more information, try '--help'.
        ",
    );
    repo.write(".orch.yml", &config("each"));
    repo.orch(&["fanout", "mark"]).expect(
        "
        exit 4
        -- stderr
        error: could not read `.orch.yml`: jobs.mark.commits: unknown variant `each`, expected `one` or `shard` at line 3 column 59
        ",
    );
}

#[test]
fn a_result_in_several_commits_lands_like_any_other() {
    let repo = six_files();
    let call = ["fanout", "x", "--run", STAMP, "--shards", "directory", "--commits", "shard", "-q"];
    repo.orch(&call).expect_success();
    assert_eq!(repo.call(&["merge", "x", "-q"]).changing_checkout().run().exit, 0);
    assert_eq!(repo.git(&["log", "--format=%s", "-3", "main^2"]), "x: c\nx: b\nx: a\n");
}

/// A check that fails where both of these files are stamped.
fn never_both(one: &str, other: &str) -> String {
    format!(
        "ls */* > /dev/null; if grep -q stamped {one} && grep -q stamped {other}; then echo {one} is bad; exit 4; fi"
    )
}

#[test]
fn the_shards_that_make_the_check_fail_are_left_out_and_the_rest_lands() {
    let repo = six_files();
    let check = never_both("b/3", "b/3");
    let call = ["fanout", "x", "--run", STAMP, "--shards", "file", "-j", "1", "--check", &check];
    repo.orch(&call).expect(&format!(
        r#"
        exit 1
        -- stdout
        5 of 6 shards, 5 files changed, disjoint; check passed in <time>
        review/x
        evicted: b/3   log: git orch log x --shard 3 --check
          what it left: git diff <oid>...review/x-shard-3
        -- stderr
        x: `{STAMP}`; 6 files in 6 shards, 1 at a time
          done      a/1                          1 file  1 changed      <time>
          done      a/2                          1 file  1 changed      <time>
          done      b/3                          1 file  1 changed      <time>
          done      b/4                          1 file  1 changed      <time>
          done      c/5                          1 file  1 changed      <time>
          done      c/6                          1 file  1 changed      <time>
        check failed (exit 4) b/3 is bad: it runs again without some shards
          check     passes without any shard        run 1 of 22 at most
          check     fails  with 3 of 6 shards       run 2 of 22 at most
          check     passes with 3 of 6 shards       run 3 of 22 at most
          check     passes with 4 of 6 shards       run 4 of 22 at most
          check     passes with 5 of 6 shards       run 5 of 22 at most
          check     fails  with 6 of 6 shards       run 6 of 22 at most
          evicted   b/3                          1 file  1 changed      <time>  the check fails with it
        next: git orch review x --diff, then git orch merge x
        "#
    ));
    let tree = repo.git(&["rev-parse", "review/x^{tree}"]);
    assert_eq!(tree, serial_tree(&repo, "for file in a/* b/4 c/*; do echo stamped >> $file; done"));
    repo.shell("rm -rf ../serial").run().expect("exit 0");
    repo.orch(&["log", "x", "--check", "--shard", "3"]).expect("exit 0\n-- stdout\nb/3 is bad");
    repo.orch(&["log", "x", "--check"]).expect("exit 0");
    let shard = &repo.orch(&["show", "x", "--json"]).json()["data"]["shards"][2];
    assert_eq!(shard["state"], "evicted");
    let left = shard["commit"].as_str().unwrap();
    repo.git(&["gc", "-q", "--prune=now"]);
    assert_eq!(repo.git(&["diff", "--name-only", "main", left]), "b/3\n");
    assert_eq!(
        repo.git(&["log", "-1", "--format=%b", "review/x"]).lines().nth(1),
        Some("Not in it: b/3 (evicted)")
    );
    repo.shell(
        "git worktree list | wc -l; git for-each-ref refs/orch/keep; ls .git/orch/fanout/x | grep check",
    )
    .run()
    .expect("exit 0\n-- stdout\n1\ncheck.log\nshard-3.check.log");
}

#[test]
fn a_check_that_fails_without_the_changes_takes_no_shard_out() {
    let repo = six_files();
    let call = ["fanout", "x", "--run", STAMP, "--shards", "2", "-q", "--check", "echo bad news; false"];
    repo.orch(&call).expect(
        "
        exit 1
        -- stdout
        2 shards, 6 files changed, disjoint; check failed (exit 1) bad news; it fails without these changes, too
        review/x
        ",
    );
    repo.orch(&["log", "x", "--check"]).expect("exit 0\n-- stdout\nbad news");
}

#[test]
fn a_check_that_contradicts_itself_takes_no_shard_out() {
    let repo = six_files();
    // It fails at first; or now and then, where shards have changed anything.
    for (name, fails, of) in [("x", "[ $n = 1 ]", "2"), ("y", "[ $n = 1 ] || [ $n = 5 ]", "file")] {
        let runs = repo.top().join("tmp").join(name);
        let check =
            format!("echo ran >>$RUNS; n=$(wc -l <$RUNS); if {fails}; then echo no luck; exit 4; fi; ls */*");
        let call = ["fanout", name, "--run", STAMP, "--shards", of, "-q", "--check", &check];
        let output = repo.call(&call).env("RUNS", &runs).run();
        output.expect(&format!(
            "
            exit 1
            -- stdout
            {} shards, 6 files changed, disjoint; check failed (exit 4) no luck; it fails and passes on the same files: it is not reliable, and no shard is left out
            review/{name}
            ",
            if of == "file" { "6" } else { of },
        ));
        repo.orch(&["log", name, "--check"]).expect("exit 0\n-- stdout\nno luck");
        let shards = &repo.orch(&["show", name, "--json"]).json()["data"]["shards"];
        assert!(shards.as_array().unwrap().iter().all(|shard| shard["state"] == "done"), "{shards}");
    }
    assert_eq!(repo.git(&["branch", "--list", "review/*"]), "  review/x\n  review/y\n");
}

#[test]
fn shards_that_fail_together_only_lose_one_of_them() {
    let repo = six_files();
    let check = never_both("a/1", "c/6");
    let by = ["--shards", "file", "--commits", "shard", "-q", "--check", &check];
    let fanout = repo.orch(&[&["fanout", "x", "--run", STAMP, "--json"], &by[..]].concat());
    assert_eq!(fanout.exit, 1, "{fanout}");
    let fanout = fanout.json();
    let states: Vec<&str> = fanout["data"]["shards"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["done", "done", "done", "done", "done", "evicted"]);
    assert!(fanout["data"]["check"].as_str().unwrap().starts_with("passed in "), "{fanout}");
    assert_eq!(repo.git(&["rev-list", "--count", "main..review/x"]), "5\n");
}

#[test]
fn how_often_the_check_runs_again_is_for_the_user_to_say() {
    let repo = six_files();
    let check = "echo ran >> $RUNS; ! grep -q stamped */*";
    for (most, runs, summary) in [
        ("0", 1, "6 shards, 6 files changed, disjoint; check failed (exit 1)\nreview/x"),
        (
            "1",
            2,
            "6 shards, 6 files changed, disjoint; check failed (exit 1); which shards make it fail was not found in 1 run\nreview/x",
        ),
    ] {
        let out = repo.top().join("tmp").join(most);
        let call =
            ["fanout", "x", "--run", STAMP, "--shards", "file", "-q", "--check", check, "--bisect", most];
        repo.call(&call).env("RUNS", &out).run().expect(&format!("exit 1\n-- stdout\n{summary}\n"));
        assert_eq!(std::fs::read_to_string(out).unwrap().lines().count(), runs, "{most}");
        repo.orch(&["cancel", "x"]).expect_success();
    }
    let all = ["fanout", "x", "--run", STAMP, "--shards", "3", "-q", "--check", check];
    let output = repo.call(&all).env("RUNS", repo.top().join("tmp/all")).run();
    output.expect(
        "
        exit 1
        -- stdout
        0 of 3 shards, nothing taken; check failed (exit 1)
        evicted: a   log: git orch log x --shard 1 --check
          what it left: git diff <oid>...review/x-shard-1
        evicted: b   log: git orch log x --shard 2 --check
          what it left: git diff <oid>...review/x-shard-2
        evicted: c   log: git orch log x --shard 3 --check
          what it left: git diff <oid>...review/x-shard-3
        ",
    );
    repo.shell("git branch --list 'review/*'; git worktree list | wc -l").run().expect(
        "
        exit 0
        -- stdout
          review/x-shard-1
          review/x-shard-2
          review/x-shard-3
        1
        ",
    );
}

#[test]
fn an_interrupted_search_leaves_no_result() {
    let repo = six_files();
    let check = "n=$(cat $RUNS 2>/dev/null | wc -l); echo ran >> $RUNS; test $n = 3 && kill -INT $(cut -d' ' -f4 /proc/$PPID/stat) && sleep 60; ! grep -q stamped */*";
    let call = ["fanout", "x", "--run", STAMP, "--shards", "file", "-q", "--check", check];
    let output = repo.call(&call).env("RUNS", repo.top().join("tmp/runs")).run();
    output.expect(
        "
        exit 130
        -- stderr
        error: interrupted
        hint: 6 shards came to an end: `git orch fanout x --resume` goes on from there
        ",
    );
    repo.shell(
        "git branch --list 'review/*'; git worktree list | wc -l; git for-each-ref refs/orch/keep; ls -A ..",
    )
    .run()
    .expect("exit 0\n-- stdout\n1\nagents\nhome\nshop\ntmp");
}

/// One shard escapes and one fails the check; the others are fine.
const MIXED: &str = r#"for file; do echo stamped >> "$file"; done; case $1 in ./a/*) echo new > top;; esac"#;

#[test]
fn what_is_left_out_though_its_command_ended_well_waits_on_a_branch() {
    let repo = six_files();
    let check = never_both("c/5", "c/5");
    let call = ["fanout", "x", "--run", MIXED, "--shards", "directory", "-j", "1", "-q", "--check", &check];
    repo.orch(&call).expect(
        "
        exit 1
        -- stdout
        1 of 3 shards, 2 files changed, disjoint; check passed in <time>
        review/x
        escaped: a   log: git orch log x --shard 1
          what it left: git diff <oid>...review/x-shard-1
        evicted: c   log: git orch log x --shard 3 --check
          what it left: git diff <oid>...review/x-shard-3
        ",
    );
    let log = "git log --format='%an: %s: %b' --name-status review/x-shard-1 -1; git log --format=%s:%b -1 review/x-shard-3";
    repo.shell(log).run().expect(
        "
        exit 0
        -- stdout
        git-orch: fanout x: what shard 1 left: changed `top`, not its own


        M	a/1
        M	a/2
        A	top
        fanout x: what shard 3 left:the check fails with it
        ",
    );
    let shown = repo.orch(&["show", "x", "--json"]).json();
    let branches: Vec<Option<&str>> = shown["data"]["shards"]
        .as_array()
        .unwrap()
        .iter()
        .map(|shard| shard["quarantine"].as_str())
        .collect();
    assert_eq!(branches, [Some("review/x-shard-1"), None, Some("review/x-shard-3")]);
}

#[test]
fn a_branch_of_what_is_left_out_is_no_result() {
    let repo = six_files();
    let call = ["fanout", "x", "--run", MIXED, "--shards", "directory", "-q"];
    assert_eq!(repo.orch(&call).exit, 1);
    let why = "
        exit 3
        -- stderr
        error: `review/x-shard-1` is what a shard of `x` did, and not in its result
        hint: look at it: `git diff <oid>...review/x-shard-1`; take it with git itself: `git cherry-pick review/x-shard-1`
        ";
    for typed in ["x-shard-1", "review/x-shard-1"] {
        repo.orch(&["review", typed]).expect(why);
        repo.orch(&["merge", typed]).expect(why);
    }
    assert_eq!(repo.orch(&["review", "--json"]).json()["data"].as_array().unwrap().len(), 1);
    repo.orch(&["gc"]).expect("exit 0\n-- stderr\nnothing to delete");
    // Landing decides nothing about it; only when it is swept up does the branch go, never the commit.
    let left = repo.git(&["rev-parse", "review/x-shard-1"]);
    assert_eq!(repo.call(&["merge", "x", "-q"]).changing_checkout().run().exit, 0);
    assert_eq!(
        repo.git(&["branch", "--list", "review/*", "--format=%(refname:short)"]),
        "review/x-shard-1\n"
    );
    assert_eq!(repo.call(&["gc", "--apply", "-q"]).run().exit, 0);
    assert_eq!(repo.git(&["branch", "--list", "review/*"]), "");
    repo.git(&["gc", "-q", "--prune=now"]);
    repo.git(&["cat-file", "-e", left.trim()]);
}

#[test]
fn branches_of_what_is_left_out_go_with_their_fan_out_unless_somebody_moved_them() {
    let repo = six_files();
    let call = ["fanout", "x", "--run", MIXED, "--shards", "directory", "-q"];
    let branches = || repo.git(&["branch", "--list", "review/*", "--format=%(refname:short)"]);
    assert_eq!(repo.orch(&call).exit, 1);
    assert_eq!(repo.orch(&["undo", "-q"]).exit, 0);
    assert_eq!(branches(), "");
    assert_eq!(repo.orch(&call).exit, 1);
    repo.orch(&["cancel", "x", "-q"]).expect_success();
    assert_eq!(branches(), "");
    assert_eq!(repo.orch(&call).exit, 1);
    repo.git(&["branch", "-f", "review/x-shard-1", "main"]);
    repo.orch(&["cancel", "x", "-q"]).expect_success();
    assert_eq!(branches(), "review/x-shard-1\n");
    // Its name is taken: the record alone has it now.
    let again = repo.orch(&call);
    again.expect(
        "
        exit 1
        -- stdout
        2 of 3 shards, 4 files changed, disjoint
        review/x
        escaped: a   log: git orch log x --shard 1
          what it left: git diff <oid>...<oid>
        ",
    );
    assert_eq!(repo.git(&["rev-parse", "review/x-shard-1"]), repo.git(&["rev-parse", "main"]));
}

#[test]
fn very_many_that_are_left_out_make_no_branches() {
    let repo = TestRepo::unborn();
    let files: Vec<String> = (10..31).map(|number| format!("f{number}")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|file| (file.as_str(), "x\n")).collect();
    repo.commit(&files, "files", "Ann", days_ago(1));
    let run = "test $1 = ./f10 || touch cache";
    assert_eq!(repo.orch(&["fanout", "x", "--run", run, "--shards", "file", "-q"]).exit, 1);
    assert_eq!(repo.git(&["branch", "--list", "review/*", "--format=%(refname:short)"]).lines().count(), 20);
    let run = "touch cache";
    assert_eq!(repo.orch(&["fanout", "y", "--run", run, "--shards", "file", "-q"]).exit, 1);
    assert_eq!(repo.git(&["branch", "--list", "review/y*"]), "");
}
