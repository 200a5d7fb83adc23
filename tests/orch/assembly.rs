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
    assert_eq!(repo.git(&["log", "--format=%s", "-3", "--first-parent"]), "x: c\nx: b\nx: a\n");
}
