//! A session as people and programs see it.

use std::path::PathBuf;

use serde::Serialize;

use super::workplace;
use crate::error::Result;
use crate::git::{Repo, refs, worktree};
use crate::model::{Name, Oid, Report, Session, SessionState, Task, TaskState, Time};
use crate::store::Stored;

/// How well a session knows a path.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Knows {
    /// A folder or file.
    pub path: crate::model::RepoPath,
    /// Touches of 1/files each, decayed with the slow half-life.
    pub weight: f64,
}

/// The `session` of `git-orch/1`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct View {
    /// Its name.
    pub name: Name,
    /// Its branch.
    pub branch: String,
    /// Its worktree.
    pub worktree: PathBuf,
    /// The branch it merges back to.
    pub base: String,
    /// Where it started from.
    pub base_oid: Oid,
    /// Words for what it is good at.
    pub specialty: String,
    /// Path patterns.
    pub paths: Vec<String>,
    /// The agent that works in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Where it is in its life.
    pub state: SessionState,
    /// Why it is paused, where somebody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The task it works on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Name>,
    /// What the run of that task says of itself, where it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported: Option<Report>,
    /// Commits it has that its base has not.
    pub ahead: usize,
    /// Commits its base has that it has not.
    pub behind: usize,
    /// Uncommitted files, where asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dirty: Option<usize>,
    /// How many tasks are open in it.
    pub load: usize,
    /// Those tasks.
    pub open_tasks: Vec<Name>,
    /// When something last happened in it.
    pub last_activity: Time,
    /// What it knows best.
    pub knows: Vec<Knows>,
}

/// Whether uncommitted files are counted; that costs a walk of the worktree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// From refs alone.
    Refs,
    /// With the worktree's files.
    Files,
}

/// Looks at a session.
pub fn view(repo: &Repo, session: &Session, tasks: &[Stored<Task>], depth: Depth) -> Result<View> {
    let own = || tasks.iter().map(|task| &task.value).filter(|task| task.session == session.name);
    let open: Vec<&Task> = own().filter(|task| task.state.is_open()).collect();
    let at_work = open.iter().find(|task| task.state != TaskState::Queued).or(open.first());
    let tip = repo.read().find_ref(&refs::branch(&session.branch))?;
    let base = repo.read().find_ref(&refs::branch(&session.base))?;
    let (ahead, behind) = match (tip, base) {
        (Some(tip), Some(base)) => repo.read().ahead_behind(tip, base)?,
        _ => (0, 0),
    };
    let blocked = tip.is_none() || base.is_none() || !session.worktree.is_dir();
    let dirty = match depth {
        Depth::Files if !blocked => Some(worktree::dirty(repo, &workplace::require(repo, session)?)?.len()),
        _ => None,
    };
    let state = match (session.state, at_work.map(|task| task.state)) {
        (SessionState::Idle, _) if blocked => SessionState::Blocked,
        (SessionState::Idle, Some(TaskState::Input)) => SessionState::Input,
        (SessionState::Idle, Some(TaskState::Running)) => SessionState::Running,
        (state, _) => state,
    };
    Ok(View {
        name: session.name.clone(),
        branch: session.branch.clone(),
        worktree: session.worktree.clone(),
        base: session.base.clone(),
        base_oid: session.base_oid,
        specialty: session.specialty.clone(),
        paths: session.paths.clone(),
        agent: session.agent.clone(),
        state,
        why: session.why.clone(),
        task: at_work.map(|task| task.name.clone()),
        reported: None,
        ahead,
        behind,
        dirty,
        load: open.len(),
        open_tasks: open.iter().map(|task| task.name.clone()).collect(),
        last_activity: own()
            .map(|task| task.updated)
            .chain([session.created])
            .max()
            .unwrap_or(session.created),
        knows: Vec::new(),
    })
}
