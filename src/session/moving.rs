//! A session's worktree between two states, and the way back.
//!
//! Whoever moves a worktree first writes into the journal where it goes back
//! to if the process dies on the way; the next command takes it there.
//!
//! **Invariant:** the way back destroys nothing: what is found in the
//! worktree then is pinned in the trash first.

use super::remove::{free_id, join};
use super::workplace;
use crate::error::Result;
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock, commit, snapshot, worktree};
use crate::model::{Effect, Events, Name, Oid, Session, SessionState, Task, TaskState, Time};
use crate::store;
use crate::store::journal::{self, Entry, Intent};

/// Writes down that a session's worktree leaves for somewhere, and goes back
/// to `back_to` if nothing comes of it. The session must be held.
pub fn begin(repo: &Repo, session: &Name, back_to: Oid) -> Result<Entry> {
    let session = session.clone();
    journal::begin(repo, &Intent::MoveWorktree { session, back_to, behind: None, until: None })
}

/// The same for a worktree that goes to where a task begins: once the task's
/// record says that it is at work, what is there is its worker's.
pub fn begin_until(repo: &Repo, task: &Task, back_to: Oid) -> Result<Entry> {
    let (session, until) = (task.session.clone(), Some(task.name.clone()));
    journal::begin(repo, &Intent::MoveWorktree { session, back_to, behind: None, until })
}

/// The same for a task's worktree that leaves once the task's record says that
/// it is no longer at work.
pub fn begin_behind(repo: &Repo, task: &Task, back_to: Oid) -> Result<Entry> {
    let (session, behind) = (task.session.clone(), Some(task.name.clone()));
    journal::begin(repo, &Intent::MoveWorktree { session, back_to, behind, until: None })
}

/// Whether a task is at work in its session's worktree; one that asks has left it.
pub fn is_at_work(repo: &Repo, task: Option<&Name>) -> Result<bool> {
    let found = task.map(|task| store::tasks::find(repo, task)).transpose()?.flatten();
    Ok(found.is_some_and(|task| task.value.state == TaskState::Running))
}

/// Takes back the move of a process that died. The session must be held.
pub fn settle(repo: &Repo, name: &Name, back_to: Oid, events: Events<'_>, now: Time) -> Result<()> {
    let session = store::sessions::find(repo, name)?.map(|found| found.value);
    let Some(session) = session.filter(|found| found.state != SessionState::Archived) else {
        return Ok(());
    };
    let place = workplace::require(repo, &session)?;
    let _fence = repo.fence(events);
    worktree::unlock(repo, &place, &session.branch)?;
    let tip = workplace::tip(repo, &session)?;
    let head = commit::find_tip(repo, &place)?.unwrap_or(tip);
    let work = snapshot::take(repo, &place, head, &format!("left half-way in session {name}"))?;
    if work.is_none() && head == back_to && tip == back_to {
        // The files are right; of the index nobody knows.
        worktree::adopt(repo, &place, head)?;
        return worktree::switch(repo, &place, &session.branch, back_to);
    }
    let kept = join(repo, work.unwrap_or(head), tip, now)?;
    let moved = Effect::Ref { name: refs::branch(&session.branch), old: Some(tip), new: Some(back_to) };
    let effects = if tip == back_to { Vec::new() } else { vec![moved] };
    {
        let lock = RepoLock::take(repo, "recover", events)?;
        let pin = pin(repo, &session, kept, now)?;
        refs::apply_with(repo, &lock, pin.as_slice(), &effects, "recover")?;
    }
    worktree::adopt(repo, &place, work.unwrap_or(head))?;
    worktree::switch(repo, &place, &session.branch, back_to)
}

/// The ref that keeps what was found; `None` where one does, of an earlier try.
fn pin(repo: &Repo, session: &Session, kept: Oid, now: Time) -> Result<Option<RefChange>> {
    let tree = repo.read().commit(kept)?.tree;
    for (_, oid) in repo.read().refs(refs::TRASH)? {
        if repo.read().commit(oid)?.tree == tree {
            return Ok(None);
        }
    }
    let name = format!("{}{}", refs::TRASH, free_id(repo, session, now)?);
    Ok(Some(RefChange::create(name, kept)))
}
