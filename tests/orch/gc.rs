//! `git orch gc`: what nobody needs goes, and nothing else.

use crate::support::output::Output;
use crate::support::{NOW, TestRepo, mounting, refused};

/// A repository with a session of each of these names.
fn shop(sessions: &[&str]) -> TestRepo {
    let repo = TestRepo::new();
    for name in sessions {
        repo.orch(&["add-session", name, "--paths", "src/api", "-q"]).expect_success();
    }
    repo
}

/// `git-orch`, so many days later.
fn later(days: i64) -> String {
    format!("GIT_ORCH_NOW={} git-orch", NOW + days * 86_400)
}

/// For `sed`: without sizes, and without the width of columns.
const PLAIN: &str = r"s/,? +[0-9.]+ K?B//; s/([^ ])  +/\1  /g";

/// What a script prints, but for sizes, in which `later` is `git-orch` so many days later.
#[track_caller]
fn run(repo: &TestRepo, days: i64, script: &str) -> Output {
    let later = later(days);
    let script = format!("later() {{ {later} \"$@\"; }}; ({script}) 2>&1 | sed -E '{PLAIN}'");
    let output = repo.shell(&script).changing_checkout().run();
    repo.shell("git-orch doctor >/dev/null && git fsck --connectivity-only 2>&1 | grep -v dangling; :")
        .run()
        .expect("exit 0");
    output
}

#[test]
fn where_there_is_nothing_it_says_so() {
    let repo = shop(&["backend"]);
    repo.orch(&["gc"]).expect("exit 0\n-- stderr\nnothing to delete");
    repo.orch(&["gc", "--apply"]).expect("exit 0\n-- stderr\nnothing to delete");
    repo.orch(&["gc", "--apply", "--dry-run"]).expect(
        "
        exit 2
        -- stderr
        error: the argument '--apply' cannot be used with '--dry-run'

        Usage: git orch gc --apply

        For more information, try '--help'.
        ",
    );
}

/// Sessions that hold work of each kind, removed.
const REMOVED: &str = "
    (cd ../shop.orch/commits; echo x >x; git add x; git commit -qm x)
    (cd ../shop.orch/edits; echo y >y; echo z >>src/api/cart.rs)
    (cd ../shop.orch/squashed; echo d >d; git add d; git commit -qm d; echo e >d; git commit -qam e)
    git merge -q --squash orch/squashed >/dev/null; git commit -qm squash
    echo later >later; git add later; git commit -qm later
    (cd ../shop.orch/same; echo s >s; git add s; git commit -qm s; git rm -q s; git commit -qm 'no s')
    (cd ../shop.orch/pushed; echo p >p; git add p; git commit -qm p; git update-ref refs/remotes/origin/p HEAD)
    for name in commits edits merged pushed same squashed; do git-orch -q remove-session $name; done";
const NAMES: [&str; 6] = ["commits", "edits", "merged", "pushed", "same", "squashed"];

#[test]
fn the_trash_goes_once_it_is_old_but_for_work_that_is_nowhere_else() {
    let repo = shop(&NAMES);
    let young = run(&repo, 13, &format!("{REMOVED}; later gc"));
    young.expect(
        "
        exit 0
        -- stdout
          stays  unpushed  trash  13d  $TMP/shop.orch/.trash/commits-<oid>
          stays  dirty  trash  13d  $TMP/shop.orch/.trash/edits-<oid>
          stays  young  trash  13d  $TMP/shop.orch/.trash/merged-<oid>
          stays  young  trash  13d  $TMP/shop.orch/.trash/pushed-<oid>
          stays  young  trash  13d  $TMP/shop.orch/.trash/same-<oid>
          stays  young  trash  13d  $TMP/shop.orch/.trash/squashed-<oid>
        nothing to delete
        4 items not old enough yet
        ",
    );
    let before = repo.everything();
    run(&repo, 14, "later gc -q | cut -d/ -f1 | sed 's/ *$//'").expect(
        "
        exit 0
        -- stdout
          stays  unpushed  trash  2w
          stays  dirty  trash  2w
          would go  merged  trash  2w
          would go  kept elsewhere  trash  2w
          would go  nothing to add  trash  2w
          would go  squash-merged  trash  2w
        ",
    );
    before.expect_same(&repo.everything(), "gc");
}

#[test]
fn what_went_is_gone_and_the_rest_is_whole() {
    let repo = shop(&NAMES);
    run(&repo, 0, REMOVED).expect("exit 0");
    run(
        &repo,
        14,
        "later gc --apply -q | cut -d/ -f1 | sed 's/ *$//'; ls -A ../shop.orch/.trash .git/orch/trash",
    )
    .expect(
        "
        exit 0
        -- stdout
          stays  unpushed  trash  2w
          stays  dirty  trash  2w
          deleted  merged  trash  2w
          deleted  kept elsewhere  trash  2w
          deleted  nothing to add  trash  2w
          deleted  squash-merged  trash  2w
        ../shop.orch/.trash:
        commits-<oid>
        edits-<oid>

        .git/orch/trash:
        commits-<oid>
        edits-<oid>
        ",
    );
    run(&repo, 400, "later gc --apply -q | cut -d/ -f1 | sed 's/ *$//'").expect(
        "
        exit 0
        -- stdout
          stays  unpushed  trash  1y
          stays  dirty  trash  1y
          deleted  old  operations  1y  12 operations
          stays  undo needs it  operations  1y  2 operations
        ",
    );
    run(&repo, 400, "git show refs/orch/trash/commits-1700500000:x refs/orch/trash/edits-1700500000:y")
        .expect("exit 0\n-- stdout\nx\ny");
}

#[test]
fn the_age_of_the_trash_is_a_setting() {
    let repo = shop(&["backend"]);
    repo.orch(&["remove-session", "backend", "-q"]).expect_success();
    repo.git(&["config", "orch.keepTrash", "2h"]);
    run(&repo, 1, "later gc -q | cut -d/ -f1 | sed 's/ *$//'")
        .expect("exit 0\n-- stdout\n  would go  merged  trash  1d");
    repo.git(&["config", "orch.keepTrash", "soon"]);
    refused(&repo, &["gc"]).expect(
        "
        exit 4
        -- stderr
        error: `orch.keepTrash` is `soon`, no time span
        hint: write it as `2h`, `7d` or `4w`
        ",
    );
}

#[test]
fn what_is_not_ours_or_in_use_stays() {
    let repo = shop(&["backend", "lived-in", "nested", "touched"]);
    let script = "
        git init -q ../shop.orch/nested/inner; (cd ../shop.orch/nested/inner; git commit -q --allow-empty -m x)
        for name in backend lived-in nested touched; do git-orch -q remove-session $name; done
        cd ../shop.orch; mkdir .trash/mine other .throwaway .throwaway/t-0123456789abcdef .trash/backend-1
        echo mine >.trash/mine/file; ln -s ../../shop .trash/link; echo late >.trash/touched-1700500000/late
        cd ../shop; git branch review/mine; git update-ref refs/orch/keep/mine main
        (cd ../shop.orch/.trash/lived-in-1700500000 && exec sleep 60) & lives=$!
        while ! [ \"$(readlink /proc/$lives/cwd)\" -ef ../shop.orch/.trash/lived-in-1700500000 ]; do :; done
        later gc --apply; kill $lives";
    run(&repo, 20, script).expect(
        "
        exit 0
        -- stdout
          deleted  merged  trash  2w  $TMP/shop.orch/.trash/backend-<oid>
          stays  live  trash  2w  $TMP/shop.orch/.trash/lived-in-<oid>
          stays  a repository inside  trash  2w  $TMP/shop.orch/.trash/nested-<oid>
          stays  dirty  trash  2w  $TMP/shop.orch/.trash/touched-<oid>
          stays  foreign  trash  $TMP/shop.orch/.trash/backend-1
          stays  foreign  trash  $TMP/shop.orch/.trash/link
          stays  foreign  trash  $TMP/shop.orch/.trash/mine
          stays  foreign  folder  $TMP/shop.orch/other
          stays  foreign  branch  review/mine
          stays  foreign  keep  refs/orch/keep/mine
          stays  foreign  throwaway  $TMP/shop.orch/.throwaway/t-<oid>
        deleted 1 item
        ",
    );
    assert_eq!(repo.read("shop.orch/.trash/mine/file"), "mine\n");
}

#[test]
fn what_a_failed_run_left_goes_with_age() {
    let repo = shop(&["backend"]);
    let script =
        "git-orch -q task work --session backend -- sh -c 'echo kept >.gitignore; echo 1 >kept; exit 1'
        cat ../shop.orch/.trash/*/kept; later gc --apply -q; ls -A ../shop.orch/.trash";
    run(&repo, 20, script).expect(
        "
        exit 0
        -- stdout
        1
          deleted  files only  trash  2w  $TMP/shop.orch/.trash/backend-work-<oid>
          stays  young  logs  2w  $TMP/shop/.git/orch/task/work
        ",
    );
}

#[test]
fn result_branches_go_with_their_task_unless_they_have_more() {
    let repo = shop(&["backend"]);
    let script = "
        for name in amended held over open; do
            git-orch -q task $name --session backend -- sh -c \"echo $name >$name\" >/dev/null
            git branch keep/$name review/$name
        done
        git worktree add -q ../held review/held
        for name in open over held amended; do [ $name = open ] || git-orch -q cancel $name; done 2>/dev/null
        for name in open over held amended; do git-orch -q cancel $name; done
        git branch -q -f review/over keep/over; git branch -m keep/open keep/again
        git branch -f review/amended $(git commit-tree keep/amended^{tree} -p keep/amended -m more)
        git branch -q -D $(git branch --list 'keep/*' --format='%(refname:short)')
        git-orch -q task last --session backend -- sh -c 'echo last >last' >/dev/null
        later gc --apply; git branch --list 'review/*'; git show -s --format=%s refs/orch/task/over^2";
    run(&repo, 1, script).expect(
        "
        exit 0
        -- stdout
          stays  unpushed  branch  1d  review/amended
          stays  live  branch  1d  review/held
          deleted  kept elsewhere  branch  1d  review/over
          stays  young  logs  1d  $TMP/shop/.git/orch/task/amended
          stays  young  logs  1d  $TMP/shop/.git/orch/task/held
          stays  young  logs  1d  $TMP/shop/.git/orch/task/open
          stays  young  logs  1d  $TMP/shop/.git/orch/task/over
        deleted 1 item
        4 items not old enough yet
          review/amended
        + review/held
          review/last
        over
        ",
    );
}

#[test]
fn logs_go_once_their_task_is_long_over() {
    let repo = shop(&["backend"]);
    let script = "
        git-orch -q task failing --session backend -- sh -c 'echo said; exit 1'
        git-orch -q task waiting --session backend -- sh -c 'echo 1 >one' >/dev/null
        mkdir .git/orch/task/Not-a-name .git/orch/check; echo x >.git/orch/check/failing
        later gc --apply | grep -v operations; ls .git/orch/task; git-orch log failing; git-orch log waiting";
    run(&repo, 30, script).expect(
        "
        exit 0
        -- stdout
        deleted 2 items
          deleted  task over  logs  4w  $TMP/shop/.git/orch/task/failing
        Not-a-name
        waiting
        error: `failing` has no log here
        hint: logs stay on the machine that ran the command
        ",
    );
}

#[test]
fn all_logs_of_one_task_go_and_none_of_another_called_alike() {
    let repo = shop(&["backend"]);
    let script = "
        git-orch -q task failing --session backend -- false
        git-orch -q task 'gone failing' --session backend -- sh -c 'echo 1 >one' >/dev/null
        mkdir -p .git/orch/check/failing; later gc --apply -q | grep -v operations; ls .git/orch/task .git/orch/check";
    run(&repo, 30, script).expect(
        "
        exit 0
        -- stdout
          deleted  task over  logs  4w  $TMP/shop/.git/orch/task/failing
          deleted  task over  logs  4w  $TMP/shop/.git/orch/check/failing
        .git/orch/check:

        .git/orch/task:
        gone-failing
        ",
    );
}

#[test]
fn conversations_go_long_after_their_last_run() {
    let repo = shop(&["backend"]);
    let talk = repo.agent("talk.sh");
    let house = format!(
        "{{ run: [{talk}, one], resume: [{talk}, --resume], like: claude, transcript: ['$TMPDIR/talks/{{id}}'] }}"
    );
    repo.write(".orch.yml", &format!("version: 1\nagents:\n  house: {house}\n"));
    let script = "
        git-orch trust --yes -q >/dev/null; mkdir -p .git/orch/transcripts/old
        echo x >.git/orch/transcripts/old/two.jsonl.gz; touch -d @1700500000 .git/orch/transcripts/old/two.jsonl.gz
        git-orch -q task 'talk\nDO: echo 1 >x' --session backend --agent house >/dev/null
        git config orch.keepLogs 900d; git config orch.keepOperations 900d
        short() { sed -E 's/backend.*gz/backend/' | grep conversation; }
        later gc -q | short; git-orch -q cancel $(git-orch tasks --all 2>/dev/null | grep -o 'talk-[^ ]*') >/dev/null
        git-orch gc -q | short; later gc --apply -q | short; ls .git/orch/transcripts/* | grep gz";
    run(&repo, 366, script).expect(
        "
        exit 0
        -- stdout
          stays  live  conversation  1y  $TMP/shop/.git/orch/transcripts/backend
          would go  old  conversation  1y  $TMP/shop/.git/orch/transcripts/old/two.jsonl.gz
          stays  young  conversation  <time>  $TMP/shop/.git/orch/transcripts/backend
          stays  young  conversation  <time>  $TMP/shop/.git/orch/transcripts/old/two.jsonl.gz
          deleted  old  conversation  1y  $TMP/shop/.git/orch/transcripts/backend
          deleted  old  conversation  1y  $TMP/shop/.git/orch/transcripts/old/two.jsonl.gz
        ",
    );
}

#[test]
fn damaged_caches_go() {
    let repo = shop(&["backend"]);
    repo.orch(&["route", "login", "-q"]).expect_success();
    let script = "
        later gc; cd .git/orch/history; printf x >>log; printf x >profile; printf x >log.999999999.tmp; printf x >other
        cd ../../..; later gc --apply; ls .git/orch/history; git-orch route login -q >/dev/null; later gc";
    run(&repo, 1, script).expect(
        "
        exit 0
        -- stdout
        nothing to delete
          deleted  damaged  cache  $TMP/shop/.git/orch/history/log
          deleted  damaged  cache  $TMP/shop/.git/orch/history/log.<oid>.tmp
          deleted  damaged  cache  $TMP/shop/.git/orch/history/profile
        deleted 3 items
        other
        nothing to delete
        ",
    );
}

#[test]
fn throwaways_of_killed_processes_go() {
    let repo = shop(&[]);
    let script = "
        mkdir -p ../shop.orch/.throwaway
        git worktree add -q --detach --lock --reason 'git-orch throwaway' ../shop.orch/.throwaway/t-0123456789abcdef
        git worktree add -q --detach --lock --reason 'mine' ../shop.orch/.throwaway/mine
        mkdir ../shop.orch/.throwaway/t-0123456789abcdef/locked; chmod 0 ../shop.orch/.throwaway/t-0123456789abcdef/locked
        later gc --apply -q; git worktree list | sed 's/ .*//'; ls ../shop.orch/.throwaway";
    run(&repo, 0, script).expect(
        "
        exit 0
        -- stdout
          stays  foreign  throwaway  $TMP/shop.orch/.throwaway/mine
          deleted  its process died  throwaway  $TMP/shop.orch/.throwaway/t-<oid>
        $TMP/shop
        $TMP/shop.orch/.throwaway/mine
        mine
        ",
    );
}

#[test]
fn the_log_loses_what_is_old_and_keeps_its_ids() {
    let repo = shop(&["backend", "other"]);
    let script = "
        (cd ../shop.orch/other; echo x >x)
        git-orch -q remove-session other
        later add-session web --paths src/web -q >/dev/null; later undo -q
        git-orch log --ops | cut -c -9 >../before; GIT_ORCH_NOW=1703200000 git-orch gc --apply -q
        git-orch log --ops; git-orch log --ops | cut -c -9 >../after; grep -vxFf ../before ../after
        git log --first-parent --format=%s refs/orch/op; later undo $(sed -n '1s/ //gp' ../after)
        git-orch trash restore other-1700500000; cat ../shop.orch/other/x; GIT_ORCH_NOW=1703200000 git-orch gc";
    run(&repo, 20, script).expect(
        "
        exit 0
        -- stdout
          stays  dirty  trash  4w  $TMP/shop.orch/.trash/other-<oid>
          stays  young  trash  11d  $TMP/shop.orch/.trash/web-<oid>
          deleted  old  operations  4w  2 operations
          stays  undo needs it  operations  4w  1 operation
          <oid>  <time> ago  undoes <oid>  undo <oid>
          <oid>  <time> ago  undone by <oid>  add-session web --paths src/web -q
          <oid>  <time> ago  -q remove-session other
        undo <oid>
        add-session web --paths src/web -q
        -q remove-session other
        -q remove-session other
        git-orch operations
        brought back: add-session web --paths src/web -q
        to undo it again: git orch undo <oid>
        restored other-<oid>: undone is -q remove-session other
        x
          would go  old  operations  4w  2 operations
        1 item, would go: git orch gc --apply
        ",
    );
}

/// Takes away a commit that something in the trash keeps.
const DAMAGE: &str = "
    (cd ../shop.orch/damaged; echo x >x; git add x; git commit -qm x)
    for name in damaged merged; do git-orch -q remove-session $name; done
    kept=$(git rev-parse refs/orch/trash/damaged-1700500000)
    rm -f .git/objects/$(echo $kept | cut -c-2)/$(echo $kept | cut -c3-)";

#[test]
fn what_can_not_be_judged_stays_and_is_told() {
    let repo = shop(&["damaged", "merged"]);
    let later = later(20);
    let script = format!(
        "{DAMAGE}; exec 2>&1; tell() {{ \"$@\"; echo $?; }}; for option in --dry-run --apply --apply; do tell env {later} gc $option; done
        tell git-orch trash; tell git-orch trash empty; tell git-orch trash empty --json -q
        tell git-orch trash empty damaged-1700500000 -q; tell env {later} gc -q"
    );
    let script = format!("({script}) | sed -E '{PLAIN}; s/\"bytes\":[0-9]+,?//g'");
    repo.shell(&script).run().expect(
        r#"
        exit 0
        -- stdout
          stays  can't be judged  trash  2w  $TMP/shop.orch/.trash/damaged-<oid>
          would go  merged  trash  2w  $TMP/shop.orch/.trash/merged-<oid>
        1 item, would go: git orch gc --apply
        warning: `$TMP/shop.orch/.trash/damaged-<oid>` can't be judged: could not find a common ancestor: object not found - no match for id (<oid>)
        1
          stays  can't be judged  trash  2w  $TMP/shop.orch/.trash/damaged-<oid>
          deleted  merged  trash  2w  $TMP/shop.orch/.trash/merged-<oid>
        deleted 1 item
        warning: `$TMP/shop.orch/.trash/damaged-<oid>` can't be judged: could not find a common ancestor: object not found - no match for id (<oid>)
        1
          stays  can't be judged  trash  2w  $TMP/shop.orch/.trash/damaged-<oid>
        nothing to delete
        warning: `$TMP/shop.orch/.trash/damaged-<oid>` can't be judged: could not find a common ancestor: object not found - no match for id (<oid>)
        1
          id  session  since  size  work
          damaged-<oid>  damaged  <time> ago  can't be judged
        warning: `damaged-<oid>` can't be judged: could not find a common ancestor: object not found - no match for id (<oid>)
        0
          stays  damaged-<oid>  damaged  <time> ago  can't be judged
        nothing to delete
        what stays goes by its name, or with `--unpushed`
        warning: `damaged-<oid>` can't be judged: could not find a common ancestor: object not found - no match for id (<oid>)
        1
        {"schema":"git-orch/1","command":"trash","data":{"deleted":[],"kept":[{"id":"damaged-<oid>","session":"damaged","since":"<moment>","folder":"$TMP/shop.orch/.trash/damaged-<oid>","oid":"<oid>","reason":"unjudged","error":"could not find a common ancestor: object not found - no match for id (<oid>)"}],}}
        warning: `damaged-<oid>` can't be judged: could not find a common ancestor: object not found - no match for id (<oid>)
        1
          deleted  damaged-<oid>  damaged  <time> ago  can't be judged
        0
        0
        "#,
    );
}

#[test]
fn what_can_not_be_deleted_is_told_and_keeps_nothing_else_from_going() {
    let repo = shop(&["damaged", "held", "merged"]);
    let later = later(31);
    let script = format!(
        "exec 2>&1; tell() {{ \"$@\"; echo $?; }}
        git-orch -q task work --session damaged -- false
        for name in damaged held merged; do git-orch -q remove-session $name; done
        mkdir ../shop.orch/.trash/held-1700500000/sub .git/orch/task/work/sub
        mount -t tmpfs tmpfs ../shop.orch/.trash/held-1700500000/sub; mount -t tmpfs tmpfs .git/orch/task/work/sub
        tell env {later} gc --apply; tell env {later} gc --apply --json -q; tell git-orch trash empty held-1700500000
        tell git-orch doctor -q | grep -v '  ok'; umount ../shop.orch/.trash/held-1700500000/sub .git/orch/task/work/sub
        tell env {later} gc --apply; ls -A ../shop.orch/.trash .git/orch/trash .git/orch/task .git/orch/journal"
    );
    let script = format!("({script}) | sed -E '{PLAIN}; s/\"bytes\":[0-9]+,?//g'");
    let Some(output) = mounting(&repo, &script) else { return };
    output.expect(
        r#"
        exit 0
        -- stdout
          deleted  merged  trash  4w  $TMP/shop.orch/.trash/damaged-<oid>
          failed  merged  trash  4w  $TMP/shop.orch/.trash/held-<oid>
          deleted  merged  trash  4w  $TMP/shop.orch/.trash/merged-<oid>
          failed  task over  logs  4w  $TMP/shop/.git/orch/task/work
          stays  undo needs it  operations  4w  7 operations
        deleted 2 items
        warning: `$TMP/shop.orch/.trash/held-<oid>` could not be deleted: could not remove `$TMP/shop.orch/.trash/held-<oid>`: Device or resource busy (os error 16)
        warning: `$TMP/shop/.git/orch/task/work` could not be deleted: could not remove `$TMP/shop/.git/orch/task/work`: Device or resource busy (os error 16)
        1
        {"schema":"git-orch/1","command":"gc","data":{"applied":true,"items":[{"kind":"trash","at":"$TMP/shop.orch/.trash/held-<oid>","since":"<moment>","delete":false,"reason":"files-only","error":"could not remove `$TMP/shop.orch/.trash/held-<oid>`: Device or resource busy (os error 16)"},{"kind":"logs","at":"$TMP/shop/.git/orch/task/work","since":"<moment>","delete":false,"reason":"over","error":"could not remove `$TMP/shop/.git/orch/task/work`: Device or resource busy (os error 16)"},{"kind":"operations","at":"7 operations","since":"<moment>","delete":false,"reason":"undo"}],"deletable":0,"operation":"<oid>"}}
        warning: `$TMP/shop.orch/.trash/held-<oid>` could not be deleted: could not remove `$TMP/shop.orch/.trash/held-<oid>`: Device or resource busy (os error 16)
        warning: `$TMP/shop/.git/orch/task/work` could not be deleted: could not remove `$TMP/shop/.git/orch/task/work`: Device or resource busy (os error 16)
        1
          failed  held-<oid>  held  <time> ago  files only
        nothing was deleted
        warning: `held-<oid>` could not be deleted: could not remove `$TMP/shop.orch/.trash/held-<oid>`: Device or resource busy (os error 16)
        1
        0
          deleted  files only  trash  4w  $TMP/shop.orch/.trash/held-<oid>
          deleted  task over  logs  4w  $TMP/shop/.git/orch/task/work
          deleted  old  operations  4w  8 operations
        deleted 3 items
        0
        ../shop.orch/.trash:

        .git/orch/journal:

        .git/orch/task:

        .git/orch/trash:
        "#,
    );
}

#[test]
fn it_is_all_in_the_json() {
    let repo = shop(&["backend"]);
    repo.orch(&["remove-session", "backend", "-q"]).expect_success();
    let report = run(&repo, 20, "later gc --apply --json -q").json();
    let item = &report["data"]["items"][0];
    assert_eq!(
        [&item["kind"], &item["reason"], &item["since"], &item["delete"]],
        [&"trash".into(), &"merged".into(), &"2023-11-20T17:06:40Z".into(), &serde_json::Value::Bool(true)]
    );
    assert_eq!(item["bytes"], report["data"]["bytes"]);
    assert!(report["data"]["operation"].is_string());
    assert_eq!(run(&repo, 20, "later gc --json -q").json()["data"]["items"], serde_json::json!([]));
}
