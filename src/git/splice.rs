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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::git::mine::testing::Scratch;

    /// Files by path, each with a small number for its content.
    type Files = BTreeMap<&'static str, u8>;

    const PATHS: [&str; 7] = ["a", "a-", "a/b", "a/b/c", "a/d", "e/f", "g"];

    /// Any files that can stand in one tree.
    fn any_files() -> impl Strategy<Value = Files> {
        proptest::collection::btree_map(proptest::sample::select(PATHS.to_vec()), 0..3_u8, 0..7).prop_map(
            |mut files| {
                let all = files.clone();
                files.retain(|path, _| !all.keys().any(|other| is_under(other, path)));
                files
            },
        )
    }

    fn is_under(path: &str, folder: &str) -> bool {
        path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// The tree of these files, put together by `git` itself.
    fn tree_of(scratch: &Scratch, files: &Files) -> Oid {
        let mut index = git2::Index::new().unwrap();
        let repository = git2::Repository::open(scratch.git_dir()).unwrap();
        for (path, content) in files {
            let time = git2::IndexTime::new(0, 0);
            index
                .add(&git2::IndexEntry {
                    ctime: time,
                    mtime: time,
                    dev: 0,
                    ino: 0,
                    mode: 0o100_644,
                    uid: 0,
                    gid: 0,
                    file_size: 0,
                    id: repository.blob(&[*content]).unwrap(),
                    flags: 0,
                    flags_extended: 0,
                    path: path.as_bytes().to_vec(),
                })
                .unwrap();
        }
        crate::git::library::ours(index.write_tree_to(&repository).unwrap())
    }

    #[test]
    fn paths_are_taken_as_git_would() {
        let scratch = Scratch::new();
        let repo = scratch.repo();
        let paths = proptest::sample::subsequence(PATHS.to_vec(), 0..=PATHS.len());
        let inputs = (any_files(), any_files(), paths);
        let tried = TestRunner::default().run(&inputs, |(onto, from, paths)| {
            let mut expected = onto.clone();
            expected.retain(|path, _| !paths.contains(path));
            for path in paths.iter().filter(|path| from.contains_key(*path)) {
                expected.retain(|other, _| !is_under(other, path) && !is_under(path, other));
                expected.insert(path, from[path]);
            }
            let named: Vec<RepoPath> = paths.iter().copied().map(RepoPath::from).collect();
            let (onto, from) = (tree_of(&scratch, &onto), tree_of(&scratch, &from));
            let taken = take(&repo, Some(onto), from, &named).unwrap();
            assert_eq!(taken, tree_of(&scratch, &expected), "{expected:?}");
            Ok(())
        });
        tried.unwrap();
    }
}
