//! Many at once, beside git clearing up: what was said to be done is there.

use super::support::TestRepo;

/// Runs `git-orch WORDS` for each `$N` of 0 to 5, all at once: what those said
/// that ended with neither 0 nor 3, and how many ended with 0.
fn six(repo: &TestRepo, words: &str) -> String {
    let script = format!(
        "for N in 0 1 2 3 4 5; do (git-orch -q {words} >../out-$N 2>&1; echo $? >../code-$N) & done; wait
         for N in 0 1 2 3 4 5; do grep -q '^[03]$' ../code-$N || cat ../out-$N; done
         cat ../code-? | grep -c '^0$'"
    );
    repo.shell(&script).changing_checkout().run().stdout
}

fn expect_whole(repo: &TestRepo) {
    let fsck =
        repo.shell("git fsck --connectivity-only 2>&1 | grep -v dangling; git for-each-ref refs/orch/keep");
    assert_eq!(fsck.run().stdout, "");
    repo.orch(&["doctor"]).expect_success();
}

#[test]
fn one_name_is_one_session() {
    let repo = TestRepo::new();
    let won = six(&repo, "add-session backend --paths src/api");
    assert!(("1\n"..="6\n").contains(&won.as_str()), "{won}");
    assert_eq!(repo.read("shop.orch/backend/README.md"), "# shop\n");
    expect_whole(&repo);
}

#[test]
fn results_land_one_after_the_other() {
    let repo = TestRepo::new();
    assert_eq!(six(&repo, "add-session s$N --paths src/$N"), "6\n");
    assert_eq!(six(&repo, "task \"work $N\" --session s$N -- sh -c \"echo $N >landed-$N\""), "6\n");
    assert_eq!(six(&repo, "merge work-$N"), "6\n");
    let landed = repo.shell("git ls-tree --name-only main | grep -c landed; git status --porcelain").run();
    assert_eq!(landed.stdout, "6\n");
    let steps = repo.shell("git rev-list --first-parent --count main").run();
    assert_eq!(steps.stdout, "9\n", "each of the six is one step behind the three");
    expect_whole(&repo);
}

#[test]
fn git_takes_nothing_away_while_it_clears_up() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    let script = "
        while [ ! -e ../stop ]; do git gc -q --prune=now; git pack-refs --all; done >/dev/null 2>&1 &
        for N in 1 2 3 4; do
            git-orch -q task \"work $N\" --session backend -- sh -c \"echo $N >f$N\" >../said 2>&1 && echo $N || cat ../said
        done
        git-orch -q fanout mark --run 'for f; do echo more >>$f; done' --paths '*.md' --shards 2 2>&1
        touch ../stop; wait";
    let done = repo.shell(script).changing_checkout().run();
    assert_eq!(done.stdout, "1\n2\n3\n4\n1 shard, 1 file changed, disjoint\nreview/mark\n");
    for number in 1..=4 {
        let file = repo.shell(&format!("git cat-file -p refs/heads/review/work-{number}:f{number}")).run();
        assert_eq!(file.stdout, format!("{number}\n"));
        repo.orch(&["show", &format!("work-{number}")]).expect_success();
    }
    expect_whole(&repo);
}

#[test]
fn git_clears_up_again_once_a_killed_command_is_settled() {
    let repo = TestRepo::new();
    let script = "echo '1 git-orch' | tr -d '\\n' >.git/gc.pid
        git gc -q 2>&1; git-orch -q doctor --fix >/dev/null; git gc -q && echo cleared up";
    let said = repo.shell(script).changing_checkout().run();
    assert_eq!(
        said.stdout,
        "fatal: gc is already running on machine 'git-orch' pid 1 (use --force if not)\ncleared up\n"
    );
}

#[test]
fn a_session_whose_worktree_is_away_under_somebodys_hands_is_not_broken() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src/api"]).expect_success();
    let script = "mv ../shop.orch/backend ../away
        flock .git/orch/run/session-backend.lock git-orch task x --session backend -- true
        echo $?; git-orch task x --session backend -- true; echo $?; mv ../away ../shop.orch/backend";
    repo.shell(script).run().expect(
        "
        exit 0
        -- stdout
        3
        4
        -- stderr
        error: session `backend` is held by another process
        hint: wait for it: `git orch tasks` shows what runs
        error: the worktree of session `backend` is gone from `$TMP/shop.orch/backend`
        hint: bring it back there, or `git orch remove-session backend` and add it again
        ",
    );
}

#[test]
fn commits_outside_tasks_are_taken_whatever_becomes_of_the_session_meanwhile() {
    let repo = TestRepo::new();
    for name in ["backend", "frontend"] {
        repo.orch(&["add-session", name, "--paths", "src", "-q"]).expect_success();
    }
    let script = "
        (cd ../shop.orch/backend; echo own >own; git add own; git commit -qm own)
        exec 9>>.git/orch/lock; flock 9; record=refs/orch/session/backend
        git-orch pause frontend 9>&- 2>../said & until grep -q waiting ../said; do sleep 0.02; done
        git update-ref $record $(git commit-tree -p $record $record^{tree} -m 'as it was')
        exec 9>&-; wait $!; echo $?; git-orch history backend | grep -q own && echo own";
    assert_eq!(repo.shell(script).run().stdout, "0\nown\n");
}

/// Runs an answer up to where it begins, and gives another one meanwhile.
const LATE: &str = r#"
git-orch -q task ask --session backend -- sh -c 'echo half >half; grep -q so "$GIT_ORCH_BRIEF" && echo all >all ||
    git-orch report input -q -m why'
mkdir ../late; cat >../late/git <<'EOF'; chmod +x ../late/git
#!/bin/sh
PATH=${PATH#*:}
case " $* " in *" var "*) touch "${0%/*}/there"; until [ -e "${0%/*}/go" ]; do sleep 0.02; done;; esac
exec git "$@"
EOF
PATH=$(cd ../late; pwd):$PATH git-orch -q answer ask 'so, late' 2>../said &
until [ -e ../late/there ]; do sleep 0.02; done
git-orch -q answer ask 'so, first' >../first; touch ../late/go; wait $!; echo $?; cat ../said
git -C ../shop.orch/backend status --short; git-orch show ask | grep answered
"#;

#[test]
fn of_two_answers_one_counts_and_the_other_changes_nothing() {
    let repo = TestRepo::new();
    repo.orch(&["add-session", "backend", "--paths", "src", "-q"]).expect_success();
    repo.shell(LATE).run().expect(
        "
        exit 0
        -- stdout
        3
        error: `ask` was changed meanwhile: it is review
        hint: look at it: `git orch show ask`
          answered   so, first, <time> ago
        ",
    );
    expect_whole(&repo);
}
