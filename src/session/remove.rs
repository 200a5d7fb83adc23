//! Taking a session away without losing anything of it.
//!
//! Commits and uncommitted work are pinned by a ref, the directory moves to
//! the trash beside the other sessions with everything in it, ignored files
//! too. Nothing is deleted.

use std::path::PathBuf;

use super::lock::SessionLock;
use super::{trash, workplace};
use crate::error::{Error, Result};
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock, snapshot};
use crate::model::{Effect, Events, Name, Oid, Session, SessionState, Task, Time};
use crate::store::journal::{self, Intent};
use crate::store::{self, Stored};

/// What a removal keeps, and where.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Removed {
    /// The session's name.
    pub session: Name,
    /// The ref that holds its commits and uncommitted work.
    pub kept: String,
    /// The commit it points at.
    pub oid: Oid,
    /// Where the directory went; absent where it was gone already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trash: Option<PathBuf>,
}

/// Refuses to remove a session that is at work.
///
/// # Errors
/// Refused, naming the task.
pub fn check(session: &Session, tasks: &[Stored<Task>]) -> Result<()> {
    let open = |task: &&Stored<Task>| task.value.session == session.name && task.value.state.is_open();
    match tasks.iter().find(open) {
        None => Ok(()),
        Some(task) => {
            let (name, state) = (&task.value.name, task.value.state.word());
            let session = &session.name;
            Err(Error::refused(format!("session `{session}` still has the task `{name}` ({state})"))
                .hint(format!("finish it, or call it off: `git orch cancel {name}`"))
                .hint(format!("or hand its open work over: `git orch handoff {session} --to SESSION`")))
        }
    }
}

/// Takes a session away.
///
/// # Errors
/// Refused while somebody works in it.
pub fn carry_out(repo: &Repo, found: &Stored<Session>, events: Events<'_>, now: Time) -> Result<Removed> {
    let session = &found.value;
    let _held = SessionLock::take(repo, &session.name, "remove-session")?;
    let _fence = repo.fence(events);
    workplace::link(repo, session, events);
    let branch = refs::branch(&session.branch);
    let tip = repo.read().find_ref(&branch)?;
    let kept_oid = match tip {
        // A worktree that git can't work in goes to the trash as it is.
        Some(tip) => work(repo, session, tip, now).unwrap_or(tip),
        None => found.tip,
    };
    let id = free_id(repo, session, now)?;
    let kept = format!("{}{id}", refs::TRASH);
    let entry =
        journal::begin(repo, &Intent::RemoveSession { session: session.name.clone(), id: id.clone() })?;
    let lock = RepoLock::take(repo, &format!("remove-session {}", session.name), events)?;
    // A task may have come to it since it was looked at.
    if let Err(error) = check(session, &store::tasks::load(repo)?) {
        return entry.end().and(Err(error));
    }
    refs::apply(repo, &lock, &[RefChange::create(kept.clone(), kept_oid)], "remove-session")?;
    let trash = trash::put(repo, &lock, session, &id)?;
    archive(repo, &lock, found, (&id, kept_oid), now)?;
    entry.end()?;
    Ok(Removed { session: session.name.clone(), kept, oid: kept_oid, trash })
}

/// Takes a session out of our records, once its directory is away; its branch
/// only where what is kept has all of it.
fn archive(
    repo: &Repo,
    lock: &RepoLock,
    found: &Stored<Session>,
    (id, kept): (&str, Oid),
    now: Time,
) -> Result<()> {
    let session = &found.value;
    let archived = Session { state: SessionState::Archived, ..session.clone() };
    let mut changes = vec![store::sessions::prepare(repo, &archived, Some(found.tip), "removed", now)?];
    let branch = refs::branch(&session.branch);
    if let Some(tip) = repo.read().find_ref(&branch)?
        && repo.read().merge_base(kept, tip)? == Some(tip)
    {
        changes.push(RefChange::delete(branch, tip));
    }
    let gone = Effect::Trashed { session: session.name.clone(), id: id.to_owned() };
    refs::apply_with(repo, lock, &changes, &[gone], "remove-session")
}

/// Completes a removal whose process died behind the point of no return, when
/// the directory was in the trash already; takes it back before that point.
pub fn settle(repo: &Repo, name: &Name, id: &str, events: Events<'_>, now: Time) -> Result<()> {
    let lock = RepoLock::take(repo, "recover", events)?;
    let found = store::sessions::find(repo, name)?;
    let Some(found) = found.filter(|found| found.value.state != SessionState::Archived) else {
        return Ok(());
    };
    let pin = format!("{}{id}", refs::TRASH);
    let Some(kept) = repo.read().find_ref(&pin)? else { return Ok(()) };
    if found.value.worktree.symlink_metadata().is_err() && trash::folder(&found.value).join(id).is_dir() {
        trash::put(repo, &lock, &found.value, id)?;
        return archive(repo, &lock, &found, (id, kept), now);
    }
    refs::apply(repo, &lock, &[RefChange::delete(pin, kept)], "recover")
}

/// What is in the worktree, committed or not, and `tip`.
pub fn work(repo: &Repo, session: &Session, tip: Oid, now: Time) -> Result<Oid> {
    let place = workplace::require(repo, session)?;
    let message = format!("uncommitted work of session {}", session.name);
    let head = crate::git::commit::find_tip(repo, &place)?.unwrap_or(tip);
    let work = snapshot::take(repo, &place, head, &message)?.unwrap_or(head);
    join(repo, work, tip, now)
}

/// One commit that keeps both reachable, where neither already keeps the other.
pub(super) fn join(repo: &Repo, work: Oid, tip: Oid, now: Time) -> Result<Oid> {
    if repo.read().commits_between(&[work], tip)?.is_empty() {
        return Ok(work);
    }
    let tree = repo.read().commit(work)?.tree;
    repo.write().write_record(tree, &[work, tip], "removed session", now)
}

/// The name that a session's worktree gets in the trash.
pub fn free_id(repo: &Repo, session: &Session, now: Time) -> Result<String> {
    trash::free_id(repo, &trash::folder(session), &format!("{}-{}", session.name, now.0))
}
