//! Both paths against git itself, on a history with everything odd in it.

use super::testing::{Scratch, commit, file};
use super::*;
use crate::model::{Author, Status};

impl Scratch {
    fn mined(&self, tips: &[Oid], hide: &[Oid]) -> (Vec<Mined>, Vec<Oid>) {
        self.mined_to(&Span { tips, hide, horizon: usize::MAX }, &|_| ())
    }

    fn mined_to(&self, span: &Span<'_>, events: Events<'_>) -> (Vec<Mined>, Vec<Oid>) {
        let mut commits = Vec::new();
        let unreached = mine(&self.git_dir(), span, &mut commits, events).unwrap();
        (commits, unreached)
    }

    fn logged(&self, tips: &[Oid], hide: &[Oid]) -> Vec<Mined> {
        let args = log_args(&Span { tips, hide, horizon: usize::MAX });
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        parse_log(&self.git(&args, b"")).unwrap()
    }
}

fn odd_history() -> Scratch {
    let scratch = Scratch::new();
    let link = |path: &str| format!("M 120000 inline {path}\ndata <<END\ntarget\nEND\n");
    let module = |path: &str, digit: &str| format!("M 160000 {} {path}\n", digit.repeat(40));
    let run = |path: &str| format!("M 100755 inline {path}\ndata <<END\n1\nEND\n");
    let stream = [
        commit(
            1,
            &[],
            &[file("a", 1), file("a.b", 1), file("a-b", 1), file("dir/x", 1), file("l", 1)].concat(),
        ),
        commit(2, &[1], &["D a\n", &file("a/x", 1), &file("a/y/z", 1)].concat()),
        commit(3, &[2], &["D a\n", &file("a", 2), "D dir\n", &link("dir")].concat()),
        commit(4, &[3], &[link("l"), module("sub", "1"), run("a.b")].concat()),
        commit(5, &[4], &[module("sub", "2"), module("l", "3")].concat()),
        commit(6, &[5], &["D sub\n", &file("sub/inner", 1)].concat()),
        commit(7, &[6], ""),
        commit(8, &[6], &[file("\"caf\\351 \\n\\t\\\\\\\"\"", 1), file("\"\\001:odd\"", 1)].concat()),
        commit(9, &[7, 8], &file("merged", 1)),
        commit(10, &[], &file("other/root", 1)),
        commit(11, &[9, 10], ""),
        commit(12, &[11], "deleteall\n"),
        commit(13, &[12], &(0..300).map(|n| file(&format!("many/{}/{n}", n % 7), n)).collect::<String>()),
    ];
    scratch.import(&stream.concat());
    scratch
}

#[test]
fn both_paths_agree_with_each_other_and_with_git() {
    let scratch = odd_history();
    let tip = scratch.oid("main");
    let mined = scratch.mined(&[tip], &[]).0;
    assert_eq!(mined, scratch.logged(&[tip], &[]));
    assert_eq!(mined.len(), 11);
    let raw = scratch.git(&["log", "--raw", "--no-renames", "--no-merges", "--format="], b"");
    let raw = String::from_utf8(raw).unwrap();
    for status in [Status::Added, Status::Modified, Status::Deleted, Status::TypeChanged] {
        let ours = mined.iter().flat_map(|mined| &mined.changes).filter(|c| c.status == status).count();
        let theirs = raw.lines().filter(|line| line.split(' ').nth(4).unwrap().starts_with(status.letter()));
        assert_eq!(ours, theirs.count(), "{status:?}");
    }
    let root = mined.last().unwrap();
    let author = Author { name: "A".to_owned(), email: "a1@b.c".to_owned() };
    assert_eq!((&root.author, root.subject.as_str(), root.time.0), (&author, "subject 1", 1));
    assert_eq!(root.body, "body 1");
    let renamed: Vec<_> = mined.iter().flat_map(|mined| &mined.renames).collect();
    assert_eq!(renamed, [&(RepoPath::from("a"), RepoPath::from("a/x"))]);
}

#[test]
fn hidden_history_is_left_out() {
    let scratch = odd_history();
    let (tip, old, side) = (scratch.oid("main"), scratch.oid("main~3"), scratch.oid("main~2^2"));
    for hide in [&[old][..], &[side], &[old, side], &[tip], &[old, old]] {
        let (commits, unreached) = scratch.mined(&[tip, tip], hide);
        assert_eq!(commits, scratch.logged(&[tip], hide), "{hide:?}");
        assert_eq!(unreached, [], "{hide:?}");
    }
    let (commits, unreached) = scratch.mined(&[old], &[tip, side]);
    assert_eq!((commits.len(), unreached), (0, vec![tip]));
}

#[test]
fn a_hidden_commit_that_is_gone_hides_nothing_and_is_reported() {
    let scratch = odd_history();
    let (tip, gone) = (scratch.oid("main"), Oid::from_bytes(&[7; 20]).unwrap());
    let (commits, unreached) = scratch.mined(&[tip], &[gone]);
    assert_eq!((commits.len(), unreached), (11, vec![gone]));
}

#[test]
fn the_horizon_keeps_the_newest() {
    let scratch = odd_history();
    let span = Span { tips: &[scratch.oid("main")], hide: &[], horizon: 2 };
    let times: Vec<i64> = scratch.mined_to(&span, &|_| ()).0.iter().map(|m| m.time.0).collect();
    assert_eq!(times, [13, 12]);
}

#[test]
fn named_commits_are_mined_in_their_order_without_merges() {
    let scratch = odd_history();
    let oids = [scratch.oid("main~6"), Oid::from_bytes(&[7; 20]).unwrap(), scratch.oid("main~1")];
    let mined =
        mine_commits(&scratch.git_dir(), &[oids[0], oids[1], scratch.oid("main~2"), oids[2]]).unwrap();
    assert_eq!(mined.iter().map(|mined| mined.oid).collect::<Vec<_>>(), [oids[0], oids[2]]);
}

#[test]
fn a_shallow_clone_begins_with_a_root() {
    let scratch = odd_history();
    let tip = scratch.oid("main");
    let clone = tempfile::tempdir().unwrap();
    let from = format!("file://{}", scratch.0.path().display());
    let to = clone.path().to_str().unwrap();
    scratch.git(&["clone", "-q", "--depth=2", &from, to], b"");
    let clone = Scratch(clone);
    let mined = clone.mined(&[tip], &[]).0;
    assert_eq!(mined, clone.logged(&[tip], &[]));
    assert_eq!(mined.len(), 2);
}

#[test]
fn long_histories_are_shared_out_between_threads() {
    let scratch = Scratch::new();
    let count = 2 * CHUNK as u32 + 100;
    let changes = |time: u32| file(&format!("d{}/f{}", time % 3, time % 11), time);
    let mut stream = commit(1, &[], &changes(1));
    (2..=count).for_each(|time| stream.extend(commit(time, &[time - 1], &changes(time))));
    scratch.import(&stream);
    let tip = scratch.oid("main");
    let told = Mutex::new(0);
    let span = Span { tips: &[tip], hide: &[], horizon: usize::MAX };
    let (commits, _) = scratch.mined_to(&span, &|event| {
        if let Event::Mining { done, .. } = event {
            let mut told = told.lock().unwrap();
            *told = done.max(*told);
        }
    });
    assert_eq!(commits, scratch.logged(&[tip], &[]));
    assert_eq!(told.into_inner().unwrap(), count as usize);
}
