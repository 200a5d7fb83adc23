//! Who else is changing what a task will likely touch.
//!
//! Told from paths alone, so that asking costs next to nothing.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::git::{Repo, refs, worktree};
use crate::model::wording::few;
use crate::model::{Name, RepoPath, Session, Task, TaskState};
use crate::session::workplace;
use crate::store::{self, Stored};

/// In so many worktrees uncommitted work is looked for.
const LOOKED_INTO: usize = 20;

/// Others at the same files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearby {
    /// How they change them.
    pub by: By,
    /// The sessions, or the results.
    pub names: Vec<Name>,
    /// The files.
    pub paths: BTreeSet<RepoPath>,
}

/// How files are being changed elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// In worktrees of sessions, uncommitted.
    Uncommitted,
    /// On branches of sessions.
    Branch,
    /// In results that wait.
    Result,
}

impl std::fmt::Display for Nearby {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (paths, are) = (few(&self.paths), if self.paths.len() == 1 { "is" } else { "are" });
        let (names, have) = (few(&self.names), if self.names.len() == 1 { "has" } else { "have" });
        match self.by {
            By::Uncommitted => write!(f, "{paths} {are} being changed by {names} (uncommitted)"),
            By::Branch => write!(f, "{paths} {are} being changed by {names} (not landed)"),
            By::Result => write!(f, "{paths} {are} changed in {names}, which {have} not landed"),
        }
    }
}

/// What others than this session are changing of these files and folders.
pub fn find(
    repo: &Repo,
    (sessions, tasks): (&[Stored<Session>], &[Stored<Task>]),
    session: &Name,
    targets: &[RepoPath],
) -> Result<Vec<Nearby>> {
    let mut found = Vec::new();
    if targets.is_empty() {
        return Ok(found);
    }
    let others = sessions.iter().map(|stored| &stored.value).filter(|one| one.name != *session);
    for (index, other) in others.enumerate() {
        if index < LOOKED_INTO {
            add(&mut found, (By::Uncommitted, &other.name), uncommitted(repo, other, targets));
        }
        add(&mut found, (By::Branch, &other.name), on_branch(repo, tasks, other, targets)?);
    }
    let waits = |state: TaskState| state.is_pending();
    for task in tasks.iter().map(|stored| &stored.value) {
        if waits(task.state) && task.session != *session {
            let touched = task.touched.iter().map(|change| change.path.clone());
            add(&mut found, (By::Result, &task.name), at(touched, targets));
        }
    }
    for fanout in store::fanouts::load(repo)?.into_iter().map(|stored| stored.value) {
        if let Some(tree) = fanout.tree.filter(|_| waits(fanout.state)) {
            let before = repo.read().commit(fanout.base_oid)?.tree;
            let changes = repo.read().changes(Some(before), tree)?;
            let changed = changes.into_iter().map(|change| change.path);
            add(&mut found, (By::Result, &fanout.name), at(changed, targets));
        }
    }
    Ok(found)
}

/// Those who change the same files in the same way are told together.
fn add(found: &mut Vec<Nearby>, (by, name): (By, &Name), paths: BTreeSet<RepoPath>) {
    match found.iter_mut().find(|nearby| nearby.by == by && nearby.paths == paths) {
        _ if paths.is_empty() => {}
        Some(nearby) => nearby.names.push(name.clone()),
        None => found.push(Nearby { by, names: vec![name.clone()], paths }),
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
    tasks: &[Stored<Task>],
    session: &Session,
    targets: &[RepoPath],
) -> Result<BTreeSet<RepoPath>> {
    let tip = repo.read().find_ref(&refs::branch(&session.branch))?;
    let base = repo.read().find_ref(&refs::branch(&session.base))?;
    let (Some(tip), Some(base)) = (tip, base) else { return Ok(BTreeSet::new()) };
    let is_result = tasks.iter().any(|task| task.value.tip == Some(tip));
    let fork = if is_result { None } else { repo.read().merge_base(tip, base)? };
    let Some(fork) = fork.filter(|fork| *fork != tip) else { return Ok(BTreeSet::new()) };
    let trees = (repo.read().commit(fork)?.tree, repo.read().commit(tip)?.tree);
    let changes = repo.read().changes(Some(trees.0), trees.1)?;
    Ok(at(changes.into_iter().map(|change| change.path), targets))
}
