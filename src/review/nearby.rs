//! Who else is changing what a task will likely touch.
//!
//! Told from paths alone, so that asking costs next to nothing.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::git::{Repo, refs, worktree};
use crate::model::wording::few;
use crate::model::{Name, RepoPath, Session, TaskState};
use crate::run::routing::Survey;
use crate::session::workplace;
use crate::store;

/// In so many worktrees uncommitted work is looked for.
const LOOKED_INTO: usize = 20;

/// Others at the same files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearby {
    /// Who or what changes them.
    pub by: By,
    /// The files.
    pub paths: BTreeSet<RepoPath>,
}

/// How files are being changed elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// In a session's worktree, uncommitted.
    Uncommitted(Name),
    /// On a session's branch.
    Branch(Name),
    /// In a result that waits.
    Result(Name),
}

impl std::fmt::Display for Nearby {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (paths, are) = (few(&self.paths), if self.paths.len() == 1 { "is" } else { "are" });
        match &self.by {
            By::Uncommitted(session) => write!(f, "{paths} {are} being changed by {session} (uncommitted)"),
            By::Branch(session) => write!(f, "{paths} {are} being changed by {session} (not landed)"),
            By::Result(task) => write!(f, "{paths} {are} changed in {task}, which has not landed"),
        }
    }
}

/// What others than this session are changing of these files and folders.
pub fn find(repo: &Repo, survey: &Survey, session: &Name, targets: &[RepoPath]) -> Result<Vec<Nearby>> {
    let mut found = Vec::new();
    if targets.is_empty() {
        return Ok(found);
    }
    let others = survey.sessions.iter().map(|stored| &stored.value).filter(|one| one.name != *session);
    for (index, other) in others.enumerate() {
        if index < LOOKED_INTO {
            add(&mut found, By::Uncommitted(other.name.clone()), uncommitted(repo, other, targets));
        }
        add(&mut found, By::Branch(other.name.clone()), on_branch(repo, survey, other, targets)?);
    }
    let waits = |state: TaskState| state.is_pending();
    for task in survey.tasks.iter().map(|stored| &stored.value) {
        if waits(task.state) && task.session != *session {
            let touched = task.touched.iter().map(|change| change.path.clone());
            add(&mut found, By::Result(task.name.clone()), at(touched, targets));
        }
    }
    for fanout in store::fanouts::load(repo)?.into_iter().map(|stored| stored.value) {
        if let Some(tree) = fanout.tree.filter(|_| waits(fanout.state)) {
            let before = repo.read().commit(fanout.base_oid)?.tree;
            let changes = repo.read().changes(Some(before), tree)?;
            let changed = changes.into_iter().map(|change| change.path);
            add(&mut found, By::Result(fanout.name), at(changed, targets));
        }
    }
    Ok(found)
}

fn add(found: &mut Vec<Nearby>, by: By, paths: BTreeSet<RepoPath>) {
    if !paths.is_empty() {
        found.push(Nearby { by, paths });
    }
}

/// Those at one of the targets, or below it.
fn at(paths: impl Iterator<Item = RepoPath>, targets: &[RepoPath]) -> BTreeSet<RepoPath> {
    let is_at = |path: &RepoPath| path.places().any(|place| targets.iter().any(|t| t.as_bytes() == place));
    paths.filter(is_at).collect()
}

/// A worktree that can't be looked into is nobody's warning.
fn uncommitted(repo: &Repo, session: &Session, targets: &[RepoPath]) -> BTreeSet<RepoPath> {
    let look = || {
        let place = workplace::require(repo, session)?;
        let tip = workplace::tip(repo, session)?;
        match worktree::may_differ(repo, &place, tip, targets)? {
            true => worktree::dirty_at(repo, &place, targets),
            false => Ok(Vec::new()),
        }
    };
    look().unwrap_or_default().into_iter().collect()
}

/// What its branch has that neither its base nor a result has.
fn on_branch(
    repo: &Repo,
    survey: &Survey,
    session: &Session,
    targets: &[RepoPath],
) -> Result<BTreeSet<RepoPath>> {
    let tip = repo.read().find_ref(&refs::branch(&session.branch))?;
    let base = repo.read().find_ref(&refs::branch(&session.base))?;
    let (Some(tip), Some(base)) = (tip, base) else { return Ok(BTreeSet::new()) };
    let is_result = survey.tasks.iter().any(|task| task.value.tip == Some(tip));
    let fork = if is_result { None } else { repo.read().merge_base(tip, base)? };
    let Some(fork) = fork.filter(|fork| *fork != tip) else { return Ok(BTreeSet::new()) };
    let trees = (repo.read().commit(fork)?.tree, repo.read().commit(tip)?.tree);
    let changes = repo.read().changes(Some(trees.0), trees.1)?;
    Ok(at(changes.into_iter().map(|change| change.path), targets))
}
