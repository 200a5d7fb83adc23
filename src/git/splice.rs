//! Trees put together from parts of other trees, without a checkout.
//!
//! **Invariant:** only the folders on the way to a named path are read or
//! written; everything else is carried over by its id.

use std::collections::BTreeMap;

use super::read::{Entry, EntryKind};
use super::repo::Repo;
use crate::error::Result;
use crate::model::{Oid, RepoPath};

/// The tree `onto` (or an empty one) with these paths as the tree `from` has
/// them: replaced, added, or removed where `from` has no such file.
pub fn take(repo: &Repo, onto: Option<Oid>, from: Oid, paths: &[RepoPath]) -> Result<Oid> {
    let mut sorted: Vec<&[u8]> = paths.iter().map(RepoPath::as_bytes).collect();
    sorted.sort_unstable();
    let entries = spliced(repo, onto, Some(from), &sorted)?;
    repo.write().write_tree(&entries.into_values().collect::<Vec<_>>())
}

type Entries = BTreeMap<Vec<u8>, Entry>;

fn spliced(repo: &Repo, onto: Option<Oid>, from: Option<Oid>, paths: &[&[u8]]) -> Result<Entries> {
    let mut entries = load(repo, onto)?;
    let source = load(repo, from)?;
    let mut groups: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
    let mut files = Vec::new();
    for path in paths {
        match path.iter().position(|byte| *byte == b'/') {
            Some(slash) => groups.entry(&path[..slash]).or_default().push(&path[slash + 1..]),
            None => files.push(*path),
        }
    }
    for name in files {
        if !entries.get(name).is_some_and(is_tree) {
            entries.remove(name);
        }
        if let Some(entry) = source.get(name).filter(|entry| !is_tree(entry)) {
            entries.insert(name.to_vec(), entry.clone());
        }
    }
    for (name, below) in groups {
        let tree =
            |entries: &Entries| entries.get(name).filter(|entry| is_tree(entry)).map(|entry| entry.oid);
        let inner = spliced(repo, tree(&entries), tree(&source), &below)?;
        if !inner.is_empty() {
            let oid = repo.write().write_tree(&inner.into_values().collect::<Vec<_>>())?;
            let name = RepoPath::from_bytes(name);
            entries.insert(name.as_bytes().to_vec(), Entry { name, kind: EntryKind::Tree, oid });
        } else if tree(&entries).is_some() {
            entries.remove(name);
        }
    }
    Ok(entries)
}

fn is_tree(entry: &Entry) -> bool {
    entry.kind == EntryKind::Tree
}

fn load(repo: &Repo, tree: Option<Oid>) -> Result<Entries> {
    let Some(tree) = tree else { return Ok(Entries::new()) };
    Ok(repo.read().tree(tree)?.into_iter().map(|entry| (entry.name.as_bytes().to_vec(), entry)).collect())
}
