//! What shards changed, put together, beside what git makes of the same.

use super::*;
use crate::git::EntryKind;
use crate::git::mine::testing::Scratch;
use crate::model::wording::list;

const LINES: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";

/// Files by path, and what they hold; nothing where they are removed.
type Files<'a> = &'a [(&'a str, Option<&'a str>)];

struct Bench {
    _scratch: Scratch,
    repo: Repo,
    origin: Origin,
}

impl Bench {
    fn new(files: Files<'_>) -> Self {
        let scratch = Scratch::new();
        let repo = scratch.repo();
        let tree = tree(&repo, None, files);
        let commit = repo.write().write_record(tree, &[], "base", Time(1)).unwrap();
        Self { _scratch: scratch, repo, origin: Origin { commit, tree } }
    }

    fn edits(&self, files: Files<'_>) -> Vec<Edit> {
        let tree = tree(&self.repo, Some(self.origin.tree), files);
        self.repo.read().edits(Some(self.origin.tree), tree).unwrap()
    }

    fn together(&self, shards: &[Files<'_>]) -> Together {
        let edits: Vec<Vec<Edit>> = shards.iter().map(|files| self.edits(files)).collect();
        let shards: Vec<(usize, &[Edit])> = (1..).zip(edits.iter().map(Vec::as_slice)).collect();
        put_together(&self.repo, self.origin, &shards, Time(1)).unwrap()
    }
}

fn tree(repo: &Repo, onto: Option<Oid>, files: Files<'_>) -> Oid {
    let now = |content: &str| (EntryKind::File, repo.write().write_blob(content.as_bytes()).unwrap());
    let puts = files.iter().map(|(path, content)| (path.as_bytes(), content.map(now))).collect();
    splice::put(repo, onto, puts).unwrap()
}

#[test]
fn what_overlaps_is_merged_where_git_can_and_left_out_where_it_can_not() {
    let bench = Bench::new(&[("a", Some(LINES)), ("b", Some("b\n")), ("read", Some("r\n"))]);
    let first = LINES.replace("1\n", "one\n");
    let (last, both) = (LINES.replace("9\n", "nine\n"), first.replace("9\n", "nine\n"));
    let other = LINES.replace("1\n", "uno\n");
    let cases: [(&str, Files<'_>, Files<'_>, std::result::Result<Files<'_>, &str>); 8] = [
        ("disjoint", &[("a", Some(&first))], &[("b", None)], Ok(&[("a", Some(&first)), ("b", None)])),
        ("two places of a file", &[("a", Some(&first))], &[("a", Some(&last))], Ok(&[("a", Some(&both))])),
        ("the same twice", &[("a", Some(&first))], &[("a", Some(&first))], Ok(&[("a", Some(&first))])),
        (
            "one place of a file",
            &[("a", Some(&first))],
            &[("a", Some(&other)), ("c", Some("c\n"))],
            Err("2: conflicts with other shards in `a`"),
        ),
        (
            "a rename of what another changed",
            &[("a", Some(&first))],
            &[("a", None), ("c", Some(LINES))],
            Ok(&[("a", None), ("c", Some(&first))]),
        ),
        (
            "removed and changed",
            &[("a", None)],
            &[("a", Some(&first))],
            Err("2: conflicts with other shards in `a`"),
        ),
        (
            "a file and a folder",
            &[("c", Some("c\n"))],
            &[("c/d", Some("d\n"))],
            Err("2: conflicts with other shards in `c/d`"),
        ),
        (
            "case alone",
            &[("Read", Some("x\n"))],
            &[("read", Some("y\n"))],
            Err("2: `read` differs from `Read` by case alone"),
        ),
    ];
    for (name, one, other, expected) in cases {
        let together = bench.together(&[one, other]);
        let told = list(together.misfits.iter().map(|(n, why)| format!("{n}: {why}")));
        let whole = expected.map(|files| tree(&bench.repo, Some(bench.origin.tree), files));
        let alone = tree(&bench.repo, Some(bench.origin.tree), one);
        assert_eq!(told, expected.err().unwrap_or_default(), "{name}");
        assert_eq!(together.tree, whole.unwrap_or(alone), "{name}");
        assert_eq!(together.steps.len(), 2 - together.misfits.len(), "{name}");
    }
}

#[test]
fn a_shard_that_fits_lands_whatever_comes_of_others() {
    let bench = Bench::new(&[("a", Some(LINES)), ("b", Some("b\n"))]);
    let (one, two) = (LINES.replace("1\n", "one\n"), LINES.replace("1\n", "uno\n"));
    let nine = LINES.replace("9\n", "nine\n");
    let together = bench.together(&[
        &[("a", Some(&one))],
        &[("a", Some(&two))],
        &[("b", Some("B\n"))],
        &[("a", Some(&nine))],
    ]);
    let steps: Vec<(usize, bool)> = together.steps.iter().map(|(n, merged)| (*n, merged.is_some())).collect();
    assert_eq!(steps, [(1, false), (3, false), (4, true)]);
    assert_eq!(together.misfits.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [2]);
    let a = one.replace("9\n", "nine\n");
    let expected = tree(&bench.repo, Some(bench.origin.tree), &[("a", Some(&a)), ("b", Some("B\n"))]);
    assert_eq!(together.tree, expected);
}

/// A file of a kind, by its path; none where it is removed.
type Kinds<'a> = &'a [(&'a str, Option<(EntryKind, &'a str)>)];

const TEXT: EntryKind = EntryKind::File;
const PROGRAM: EntryKind = EntryKind::Executable;

impl Bench {
    /// A repository with one commit and the settings that a user could have.
    fn with(attributes: &str, settings: &[[&str; 2]]) -> Self {
        let bench =
            Self::new(&[("a", Some(LINES)), ("b", Some("b\n")), (".gitattributes", Some(attributes))]);
        for [key, value] in settings {
            bench._scratch.git(&["config", key, value], b"");
        }
        bench
    }

    fn kinds(&self, files: Kinds<'_>) -> Oid {
        let repo = &self.repo;
        let now =
            |(kind, content): (EntryKind, &str)| (kind, repo.write().write_blob(content.as_bytes()).unwrap());
        let puts = files.iter().map(|(path, file)| (path.as_bytes(), file.map(now))).collect();
        splice::put(repo, Some(self.origin.tree), puts).unwrap()
    }

    /// What two shards come to, and why one of them is not in it.
    fn both(&self, trees: [Oid; 2]) -> std::result::Result<Oid, String> {
        let edits = trees.map(|tree| self.repo.read().edits(Some(self.origin.tree), tree).unwrap());
        let together =
            put_together(&self.repo, self.origin, &[(1, &edits[0]), (2, &edits[1])], Time(1)).unwrap();
        match &together.misfits[..] {
            [] => Ok(together.tree),
            [(2, why)] => {
                assert_eq!(together.tree, trees[0], "what is not in it left nothing there");
                Err(why.clone())
            }
            misfits => panic!("{misfits:?}"),
        }
    }

    /// What `git merge` makes of two commits, where they are checked out; none
    /// where they conflict.
    #[expect(clippy::disallowed_methods, reason = "git is what it is checked against")]
    fn merged_by_git(&self, trees: [Oid; 2]) -> Option<Oid> {
        let commit =
            |tree| self.repo.write().write_record(tree, &[self.origin.commit], "side", Time(1)).unwrap();
        let [ours, theirs] = trees.map(|tree| commit(tree).to_string());
        let script = "git checkout -qf --detach $1 && git clean -fdq && git merge -q --no-commit --no-ff $2 >&2 && git write-tree";
        let mut git = std::process::Command::new("sh");
        git.args(["-c", script, "sh", &ours, &theirs]).current_dir(self._scratch.0.path());
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "a").env(format!("GIT_{who}_EMAIL"), "a@b.c");
        }
        let output = git.output().unwrap();
        self._scratch.git(&["reset", "-q", "--hard"], b"");
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().parse().unwrap())
    }

    /// Whether git takes attributes from a commit: elder ones look at the checkout.
    fn heeds_attributes(&self) -> bool {
        self.repo.git_program().version().unwrap() >= (2, 41)
    }
}

#[test]
fn what_overlaps_is_what_git_merge_makes_of_it_or_left_out_with_a_reason() {
    let (first, last) = (LINES.replace("1\n", "one\n"), LINES.replace("9\n", "nine\n"));
    let (first, last) = (first.as_str(), last.as_str());
    let cases: [(&str, Kinds<'_>, Kinds<'_>, Option<&str>); 13] = [
        ("mode and content", &[("a", Some((PROGRAM, LINES)))], &[("a", Some((TEXT, first)))], None),
        ("mode twice, content once", &[("a", Some((PROGRAM, LINES)))], &[("a", Some((PROGRAM, last)))], None),
        ("content twice, mode once", &[("a", Some((PROGRAM, first)))], &[("a", Some((TEXT, last)))], None),
        ("removed and made a program", &[("a", None)], &[("a", Some((PROGRAM, LINES)))], Some("`a`")),
        ("changed and removed", &[("a", Some((TEXT, first)))], &[("a", None)], Some("`a`")),
        ("removed twice, and more", &[("a", None)], &[("a", None), ("b", None)], None),
        (
            "a link and a change",
            &[("a", Some((EntryKind::Link, "b")))],
            &[("a", Some((TEXT, first)))],
            Some("`a`"),
        ),
        (
            "renamed with a change, and changed",
            &[("a", None), ("c", Some((TEXT, first)))],
            &[("a", Some((TEXT, last)))],
            None,
        ),
        (
            "renamed twice",
            &[("a", None), ("c", Some((TEXT, LINES)))],
            &[("a", None), ("d", Some((TEXT, LINES)))],
            Some("`a` and `d`"),
        ),
        ("added alike", &[("c", Some((TEXT, "c\n")))], &[("c", Some((TEXT, "c\n"))), ("b", None)], None),
        ("added otherwise", &[("c", Some((TEXT, "c\n")))], &[("c", Some((TEXT, "d\n")))], Some("`c`")),
        (
            "a folder in place of what changed",
            &[("a", Some((TEXT, first)))],
            &[("a", None), ("a/b", Some((TEXT, "b\n")))],
            Some("`a`"),
        ),
        (
            "bytes that are no text",
            &[("a", Some((TEXT, "\0one")))],
            &[("a", Some((TEXT, "\0two")))],
            Some("`a`"),
        ),
    ];
    let bench = Bench::with("", &[]);
    for (name, one, other, clash) in cases {
        let trees = [one, other].map(|files| bench.kinds(files));
        let ours = bench.both(trees);
        assert_eq!(ours.as_ref().ok().copied(), bench.merged_by_git(trees), "{name}");
        let why = clash.map(|paths| format!("conflicts with other shards in {paths}"));
        assert_eq!(ours.err(), why, "{name}");
    }
}

#[test]
fn attributes_of_the_commit_say_how_a_file_is_merged_whatever_the_checkout_says() {
    let sides: [Kinds<'_>; 2] =
        [&[("a", Some((TEXT, "1\n2\none\n")))], &[("a", Some((TEXT, "1\n2\ntwo\n")))]];
    for (attributes, union) in
        [("a merge=union\n", true), ("a -merge\n", false), ("a binary\n", false), ("a merge=binary\n", false)]
    {
        let bench = Bench::with(attributes, &[]);
        if !bench.heeds_attributes() {
            return;
        }
        let trees = sides.map(|files| bench.kinds(files));
        let git = bench.merged_by_git(trees);
        bench._scratch.git(&["read-tree", "--empty"], b"");
        let checkout = if union { "a -merge\n" } else { "a merge=union\n" };
        std::fs::write(bench._scratch.0.path().join(".gitattributes"), checkout).unwrap();
        let ours = bench.both(trees);
        assert_eq!((ours.as_ref().ok().copied(), git.is_some()), (git, union), "{attributes}");
        let why = (!union).then(|| "conflicts with other shards in `a`".to_owned());
        assert_eq!(ours.err(), why, "{attributes}");
    }
}

#[test]
fn a_merge_driver_is_the_users_own_as_with_git_merge_and_a_tree_alone_has_none() {
    let attributes = "a merge=mine\n";
    let elsewhere = Scratch::new();
    let ran = elsewhere.0.path().join("ran");
    let driver = format!("touch {}; cat %B >>%A", ran.display());
    for settings in [&[][..], &[["merge.mine.driver", &driver]]] {
        let bench = Bench::with(attributes, settings);
        if !bench.heeds_attributes() {
            return;
        }
        let sides: [Kinds<'_>; 2] = [&[("a", Some((TEXT, "one\n")))], &[("a", Some((TEXT, "two\n")))]];
        let trees = sides.map(|files| bench.kinds(files));
        let ours = bench.both(trees);
        assert_eq!(ran.exists(), !settings.is_empty());
        let git = bench.merged_by_git(trees);
        assert_eq!((ours.is_ok(), ours.ok()), (!settings.is_empty(), git));
    }
}
