//! What a run left, as git tells it.

use crate::error::Result;
use crate::git::{Place, Repo, commit, worktree};
use crate::model::{Oid, RepoPath};

/// What is in a worktree after a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Where its HEAD is.
    pub tip: Oid,
    /// Commits since the start, oldest first.
    pub commits: Vec<Oid>,
    /// Uncommitted paths.
    pub dirty: Vec<RepoPath>,
    /// Whether HEAD still has the start behind it.
    pub descends: bool,
}

impl Left {
    /// Whether nothing at all was left.
    pub fn is_nothing(&self, start: Oid) -> bool {
        self.tip == start && self.dirty.is_empty()
    }
}

/// Looks at a worktree that started at `start`.
pub fn look(repo: &Repo, place: &Place, start: Oid) -> Result<Left> {
    let tip = commit::tip(repo, place)?;
    let commits = repo.read().commits_between(&[start], tip)?;
    let descends = repo.read().merge_base(start, tip)? == Some(start);
    Ok(Left { tip, commits, dirty: worktree::dirty(repo, place)?, descends })
}
