//! Combining two tips in memory.

use super::porcelain;
use super::repo::Repo;
use crate::error::Result;
use crate::model::{Oid, RepoPath, Time};

/// What merging two tips gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// A tree.
    Clean(Oid),
    /// Paths that both sides changed in ways that do not fit.
    Conflict(Vec<RepoPath>),
}

/// Merges two commits without touching any working tree. How a file is merged,
/// the attributes of ours say, as they would where it is checked out; a git
/// before 2.41 looks for them in the user's checkout.
pub fn combine(repo: &Repo, ours: Oid, theirs: Oid) -> Result<Merged> {
    let args = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"];
    let command = repo.git(args).env("GIT_ATTR_SOURCE", ours.to_string());
    let output = command.args([ours.to_string(), theirs.to_string()]).spawn()?;
    match (output.code, porcelain::merge_tree(&output.stdout)) {
        (0, Some((tree, _))) => Ok(Merged::Clean(tree)),
        (1, Some((_, paths))) => Ok(Merged::Conflict(paths)),
        _ => Err(output.into_error("merge-tree")),
    }
}

/// Merges as if `ours` had begun at `since`: what `theirs` changed since then
/// comes in, however `ours` came by the rest.
pub fn combine_since(repo: &Repo, since: Oid, ours: Oid, theirs: Oid) -> Result<Merged> {
    // A git before 2.40 can't be told the base of a merge; a commit that has it
    // as its parent says the same.
    let tree = repo.read().commit(ours)?.tree;
    let stand_in = repo.write().write_record(tree, &[since], "merge", Time(0))?;
    combine(repo, stand_in, theirs)
}
