//! What came into another worktree while a run went on in its own.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Oid, RepoPath};

/// What a run may have done in the wrong place. That it was the run is not
/// certain: whoever works there can have done it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// The other worktree.
    pub worktree: PathBuf,
    /// The branch that is checked out there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Commits made there meanwhile, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<Oid>,
    /// Files changed there meanwhile and not committed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<RepoPath>,
}
