//! Combining two tips in memory.

use super::porcelain;
use super::repo::Repo;
use crate::error::Result;
use crate::model::{Oid, RepoPath};

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
