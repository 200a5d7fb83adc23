//! Pairs of random changes, each also merged by git in a working tree.

use std::collections::{BTreeMap, BTreeSet};

use super::{Clashing, Pair, conflicts};
use crate::git::mine::testing::Scratch;
use crate::git::{Aside, Repo};
use crate::model::Oid;

/// Files by their path: mode and content.
type Files = BTreeMap<String, (u32, String)>;

/// How many tips each repository has.
const TIPS: usize = 6;

/// Seeds that are tried; `GIT_ORCH_PAIRS=FROM-TO` tries others.
#[expect(clippy::disallowed_methods, reason = "how long to look is for who runs it")]
fn seeds() -> std::ops::Range<u64> {
    let told = std::env::var("GIT_ORCH_PAIRS").unwrap_or_default();
    let told = told.split_once('-').and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    told.unwrap_or(0..4)
}

fn text(random: &mut fastrand::Rng) -> String {
    // Some lines are there more than once, as in any code.
    let line = |random: &mut fastrand::Rng| match random.u32(0..4) {
        0 => "}\n".to_owned(),
        1 => "\n".to_owned(),
        _ => format!("line {}\n", random.u32(0..60)),
    };
    (0..random.usize(4..60)).map(|_| line(random)).collect()
}

fn base(random: &mut fastrand::Rng) -> Files {
    let paths = ["a", "b", "src/a", "src/b", "src/deep/a", "src/deep/b", "doc/a", "doc/b", "src/deep.x"];
    paths.into_iter().map(|path| (path.to_owned(), (0o100_644, text(random)))).collect()
}

fn some_path(random: &mut fastrand::Rng, files: &Files) -> String {
    files.keys().nth(random.usize(0..files.len())).cloned().unwrap_or_default()
}

/// Replaces, removes or adds a few lines.
fn edit(random: &mut fastrand::Rng, text: &str) -> String {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    for _ in 0..random.usize(1..3) {
        let at = random.usize(0..=lines.len());
        let end = (at + random.usize(0..3)).min(lines.len());
        let new = (0..random.usize(0..3)).map(|_| format!("new {}\n", random.u32(0..9)));
        lines.splice(at..end, new.collect::<Vec<_>>());
    }
    let text = lines.concat();
    if random.u32(0..20) == 0 { text.trim_end().to_owned() } else { text }
}

/// Whether a file can be put at a path.
fn is_free(files: &Files, path: &str) -> bool {
    let below = |one: &str, other: &str| one.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'));
    !files.keys().any(|other| other == path || below(other, path) || below(path, other))
}

fn change(random: &mut fastrand::Rng, files: &mut Files) {
    let path = some_path(random, files);
    let (mode, content) = files[&path].clone();
    let new = ["c", "src/c", "src/deep/c", "new/a", "doc/c"][random.usize(0..5)].to_owned();
    match random.u32(0..22) {
        0 if files.len() > 3 => drop(files.remove(&path)),
        1 => drop(files.insert(path, (0o100_755, content))),
        2 if is_free(files, &new) => {
            let content = if random.bool() { content } else { edit(random, &content) };
            files.remove(&path);
            files.insert(new, (mode, content));
        }
        3 if is_free(files, &new) => drop(files.insert(new, (mode, text(random)))),
        4 => {
            // A folder takes the place of a file.
            files.remove(&path);
            files.insert(format!("{path}/inner"), (mode, content));
        }
        5 => {
            // A file takes the place of a folder.
            files.retain(|path, _| !path.starts_with("src/deep/"));
            files.insert("src/deep".to_owned(), (0o100_644, text(random)));
        }
        6 => {
            // A whole folder is renamed.
            let inside: Vec<String> = files.keys().filter(|path| path.starts_with("src/")).cloned().collect();
            for path in inside {
                let moved = files.remove(&path).unwrap();
                files.insert(path.replacen("src/", "lib/", 1), moved);
            }
        }
        7 => drop(files.insert(path, (0o120_000, "a".to_owned()))),
        8 => drop(files.insert(path, (mode, format!("\0{}", random.u32(0..9))))),
        9 if random.bool() => {
            let text = ["*.x merge=union\n", "a merge=ours\nb binary\n"][random.usize(0..2)];
            drop(files.insert(".gitattributes".to_owned(), (0o100_644, text.to_owned())));
        }
        _ => drop(files.insert(path, (mode, edit(random, &content)))),
    }
    if files.is_empty() {
        files.insert("left".to_owned(), (0o100_644, "left\n".to_owned()));
    }
}

fn commit(mark: usize, parents: &[usize], files: &Files) -> Vec<u8> {
    let mut stream = format!("commit refs/heads/t{mark}\nmark :{mark}\ncommitter C <c@d.e> {mark} +0000\n");
    stream += "data 2\nx\n\n";
    for (index, parent) in parents.iter().enumerate() {
        stream += &format!("{} :{parent}\n", if index == 0 { "from" } else { "merge" });
    }
    stream += "deleteall\n";
    for (path, (mode, content)) in files {
        stream += &format!("M {mode:o} inline {path}\ndata {}\n{content}\n", content.len());
    }
    stream.into_bytes()
}

/// A repository with tips that part at a base; some meet in between.
fn scratch(random: &mut fastrand::Rng) -> (Scratch, Vec<Oid>) {
    let scratch = Scratch::new();
    let start = base(random);
    let mut stream = commit(1, &[], &start);
    let mut states = vec![start];
    for mark in 2..TIPS + 2 {
        let from = if random.u32(0..4) == 0 { random.usize(0..states.len()) } else { 0 };
        let mut files = states[from].clone();
        (0..random.usize(1..5)).for_each(|_| change(random, &mut files));
        let mut parents = vec![from + 1];
        parents.extend((random.u32(0..6) == 0 && mark > 3).then(|| 1 + (from + 1) % (mark - 2)));
        parents.dedup();
        stream.extend(commit(mark, &parents, &files));
        states.push(files);
    }
    scratch.import(&stream);
    let tips = (1..TIPS + 2).map(|mark| scratch.oid(&format!("t{mark}"))).collect();
    (scratch, tips)
}

/// What a merge in the working tree came to.
#[derive(Debug, PartialEq)]
enum Merged {
    Clean,
    /// These paths are unmerged.
    Unmerged(BTreeSet<String>),
    /// Git merged or not, but could not write the files.
    GaveUp,
}

fn merged(scratch: &Scratch, pair: Pair) -> Merged {
    let script = format!(
        "rm -f .git/index.lock; git reset -q --hard; git clean -qffdx; git checkout -q --detach {}
        if git -c user.name=n -c user.email=e merge -q --no-edit {} >out 2>&1; then echo clean
        else git ls-files -u | cut -f2 | sort -u; fi; rm -f out",
        pair.ours, pair.theirs
    );
    let printed = scratch.shell(&script);
    let lines: BTreeSet<String> = printed.lines().map(stem).collect();
    match lines.len() {
        0 => Merged::GaveUp,
        1 if lines.contains("clean") => Merged::Clean,
        _ => Merged::Unmerged(lines),
    }
}

/// Where two things would be at one path, git gives one another name.
fn stem(path: &str) -> String {
    path.split('~').next().unwrap_or_default().to_owned()
}

/// How many of the pairs conflict, and of how many git gave no answer.
fn compare(repo: &Repo, scratch: &Scratch, pairs: &[Pair], seed: u64) -> (usize, usize) {
    let found = conflicts(repo, &Aside::make(repo).unwrap(), pairs).unwrap();
    let (mut conflicting, mut odd) = (0, 0);
    for (pair, clashes) in pairs.iter().zip(&found) {
        let staged = clashes.iter().filter(|clash| !(clash.ours_is_gone && clash.theirs_is_gone));
        let told: BTreeSet<String> = staged.map(|clash| stem(&clash.path.to_string())).collect();
        let at = format!("seed {seed}: {} {}: {clashes:?}", pair.ours, pair.theirs);
        match merged(scratch, *pair) {
            Merged::GaveUp => odd += 1,
            Merged::Clean => assert!(clashes.is_empty(), "{at}"),
            Merged::Unmerged(paths) => {
                assert!(!clashes.is_empty() && told.is_subset(&paths), "{at} {paths:?}");
                conflicting += 1;
            }
        }
    }
    (conflicting, odd)
}

#[test]
fn pairs_conflict_exactly_where_git_says_so() {
    let (mut all, mut conflicting, mut odd) = (0, 0, 0);
    for seed in seeds() {
        let mut random = fastrand::Rng::with_seed(seed);
        let (scratch, tips) = scratch(&mut random);
        let pairs: Vec<Pair> = (0..tips.len())
            .flat_map(|one| (0..one).map(move |other| (one, other)))
            .map(|(one, other)| Pair { ours: tips[other], theirs: tips[one] })
            .collect();
        let (some, without) = compare(&scratch.repo(), &scratch, &pairs, seed);
        (conflicting, odd) = (conflicting + some, odd + without);
        all += pairs.len();
    }
    let told = format!("{conflicting} of {all} conflict, {odd} are odd");
    assert!(conflicting > all / 10 && conflicting < all * 9 / 10 && odd <= all / 50, "{told}");
}

#[test]
fn what_two_tips_clash_in_is_told_by_kind_and_lines() {
    let scratch = Scratch::new();
    let lines = |changed: &[(usize, &str)]| -> String {
        let line = |number| {
            changed.iter().find(|(at, _)| *at == number).map_or(format!("{number}\n"), |c| c.1.to_owned())
        };
        (1..30).map(line).collect()
    };
    let file = |content: String| (0o100_644, content);
    let base: Files = ["code", "gone", "moved", "bin", "folder"]
        .into_iter()
        .map(|path| (path.to_owned(), file(format!("{path}\n{}", lines(&[])))))
        .collect();
    let mut ours = base.clone();
    ours.insert("code".into(), file(format!("code\n{}", lines(&[(5, "five\nmore\n"), (20, "twenty\n")]))));
    ours.insert("gone".into(), file(format!("gone\n{}", lines(&[(9, "nine\n")]))));
    ours.insert("bin".into(), file("\0one".into()));
    ours.insert("new".into(), file("1\n2\n".into()));
    let mut theirs = base.clone();
    theirs.insert("code".into(), file(format!("code\n{}", lines(&[(1, ""), (5, "FIVE\n"), (28, "last\n")]))));
    theirs.remove("gone");
    theirs.insert("bin".into(), file("\0two".into()));
    theirs.insert("new".into(), file("1\n3\n4\n".into()));
    let mut apart = base.clone();
    apart.insert("code".into(), file(format!("code\n{}", lines(&[(28, "last\n")]))));
    let stream = [
        commit(1, &[], &base),
        commit(2, &[1], &ours),
        commit(3, &[1], &theirs),
        commit(4, &[1], &apart),
        commit(5, &[], &base),
    ];
    scratch.import(&stream.concat());
    let [ours, theirs, apart, alone] = ["t2", "t3", "t4", "t5"].map(|name| scratch.oid(name));
    let pairs = [(ours, theirs), (ours, apart), (ours, alone), (ours, ours)]
        .map(|(ours, theirs)| Pair { ours, theirs });
    let repo = scratch.repo();
    let found = conflicts(&repo, &Aside::make(&repo).unwrap(), &pairs).unwrap();
    let told: Vec<String> = found[0]
        .iter()
        .map(|clash| {
            let words =
                |lines: &[super::Lines]| lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            format!("{} {:?} {} / {}", clash.path, clash.kind, words(&clash.ours), words(&clash.theirs))
        })
        .collect();
    assert_eq!(
        told,
        ["bin Binary  / ", "code BothChanged 6-7 / 5", "gone ChangedDeleted 10 / ", "new AddedTwice 2 / 2-3"]
    );
    assert!(found[1].is_empty() && found[3].is_empty());
    assert_eq!(found[2][0].kind, Clashing::Unrelated);
}
