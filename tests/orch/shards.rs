//! How a fan-out's shards are cut, and what their commands are given.

use crate::support::{TestRepo, days_ago, serial_tree, skip};

/// Appends a line to each of the shard's files.
const STAMP: &str = r#"for file; do echo stamped >> "$file"; done"#;

/// Sixty-four files in two folders; those of `a` are a hundred times as long.
fn heavy_and_light() -> TestRepo {
    let repo = TestRepo::unborn();
    let files: Vec<(String, String)> = (0..64)
        .map(|n| match n < 32 {
            true => (format!("a/{n:02}"), "a line of text\n".repeat(100)),
            false => (format!("b/{n:02}"), "a line of text\n".to_owned()),
        })
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&path[..], &text[..])).collect();
    repo.commit(&files, "many files", "Ann", days_ago(1));
    repo
}

#[test]
fn shards_of_equal_bytes_are_as_large_as_one_another() {
    let repo = heavy_and_light();
    let plan = repo.orch(&["fanout", "x", "--run", STAMP, "--shards", "bytes", "--dry-run", "--json"]).json();
    let shards = plan["data"]["shards"].as_array().unwrap();
    let bytes = |shard: &serde_json::Value| -> usize {
        let paths = shard["paths"].as_array().unwrap().iter();
        paths.map(|path| repo.read(&format!("shop/{}", path.as_str().unwrap())).len()).sum()
    };
    let sizes: Vec<usize> = shards.iter().map(bytes).collect();
    assert_eq!(shards.len(), 4, "{plan}");
    assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() < 2 * 1_500, "{sizes:?}");
    let serial = serial_tree(&repo, "for file in */*; do echo stamped >> $file; done");
    let fanout = repo.orch(&["fanout", "x", "--run", STAMP, "--shards", "bytes", "--json"]).json();
    assert_eq!(format!("{}\n", fanout["data"]["tree"].as_str().unwrap()), serial);
}

#[test]
fn shards_by_owner_name_the_session_that_knows_them() {
    let repo = TestRepo::new();
    for (name, path) in [("backend", "src/api"), ("frontend", "src/web")] {
        repo.orch(&["add-session", name, "--paths", path, "--adopt-history", "-q"]).expect_success();
    }
    repo.orch(&["fanout", "stamp", "--run", STAMP, "--shards", "owner", "-j", "1"]).expect(
        r#"
        exit 0
        -- stdout
        3 shards, 5 files changed, disjoint
        review/stamp
        -- stderr
        stamp: `for file; do echo stamped >> "$file"; done`; 5 files in 3 shards, 1 at a time
          done      README.md                    1 file  1 changed      <time>
          done      backend: src/api            2 files  2 changed      <time>
          done      frontend: src/web           2 files  2 changed      <time>
        next: git orch review stamp --diff, then git orch merge stamp
        "#,
    );
    let fanout = &repo.orch(&["show", "stamp", "--json"]).json()["data"];
    let owners: Vec<String> =
        fanout["shards"].as_array().unwrap().iter().map(|shard| shard["owner"].to_string()).collect();
    assert_eq!(owners, ["null", "\"backend\"", "\"frontend\""]);
}

#[test]
fn shards_by_list_are_one_a_pattern() {
    let repo = TestRepo::new();
    let config = "version: 1\njobs:\n  x: { run: 'echo x >>\"$1\"', include: ['src/web/**', 'src/**'], shard: list }\n";
    repo.write(".orch.yml", config);
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    repo.orch(&["fanout", "x", "--dry-run", "-j", "1"]).expect(
        r#"
        exit 0
        -- stdout
        x: `echo x >>"$1"`; 4 files in 2 shards
          shard  files  where
              1      2  src/web
              2      2  src/api
        1 at a time here, in worktrees of 359 B together at most
        "#,
    );
    let typed = ["fanout", "y", "--run", STAMP, "--shards", "list", "--dry-run", "-j", "1", "--paths"];
    repo.orch(&[&typed[..], &["src/api/cart.rs", "README.md", "src"]].concat()).expect(
        r#"
        exit 0
        -- stdout
        y: `for file; do echo stamped >> "$file"; done`; 5 files in 3 shards
          shard  files  where
              1      1  src/api/cart.rs
              2      1  README.md
              3      3  src
        1 at a time here, in worktrees of 359 B together at most
        "#,
    );
    repo.orch(&typed[..typed.len() - 1]).expect(
        "
        exit 2
        -- stderr
        error: there are no patterns to make shards by
        hint: give them: `--paths GLOB GLOB …`, or `include` in a job of `.orch.yml`
        ",
    );
}

/// Looks for what another shard left, and leaves something that is hard to remove.
const LITTER: &str = r#"test ! -e "$HOME/left" && test -z "$(ls -A "$TMPDIR")" && test -d "$XDG_CACHE_HOME" || exit 9
    echo "$HOME" >>"$OUT"; touch "$HOME/left" "$TMPDIR/left"; mkdir -p "$XDG_DATA_HOME/x/y"
    chmod 500 "$XDG_DATA_HOME/x"; echo x >>"$1""#;

#[test]
fn a_shard_has_a_home_of_its_own_where_that_is_asked_for() {
    let repo = TestRepo::new();
    let out = repo.path("../out");
    let call =
        ["fanout", "x", "--run", LITTER, "--shards", "file", "-j", "1", "-q", "--isolate", "--paths", "src"];
    repo.call(&call).env("OUT", &out).run().expect(
        "
        exit 0
        -- stdout
        4 shards, 4 files changed, disjoint
        review/x
        ",
    );
    let homes = repo.read("out");
    let own = repo.top().join("shop.orch/.throwaway").display().to_string();
    assert_eq!(homes.lines().filter(|home| home.starts_with(&own)).count(), 4, "{homes}");
    repo.shell("ls -A ..").run().expect("exit 0\n-- stdout\nagents\nhome\nout\nshop\ntmp");
    // What is set goes over it.
    let run = r#"test "$HOME" = /somewhere && test "$TMPDIR" != /tmp && echo x >>"$1""#;
    let call =
        ["fanout", "y", "--run", run, "--isolate", "--env", "HOME=/somewhere", "--paths", "README.md", "-q"];
    repo.orch(&call).expect_success();
}

#[test]
fn a_large_throwaway_is_gone_for_git_at_once_and_from_the_disk_soon() {
    let repo = TestRepo::new();
    let many = repo.shell("mkdir many; cd many; seq 2001 | xargs touch; git add .; git commit -qm many");
    many.changing_checkout().run().expect_success();
    let out = repo.path("../out");
    let call = ["fanout", "x", "--tree", "full", "--run", r#"ls many | wc -l >"$OUT"; echo x >>"$1""#, "-q"];
    repo.call(&[&call[..], &["--paths", "README.md"]].concat()).env("OUT", &out).run().expect_success();
    assert_eq!(repo.read("out").trim(), "2001");
    repo.shell("git worktree list | wc -l; timeout 20 sh -c 'while [ -e ../shop.orch ]; do sleep 0.01; done' && git-orch doctor | grep -c '^  wrong'")
        .run()
        .expect("exit 1\n-- stdout\n1\n0");
    // Nothing of it is left for anybody to clear.
    repo.shell("ls .git/orch/journal; git-orch __clear .git/orch/journal/gone").run().expect("exit 0");
}

#[test]
fn a_job_can_ask_for_homes_and_a_killed_one_leaves_none() {
    let repo = TestRepo::new();
    let kill = r#"touch "$HOME/left"; kill -9 $(cut -d" " -f4 /proc/$PPID/stat); sleep 60"#;
    repo.write(".orch.yml", &format!("version: 1\njobs:\n  x: {{ run: '{kill}', isolate: true }}\n"));
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    assert_eq!(repo.orch(&["fanout", "x", "-j", "1", "-q"]).exit, 128 + 9);
    repo.shell("find ../shop.orch -name left | wc -l").run().expect("exit 0\n-- stdout\n1");
    assert!(!repo.path("../home/left").exists());
    repo.orch(&["fanout", "y", "--run", "true", "-q"]).expect_success();
    repo.shell("ls -A ..").run().expect("exit 0\n-- stdout\nagents\nhome\nshop\ntmp");
}

#[test]
fn a_shard_that_fails_is_run_again_from_what_it_started_from() {
    let repo = TestRepo::new();
    // Fails twice, each time behind a change that must be gone the next time.
    let run = r#"echo x >>"$1"; echo >>"$TRIES"; [ "$(wc -l <"$TRIES")" -gt 2 ]"#;
    let tries = format!("TRIES={}", repo.path("../tries").display());
    let job = ["fanout", "x", "--run", run, "--paths", "README.md", "--env", &tries, "--json"];
    let fanout = &repo.orch(&[&job[..], &["--retries", "1"]].concat()).json()["data"];
    let shard = &fanout["shards"][0];
    assert_eq!((&shard["state"], &shard["retries"]), (&"failed".into(), &1.into()), "{fanout}");
    std::fs::remove_file(repo.path("../tries")).unwrap();
    let fanout = &repo.orch(&[&job[..], &["--retries", "2"]].concat()).json()["data"];
    let shard = &fanout["shards"][0];
    assert_eq!((&shard["state"], &shard["retries"]), (&"done".into(), &2.into()), "{fanout}");
    let branch = fanout["branch"].as_str().unwrap();
    assert_eq!(repo.git(&["show", &format!("{branch}:README.md")]), "# shop\nx\n");
}

#[test]
fn what_failed_can_be_done_again_alone() {
    let repo = TestRepo::new();
    let run = r#"[ -e "$FINE" ] || [ "$1" != ./README.md ] || exit 1; echo x >>"$1""#;
    let fine = format!("FINE={}", repo.path("../fine").display());
    let job = ["fanout", "x", "--run", run, "--shards", "file", "--env", &fine, "-q"];
    assert_eq!(repo.orch(&job).exit, 1);
    repo.write("../fine", "");
    repo.orch(&[&job[..], &["--retry-failed"]].concat()).expect(
        "
        exit 0
        -- stdout
        1 shard, 1 file changed, disjoint
        review/x-2
        ",
    );
    assert_eq!(repo.git(&["diff", "--name-only", "main", "review/x-2"]), "README.md\n");
    repo.orch(&[&job[..], &["--retry-failed"]].concat()).expect(
        "
        exit 1
        -- stderr
        error: no shard of `x-2` failed
        hint: `git orch show x-2` tells of it
        ",
    );
    repo.orch(&["fanout", "never", "--run", "true", "--retry-failed"]).expect(
        "
        exit 2
        -- stderr
        error: `never` was not fanned out yet
        ",
    );
}

#[test]
fn what_a_job_sets_in_the_environment_needs_trust_and_reaches_its_command() {
    let repo = TestRepo::new();
    let job = |env: &str| {
        let run = r#"echo "$GREETING" >"$1""#;
        format!("version: 1\njobs:\n  x: {{ run: '{run}', include: [README.md], env: {env} }}\n")
    };
    repo.write(".orch.yml", &job("{ GREETING: hello }"));
    repo.orch(&["trust", "--yes", "-q"]).expect_success();
    repo.orch(&["fanout", "x", "-q"]).expect_success();
    assert_eq!(repo.git(&["show", "review/x:README.md"]), "hello\n");
    // What people type goes over it.
    repo.orch(&["fanout", "x", "-q", "--again", "--env", "GREETING=good day"]).expect_success();
    assert_eq!(repo.git(&["show", "review/x-2:README.md"]), "good day\n");
    repo.write(".orch.yml", &job("{ GREETING: hello, LD_PRELOAD: ./evil.so }"));
    for typed in [&["fanout", "x"][..], &["fanout", "x", "--run", "true"]] {
        repo.orch(typed).expect(
            r#"
            exit 5
            -- stderr
            error: the environment of job x `GREETING="hello" LD_PRELOAD="./evil.so"` of this repository is not trusted
            hint: read what it would run and allow it: `git orch trust`
            "#,
        );
    }
    for (env, why) in [
        ("{ GIT_DIR: /tmp }", "`GIT_DIR` can't be set in `env`"),
        ("{ 'a b': x }", "`a b` can't be set in `env`"),
        ("{ 1A: x }", "`1A` can't be set in `env`"),
        ("{ '': x }", "`` can't be set in `env`"),
        ("{ A: x }, retries: 11", "`retries: 11` is too many"),
    ] {
        repo.write(".orch.yml", &job(env));
        let output = repo.orch(&["fanout", "--list"]);
        assert_eq!(output.exit, 4, "{env}: {output:?}");
        assert!(output.stderr.contains(why), "{env}: {output:?}");
    }
}

#[test]
fn what_can_t_be_set_or_split_is_refused_before_anything_runs() {
    let repo = TestRepo::new();
    for (typed, why) in [
        (&["--env", "GREETING"][..], "write it as NAME=VALUE"),
        (&["--env", "GIT_INDEX_FILE=x"], "`GIT_INDEX_FILE` can't be set here"),
        (&["--env", "=x"], "`` can't be set here"),
        (&["--retries", "11"], "11 is not in 0..=10"),
        (&["--shards", "byte"], "did you mean `bytes`?"),
        (&["--exclude", "["], "`[`"),
        (&["--needs", "conf/*"], "`--needs` is for sparse worktrees"),
        (&["--retry-failed", "--paths", "src"], "cannot be used with"),
    ] {
        let output = repo.orch(&[&["fanout", "x", "--run", "echo ran >&2"], typed].concat());
        assert_eq!(output.exit, 2, "{typed:?}: {output:?}");
        assert!(output.stderr.contains(why) && !output.stderr.contains("ran\n"), "{typed:?}: {output:?}");
    }
    repo.orch(&["fanout", "x", "--run", STAMP, "--exclude", "src", "--dry-run", "-j", "1"]).expect(
        r#"
        exit 0
        -- stdout
        x: `for file; do echo stamped >> "$file"; done`; 1 file in 1 shard
          shard  files  where
              1      1  README.md
        1 at a time here, in worktrees of 359 B together at most
        "#,
    );
}

#[test]
fn who_could_review_a_shard_is_named_where_sessions_know_it() {
    let repo = TestRepo::new();
    for (name, path) in [("backend", "src/api"), ("frontend", "src/web")] {
        repo.orch(&["add-session", name, "--paths", path, "--adopt-history", "-q"]).expect_success();
    }
    let call = ["fanout", "stamp", "--run", STAMP, "--shards", "directory", "-j", "1"];
    repo.orch(&[&call[..], &["--dry-run"]].concat()).expect(
        r#"
        exit 0
        -- stdout
        stamp: `for file; do echo stamped >> "$file"; done`; 5 files in 3 shards
          shard  files  where      known best by
              1      1  README.md
              2      2  src/api    backend
              3      2  src/web    frontend
        1 at a time here, in worktrees of 359 B together at most
        new files are taken in a shard's own folder
        "#,
    );
    repo.orch(&call).expect(
        r#"
        exit 0
        -- stdout
        3 shards, 5 files changed, disjoint
        review/stamp
        -- stderr
        stamp: `for file; do echo stamped >> "$file"; done`; 5 files in 3 shards, 1 at a time
          done      README.md                    1 file  1 changed      <time>
          done      src/api                     2 files  2 changed      <time>
          done      src/web                     2 files  2 changed      <time>
        could be reviewed by backend (1 shard) and frontend (1 shard)
        next: git orch review stamp --diff, then git orch merge stamp
        "#,
    );
    let fanout = &repo.orch(&["show", "stamp", "--json"]).json()["data"];
    let owners: Vec<String> =
        fanout["shards"].as_array().unwrap().iter().map(|shard| shard["owner"].to_string()).collect();
    assert_eq!(owners, ["null", "\"backend\"", "\"frontend\""]);
    repo.orch(&["remove-session", "frontend", "-q"]).expect_success();
    repo.orch(&["review", "stamp"]).expect(
        r#"
        exit 0
        -- stdout
        review/stamp: stamp: for file; do echo stamped >> "$file"; done (review)
          <oid> stamp: change 5 files  Test
         README.md        | 1 +
         src/api/cart.rs  | 1 +
         src/api/login.rs | 1 +
         src/web/cart.ts  | 1 +
         src/web/login.ts | 1 +
         5 files changed, 5 insertions(+)
          could be reviewed by backend: src/api (2 changed files)
        -- stderr
        next: git orch review stamp --diff, then git orch merge stamp
        "#,
    );
    let reviewers = repo.orch(&["review", "stamp", "--json"]).json()["data"]["reviewers"].to_string();
    assert_eq!(reviewers, r#"[{"files":2,"session":"backend","shards":[2]}]"#);
}

#[test]
fn worktrees_that_are_laid_over_one_checkout_give_the_same_tree() {
    let repo = TestRepo::new();
    let run = r#"ls -d left-* 2>/dev/null && exit 9; rm -r src/web; mkdir src/web; git restore src/web
        echo "$GIT_ORCH_SHARD" >>"$1"; test "$(git ls-files | xargs ls -d | wc -l)" = "$ALL""#;
    let all = format!("ALL={}", repo.git(&["ls-files"]).lines().count());
    let mut trees = Vec::new();
    for tree in ["full", "overlay"] {
        let call = ["fanout", tree, "--run", run, "--shards", "file", "-j", "2", "--paths", "src"];
        let call = [&call[..], &["--tree", tree, "--check", "ls src/web", "--env", &all]].concat();
        let output = repo.orch(&call);
        if output.stderr.contains("worktrees are full ones") {
            return skip(&output.stderr);
        }
        output.expect_success();
        trees.push(repo.git(&["rev-parse", &format!("review/{tree}^{{tree}}")]));
    }
    assert_eq!(trees[0], trees[1]);
    repo.shell("ls -A ..; git worktree list | wc -l").run().expect(
        "
        exit 0
        -- stdout
        agents
        home
        shop
        tmp
        1
        ",
    );
    // What is changed in one goes with it, and what a killed process left of it too.
    let kill = r#"touch left-$GIT_ORCH_SHARD; kill -9 $(cut -d" " -f4 /proc/$PPID/stat); sleep 60"#;
    let call = ["fanout", "dies", "--run", kill, "--tree", "overlay", "--shards", "file", "-j", "2", "-q"];
    assert_eq!(repo.orch(&[&call[..], &["--paths", "src"]].concat()).exit, 128 + 9);
    repo.shell(
        "find ../shop.orch -name 'left-*' | grep -q layers && git-orch doctor --fix >/dev/null 2>&1; ls -A ..",
    )
    .run()
    .expect(
        "
            exit 0
            -- stdout
            agents
            home
            shop
            tmp
            ",
    );
}

#[test]
fn without_an_overlay_worktrees_are_full_ones() {
    let repo = TestRepo::new();
    let unshare = "echo 'unshare: unshare failed: Operation not permitted' >&2; exit 1";
    let script = format!(
        "mkdir ../bin; echo \"{unshare}\" >../bin/unshare; sed -i '1i#!/bin/sh' ../bin/unshare; chmod +x ../bin/unshare
        PATH=$(realpath ../bin):$PATH git-orch fanout x --run 'echo x >>\"$1\"' --tree overlay --paths src/api 2>&1 | head -n 1"
    );
    repo.shell(&script).run().expect(
        "
        exit 0
        -- stdout
        no overlay here (unshare: unshare failed: Operation not permitted): worktrees are full ones
        ",
    );
}
