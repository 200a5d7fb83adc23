//! Both paths against git itself, on a history with everything odd in it.

use std::io::Write as _;

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

const RAW: [&str; 5] = ["log", "--raw", "--no-renames", "--no-merges", "--format="];

/// Compares how many changes of each sort there are with what [`RAW`] printed.
fn assert_totals(mined: &[Mined], raw: &[u8]) {
    let raw = String::from_utf8_lossy(raw);
    for status in [Status::Added, Status::Modified, Status::Deleted, Status::TypeChanged] {
        let ours = mined.iter().flat_map(|mined| &mined.changes).filter(|c| c.status == status).count();
        let theirs = raw.lines().filter(|line| line.split(' ').nth(4).unwrap().starts_with(status.letter()));
        assert_eq!(ours, theirs.count(), "{status:?}");
    }
}

#[test]
fn both_paths_agree_with_each_other_and_with_git() {
    let scratch = odd_history();
    let tip = scratch.oid("main");
    let mined = scratch.mined(&[tip], &[]).0;
    assert_eq!(mined, scratch.logged(&[tip], &[]));
    assert_eq!(mined.len(), 11);
    assert_totals(&mined, &scratch.git(&RAW, b""));
    let root = mined.last().unwrap();
    let author = Author { name: "A".to_owned(), email: "a1@b.c".to_owned() };
    assert_eq!((&root.author, root.subject.as_str(), root.time.0), (&author, "subject 1", 1));
    assert_eq!(root.body, "body 1");
    let renamed: Vec<_> = mined.iter().flat_map(|mined| &mined.renames).collect();
    assert_eq!(renamed, [&(RepoPath::from("a"), RepoPath::from("a/x"))]);
}

#[test]
fn merges_of_many_are_walked_through_by_every_parent() {
    let scratch = Scratch::new();
    let mut stream = commit(1, &[], &file("a", 1));
    for time in 2..=9 {
        stream.extend(commit(time, &[1], &[file("a", 1), file(&format!("d/{time}"), time)].concat()));
    }
    stream.extend(commit(10, &[3, 2, 9, 4, 5, 8, 7, 6], &file("merged", 1)));
    stream.extend(commit(11, &[10], &file("after", 1)));
    stream.extend(commit(12, &[11, 2, 10], "deleteall\n"));
    stream.extend(commit(13, &[12], &file("last", 1)));
    scratch.import(&stream);
    scratch.git(&["repack", "-adfq"], b"");
    let (tip, octopus) = (scratch.oid("main"), scratch.oid("main~3"));
    assert_eq!(String::from_utf8(scratch.git(&["rev-parse", "main~3^8"], b"")).unwrap().len(), 41);
    for hide in
        [&[][..], &[octopus], &[scratch.oid("main~3^3")], &[scratch.oid("main~3^8"), scratch.oid("main~2")]]
    {
        let (commits, unreached) = scratch.mined(&[tip], hide);
        assert_eq!((commits, unreached), (scratch.logged(&[tip], hide), Vec::new()), "{hide:?}");
    }
    assert_eq!(scratch.mined(&[tip], &[]).0.len(), 11);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "where tests may leave nothing out, the machine says so")]
fn the_history_of_git_orch_itself_is_mined_as_git_tells_it() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let has_history = top.join(".git").exists();
    let environment = ["PATH", "HOME"].map(|key| (key.into(), std::env::var_os(key).unwrap_or_default()));
    let repo = match crate::git::Repo::discover(top, &environment.into()) {
        Ok(repo) if has_history => repo,
        Err(error) if has_history && std::env::var_os("CI").is_some() => panic!("{error}"),
        other => {
            let why = other.map_or_else(|error| error.to_string(), |_| "it is no repository".to_owned());
            drop(writeln!(std::io::stderr(), "SKIPPED: git-orch's own history: {why}"));
            return;
        }
    };
    let git = |args: &[&str]| {
        let at = ["-c", "safe.directory=*", "-C", top.to_str().unwrap()];
        Scratch::new().git(&[&at, args].concat(), b"")
    };
    let head = String::from_utf8(git(&["rev-parse", "HEAD"])).unwrap();
    let span = Span { tips: &[head.trim().parse().unwrap()], hide: &[], horizon: usize::MAX };
    let mut mined = Vec::new();
    Miner::of(&repo).mine(&span, &mut mined, &|_| ()).unwrap();
    assert_totals(&mined, &git(&RAW));
    let args = log_args(&span);
    assert_eq!(mined, parse_log(&git(&args.iter().map(String::as_str).collect::<Vec<_>>())).unwrap());
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
