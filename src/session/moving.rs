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
use crate::model::{Effect, Events, Name, Oid, SessionState, Time};
use crate::store;
use crate::store::journal::{self, Entry, Intent};

/// Writes down that a session's worktree leaves for somewhere, and goes back
/// to `back_to` if nothing comes of it. The session must be held.
pub fn begin(repo: &Repo, session: &Name, back_to: Oid) -> Result<Entry> {
    journal::begin(repo, &Intent::MoveWorktree { session: session.clone(), back_to })
}

/// Takes back the move of a process that died. The session must be held.
pub fn settle(repo: &Repo, name: &Name, back_to: Oid, events: Events<'_>, now: Time) -> Result<()> {
    let session = store::sessions::find(repo, name)?.map(|found| found.value);
    let Some(session) = session.filter(|found| found.state != SessionState::Archived) else {
        return Ok(());
    };
    let place = workplace::require(repo, &session)?;
    worktree::unlock(repo, &place)?;
    let tip = workplace::tip(repo, &session)?;
    let head = commit::find_tip(repo, &place)?.unwrap_or(tip);
    let work = snapshot::take(repo, &place, head, &format!("left half-way in session {name}"))?;
    if work.is_none() && head == back_to && tip == back_to {
        return worktree::switch(repo, &place, &session.branch, back_to);
    }
    let kept = join(repo, work.unwrap_or(head), tip, now)?;
    let pin = format!("{}{}", refs::TRASH, free_id(repo, &session, now)?);
    let moved = Effect::Ref { name: refs::branch(&session.branch), old: Some(tip), new: Some(back_to) };
    let effects = if tip == back_to { Vec::new() } else { vec![moved] };
    {
        let lock = RepoLock::take(repo, "recover", events)?;
        refs::apply_with(repo, &lock, &[RefChange::create(pin, kept)], &effects, "recover")?;
    }
    worktree::adopt(repo, &place, work.unwrap_or(head))?;
    worktree::switch(repo, &place, &session.branch, back_to)
}
