//! What a run left, as git tells it.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::git::{Place, Repo, commit, refs, worktree};
use crate::model::{Oid, RepoPath};

/// How far back a worktree's own log is read.
const LOGGED: usize = 200;

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
    let dirty = worktree::dirty(repo, place)?;
    let Some(tip) = commit::find_tip(repo, place)? else {
        return Ok(Left { tip: start, commits: Vec::new(), dirty, descends: false });
    };
    let commits = repo.read().commits_between(&[start], tip)?;
    let descends = repo.read().merge_base(start, tip)? == Some(start);
    Ok(Left { tip, commits, dirty, descends })
}

/// Commits that a command made and went away from, by another branch or by a
/// reset: those the worktree's HEAD or its session's branch was at, which
/// neither `kept` nor any other ref has behind it.
pub fn passed_over(repo: &Repo, place: &Place, branch: &str, kept: Oid) -> Result<Vec<Oid>> {
    let branch = refs::branch(branch);
    let mut seen: BTreeSet<Oid> = repo.read().find_ref(&branch)?.into_iter().collect();
    let log = std::fs::read_to_string(place.git_dir.join("logs/HEAD")).unwrap_or_default();
    let oids = log.lines().rev().take(LOGGED).filter_map(|line| line.split(' ').nth(1)?.parse().ok());
    seen.extend(oids.filter(|oid: &Oid| !oid.is_zero()));
    let behind = |oid: &Oid| repo.read().merge_base(kept, *oid).is_ok_and(|base| base == Some(*oid));
    seen.retain(|oid| !behind(oid));
    if seen.is_empty() {
        return Ok(Vec::new());
    }
    let loose = repo.git(["rev-list", "--ignore-missing"]).args(seen.iter().map(Oid::to_string));
    let others = [kept.to_string(), format!("--exclude={branch}"), "--all".to_owned()];
    let loose = lines(&loose.args(["--not"]).args(others).run()?);
    seen.retain(|oid| loose.contains(oid));
    if seen.len() < 2 {
        return Ok(seen.into_iter().collect());
    }
    Ok(lines(&repo.git(["merge-base", "--independent"]).args(seen.iter().map(Oid::to_string)).run()?))
}

fn lines(text: &[u8]) -> Vec<Oid> {
    String::from_utf8_lossy(text).lines().filter_map(|line| line.parse().ok()).collect()
}
