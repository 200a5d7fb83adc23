//! Uncommitted work as a commit, without touching index or files.

use super::process::Place;
use super::repo::Repo;
use crate::error::{Error, IoContext, Result};
use crate::model::Oid;

/// How the folders of private indexes are called.
pub const SCRATCH: &str = "index-";

/// The worktree's present files, tracked and untracked but not ignored ones,
/// as a tree. What can't be read is not in it.
pub fn tree(repo: &Repo, place: &Place) -> Result<Oid> {
    repo.reach("snapshot to be taken")?;
    let folder = repo.orch_dir()?;
    let scratch = tempfile::Builder::new().prefix(SCRATCH).tempdir_in(&folder);
    let scratch = scratch.doing("could not make a folder in", &folder)?;
    let index = scratch.path().join("index");
    let own = place.git_dir.join("index");
    if own.exists() {
        std::fs::copy(&own, &index).doing("could not copy", &own)?;
    }
    let added = repo.git_in(place, ["add", "--all", "--ignore-errors"]).env("GIT_INDEX_FILE", &index);
    let output = added.spawn()?;
    if output.code != 0 && output.is_for_want_of_room() {
        return Err(output.into_error("add"));
    }
    let line = repo.git_in(place, ["write-tree"]).env("GIT_INDEX_FILE", &index).line()?;
    line.parse().map_err(|_| Error::bug(format!("git gave `{line}` as an object id")))
}

/// The worktree's uncommitted work as a commit on top of `tip`; `None` when
/// there is none.
pub fn take(repo: &Repo, place: &Place, tip: Oid, message: &str) -> Result<Option<Oid>> {
    let tree = tree(repo, place)?;
    if repo.read().commit(tip)?.tree == tree {
        return Ok(None);
    }
    let now = crate::model::Time::now();
    repo.write().write_record(tree, &[tip], message, now).map(Some)
}
