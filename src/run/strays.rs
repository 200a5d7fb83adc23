//! Commits that people made in a session's worktree outside any task: they
//! are the session's history too.

use std::collections::HashSet;

use super::{Scene, touches};
use crate::error::Result;
use crate::git::{RepoLock, refs};
use crate::model::{Name, Oid, Session, Task, TaskState};
use crate::store::{self, Stored};

/// Puts them on the sessions' records, with touch notes.
pub fn gather(scene: Scene<'_>) -> Result<()> {
    let sessions = store::sessions::load(scene.repo)?;
    if sessions.is_empty() {
        return Ok(());
    }
    let tasks = store::tasks::load(scene.repo)?;
    let known: HashSet<Oid> =
        sessions.iter().flat_map(|session| session.value.commits.iter().copied()).collect();
    for session in sessions {
        if !find(scene, &session.value, &known, &tasks)?.is_empty() {
            record(scene, &session.value.name, &known)?;
        }
    }
    Ok(())
}

/// What a task in the making commits is the task's.
fn is_at_work(session: &Session, tasks: &[Stored<Task>]) -> bool {
    tasks.iter().map(|task| &task.value).any(|task| {
        task.session == session.name && matches!(task.state, TaskState::Running | TaskState::Input)
    })
}

/// What the session's branch has that no task made and no session is known to have.
fn find(
    scene: Scene<'_>,
    session: &Session,
    known: &HashSet<Oid>,
    tasks: &[Stored<Task>],
) -> Result<Vec<Oid>> {
    if is_at_work(session, tasks) {
        return Ok(Vec::new());
    }
    let read = scene.repo.read();
    let tip = read.find_ref(&refs::branch(&session.branch))?;
    let base = read.find_ref(&refs::branch(&session.base))?;
    let (Some(tip), Some(base)) = (tip, base) else { return Ok(Vec::new()) };
    let of_tasks: HashSet<Oid> = tasks.iter().flat_map(|task| task.value.all_commits()).collect();
    let mut commits = read.commits_between(&[base, session.base_oid], tip)?;
    commits.retain(|commit| !known.contains(commit) && !of_tasks.contains(commit));
    Ok(commits)
}

fn record(scene: Scene<'_>, session: &Name, known: &HashSet<Oid>) -> Result<()> {
    let lock = RepoLock::take(scene.repo, "history", scene.events)?;
    // Others may have paused it, say, or taken it away since.
    let Some(session) = store::sessions::find(scene.repo, session)? else { return Ok(()) };
    let mut value = session.value;
    // A task may have begun and ended since: then they are the task's.
    let found = find(scene, &value, known, &store::tasks::load(scene.repo)?)?;
    if found.is_empty() {
        return Ok(());
    }
    touches::note_strays(scene.repo, &lock, &value.name, &found, scene.now)?;
    value.commits.extend(found);
    let change =
        store::sessions::prepare(scene.repo, &value, Some(session.tip), "commits outside tasks", scene.now)?;
    refs::apply(scene.repo, &lock, &[change], "history")
}
