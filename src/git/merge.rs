//! Combining two tips in memory.

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

/// Merges two commits without touching any working tree.
pub fn combine(repo: &Repo, ours: Oid, theirs: Oid) -> Result<Merged> {
    let args = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"];
    let output = repo.git(args).args([ours.to_string(), theirs.to_string()]).spawn()?;
    let mut fields = output.stdout.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    let tree = fields.next().and_then(|hex| String::from_utf8_lossy(hex).trim().parse().ok());
    match (output.code, tree) {
        (0, Some(tree)) => Ok(Merged::Clean(tree)),
        (1, Some(_)) => Ok(Merged::Conflict(fields.map(RepoPath::from_bytes).collect())),
        _ => Err(output.into_error("merge-tree")),
    }
}
