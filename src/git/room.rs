//! The room that worktrees take on their disk.
//!
//! **Invariant:** never reckoned as more than they take, so that nothing is
//! refused which would fit: what is not known takes none.

use std::collections::BTreeMap;
use std::path::Path;

use super::read::EntryKind;
use super::repo::Repo;
use crate::error::{Error, Result, free_bytes};
use crate::model::wording::bytes;
use crate::model::{Oid, RepoPath};

/// What the index holds of a file, beside its path.
const IN_INDEX: u64 = 62;
/// What git and git-orch write beside any worktree: its entry, records, logs.
const RESERVE: u64 = 64 * 1_024;

/// What each file of a tree takes in a worktree.
pub fn of_files(repo: &Repo, tree: Oid) -> Result<BTreeMap<RepoPath, u64>> {
    let mut files = repo.read().tracked(tree)?;
    files.retain(|entry| entry.kind != EntryKind::Submodule);
    let blobs: Vec<Oid> = files.iter().map(|entry| entry.oid).collect();
    let sizes = repo.read().sizes(&blobs)?;
    Ok(files.into_iter().zip(sizes).map(|(entry, size)| (entry.name, size + IN_INDEX)).collect())
}

/// What a worktree with all files of a tree takes.
pub fn of_tree(repo: &Repo, tree: Oid) -> Result<u64> {
    Ok(of_files(repo, tree)?.values().sum())
}

/// Whether so much fits below a folder; so it does where that can't be told.
pub fn is_there(folder: &Path, needed: u64) -> bool {
    free_bytes(folder).is_none_or(|free| free >= needed.saturating_add(RESERVE))
}

/// Refuses to begin what does not fit below a folder; `what` is made there.
///
/// # Errors
/// Unusable, with what is needed and what is free.
pub fn require(folder: &Path, needed: u64, what: &str) -> Result<()> {
    if is_there(folder, needed) {
        return Ok(());
    }
    let (at, needed) = (folder.display(), bytes(needed.saturating_add(RESERVE)));
    let free = bytes(free_bytes(folder).unwrap_or_default());
    Err(Error::unusable(format!("no room for {what} in `{at}`: {needed} needed, {free} free"))
        .hint("make room on that disk, or have worktrees on another: `git config orch.worktrees`"))
}
