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
    /// Attributes files that tell of merging.
    telling: HashMap<Oid, bool>,
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
                    && self.is_telling(attributes)?
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

    fn is_telling(&mut self, attributes: Oid) -> Result<bool> {
        if let Some(is_telling) = self.telling.get(&attributes) {
            return Ok(*is_telling);
        }
        let text = self.repo.read().blob(attributes)?;
        let is_telling = String::from_utf8_lossy(&text).lines().any(tells_of_merging);
        self.telling.insert(attributes, is_telling);
        Ok(is_telling)
    }
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
