//! Notes on objects, built by hand.
//!
//! `git notes` and git2's notes lose writes between processes (both are
//! read-modify-write without a comparison), so the notes tree is built here
//! and its ref moved by compare-and-swap like any other.
//!
//! **Invariant:** notes of others in the same tree are kept as they are.

use std::collections::{BTreeMap, HashMap};

use super::lock::RepoLock;
use super::read::{Entry, EntryKind};
use super::refs::{self, RefChange};
use super::repo::Repo;
use super::splice;
use crate::error::Result;
use crate::model::{Oid, RepoPath, Time};

/// The note on `object`, where there is one; any fan-out is understood.
pub fn find(repo: &Repo, notes_ref: &str, object: Oid) -> Result<Option<Vec<u8>>> {
    let Some(tip) = repo.read().find_ref(notes_ref)? else { return Ok(None) };
    let hex = object.to_string();
    let mut tree = repo.read().commit(tip)?.tree;
    let mut rest = hex.as_str();
    loop {
        let entries = repo.read().tree(tree)?;
        let named = |name: &str| entries.iter().find(|entry| entry.name.as_bytes() == name.as_bytes());
        if let Some(note) = named(rest).filter(|entry| entry.kind != EntryKind::Tree) {
            return repo.read().blob(note.oid).map(Some);
        }
        match named(&rest[..2]).filter(|entry| entry.kind == EntryKind::Tree) {
            Some(folder) if rest.len() > 2 => (tree, rest) = (folder.oid, &rest[2..]),
            _ => return Ok(None),
        }
    }
}

/// All notes of a ref: the annotated object and the note's blob.
pub fn list(repo: &Repo, notes_ref: &str) -> Result<Vec<(Oid, Oid)>> {
    let Some(tip) = repo.read().find_ref(notes_ref)? else { return Ok(Vec::new()) };
    let tree = repo.read().commit(tip)?.tree;
    let noted = |entry: Entry| {
        let hex: String = entry.name.quoted().chars().filter(|c| *c != '/').collect();
        hex.parse().ok().map(|object| (object, entry.oid))
    };
    Ok(repo.read().tracked(tree)?.into_iter().filter_map(noted).collect())
}

/// The notes on some objects, in order; any fan-out is understood.
pub fn find_all(repo: &Repo, notes_ref: &str, objects: &[Oid]) -> Result<Vec<Option<Vec<u8>>>> {
    let Some(tip) = repo.read().find_ref(notes_ref)? else { return Ok(vec![None; objects.len()]) };
    let tree = repo.read().commit(tip)?.tree;
    let named = |entry: Entry| {
        let path = entry.name.quoted();
        path.replace('/', "").parse().ok().map(|object: Oid| (object, path))
    };
    let paths: HashMap<Oid, String> = repo.read().tracked(tree)?.into_iter().filter_map(named).collect();
    let wanted: Vec<(Oid, &str)> =
        objects.iter().filter_map(|object| Some((tip, paths.get(object)?.as_str()))).collect();
    let mut found = repo.read().files(&wanted)?.into_iter();
    Ok(objects.iter().map(|object| paths.get(object).and_then(|_| found.next().flatten())).collect())
}

/// Sets the notes on some objects, in one commit; does nothing where all are
/// already so.
///
/// # Errors
/// Refused when another process moved the notes meanwhile.
pub fn set(repo: &Repo, lock: &RepoLock, notes_ref: &str, notes: &[(Oid, Vec<u8>)], now: Time) -> Result<()> {
    let change = change(repo, notes_ref, notes, now)?;
    refs::apply(repo, lock, change.as_slice(), "notes")
}

/// The change that sets them, for who moves other refs with it; none where all
/// are already so. Made under the lock that it is carried out under.
pub fn change(
    repo: &Repo,
    notes_ref: &str,
    notes: &[(Oid, Vec<u8>)],
    now: Time,
) -> Result<Option<RefChange>> {
    let tip = repo.read().find_ref(notes_ref)?;
    let old_tree = tip.map(|tip| repo.read().commit(tip).map(|commit| commit.tree)).transpose()?;
    let mut top = by_name(repo, old_tree)?;
    let mut folders: BTreeMap<String, BTreeMap<RepoPath, Entry>> = BTreeMap::new();
    for (object, note) in notes {
        let hex = object.to_string();
        let (folder, rest) = hex.split_at(2);
        if !folders.contains_key(folder) {
            let found = top.get(&RepoPath::from(folder)).filter(|entry| entry.kind == EntryKind::Tree);
            folders.insert(folder.to_owned(), by_name(repo, found.map(|entry| entry.oid))?);
        }
        let entry = Entry { name: rest.into(), kind: EntryKind::File, oid: repo.write().write_blob(note)? };
        folders.entry(folder.to_owned()).or_default().insert(rest.into(), entry);
        top.remove(&RepoPath::from(hex.as_str()));
    }
    for (folder, entries) in folders {
        let oid = repo.write().write_tree(&entries.into_values().collect::<Vec<_>>())?;
        let name = RepoPath::from(folder.as_str());
        top.insert(name.clone(), Entry { name, kind: EntryKind::Tree, oid });
    }
    let tree = repo.write().write_tree(&top.into_values().collect::<Vec<_>>())?;
    if Some(tree) == old_tree {
        return Ok(None);
    }
    let parents: Vec<Oid> = tip.into_iter().collect();
    let commit = repo.write().write_record(tree, &parents, "notes", now)?;
    Ok(Some(RefChange::set(notes_ref, commit, tip)))
}

/// The change that takes back what one operation did to some notes: each that
/// is still as it left it; `None` where none is.
pub fn revert(
    repo: &Repo,
    notes_ref: &str,
    old: Option<Oid>,
    new: Option<Oid>,
    now: Time,
) -> Result<Option<RefChange>> {
    let (Some(tip), Some(new)) = (repo.read().find_ref(notes_ref)?, new) else { return Ok(None) };
    let tree = |commit: Oid| repo.read().commit(commit).map(|commit| commit.tree);
    let before = match old {
        Some(old) => tree(old)?,
        None => repo.write().write_tree(&[])?,
    };
    let (after, present) = (tree(new)?, tree(tip)?);
    let notes = |tree: Oid| -> Result<BTreeMap<RepoPath, Oid>> {
        Ok(repo.read().tracked(tree)?.into_iter().map(|entry| (entry.name, entry.oid)).collect())
    };
    let (left, found) = (notes(after)?, notes(present)?);
    let changed = repo.read().changes(Some(after), before)?.into_iter().map(|change| change.path);
    let paths: Vec<RepoPath> = changed.filter(|path| left.get(path) == found.get(path)).collect();
    let reverted = splice::take(repo, Some(present), before, &paths)?;
    if reverted == present {
        return Ok(None);
    }
    let commit = repo.write().write_record(reverted, &[tip], "notes, undone", now)?;
    Ok(Some(RefChange::update(notes_ref, commit, tip)))
}

fn by_name(repo: &Repo, tree: Option<Oid>) -> Result<BTreeMap<RepoPath, Entry>> {
    let entries = tree.map_or(Ok(Vec::new()), |tree| repo.read().tree(tree))?;
    Ok(entries.into_iter().map(|entry| (entry.name.clone(), entry)).collect())
}
