//! Reading and writing objects: the seam between git2 and the git child.
//!
//! Both sides give equal answers on every repository that both can read; the
//! differential test runs them side by side.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use crate::error::Result;
use crate::model::{Change, Oid, RepoPath, Time};

/// How many trees may lie in one another: git's own limit, a deeper one is an attack.
pub(super) const MAX_DEPTH: usize = 2_048;

/// How many symbolic refs may lead to one another: git's own limit.
pub(super) const MAX_SYMBOLIC: usize = 5;

/// Where a worktree's `HEAD` points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// On a branch (short name) with a commit.
    Branch(String, Oid),
    /// On a branch that has no commit yet.
    Unborn(String),
    /// On no branch.
    Detached(Oid),
}

impl Head {
    /// The commit, where there is one.
    pub fn oid(&self) -> Option<Oid> {
        match self {
            Self::Branch(_, oid) | Self::Detached(oid) => Some(*oid),
            Self::Unborn(_) => None,
        }
    }

    /// The branch, where it is on one.
    pub fn branch(&self) -> Option<&str> {
        match self {
            Self::Branch(name, _) | Self::Unborn(name) => Some(name),
            Self::Detached(_) => None,
        }
    }
}

/// A commit's header and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub oid: Oid,
    /// Its tree.
    pub tree: Oid,
    /// Its parents, in order; none at the edge of a shallow clone.
    pub parents: Vec<Oid>,
    /// Author's name.
    pub author: String,
    /// Author's e-mail address.
    pub email: String,
    /// Committer time.
    pub time: Time,
    /// The whole message.
    pub message: String,
}

impl Commit {
    /// The message's first line.
    pub fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}

/// What a tree entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// `100644`.
    File,
    /// `100755`.
    Executable,
    /// `120000`.
    Link,
    /// `160000`, a submodule.
    Submodule,
    /// `40000`.
    Tree,
}

impl EntryKind {
    /// The mode as git writes it.
    pub fn mode(self) -> u32 {
        match self {
            Self::File => 0o100_644,
            Self::Executable => 0o100_755,
            Self::Link => 0o120_000,
            Self::Submodule => 0o160_000,
            Self::Tree => 0o040_000,
        }
    }

    /// Reads a mode; odd old modes count as plain files, as git has it.
    pub fn from_mode(mode: u32) -> Self {
        match mode & 0o170_000 {
            0o040_000 => Self::Tree,
            0o120_000 => Self::Link,
            0o160_000 => Self::Submodule,
            _ if mode & 0o111 != 0 => Self::Executable,
            _ => Self::File,
        }
    }
}

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the tree; for a recursive listing, the path from the top.
    pub name: RepoPath,
    /// What it is.
    pub kind: EntryKind,
    /// The object.
    pub oid: Oid,
}

/// A changed path, and what stands there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What happened to which path.
    pub change: Change,
    /// What it is now; nothing where it was deleted.
    pub now: Option<(EntryKind, Oid)>,
}

/// Commits whose parents a shallow clone does not have.
pub(super) fn shallow(common_dir: &Path) -> HashSet<Oid> {
    lines(&common_dir.join("shallow")).into_iter().filter_map(|line| line.trim().parse().ok()).collect()
}

/// Commits that are to have other parents than they say, by `info/grafts` or as
/// a shallow clone lacks them.
pub(super) fn grafts(common_dir: &Path) -> HashMap<Oid, Vec<Oid>> {
    let graft = |line: String| {
        let mut ids = line.split_whitespace().map(|word| word.parse().ok());
        Some((ids.next()??, ids.collect::<Option<_>>()?))
    };
    let grafts = lines(&common_dir.join("info/grafts")).into_iter().filter_map(graft);
    grafts.chain(shallow(common_dir).into_iter().map(|oid| (oid, Vec::new()))).collect()
}

fn lines(file: &Path) -> Vec<String> {
    std::fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Reading.
pub trait Read: Send + Sync {
    /// The commit (or object) a full ref name points at.
    fn find_ref(&self, name: &str) -> Result<Option<Oid>>;
    /// The full name of the ref that a symbolic one leads to in the end, there or
    /// not; `None` where it is not symbolic, or leads round and round.
    fn symbolic(&self, name: &str) -> Result<Option<String>>;
    /// All refs under a prefix that ends in `/`, by name; those whose names are
    /// not UTF-8, or that lead nowhere, are left out.
    fn refs(&self, prefix: &str) -> Result<Vec<(String, Oid)>>;
    /// The `HEAD` of the worktree that git-orch was called in.
    fn head(&self) -> Result<Head>;
    /// A commit.
    fn commit(&self, oid: Oid) -> Result<Commit>;
    /// The contents of files, each named by a commit and a path; `None` where
    /// the commit has no such file.
    fn files(&self, wanted: &[(Oid, &str)]) -> Result<Vec<Option<Vec<u8>>>>;
    /// A blob's bytes.
    fn blob(&self, oid: Oid) -> Result<Vec<u8>>;
    /// The sizes of blobs, in order; 0 for one that can't be read.
    fn sizes(&self, blobs: &[Oid]) -> Result<Vec<u64>>;
    /// A tree's own entries.
    fn tree(&self, oid: Oid) -> Result<Vec<Entry>>;
    /// What a tree has at a path, however deep.
    fn entry(&self, tree: Oid, path: &RepoPath) -> Result<Option<Entry>> {
        let mut found = None;
        let mut folder = Some(tree);
        for name in path.as_bytes().split(|byte| *byte == b'/') {
            let Some(within) = folder else { return Ok(None) };
            found = self.tree(within)?.into_iter().find(|entry| entry.name.as_bytes() == name);
            folder = found.as_ref().filter(|entry| entry.kind == EntryKind::Tree).map(|entry| entry.oid);
        }
        Ok(found)
    }
    /// All files below a tree, by path.
    fn tracked(&self, tree: Oid) -> Result<Vec<Entry>>;
    /// What differs between two trees, by path; renames are a deletion and an addition.
    fn edits(&self, old: Option<Oid>, new: Oid) -> Result<Vec<Edit>>;
    /// The same, without what the paths are now.
    fn changes(&self, old: Option<Oid>, new: Oid) -> Result<Vec<Change>> {
        Ok(self.edits(old, new)?.into_iter().map(|edit| edit.change).collect())
    }
    /// The best common ancestor.
    fn merge_base(&self, one: Oid, two: Oid) -> Result<Option<Oid>>;
    /// All best common ancestors, in any order: more than one where histories
    /// crossed.
    fn merge_bases(&self, one: Oid, two: Oid) -> Result<Vec<Oid>>;
    /// How many commits `tip` has that `base` has not, and the other way round.
    fn ahead_behind(&self, tip: Oid, base: Oid) -> Result<(usize, usize)>;
    /// Commits reachable from `tip` and from none of `hidden`, oldest first.
    fn commits_between(&self, hidden: &[Oid], tip: Oid) -> Result<Vec<Oid>>;
    /// Whether the object is there.
    fn has(&self, oid: Oid) -> Result<bool>;
}

/// Writing objects; nothing is reachable until a ref is moved.
pub trait Write {
    /// Stores a blob.
    fn write_blob(&self, bytes: &[u8]) -> Result<Oid>;
    /// Stores a tree; entries in any order.
    fn write_tree(&self, entries: &[Entry]) -> Result<Oid>;
    /// Stores a commit as it is given, header and message.
    fn write_commit(&self, raw: &[u8]) -> Result<Oid>;
    /// Stores a record commit by git-orch itself.
    fn write_record(&self, tree: Oid, parents: &[Oid], message: &str, time: Time) -> Result<Oid>;
}

/// What a back end must do.
pub(super) trait Backing: Read + Write {
    /// Settings under `orch.`, where they can be read in process.
    fn settings(&self) -> Option<BTreeMap<String, String>>;
    /// Has objects in another folder read too; a child is told by its environment.
    fn read_also(&self, objects: &Path) -> Result<()>;
    /// Stores the trees of an index, where it can be read in process.
    fn write_index(&self, index: &Path) -> Option<Oid>;
}
