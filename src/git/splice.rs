//! Trees put together from parts of other trees, without a checkout.
//!
//! **Invariant:** only the folders on the way to a named path are read or
//! written, each once; everything else is carried over by its id.

use std::collections::BTreeMap;

use super::read::{Entry, EntryKind};
use super::repo::Repo;
use crate::error::Result;
use crate::model::{Oid, RepoPath};

/// A path, and what shall stand there: nothing where it shall be gone.
pub type Put<'a> = (&'a [u8], Option<(EntryKind, Oid)>);

/// The tree `onto` (or an empty one) with these paths as they shall be. What is
/// no folder there makes room for a path that needs one, and a folder for a
/// file; no path may be named twice, or be a folder of another that stays.
pub fn put(repo: &Repo, onto: Option<Oid>, mut puts: Vec<Put<'_>>) -> Result<Oid> {
    puts.sort_unstable_by_key(|(path, _)| *path);
    let entries = edited(repo, onto, &puts)?;
    repo.write().write_tree(&entries.into_values().collect::<Vec<_>>())
}

/// The same with these paths as the tree `from` has them: replaced, added, or
/// removed where `from` has no such file.
pub fn take(repo: &Repo, onto: Option<Oid>, from: Oid, paths: &[RepoPath]) -> Result<Oid> {
    let mut sorted: Vec<&[u8]> = paths.iter().map(RepoPath::as_bytes).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut puts = Vec::with_capacity(sorted.len());
    find(repo, Some(from), &Wanted { paths: &sorted, depth: 0 }, &mut puts)?;
    put(repo, onto, puts)
}

type Entries = BTreeMap<Vec<u8>, Entry>;

/// The entries of a folder with what is put into it.
fn edited(repo: &Repo, onto: Option<Oid>, puts: &[Put<'_>]) -> Result<Entries> {
    let mut entries = load(repo, onto)?;
    let mut groups: BTreeMap<&[u8], Vec<Put<'_>>> = BTreeMap::new();
    for (path, now) in puts {
        match path.iter().position(|byte| *byte == b'/') {
            Some(slash) => groups.entry(&path[..slash]).or_default().push((&path[slash + 1..], *now)),
            None => put_file(&mut entries, path, *now),
        }
    }
    for (name, below) in groups {
        let inner = edited(repo, tree(&entries, name), &below)?;
        if !inner.is_empty() {
            let oid = repo.write().write_tree(&inner.into_values().collect::<Vec<_>>())?;
            insert(&mut entries, name, (EntryKind::Tree, oid));
        } else if tree(&entries, name).is_some() {
            entries.remove(name);
        }
    }
    Ok(entries)
}

fn put_file(entries: &mut Entries, name: &[u8], now: Option<(EntryKind, Oid)>) {
    match now {
        Some(now) => insert(entries, name, now),
        None if tree(entries, name).is_none() => drop(entries.remove(name)),
        None => {}
    }
}

fn insert(entries: &mut Entries, name: &[u8], (kind, oid): (EntryKind, Oid)) {
    entries.insert(name.to_vec(), Entry { name: RepoPath::from_bytes(name), kind, oid });
}

fn tree(entries: &Entries, name: &[u8]) -> Option<Oid> {
    entries.get(name).filter(|entry| entry.kind == EntryKind::Tree).map(|entry| entry.oid)
}

fn load(repo: &Repo, tree: Option<Oid>) -> Result<Entries> {
    let Some(tree) = tree else { return Ok(Entries::new()) };
    Ok(repo.read().tree(tree)?.into_iter().map(|entry| (entry.name.as_bytes().to_vec(), entry)).collect())
}

/// Sorted paths that share their first `depth` bytes: a folder.
struct Wanted<'w, 'p> {
    paths: &'w [&'p [u8]],
    depth: usize,
}

/// What a tree has at these paths, folders being nothing.
fn find<'p>(repo: &Repo, from: Option<Oid>, wanted: &Wanted<'_, 'p>, found: &mut Vec<Put<'p>>) -> Result<()> {
    let entries = load(repo, from)?;
    let name = |path: &'p [u8]| path[wanted.depth..].split(|byte| *byte == b'/').next().unwrap_or_default();
    for group in wanted.paths.chunk_by(|one, other| name(one) == name(other)) {
        let name = name(group[0]);
        let depth = wanted.depth + name.len();
        let here = group.iter().take_while(|path| path.len() == depth).count();
        let file = entries.get(name).filter(|entry| entry.kind != EntryKind::Tree);
        found.extend(group[..here].iter().map(|path| (*path, file.map(|entry| (entry.kind, entry.oid)))));
        if here < group.len() {
            let below = Wanted { paths: &group[here..], depth: depth + 1 };
            find(repo, tree(&entries, name), &below, found)?;
        }
    }
    Ok(())
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

    #[test]
    fn what_differs_between_two_trees_makes_the_one_of_the_other() {
        let scratch = Scratch::new();
        let repo = scratch.repo();
        let tried = TestRunner::default().run(&(any_files(), any_files()), |(old, new)| {
            let (old, new) = (tree_of(&scratch, &old), tree_of(&scratch, &new));
            let edits = repo.read().edits(Some(old), new).unwrap();
            let puts: Vec<Put<'_>> =
                edits.iter().rev().map(|edit| (edit.change.path.as_bytes(), edit.now)).collect();
            assert_eq!(put(&repo, Some(old), puts).unwrap(), new);
            Ok(())
        });
        tried.unwrap();
    }
}
