//! `git orch fanout --on`: shards on machines that share nothing with us but a
//! git remote, played by shells in the background.

use crate::support::{TestRepo, days_ago, serial_tree};

/// Appends a line to each of the shard's files.
const STAMP: &str = r#"for file; do echo stamped >> "$file"; done"#;

/// Commands that really run the script somewhere: here, in a session of their own.
const SUBMIT: &str = r#"setsid sh -c 'for n in $(cat "$1"); do sh "$2" $n; done' sh "$GIT_ORCH_SHARDS" "$GIT_ORCH_NODE" >>../tmp/node.log 2>&1 & echo $!"#;
const POLL: &str =
    r#"case $(cut -d" " -f3 /proc/$1/stat 2>/dev/null) in [A-Y]) echo running;; *) echo done;; esac"#;
const CANCEL: &str = r#"kill -s TERM -- "-$1" 2>/dev/null; while ls -d ../tmp/git-orch-*/work-*; do sleep 0.01; done 2>/dev/null"#;

/// A repository with files in three folders, a bare one as its remote, and a
/// trusted engine `here`.
fn with_engine(submit: &str, poll: &str) -> TestRepo {
    let repo = TestRepo::unborn();
    let files =
        [("a/1", "1\n"), ("a/2", "2\n"), ("b/3", "3\n"), ("b/4", "4\n"), ("c/5", "5\n"), ("c/6", "6\n")];
    repo.commit(&files, "six files", "Ann", days_ago(1));
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let engine = format!(
        "version: 1\nengines:\n  here:\n    submit: {}\n    poll: {}\n    cancel: {}\n",
        quoted(submit),
        quoted(poll),
        quoted(CANCEL)
    );
    repo.write(".orch.yml", &engine);
    let hub = "git init -q --bare ../hub.git && git remote add origin ../hub.git && git push -q origin main
        echo .orch.yml >>.git/info/exclude; git orch trust --yes -q >../tmp/trust";
    repo.shell(hub).changing_checkout().run().expect_success();
    repo
}

pub(super) fn six_files() -> TestRepo {
    with_engine(SUBMIT, POLL)
}

/// What may not be there once it is over, here, there and on the remote.
pub(super) fn expect_nothing_left(repo: &TestRepo) {
    repo.shell(
        "git ls-remote origin | cut -f2; git worktree list | wc -l; git for-each-ref refs/orch/keep refs/orch/run
         ls .git/orch/journal 2>/dev/null; ls -d ../tmp/git-orch-*/*ork* ../tmp/git-orch-*/new* ../tmp/git-orch-*/*making 2>/dev/null; pgrep -f \"$PWD/.git/orch\"",
    )
    .run()
    .expect("exit 1\n-- stdout\nrefs/heads/main\n1");
}

#[test]
fn what_other_machines_changed_comes_back_as_one_branch() {
    let repo = six_files();
    let call = quoted(&["fanout", "stamp", "--run", STAMP, "--shards", "directory", "--on", "exec:here"]);
    let script = format!(
        "git orch {call} 2>../tmp/err; sed \"s/as [0-9]*/as PID/; s/ on $(uname -n)/ on HOST/\" ../tmp/err >&2"
    );
    repo.shell(&script).run().expect(&format!(
        "
        exit 0
        -- stdout
        3 shards, 6 files changed, disjoint
        review/stamp
        -- stderr
        stamp: `{STAMP}`; 6 files in 3 shards
        3 shards submitted to exec:here as PID, over origin
          done      a                           2 files  2 changed      <time>  on HOST
          done      b                           2 files  2 changed      <time>  on HOST
          done      c                           2 files  2 changed      <time>  on HOST
        next: git orch review stamp --diff, then git orch merge stamp
        "
    ));
    let show = repo.orch(&["show", "stamp", "--json"]).json();
    let host = repo.shell("uname -n").run().stdout;
    assert_eq!(show["data"]["engine"], "exec:here");
    assert_eq!(show["data"]["shards"][2]["host"], host.trim());
    expect_nothing_left(&repo);
}

/// Words for a shell.
pub(super) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("'{}' ", word.replace('\'', r"'\''"))).collect()
}

#[test]
fn any_machine_gives_the_tree_of_the_serial_run() {
    let repo = six_files();
    let serial = serial_tree(&repo, "for file in */*; do echo stamped >> $file; done");
    repo.shell("rm -rf ../serial").run().expect_success();
    // With and without a remote that gives parts of a commit.
    for filter in ["false", "true"] {
        repo.shell(&format!("git -C ../hub.git config uploadpack.allowFilter {filter}"))
            .run()
            .expect_success();
        for (shards, tree) in [("4", "full"), ("directory", "sparse"), ("file", "sparse")] {
            let again = ["fanout", "x", "--run", STAMP, "--shards", shards, "--tree", tree, "--again"];
            let fanout = repo.orch(&[&again[..], &["--json", "--on", "exec:here"]].concat()).json();
            let tree_id = fanout["data"]["tree"].as_str().unwrap_or_default();
            assert_eq!(format!("{tree_id}\n"), serial, "{shards} {tree}, filter {filter}: {fanout}");
        }
    }
    expect_nothing_left(&repo);
}

#[test]
fn a_sparse_shard_finds_there_what_it_would_find_here() {
    let repo = six_files();
    let call = ["fanout", "x", "--run", "ls -A . *; cat a/1", "--paths", "a/1", "--tree", "sparse", "-q"];
    repo.orch(&[&call[..], &["--on", "exec:here"]].concat()).expect_success();
    let there = repo.orch(&["log", "x", "--shard", "1"]);
    repo.orch(&call).expect_success();
    assert_eq!(there, repo.orch(&["log", "x", "--shard", "1"]));
    there.expect("exit 0\n-- stdout\n.:\n.git\na\n\na:\n1\n2\n1");
}

#[test]
fn a_shard_has_a_home_of_its_own_there_too() {
    let repo = six_files();
    // The first try leaves what the second may not find.
    let run = r#"test ! -e "$HOME/left" || exit 9; test -d "$XDG_CACHE_HOME" || exit 8
        touch "$HOME/left"; mkdir "$TMPDIR/x"; chmod 500 "$TMPDIR/x"; echo "$GREETING" >>"$1"
        test -e ../../../once-$GIT_ORCH_SHARD || { touch ../../../once-$GIT_ORCH_SHARD; exit 1; }"#;
    let call = ["fanout", "x", "--run", run, "--shards", "directory", "--isolate", "--env", "GREETING=hello"];
    repo.orch(&[&call[..], &["-q", "--retries", "1", "--on", "exec:here"]].concat()).expect(
        "
        exit 0
        -- stdout
        3 shards, 3 files changed, disjoint
        review/x
        ",
    );
    expect_nothing_left(&repo);
}

#[test]
fn what_fails_escapes_or_takes_too_long_elsewhere_is_left_out() {
    let repo = six_files();
    let run = r#"case $1 in
        ./a/*) echo half > "$1"; echo 'no luck: line 3' >&2; exit 7;;
        ./b/*) echo more >> "$1"; echo new > b/new;;
        ./c/5) echo more >> "$1";;
        *) sleep 60;;
    esac"#;
    let call =
        ["fanout", "x", "--run", run, "--shards", "file", "-q", "--timeout", "1s", "--on", "exec:here"];
    repo.orch(&[&call[..], &["--paths", "a/1", "b/3", "c"]].concat()).expect(
        "
        exit 1
        -- stdout
        1 of 4 shards, 1 file changed, disjoint
        review/x
        failed: a/1   log: git orch log x --shard 1
          what it left: git diff <oid>...<oid>
        escaped: b/3   log: git orch log x --shard 2
          what it left: git diff <oid>...review/x-shard-2
        failed: c/6   log: git orch log x --shard 4
        ",
    );
    repo.orch(&["log", "x", "--shard", "1"]).expect("exit 0\n-- stdout\nno luck: line 3");
    let shards = &repo.orch(&["show", "x", "--json"]).json()["data"]["shards"];
    assert_eq!((&shards[0]["exit_code"], shards[3].get("exit_code")), (&7.into(), None), "{shards}");
    expect_nothing_left(&repo);
}

#[test]
fn a_command_gets_there_what_it_gets_here() {
    let repo = six_files();
    let names = r#"git rm -qr a b c; mkdir -p 'odd dir'
        for name in 'odd dir/a b' -rf '$(touch hacked)' '`id`;x' "it's" "$(printf 'new\nline')" "$(printf 'caf\351')" '*'
        do echo x > "./$name"; done; git add -A && git commit -qm odd"#;
    repo.shell(names).changing_checkout().run().expect_success();
    let run = r#"for file; do echo "$GREETING" >> "$file"; done; cat "$GIT_ORCH_SHARD_FILES"
        echo "$GIT_ORCH_SHARD $GIT_ORCH_TASK $GIT_ORCH_BASE $(basename "$GIT_ORCH_ROOT") ${GIT_ORCH_REMOTE-none}"
        git status --short | wc -l; test -t 0; cat; : >>"$TRIES"; echo >>"$TRIES"; [ "$(wc -l <"$TRIES")" -gt 1 ]"#;
    let tries = format!("TRIES={}", repo.path("../tries").display());
    let call = ["fanout", "odd", "--run", run, "--shards", "1", "--retries", "1", "--env", &tries];
    let greeting = "GREETING=good 'day'\n$(id)";
    let fanout = repo.orch(&[&call[..], &["--env", greeting, "--json", "--on", "exec:here"]].concat()).json();
    assert_eq!(fanout["data"]["shards"][0]["retries"], 1, "{fanout}");
    repo.orch(&["log", "odd", "--shard", "1"]).expect(
        "exit 0\n-- stdout\n./$(touch hacked)\0./*\0./-rf\0./`id`;x\0./caf\u{fffd}\0./it's\0./new\nline\0./odd dir/a b\0\
         1 odd main tree none\n8",
    );
    assert_eq!(repo.git(&["show", "review/odd:it's"]), "x\ngood 'day'\n$(id)\n");
    expect_nothing_left(&repo);
}

#[test]
fn a_shard_whose_machine_was_lost_runs_again() {
    let lossy = format!("if mkdir ../tmp/lost 2>/dev/null; then echo 999999; else {SUBMIT}; fi");
    let repo = with_engine(&lossy, POLL);
    let call = ["fanout", "x", "--run", STAMP, "--paths", "a", "--on", "exec:here"];
    let script =
        format!("git orch {} 2>&1 | sed 's/as [0-9][0-9]*/as PID/; s/ on .*/ on HOST/'", quoted(&call));
    repo.shell(&script).run().expect(&format!(
        "
        exit 0
        -- stdout
        x: `{STAMP}`; 2 files in 1 shard
        1 shard submitted to exec:here as PID, over origin
        warning: a was lost and runs again: it ended without a result
        1 shard submitted to exec:here as PID, over origin
          done      a                           2 files  2 changed      <time>  on HOST
        1 shard, 2 files changed, disjoint
        review/x
        next: git orch review x --diff, then git orch merge x
        "
    ));
    expect_nothing_left(&repo);
}

#[test]
fn a_shard_that_is_lost_again_and_again_fails() {
    let repo = with_engine("echo job-7", "echo lost");
    let call = ["fanout", "x", "--run", STAMP, "--paths", "a", "--on", "exec:here", "-q", "--retries", "2"];
    repo.orch(&call).expect(
        "
        exit 1
        -- stdout
        0 of 1 shard, nothing taken
        failed: a   log: git orch log x --shard 1
        -- stderr
        warning: a was lost and runs again: the engine lost it
        warning: a was lost and runs again: the engine lost it
        ",
    );
}

#[test]
fn the_first_result_of_a_shard_is_the_one() {
    let twice = r#"setsid sh -c 'for n in $(cat "$1"); do for try in 1 2 3; do sh "$2" $n & done; wait; done' \
        sh "$GIT_ORCH_SHARDS" "$GIT_ORCH_NODE" >../tmp/node.log 2>&1 & echo $!"#;
    let repo = with_engine(twice, POLL);
    let run = r#"echo $$ >> "$1""#;
    let call = ["fanout", "x", "--run", run, "--shards", "file", "--paths", "a", "-q", "--on", "exec:here"];
    repo.orch(&call).expect("exit 0\n-- stdout\n2 shards, 2 files changed, disjoint\nreview/x");
    assert_eq!(repo.git(&["diff", "--shortstat", "main", "review/x"]), " 2 files changed, 2 insertions(+)\n");
    let late = repo.shell("grep -c 'has a result already\\|was called off' ../tmp/node.log").run().stdout;
    assert!(late.trim().parse::<usize>().unwrap() >= 2, "{late}");
}

#[test]
fn an_interrupted_fan_out_is_called_off_everywhere() {
    let repo = six_files();
    let before = repo.refs();
    let run = r#"kill -TERM "$(cat "$ORCH")"; sleep 60"#;
    let pid = format!("ORCH={}", repo.path("../tmp/pid").display());
    let call = quoted(&["fanout", "x", "--run", run, "--env", &pid, "--on", "exec:here", "-q"]);
    repo.shell(&format!("git-orch {call} & echo $! >../tmp/pid; wait $!"))
        .run()
        .expect("exit 143\n-- stderr\nerror: terminated");
    assert_eq!(repo.refs(), before);
    expect_nothing_left(&repo);
}

#[test]
fn what_a_killed_fan_out_has_elsewhere_is_called_off_by_the_next() {
    let repo = six_files();
    let run = r#"kill -9 "$(cat "$ORCH")"; sleep 60"#;
    let pid = format!("ORCH={}", repo.path("../tmp/pid").display());
    let call = quoted(&["fanout", "x", "--run", run, "--env", &pid, "--on", "exec:here", "-q"]);
    let killed = repo.shell(&format!("git-orch {call} & echo $! >../tmp/pid; wait $!")).run();
    assert_eq!(killed.exit, 128 + 9, "{killed}");
    let pattern = r"s/x-[0-9a-f]*/x-UID/";
    repo.shell(&format!("git orch doctor | grep wrong | sed {pattern}")).run().expect(
        "
        exit 0
        -- stdout
          wrong  a killed command was running shards elsewhere, with refs/orch/run/x-UID on `origin`  git orch doctor --fix
        ",
    );
    // Others do not wait for a network.
    repo.shell("mv ../hub.git ../away").run().expect_success();
    repo.orch(&["gc", "-q"]).expect_success();
    let unreachable = repo.orch(&["doctor", "--fix", "-q"]);
    assert!(unreachable.stderr.contains("is still there: could not read refs of `origin`"), "{unreachable}");
    repo.shell("mv ../away ../hub.git").run().expect_success();
    let script = format!(
        "git orch {} 2>&1 | grep -v submitted | sed '{pattern}; s/ on .*HOST/ on HOST/; s/  on .*/  on HOST/'",
        quoted(&["fanout", "x", "--run", STAMP, "--paths", "a", "--on", "exec:here"])
    );
    repo.shell(&script).run().expect(&format!(
        "
        exit 0
        -- stdout
        refs/orch/run/x-UID is off `origin`
        x: `{STAMP}`; 2 files in 1 shard
          done      a                           2 files  2 changed      <time>  on HOST
        1 shard, 2 files changed, disjoint
        review/x
        next: git orch review x --diff, then git orch merge x
        "
    ));
    expect_nothing_left(&repo);
}

#[test]
fn results_that_a_killed_fan_out_did_not_see_are_known_to_the_next() {
    let repo = six_files();
    let run = r#"case $1 in ./a/*) kill -9 "$(cat "$ORCH")";; ./c/*) ! mkdir "$ONCE" || sleep 60;; esac 2>/dev/null; echo "$GIT_ORCH_SHARD" >>"$RAN"; echo more >>"$1"; [ "$1" != ./b/3 ] || git checkout -q "$1""#;
    let env = ["ONCE=once", "ORCH=pid", "RAN=ran"].map(|set| {
        let (name, file) = set.split_once('=').unwrap();
        format!("{name}={}", repo.path(&format!("../tmp/{file}")).display())
    });
    for tree in ["full", "sparse"] {
        let call =
            ["fanout", "x", "--run", run, "--shards", "directory", "--tree", tree, "--on", "exec:here"];
        let call = quoted(&[&call[..], &["--env", &env[0], "--env", &env[1], "--env", &env[2]]].concat());
        let killed = format!(
            "rm -rf ../tmp/once ../tmp/ran; git-orch {call} --again -q & echo $! >../tmp/pid; wait $!; echo $?
            until [ -d ../tmp/once ]; do sleep 0.05; done; git ls-remote origin 'refs/orch/run/*/shard/*' | wc -l"
        );
        assert_eq!(repo.shell(&killed).run().stdout, "137\n2\n");
        // The next that calls it off takes them, whoever that is.
        let doctor = if tree == "full" { "" } else { "git-orch doctor --fix 2>&1 >/dev/null;" };
        let script = format!(
            "{{ {doctor} git-orch {call} --resume; }} 2>&1 | grep -v submitted | sed 's/x-[0-9a-f]*/x-UID/; s/  on .*/  on HOST/'; cat ../tmp/ran"
        );
        repo.shell(&script).run().expect(&format!(
            "
            exit 0
            -- stdout
            fan-out x had died
            refs/orch/run/x-UID is off `origin`, 2 shards done
            x: `{run}`; 6 files in 3 shards
            2 outcomes known from `x`; `--again` runs everything
              done      c                           2 files  1 changed      <time>  on HOST
            3 shards, 2 files changed, disjoint
            review/x
            next: git orch review x --diff, then git orch merge x
            1
            2
            3
            "
        ));
        assert_eq!(repo.git(&["diff", "--name-only", "main", "review/x"]), "a/1\nc/5\n");
        expect_nothing_left(&repo);
        repo.orch(&["cancel", "x", "-q"]).expect_success();
    }
    repo.shell("ls .git/orch/away").run().expect("exit 0");
}

#[test]
fn a_killed_fan_out_is_called_off_though_its_name_was_used_again() {
    let repo = six_files();
    let run = r#"kill -9 "$(cat "$ORCH")"; sleep 60"#;
    let pid = format!("ORCH={}", repo.path("../tmp/pid").display());
    let call = quoted(&["fanout", "x", "--run", run, "--env", &pid, "--on", "exec:here", "-q"]);
    let killed = repo.shell(&format!("git-orch {call} & echo $! >../tmp/pid; wait $!")).run();
    assert_eq!(killed.exit, 128 + 9, "{killed}");
    repo.orch(&["fanout", "x", "--run", STAMP, "-q"]).expect_success();
    repo.orch(&["doctor", "--fix", "-q"]).expect_success();
    expect_nothing_left(&repo);
}

#[test]
fn a_machine_that_comes_after_a_run_was_called_off_ends_at_once() {
    let repo = six_files();
    let node = concat!(env!("CARGO_MANIFEST_DIR"), "/src/fanout/remote/node.sh");
    let script = format!(
        "GIT_ORCH_ORDER=$(git rev-parse HEAD) GIT_ORCH_REMOTE=$PWD/../hub.git GIT_ORCH_RUN=refs/orch/run/gone sh {node} 1 2"
    );
    repo.shell(&script).run().expect(
        "
        exit 75
        -- stderr
        fatal: couldn't find remote ref refs/orch/run/gone/order
        git-orch: refs/orch/run/gone was called off
        ",
    );
}

#[test]
fn a_check_judges_what_came_back() {
    let repo = six_files();
    let check = "grep -q stamped a/1 && grep -q stamped c/6 && test $(ls */* | wc -l) = 6";
    repo.orch(&["fanout", "x", "--run", STAMP, "--shards", "2", "-q", "--check", check, "--on", "exec:here"])
        .expect("exit 0\n-- stdout\n2 shards, 6 files changed, disjoint; check passed in <time>\nreview/x\n");
    expect_nothing_left(&repo);
}

#[test]
fn a_remote_that_takes_nothing_is_an_error_that_says_so() {
    let repo = six_files();
    let hook = "printf '#!/bin/sh\\necho no runs here >&2; exit 1\\n' >../hub.git/hooks/pre-receive
        chmod +x ../hub.git/hooks/pre-receive";
    repo.shell(hook).run().expect_success();
    let call = ["fanout", "x", "--run", STAMP, "-q", "--on", "exec:here"];
    repo.orch(&call).expect(
        "
        exit 4
        -- stderr
        error: could not push to `origin`: pre-receive hook declined
        hint: machines that run shards exchange commits under refs/orch/run/ of `origin`: it must take pushes there
        ",
    );
    expect_nothing_left(&repo);
    repo.shell("rm -rf ../hub.git").run().expect_success();
    let gone = repo.orch(&call);
    assert_eq!(gone.exit, 4, "{gone}");
    assert!(
        gone.stderr
            .contains("could not push to `origin`: '$TMP/hub.git' does not appear to be a git repository")
            || gone.told().contains("does not appear to be a git repository"),
        "{gone}"
    );
}

#[test]
fn an_engine_that_does_not_work_is_an_error_that_says_so() {
    for (submit, poll, block) in [
        (
            "echo quota exceeded >&2; exit 3",
            POLL,
            "
            exit 4
            -- stderr
            error: `submit` of the engine failed (exit 3): quota exceeded
            ",
        ),
        (
            "true",
            POLL,
            "
            exit 4
            -- stderr
            error: `submit` of the engine printed no id
            hint: it prints what `poll` and `cancel` are called with
            ",
        ),
    ] {
        let repo = with_engine(submit, poll);
        repo.orch(&["fanout", "x", "--run", STAMP, "-q", "--on", "exec:here"]).expect(block);
        expect_nothing_left(&repo);
    }
}

#[test]
fn where_shards_can_not_run_is_refused_with_a_way_out() {
    let repo = six_files();
    repo.git(&["remote", "add", "other", "../hub.git"]);
    let refused = |arguments: &[&str], block: &str| {
        repo.orch(&[&["fanout", "x", "--run", "true"], arguments].concat()).expect(block);
    };
    refused(
        &["--on", "exec:hre"],
        "
        exit 2
        -- stderr
        error: no engine `hre`; did you mean `here`?
        hint: `engines` in `.orch.yml` names its submit, poll and cancel: `git help orch-fanout`
        ",
    );
    refused(
        &["--remote", "origin"],
        "
        exit 2
        -- stderr
        error: `--remote` is for shards on other machines
        hint: say where with `--on slurm`, `--on ssh:HOSTS` or `--on exec:NAME`
        ",
    );
    refused(
        &["--on", "exec:here", "--remote", "orign"],
        "
        exit 2
        -- stderr
        error: no remote `orign`; did you mean `origin`?
        hint: `git remote -v` lists them
        ",
    );
    repo.git(&["remote", "rename", "origin", "one"]);
    refused(
        &["--on", "exec:here"],
        "
        exit 2
        -- stderr
        error: which of the remotes `one` and `other`?
        hint: say `--remote NAME`, or for always: `git config orch.remote NAME`
        ",
    );
    repo.git(&["remote", "rm", "one"]);
    repo.git(&["remote", "rm", "other"]);
    refused(
        &["--on", "exec:here"],
        "
        exit 4
        -- stderr
        error: there is no remote to share work over
        hint: make one that all machines reach: `git remote add origin ADDRESS`; a bare repository will do
        ",
    );
    repo.shell("sed -i 's/echo done/echo lost/' .orch.yml").changing_checkout().run().expect_success();
    let untrusted = repo.orch(&["fanout", "x", "--run", "true", "--on", "exec:here"]);
    assert_eq!(untrusted.exit, 5, "{untrusted}");
}

#[test]
fn a_remote_that_the_repository_reaches_in_its_own_way_needs_trust() {
    let repo = six_files();
    repo.git(&["config", "remote.origin.receivepack", "touch hacked; git-receive-pack"]);
    repo.orch(&["fanout", "x", "--run", "true", "--on", "exec:here"]).expect(
        "
        exit 5
        -- stderr
        error: the git config remote.origin.receivepack `touch hacked; git-receive-pack` of this repository is not trusted
        hint: read what it would run and allow it: `git orch trust`
        ",
    );
}

#[test]
fn rounds_of_problems_are_worked_on_elsewhere_too() {
    let repo = six_files();
    // Each round takes one line off each file that has it.
    let lines = "for file in */*; do echo TODO >>$file; done; echo TODO >>b/3; git commit -qam todo; git push -q origin main";
    repo.shell(lines).changing_checkout().run().expect_success();
    let run = r#"for file; do sed -i '0,/TODO/{/TODO/d}' "$file"; done"#;
    let from = "grep -n TODO */* | sed 's/$/: still to do/'";
    let call = ["fanout", "todo", "--from", from, "--run", run, "--shards", "directory", "--on", "exec:here"];
    let output = repo.orch(&[&call[..], &["-q"]].concat());
    assert_eq!(output.exit, 0, "{output}");
    assert_eq!(repo.git(&["diff", "--shortstat", "main~", "review/todo"]), "", "{output}");
    expect_nothing_left(&repo);
}

/// Fails in `a`, and takes its time in `b`.
const FAILS_FIRST: &str = r#"case $1 in ./a/*) exit 3;; ./b/*) sleep 1;; esac; echo y >>"$1""#;

/// What plays ssh: the command runs here.
const SSH: &str = r#"#!/bin/sh
case " $* " in *" -N "* | *" -O "*) exit;; esac
while [ "$1" != -- ]; do shift; done
shift 2
exec sh -c "$*"
"#;

#[test]
fn too_much_failing_elsewhere_begins_no_more() {
    let repo = six_files();
    repo.write("../ssh", SSH);
    repo.shell("chmod +x ../ssh && git config orch.ssh \"$PWD/../ssh\"")
        .changing_checkout()
        .run()
        .expect_success();
    // The place of the one that fails may have the next by then, which comes to its end.
    let call = ["fanout", "x", "--run", FAILS_FIRST, "--shards", "directory", "--on", "ssh:one", "--json"];
    let output = repo.orch(&[&call[..], &["--halt", "soon"]].concat());
    let shards = &output.json()["data"]["shards"];
    let states: Vec<&str> = (0..3).map(|n| shards[n]["state"].as_str().unwrap()).collect();
    assert!(
        [["failed", "done", "skipped"], ["failed", "skipped", "skipped"]]
            .contains(&[states[0], states[1], states[2]]),
        "{output}"
    );
    assert!(output.stderr.contains("1 shard failed: no more are started\n"), "{output}");
    expect_nothing_left(&repo);
    repo.orch(&["fanout", "x", "--run", FAILS_FIRST, "--shards", "directory", "--resume", "-q"]).expect(
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
fn too_much_failing_ends_all_where_an_engine_can_not_tell_what_waits() {
    let repo = six_files();
    let run = r#"case $1 in ./a/*) exit 3;; *) sleep 60;; esac"#;
    let call = ["fanout", "x", "--run", run, "--shards", "directory", "--on", "exec:here", "--halt", "soon"];
    let script = format!(
        "git orch {} 2>../tmp/err; code=$?; grep -v HOST ../tmp/err | grep 'start\\|end' >&2; exit $code",
        quoted(&call)
    );
    repo.shell(&script).run().expect(
        "
        exit 1
        -- stdout
        0 of 3 shards, nothing taken
        failed: a   log: git orch log x --shard 1
        not run: 2 shards   go on: git orch fanout x --resume
        -- stderr
        1 shard failed: no more are started
        exec:here can't end only what waits: what runs is ended, too
        ",
    );
    expect_nothing_left(&repo);
}

#[test]
fn shards_are_jobs_of_a_ci_service_whose_results_are_gathered() {
    let repo = six_files();
    let call = ["fanout", "stamp", "--run", STAMP, "--shards", "directory"];
    let matrix = [&call[..], &["--emit", "matrix"]].concat();
    repo.orch(&matrix).expect(
        r#"
        exit 0
        -- stdout
        {"include":[{"shard":1,"label":"a","files":["a/1","a/2"]},{"shard":2,"label":"b","files":["b/3","b/4"]},{"shard":3,"label":"c","files":["c/5","c/6"]}]}
        "#,
    );
    expect_nothing_left(&repo);
    let posted = repo.orch(&[&matrix[..], &["--remote", "origin"]].concat());
    let json: serde_json::Value = serde_json::from_str(&posted.stdout).unwrap();
    let run = json["include"][2]["run"].as_str().unwrap();
    let name = run.strip_prefix("refs/orch/run/").unwrap();
    assert_eq!(
        posted.stderr,
        format!(
            "a job runs its shard so, in any folder with git:
  git init -q && git fetch -q --depth=1 ADDRESS {run}/order
  git show FETCH_HEAD:node.sh >node.sh
  GIT_ORCH_REMOTE=ADDRESS GIT_ORCH_RUN={run} sh node.sh SHARD
then, here: the same command with --on run:{name} --remote origin instead of --emit
"
        )
    );
    let on = format!("run:{name}");
    let gather = [&call[..], &["--on", &on, "--remote", "origin", "-q"]].concat();
    repo.orch(&[&["fanout", "stamp", "--run", STAMP, "--shards", "file"], &gather[6..]].concat()).expect(
        "
        exit 3
        -- stderr
        error: the run `stamp-<oid>` is of other shards
        hint: say what was said with `--emit`, where the same commit is checked out
        ",
    );
    let jobs = format!(
        "cd ../tmp && mkdir ci && cd ci && hub=$PWD/../../hub.git && git init -q && git fetch -q --depth=1 $hub {run}/order
        git show FETCH_HEAD:node.sh >node.sh
        for shard in 1 2 3; do GIT_ORCH_REMOTE=$hub GIT_ORCH_RUN={run} sh node.sh $shard || exit; done; cd .. && rm -rf ci"
    );
    repo.shell(&jobs).run().expect("exit 0");
    repo.orch(&gather).expect("exit 0\n-- stdout\n3 shards, 6 files changed, disjoint\nreview/stamp");
    expect_nothing_left(&repo);
    repo.orch(&[&gather[..], &["--again"]].concat()).expect(
        "
        exit 3
        -- stderr
        error: there is no run `stamp-<oid>` on `origin`
        hint: `git ls-remote origin 'refs/orch/run/*/order'` lists them
        ",
    );
}
