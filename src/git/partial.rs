//! Files that a killed git was writing.
//!
//! Git writes files in place: killed, it leaves one cut off, or empty. Such a
//! file is the beginning of what it was to be, and holds nothing of anyone's.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;

use super::porcelain;
use super::process::Place;
use super::read::EntryKind;
use super::repo::Repo;
use crate::error::Result;
use crate::model::{Oid, RepoPath};

/// The tracked paths that differ from a worktree's index.
pub(super) fn differs(repo: &Repo, place: &Place) -> Result<BTreeSet<RepoPath>> {
    // It also tells by its exit code what differs.
    repo.git_in(place, ["update-index", "-q", "--refresh"]).spawn()?;
    let text = repo.git_in(place, ["diff-files", "--name-only", "-z"]).run()?;
    Ok(porcelain::paths(&text).into_iter().collect())
}

/// Whether what is at a path is what git would write there, whole or cut off.
pub(super) fn is_part(repo: &Repo, place: &Place, path: &RepoPath, (kind, oid): (EntryKind, Oid)) -> bool {
    let Some(top) = &place.work_tree else { return false };
    let file = top.join(path.as_path());
    if kind == EntryKind::Link {
        let target = std::fs::read_link(&file).unwrap_or_default();
        return repo.read().blob(oid).is_ok_and(|blob| blob == target.as_os_str().as_bytes());
    }
    let is_file = file.symlink_metadata().is_ok_and(|meta| meta.is_file());
    let (present, written) = (std::fs::read(&file), written(repo, place, path, oid));
    is_file && present.is_ok_and(|present| written.is_ok_and(|written| written.starts_with(&present)))
}

/// What git writes for a blob, through the filters of its path.
fn written(repo: &Repo, place: &Place, path: &RepoPath, oid: Oid) -> Result<Vec<u8>> {
    if path.as_bytes().contains(&b'\n') {
        return repo.read().blob(oid);
    }
    let mut wanted = format!("{oid} ").into_bytes();
    wanted.extend_from_slice(path.as_bytes());
    wanted.push(b'\n');
    let text = repo.git_in(place, ["cat-file", "--batch", "--filters"]).stdin(wanted).run()?;
    let start = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| end + 1);
    Ok(text[start..text.len().saturating_sub(1).max(start)].to_vec())
}

/// Writes files anew as a worktree's index has them.
pub(super) fn write<'a>(repo: &Repo, place: &Place, paths: impl Iterator<Item = &'a RepoPath>) -> Result<()> {
    let list: Vec<u8> = paths.flat_map(|path| path.as_bytes().iter().copied().chain([0])).collect();
    if list.is_empty() {
        return Ok(());
    }
    let command = repo.git_in(place, ["checkout-index", "--force", "-u", "-z", "--stdin"]);
    command.stdin(list).run().map(drop)
}
