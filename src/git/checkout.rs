//! A checkout that is made equal to a tree, and read back as one.
//!
//! Only for worktrees that hold nothing of anyone's: throwaways.

use super::process::Place;
use super::repo::Repo;
use crate::error::{Error, Result};
use crate::model::Oid;

/// Removes every file that is not in the worktree's index, ignored ones too.
pub fn wipe(repo: &Repo, place: &Place) -> Result<()> {
    repo.git_in(place, ["clean", "-ffdxq"]).run().map(drop)
}

/// Makes the worktree's index and files those of `tree`, through the
/// repository's filters; files in neither are left.
pub fn set(repo: &Repo, place: &Place, tree: Oid) -> Result<()> {
    repo.reach("throwaway to be set")?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let setting = format!("checkout.workers={workers}");
    let command = repo.git_in(place, ["-c", &setting, "read-tree", "--reset", "-u"]);
    command.args([tree.to_string()]).run().map(drop)
}

/// The worktree's files as a tree: those in its index, and new ones that are
/// not ignored.
pub fn capture(repo: &Repo, place: &Place) -> Result<Oid> {
    repo.reach("throwaway to be read")?;
    repo.git_in(place, ["add", "--all"]).run()?;
    let line = repo.git_in(place, ["write-tree"]).line()?;
    line.parse().map_err(|_| Error::bug(format!("git gave `{line}` as an object id")))
}
