//! Uncommitted work as a commit, without touching index or files.

use std::ffi::OsStr;

use super::aside::Aside;
use super::process::{Command, Place};
use super::repo::Repo;
use super::{identity, porcelain};
use crate::error::{Error, IoContext, Result};
use crate::model::Oid;

/// How the folders of private indexes are called.
pub const SCRATCH: &str = "index-";

/// The worktree's present files, tracked and untracked but not ignored ones,
/// as a tree. What can't be read is not in it.
pub fn tree(repo: &Repo, place: &Place) -> Result<Oid> {
    tree_by(repo, place, &|command| command)
}

/// How a command is run that writes objects.
type By<'a> = &'a dyn for<'c> Fn(Command<'c>) -> Command<'c>;

fn tree_by(repo: &Repo, place: &Place, by: By<'_>) -> Result<Oid> {
    repo.reach("snapshot to be taken")?;
    let folder = repo.orch_dir()?;
    let scratch = tempfile::Builder::new().prefix(SCRATCH).tempdir_in(&folder);
    let scratch = scratch.doing("could not make a folder in", &folder)?;
    let index = scratch.path().join("index");
    let own = place.git_dir.join("index");
    if own.exists() {
        copy(&own, &index).doing("could not copy", &own)?;
    }
    let command = |args: &[&str]| by(repo.git_in(place, args)).env("GIT_INDEX_FILE", &index);
    let output = command(&["add", "--all", "--ignore-errors"]).spawn()?;
    if output.code != 0 && output.is_for_want_of_room() {
        return Err(output.into_error("add"));
    }
    let line = command(&["write-tree"]).line()?;
    line.parse().map_err(|_| Error::bug(format!("git gave `{line}` as an object id")))
}

/// Copies an index with its date: by that git knows which files may have been
/// written since, all within one tick of the clock.
fn copy(own: &std::path::Path, index: &std::path::Path) -> std::io::Result<()> {
    let date = own.metadata()?.modified()?;
    std::fs::copy(own, index)?;
    std::fs::File::options().append(true).open(index)?.set_modified(date)
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

/// The same, for an answer only: nothing of it is left in the repository.
pub fn look(repo: &Repo, place: &Place, tip: Oid, aside: &Aside) -> Result<Option<Oid>> {
    let tree = tree_by(repo, place, &|command| aside.hold(command))?;
    if repo.read().commit(tip)?.tree == tree {
        return Ok(None);
    }
    let args = ["commit-tree".to_owned(), tree.to_string(), "-p".to_owned(), tip.to_string()];
    let mut command = aside.hold(repo.git(args.iter().map(OsStr::new)));
    let (name, email) = identity::ours();
    // Older than its parent, it would have whole histories walked for a merge base.
    let date = format!("@{} +0000", crate::model::Time::now().0);
    for role in ["AUTHOR", "COMMITTER"] {
        command = command
            .env(format!("GIT_{role}_NAME"), name)
            .env(format!("GIT_{role}_EMAIL"), email)
            .env(format!("GIT_{role}_DATE"), &date);
    }
    porcelain::oid(&command.stdin("uncommitted work\n").run()?).map(Some)
}
