//! `git orch fanout`

use crate::support::{TestRepo, days_ago, mounting, serial_tree};

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

/// What a fan-out may not leave: worktrees, folders, refs that keep things.
fn expect_nothing_left(repo: &TestRepo) {
    repo.shell("git worktree list | wc -l; git for-each-ref refs/orch/keep; ls .git/orch/journal; ls -A ..")
        .run()
        .expect(
            "
            exit 0
            -- stdout
            1
            agents
            home
            shop
            tmp
            ",
        );
}

#[test]
fn what_all_shards_changed_comes_back_as_one_branch() {
    let repo = six_files();
    repo.orch(&["fanout", "stamp", "--run", STAMP, "--shards", "directory", "-j", "1"]).expect(
        r#"
        exit 0
        -- stdout
        3 shards, 6 files changed, disjoint
        review/stamp
        -- stderr
        stamp: `for file; do echo stamped >> "$file"; done`; 6 files in 3 shards, 1 at a time
          done      a                           2 files  2 changed      <time>
          done      b                           2 files  2 changed      <time>
          done      c                           2 files  2 changed      <time>
        next: git orch review stamp --diff, then git orch merge stamp
        "#,
    );
    assert_eq!(
        repo.git(&["log", "--format=%an <%ae>%n%B", "main..review/stamp"]).trim_end(),
        "Test <test@example.com>\nstamp: change 6 files\n\n\
         Run in 3 shards at once: for file; do echo stamped >> \"$file\"; done\n\nOrch-Task: stamp"
    );
    let tree = repo.git(&["rev-parse", "review/stamp^{tree}"]);
    assert_eq!(tree, serial_tree(&repo, "for file in */*; do echo stamped >> $file; done"));
    repo.shell("rm -rf ../serial").run().expect("exit 0");
    expect_nothing_left(&repo);
}

#[test]
fn any_way_to_split_gives_the_tree_of_the_serial_run() {
    let repo = six_files();
    let serial = serial_tree(&repo, "for file in */*; do echo stamped >> $file; done");
    for shards in ["1", "2", "5", "100", "directory", "file", "package"] {
        for tree in ["full", "sparse"] {
            let again =
                ["fanout", "x", "--run", STAMP, "--shards", shards, "--tree", tree, "--again", "--json"];
            let fanout = repo.orch(&again).json();
            assert_eq!(format!("{}\n", fanout["data"]["tree"].as_str().unwrap()), serial, "{shards} {tree}");
        }
    }
}

#[test]
fn a_shard_that_fails_or_escapes_is_left_out_and_the_others_land() {
    let repo = six_files();
    let run = r#"case $1 in
        ./a/*) echo half > "$1"; echo 'no luck: line 3' >&2; exit 7;;
        ./b/*) echo more >> "$1"; echo new > c/new;;
        ./c/*) echo more >> "$1";;
    esac"#;
    let output = repo.orch(&["fanout", "x", "--run", run, "--shards", "directory", "-j", "1", "-q"]);
    output.expect(
        "
        exit 1
        -- stdout
        1 of 3 shards, 1 file changed, disjoint
        review/x
        failed: a   log: git orch log x --shard 1
          what it left: git diff <oid>...<oid>
        escaped: b   log: git orch log x --shard 2
          what it left: git diff <oid>...review/x-shard-2
        ",
    );
    assert_eq!(repo.git(&["diff", "--name-status", "main", "review/x"]), "M\tc/5\n");
    repo.orch(&["log", "x", "--shard", "1"]).expect("exit 0\n-- stdout\nno luck: line 3");
    let left = r#"git orch show x --json | tr '{' '\n' | sed -n 's/.*"commit":"\([0-9a-f]*\)".*/\1/p'"#;
    repo.shell(&format!(
        "git gc -q --prune=now; for commit in $({left}); do git diff --name-status main $commit; echo; done"
    ))
    .changing_checkout()
    .run()
    .expect("exit 0\n-- stdout\nM\ta/1\n\nM\tb/3\nA\tc/new\n\nM\tc/5\n");
    expect_nothing_left(&repo);
}

#[test]
fn a_shard_may_not_touch_what_another_one_has() {
    let repo = six_files();
    let run = "echo x >> a/1";
    repo.orch(&["fanout", "x", "--run", run, "--shards", "2", "-j", "1"]).expect(
        "
        exit 1
        -- stdout
        1 of 2 shards, 1 file changed, disjoint
        review/x
        escaped: b … c   log: git orch log x --shard 2
          what it left: git diff <oid>...review/x-shard-2
        -- stderr
        x: `echo x >> a/1`; 6 files in 2 shards, 1 at a time
          done      a … b                       3 files  1 changed      <time>
          escaped   b … c                       3 files  1 changed      <time>  changed `a/1`, not its own
        next: git orch review x --diff, then git orch merge x
        ",
    );
}

#[test]
fn a_file_may_not_become_a_folder_or_be_joined_by_a_twin() {
    let repo = six_files();
    for (run, what) in
        [("rm a/1; mkdir a/1; echo x > a/1/x", "`a/1/x`"), ("touch a/Read a/read", "`a/Read` and `a/read`")]
    {
        repo.orch(&["fanout", "x", "--run", run, "--paths", "a", "-j", "1"]).expect(&format!(
            "
            exit 1
            -- stdout
            0 of 1 shard, nothing taken
            escaped: a   log: git orch log x --shard 1
              what it left: git diff <oid>...review/x-shard-1
            -- stderr
            x: `{run}`; 2 files in 1 shard, 1 at a time
              escaped   a                           2 files  2 changed      <time>  changed {what}, not its own
            with `--shards directory` or `package` new files in a shard's own folder are taken
            "
        ));
    }
}

#[test]
fn filters_and_modes_come_back_as_they_went() {
    let repo = six_files();
    let setup = "git config filter.up.clean 'tr A-Z a-z'; git config filter.up.smudge 'tr a-z A-Z'
        echo 'a/* filter=up' > .gitattributes; echo low > a/1; ln -s ../b/3 c/link; git add -A; git commit -qm filter";
    repo.shell(setup).changing_checkout().run().expect("exit 0");
    let run = r#"for file; do cat "$file"; echo MORE >> "$file"; chmod +x "$file"; done; test -L c/link"#;
    let call = ["fanout", "x", "--run", run, "--paths", "a/1", "-q"];
    repo.orch(&call).expect("exit 0\n-- stdout\n1 shard, 1 file changed, disjoint\nreview/x");
    repo.orch(&["log", "x", "--shard", "1"]).expect("exit 0\n-- stdout\nLOW");
    repo.shell(
        "git ls-tree review/x a/1 | cut -c1-6; git show review/x:a/1; git diff --name-only main review/x",
    )
    .run()
    .expect("exit 0\n-- stdout\n100755\nlow\nmore\na/1");
}

#[test]
fn fan_outs_at_the_same_time_get_names_of_their_own() {
    let repo = six_files();
    let script = r#"for n in 1 2 3 4; do
            git orch fanout x --run "for f; do echo $n >> \"\$f\"; done" --shards 3 -q & done; wait
        git for-each-ref --format='%(refname)' refs/heads/review"#;
    let output = repo.shell(script).run();
    assert_eq!(output.exit, 0, "{output}");
    for number in ["", "-2", "-3", "-4"] {
        assert!(output.stdout.contains(&format!("refs/heads/review/x{number}\n")), "{output}");
        let stat = repo.git(&["diff", "--shortstat", "main", &format!("review/x{number}")]);
        assert_eq!(stat, " 6 files changed, 6 insertions(+)\n");
    }
    expect_nothing_left(&repo);
}

#[test]
fn files_are_handed_over_whatever_they_are_called() {
    let repo = six_files();
    let names = r#"git rm -qr a b c; mkdir -p 'odd dir'
        for name in 'odd dir/a b' -rf '$(touch hacked)' '`id`;x' "$(printf 'new\nline')" "$(printf 'caf\351')" '*' '[id]'
        do echo x > "./$name"; done
        git add -A && git commit -qm odd && git ls-files -z > ../tmp/names"#;
    repo.shell(names).changing_checkout().run().expect("exit 0");
    let run = r#"for file; do echo y >> "$file"; done; cat "$GIT_ORCH_SHARD_FILES" >> "$OUT""#;
    for tree in ["full", "sparse"] {
        let all =
            ["fanout", "odd", "--run", run, "--shards", "file", "--tree", tree, "-j", "1", "-q", "--again"];
        let out = repo.top().join("tmp").join(tree);
        repo.call(&all).env("OUT", &out).run().expect(&format!(
            "
            exit 0
            -- stdout
            8 shards, 8 files changed, disjoint
            review/odd{}
            ",
            if tree == "full" { "" } else { "-2" }
        ));
        let compare = format!(
            "tr '\\0' '\\n' < ../tmp/{tree} | sed 's#^\\./##' > ../tmp/a; tr '\\0' '\\n' < ../tmp/names | cmp - ../tmp/a"
        );
        repo.shell(&compare).run().expect("exit 0");
    }
    let listed = repo.call(&["fanout", "some", "--run", run, "--files-from", "-", "--dry-run", "-j", "1"]);
    listed.stdin("-rf\0new\nline\0").run().expect(
        r#"
        exit 0
        -- stdout
        some: `for file; do echo y >> "$file"; done; cat "$GIT_ORCH_SHARD_FILES" >> "$OUT"`; 2 files in 1 shard
          shard  files  where
              1      2  -rf … "new\nline"
        1 at a time here, in worktrees of 512 B together at most
        "#,
    );
}

#[test]
fn a_job_of_the_repository_runs_once_it_is_trusted() {
    let repo = six_files();
    let config = "version: 1\njobs:\n  mark: { run: [sh, -c, 'for f; do echo m >> $f; done', sh], \
                  include: ['a/**', 'b/**'], exclude: [b/4], shard: directory, check: test -s a/1 }\n";
    repo.commit(&[(".orch.yml", config)], "jobs", "Ann", days_ago(1));
    let call = ["fanout", "mark", "-j", "1", "-q"];
    repo.orch(&call).expect(
        r#"
        exit 5
        -- stderr
        error: the job mark `["sh", "-c", "for f; do echo m >> $f; done", "sh"]` of this repository is not trusted
        hint: read what it would run and allow it: `git orch trust`
        "#,
    );
    assert_eq!(repo.shell("git orch trust --yes").changing_checkout().run().exit, 0);
    repo.orch(&call).expect(
        "
        exit 0
        -- stdout
        2 shards, 3 files changed, disjoint; check passed in <time>
        review/mark
        ",
    );
    assert_eq!(repo.git(&["diff", "--name-only", "main", "review/mark"]), "a/1\na/2\nb/3\n");
}

#[test]
fn a_check_judges_the_whole_result() {
    let repo = six_files();
    let check = ["fanout", "x", "--run", STAMP, "--shards", "2", "-q", "--check"];
    let green =
        [&check[..], &["grep -q stamped a/1 && grep -q stamped c/6 && test $(ls */* | wc -l) = 6"]].concat();
    repo.orch(&green)
        .expect("exit 0\n-- stdout\n2 shards, 6 files changed, disjoint; check passed in <time>\nreview/x\n");
    let red = [&check[..], &["echo bad news; false", "--again"]].concat();
    repo.orch(&red).expect(
        "
        exit 1
        -- stdout
        2 shards, 6 files changed, disjoint; check failed (exit 1) bad news; it fails without these changes, too
        review/x-2
        ",
    );
    // It lands with nothing else, but where somebody says so.
    repo.orch(&["cancel", "x", "-q"]).expect_success();
    repo.orch(&["merge"]).expect(
        "
        exit 3
        -- stderr
        error: cannot land `x-2`: its check failed (exit 1) bad news; it fails without these changes, too
        hint: mend it on its branch, or land it all the same: `git orch merge x-2`
        ",
    );
    repo.call(&["merge", "x-2", "-q"]).changing_checkout().run().expect(
        "
        exit 0
        -- stdout
          landed  x-2  unchecked: no checks configured  main <oid> → <oid>
        ",
    );
}

#[test]
fn a_fan_out_that_runs_is_not_gone_on_with() {
    let repo = six_files();
    let run = "cd \"$GIT_ORCH_ROOT\" && ! git-orch fanout x --resume";
    repo.orch(&["fanout", "x", "--run", run, "-q"]).expect_success();
    let told = "exit 0\n-- stdout\nerror: the fan-out `x` is running";
    repo.orch(&["log", "x", "--shard", "1"]).expect(told);
}

#[test]
fn the_same_work_is_not_done_twice_while_it_waits() {
    let repo = six_files();
    let call = ["fanout", "x", "--run", STAMP, "-q"];
    repo.orch(&call).expect("exit 0\n-- stdout\n1 shard, 6 files changed, disjoint\nreview/x");
    repo.orch(&call).expect(
        "
        exit 3
        -- stderr
        error: the same work on the same files is open already: `x`
        hint: look at it: `git orch review x`; or do it once more: `--again`
        ",
    );
    repo.orch(&["fanout", "x", "--run", "echo y >> a/1", "-q"])
        .expect("exit 0\n-- stdout\n1 shard, 1 file changed, disjoint\nreview/x-2");
    assert_eq!(repo.call(&["merge", "x"]).changing_checkout().run().exit, 0);
    repo.orch(&["fanout", "x", "--run", "true", "-q"])
        .expect("exit 0\n-- stdout\n1 shard, nothing to change");
}

#[test]
fn work_starts_from_what_is_committed_and_says_so() {
    let repo = six_files();
    repo.write("a/1", "changed\n");
    repo.write("new", "new\n");
    repo.orch(&["fanout", "x", "--run", "ls; cat a/1; echo y >> a/1", "-j", "1", "--paths", "a"]).expect(
        "
        exit 0
        -- stdout
        1 shard, 1 file changed, disjoint
        review/x
        -- stderr
        x: `ls; cat a/1; echo y >> a/1`; 2 files in 1 shard, 1 at a time
        warning: uncommitted changes to 1 file of the job are not in it
          done      a                           2 files  1 changed      <time>
        next: git orch review x --diff, then git orch merge x
        ",
    );
    repo.orch(&["log", "x", "--shard", "1"]).expect("exit 0\n-- stdout\na\nb\nc\n1");
}

#[test]
fn an_interrupted_fan_out_leaves_nothing() {
    for (signal, exit, word) in [("INT", 130, "interrupted"), ("TERM", 143, "terminated")] {
        let repo = six_files();
        let before = repo.refs();
        let run = format!("kill -{signal} $(cut -d' ' -f4 /proc/$PPID/stat); sleep 60");
        let output = repo.orch(&["fanout", "x", "--run", &run, "--shards", "3", "-j", "1", "-q"]);
        output.expect(&format!("exit {exit}\n-- stderr\nerror: {word}"));
        assert_eq!(repo.refs(), before);
        expect_nothing_left(&repo);
    }
}

#[test]
fn what_a_killed_fan_out_left_is_taken_away_by_the_next_command() {
    let repo = six_files();
    let run = "kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); sleep 60";
    assert_eq!(repo.orch(&["fanout", "x", "--run", run, "--shards", "3", "-j", "1", "-q"]).exit, 128 + 9);
    repo.shell("git worktree list | wc -l").run().expect("exit 0\n-- stdout\n2");
    repo.orch(&["fanout", "x", "--run", STAMP]).expect(
        r#"
        exit 0
        -- stdout
        1 shard, 6 files changed, disjoint
        review/x
        -- stderr
        fan-out x had died
        x: `for file; do echo stamped >> "$file"; done`; 6 files in 1 shard, 1 at a time
          done      a … c                       6 files  6 changed      <time>
        next: git orch review x --diff, then git orch merge x
        "#,
    );
    expect_nothing_left(&repo);
}

#[test]
fn a_shard_that_takes_too_long_is_ended() {
    let repo = six_files();
    let run = r#"case $1 in ./a/*) sleep 60;; *) echo y >> "$1";; esac"#;
    let call = ["fanout", "x", "--run", run, "--shards", "directory", "--timeout", "1s", "-j", "1", "-q"];
    repo.orch(&call).expect(
        "
        exit 1
        -- stdout
        2 of 3 shards, 2 files changed, disjoint
        review/x
        failed: a   log: git orch log x --shard 1
        ",
    );
}

#[test]
fn a_shard_can_not_reach_into_the_next_one() {
    let repo = six_files();
    // Leaves an ignored file, a read-only folder, a repository, an empty folder and a changed index.
    repo.commit(&[(".gitignore", "*.cache\n")], "ignore", "Ann", days_ago(1));
    let run = r#"ls -A; test ! -e x.cache || exit 9
        echo 1 > x.cache; mkdir -p keep.cache/in && touch keep.cache/in/f && chmod 500 keep.cache/in
        git init -q inner.cache; git rm -q --cached -r . ; echo y >> "$1""#;
    let call = ["fanout", "x", "--run", run, "--shards", "3", "-j", "1", "-q", "--paths", "a", "b", "c"];
    repo.orch(&call).expect("exit 0\n-- stdout\n3 shards, 3 files changed, disjoint\nreview/x");
    for shard in ["1", "2", "3"] {
        repo.orch(&["log", "x", "--shard", shard]).expect("exit 0\n-- stdout\n.git\n.gitignore\na\nb\nc");
    }
    expect_nothing_left(&repo);
}

#[test]
fn what_makes_no_sense_is_refused_with_a_way_out() {
    let repo = six_files();
    for (arguments, block) in [
        (
            &["fanout", "fmtt"][..],
            "
            exit 2
            -- stderr
            error: no job `fmtt`; did you mean `fmt`?
            hint: `git orch fanout --list` lists them; `--run CMD` runs any command
            ",
        ),
        (
            &["fanout", "fmt"],
            "
            exit 1
            -- stderr
            error: no formatter found: nothing here says which one the repository uses
            hint: name a command: `git orch fanout fmt --run 'prettier --write \"$@\"' --paths '**/*.ts'`, or a job in `.orch.yml`
            ",
        ),
        (
            &["fanout", "x", "--run", "true", "--paths", "nowhere"],
            "
            exit 2
            -- stderr
            error: no tracked file is for `x`
            hint: `git ls-files` lists what is tracked; `--paths` and the job's `include` choose among them
            ",
        ),
        (
            &["fanout", "A/b", "--run", "true"],
            "
            exit 2
            -- stderr
            error: `A/b` can't be a job's name: a name holds only a-z, 0-9, `.`, `_` and `-`
            ",
        ),
    ] {
        repo.orch(arguments).expect(block);
    }
    expect_nothing_untidy(&repo);
}

fn expect_nothing_untidy(repo: &TestRepo) {
    repo.shell("git worktree list | wc -l; git for-each-ref refs/orch/fanout refs/orch/keep")
        .run()
        .expect("exit 0\n-- stdout\n1");
}

#[test]
fn a_result_that_nobody_wants_is_called_off() {
    let repo = six_files();
    repo.orch(&["fanout", "x", "--run", STAMP, "-q"]).expect_success();
    let result = repo.git(&["rev-parse", "review/x"]);
    repo.orch(&["cancel", "x"]).expect(
        "
        exit 0
        -- stderr
        x is cancelled; its result is kept on its record
        ",
    );
    repo.orch(&["cancel", "x"]).expect(
        "
        exit 0
        -- stderr
        x is cancelled; its result is kept on its record
        ",
    );
    assert_eq!(repo.git(&["rev-parse", "refs/orch/fanout/x^2"]), result);
    repo.orch(&["review"]).expect(
        "
        exit 0
        -- stderr
        nothing waits for review
        ",
    );
    repo.orch(&["merge", "x"]).expect(
        "
        exit 3
        -- stderr
        error: `x` has no result
        hint: `git orch show x` tells why
        ",
    );
    repo.orch(&["fanout", "x", "--run", STAMP, "-q"]).expect(
        "
        exit 0
        -- stdout
        1 shard, 6 files changed, disjoint
        review/x
        ",
    );
}

#[test]
fn the_log_without_a_shard_is_the_one_that_went_wrong() {
    let repo = six_files();
    let run = r#"case $1 in ./b/*) echo "error: $1"; echo bye; exit 3;; *) echo y >> "$1";; esac"#;
    repo.orch(&["fanout", "x", "--run", run, "--shards", "directory", "-j", "1"]).expect(
        r#"
        exit 1
        -- stdout
        2 of 3 shards, 2 files changed, disjoint
        review/x
        failed: b   log: git orch log x --shard 2
        -- stderr
        x: `case $1 in ./b/*) echo "error: $1"; echo bye; exit 3;; *) echo y >> "$1";; esac`; 6 files in 3 shards, 1 at a time
          done      a                           2 files  1 changed      <time>
          failed    b                           2 files  exit 3         <time>  error: ./b/3
          done      c                           2 files  1 changed      <time>
        with `--shards file` only the files that fail are left out
        next: git orch review x --diff, then git orch merge x
        "#,
    );
    repo.orch(&["log", "x"]).expect(
        "
        exit 0
        -- stdout
        error: ./b/3
        bye
        ",
    );
    repo.orch(&["show", "x"]).expect(
        r#"
        exit 0
        -- stdout
        fan-out x: review
          command    case $1 in ./b/*) echo "error: $1"; echo bye; exit 3;; *) echo y >> "$1";; esac
          base       main <oid>
          branch     review/x
          shard  state   files  changed  exit  began   took  printed  where
              1  done        2        1     0  <time> ago  <time>      0 B  a
              2  failed      2        0     3  <time> ago  <time>     17 B  b
              3  done        2        1     0  <time> ago  <time>      0 B  c
        log: git orch log x --shard 2
        next: git orch review x --diff, then git orch merge x
        "#,
    );
    repo.orch(&["fanout", "y", "--run", STAMP, "--shards", "directory", "-q"]).expect_success();
    repo.orch(&["log", "y"]).expect(
        "
        exit 2
        -- stderr
        error: `y` is a fan-out: name a shard with `--shard N`
        ",
    );
}

#[test]
fn what_can_not_be_removed_of_a_throwaway_stops_no_other_command() {
    let repo = TestRepo::new();
    let script = "exec 2>&1; run='mkdir held; mount -t tmpfs tmpfs held; echo 2 >>\"$1\"'
        git-orch fanout edit -q --run \"$run\" --paths README.md
        git-orch add-session backend --paths src/api -q; git-orch gc; git-orch doctor | grep wrong
        umount ../shop.orch/.throwaway/.gone-*/held; git-orch gc; ls -A ../shop.orch";
    let Some(output) =
        mounting(&repo, &format!("({script}) | sed 's/way\\/\\(.gone-\\)*t-[0-9a-f]*/way\\/\\1t-X/g'"))
    else {
        return;
    };
    output.expect(
        "
        exit 0
        -- stdout
        warning: could not remove the throwaway `$TMP/shop.orch/.throwaway/t-X` (could not remove `$TMP/shop.orch/.throwaway/.gone-t-X`: Device or resource busy (os error 16))
        1 shard, 1 file changed, disjoint
        review/edit
        warning: a throwaway is still there: could not remove `$TMP/shop.orch/.throwaway/.gone-t-X`: Device or resource busy (os error 16)
        $TMP/shop.orch/backend
        warning: a throwaway is still there: could not remove `$TMP/shop.orch/.throwaway/.gone-t-X`: Device or resource busy (os error 16)
        nothing to delete
          wrong  a killed command was using the throwaway $TMP/shop.orch/.throwaway/t-X  git orch doctor --fix
        nothing to delete
        backend
        ",
    );
}
