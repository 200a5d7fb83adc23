//! Whether a file is merged line by line, as git does by itself.
//!
//! **Invariant:** whatever so much as mentions merging, in attributes or in the
//! configuration, makes it doubtful.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use crate::error::Result;
use crate::git::read::{Entry, EntryKind};
use crate::git::repo::Repo;
use crate::model::{Oid, RepoPath};

/// What attributes say where files are merged otherwise; `binary` stands for `-merge`.
const TELLING: [&str; 2] = ["merge", "binary"];

/// What is known of how files are merged.
pub(super) struct Plain<'a> {
    repo: &'a Repo,
    /// Whether the configuration has all files merged otherwise.
    is_off: bool,
    /// Paths that attributes outside of trees tell of.
    told: HashSet<RepoPath>,
    trees: HashMap<Oid, Rc<Vec<Entry>>>,
    /// The patterns in attributes files for which something is said of merging.
    telling: HashMap<Oid, Rc<Vec<String>>>,
}

impl<'a> Plain<'a> {
    /// Asks git once of all paths in question.
    pub(super) fn of(repo: &'a Repo, paths: BTreeSet<RepoPath>) -> Result<Self> {
        let (mut is_off, mut told) = (false, HashSet::new());
        if !paths.is_empty() {
            // Exit 1 is: there is none.
            let regexp = r"^merge\.(default|renormalize)$";
            is_off = repo.git(["config", "--get-regexp", regexp]).spawn()?.code != 1;
            let list: Vec<u8> = paths.iter().flat_map(|path| [path.as_bytes(), b"\0"].concat()).collect();
            let text = repo.git(["check-attr", "-z", "--stdin", "merge"]).stdin(list).run()?;
            let fields: Vec<&[u8]> = text.split(|byte| *byte == 0).collect();
            let set = fields.chunks_exact(3).filter(|field| field[2] != b"unspecified");
            told = set.map(|field| RepoPath::from_bytes(field[0])).collect();
        }
        Ok(Self { repo, is_off, told, trees: HashMap::new(), telling: HashMap::new() })
    }

    /// Whether a path is merged line by line, as these trees have it.
    pub(super) fn is_plain(&mut self, trees: &[Oid], path: &RepoPath) -> Result<bool> {
        if self.is_off || self.told.contains(path) {
            return Ok(false);
        }
        for tree in trees {
            let mut folder = *tree;
            let mut rest = path.as_bytes();
            loop {
                if let Some((_, attributes)) = self.named(folder, b".gitattributes")?
                    && self.telling(attributes)?.iter().any(|pattern| may_match(pattern, rest))
                {
                    return Ok(false);
                }
                let Some(slash) = rest.iter().position(|byte| *byte == b'/') else { break };
                let Some((EntryKind::Tree, below)) = self.named(folder, &rest[..slash])? else { break };
                (folder, rest) = (below, &rest[slash + 1..]);
            }
        }
        Ok(true)
    }

    /// What a tree has at a path.
    pub(super) fn entry(&mut self, tree: Oid, path: &RepoPath) -> Result<Option<(EntryKind, Oid)>> {
        let mut found = Some((EntryKind::Tree, tree));
        for name in path.as_bytes().split(|byte| *byte == b'/') {
            let Some((EntryKind::Tree, folder)) = found else { return Ok(None) };
            found = self.named(folder, name)?;
        }
        Ok(found)
    }

    fn named(&mut self, tree: Oid, name: &[u8]) -> Result<Option<(EntryKind, Oid)>> {
        let entries = match self.trees.get(&tree) {
            Some(entries) => Rc::clone(entries),
            None => {
                let entries = Rc::new(self.repo.read().tree(tree)?);
                self.trees.insert(tree, Rc::clone(&entries));
                entries
            }
        };
        let found = entries.iter().find(|entry| entry.name.as_bytes() == name);
        Ok(found.map(|entry| (entry.kind, entry.oid)))
    }

    fn telling(&mut self, attributes: Oid) -> Result<Rc<Vec<String>>> {
        if let Some(patterns) = self.telling.get(&attributes) {
            return Ok(Rc::clone(patterns));
        }
        let text = self.repo.read().blob(attributes)?;
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().filter(|line| tells_of_merging(line));
        let pattern = |line: &str| line.split_whitespace().next().unwrap_or_default().to_owned();
        let patterns = Rc::new(lines.map(pattern).collect());
        self.telling.insert(attributes, Rc::clone(&patterns));
        Ok(patterns)
    }
}

/// Whether a pattern may be for a path below the folder of its file; a doubt is a
/// yes, and so is what defines an attribute of its own.
fn may_match(pattern: &str, path: &[u8]) -> bool {
    let is_special = |byte: u8| b"*?[\\\"".contains(&byte);
    if pattern.starts_with(['[', '"']) {
        return true;
    }
    // Patterns with a slash in them are from the folder on, others for any name.
    let from_here = pattern.trim_end_matches('/').contains('/');
    let pattern = pattern.strip_prefix('/').unwrap_or(pattern).as_bytes();
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let (subject, head) =
        (if from_here { path } else { name }, pattern.iter().take_while(|byte| !is_special(**byte)));
    let head = head.count();
    let tail = pattern.iter().rev().take_while(|byte| !is_special(**byte)).count();
    // Whether case counts is a setting.
    let begins = subject.len() >= head && subject[..head].eq_ignore_ascii_case(&pattern[..head]);
    let ends = subject.len() >= tail
        && subject[subject.len() - tail..].eq_ignore_ascii_case(&pattern[pattern.len() - tail..]);
    if head == pattern.len() { subject.eq_ignore_ascii_case(pattern) } else { begins && ends }
}

/// Whether a line of an attributes file says how files are merged: `* merge=ours`,
/// `*.png binary`, `[attr]mine -merge`.
fn tells_of_merging(line: &str) -> bool {
    let line = line.trim_start();
    // A pattern in quotes may have spaces in it: all of it counts then.
    let words = line.split_whitespace().skip(usize::from(!line.starts_with('"')));
    let name = |word: &str| word.trim_start_matches(['-', '!']).split('=').next().map(str::to_owned);
    words.filter_map(name).any(|name| TELLING.contains(&name.as_str()))
}

#[test]
fn a_pattern_that_can_be_for_a_path_counts() {
    for (pattern, path, may) in [
        ("/t0110/url-*", "helper/test.c", false),
        ("/t0110/url-*", "t0110/url-1", true),
        ("t0110/url-*", "x/t0110/url-1", false),
        ("*.png", "a/b.c", false),
        ("*.png", "a/b.PNG", true),
        ("name", "a/name", true),
        ("name", "a/names", false),
        ("/name", "a/name", false),
        ("**/deep/*.c", "a/deep/x.c", true),
        ("a?c", "x/abc", true),
        ("[attr]mine", "x", true),
        ("\"a", "x", true),
        ("*", "x/y", true),
        ("docs/*", "docs/a", true),
        ("\\*.c", "x.c", true),
    ] {
        assert_eq!(may_match(pattern, path.as_bytes()), may, "{pattern} {path}");
    }
}

#[test]
fn only_what_is_said_of_merging_tells() {
    for (line, tells) in [
        ("* merge=ours", true),
        ("  *.png binary", true),
        ("[attr]mine -merge", true),
        ("\"a b\" !merge", true),
        ("/mergetools/* text eol=lf", false),
        ("binary text", false),
        ("*.c diff=merge conflict-marker-size=8", false),
        ("# merge", true),
        ("", false),
    ] {
        assert_eq!(tells_of_merging(line), tells, "{line}");
    }
}
