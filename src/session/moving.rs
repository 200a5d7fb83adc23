//! A session's worktree between two states, and the way back.
//!
//! Whoever moves a worktree first writes down where it goes back to if the
//! process dies on the way; the next command takes it there.
//!
//! **Invariant:** the way back destroys nothing: what is found in the
//! worktree then is pinned in the trash first.

use std::path::PathBuf;

use super::lock::{SessionLock, folder};
use super::remove::{free_id, join};
use super::workplace;
use crate::error::{IoContext, Result};
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock, commit, snapshot, worktree};
use crate::model::{Event, Events, Name, Oid, SessionState, Time};
use crate::store;

/// The end of the files that say where worktrees go back to.
const SUFFIX: &str = ".moving";

/// A move that goes on. Dropped without [`Moving::end`], it is taken back by
/// the next command.
#[derive(Debug)]
#[must_use]
pub struct Moving {
    file: PathBuf,
}

impl Moving {
    /// Writes down that a session's worktree leaves for somewhere, and goes
    /// back to `back_to` if nothing comes of it. The session must be held.
    pub fn begin(repo: &Repo, session: &Name, back_to: Oid) -> Result<Self> {
        let file = folder(repo)?.join(format!("session-{session}{SUFFIX}"));
        let new = file.with_extension("new");
        std::fs::write(&new, back_to.to_string()).doing("could not write", &new)?;
        std::fs::rename(&new, &file).doing("could not write", &file)?;
        Ok(Self { file })
    }

    /// The worktree has arrived.
    pub fn end(self) -> Result<()> {
        std::fs::remove_file(&self.file).doing("could not remove", &self.file)
    }
}

/// Takes back the moves of processes that died.
pub fn settle(repo: &Repo, events: Events<'_>, now: Time) -> Result<()> {
    let files = std::fs::read_dir(repo.orch_path().join("run")).into_iter().flatten().flatten();
    let name = |file: std::ffi::OsString| -> Option<Name> {
        file.to_str()?.strip_prefix("session-")?.strip_suffix(SUFFIX)?.parse().ok()
    };
    for name in files.filter_map(|entry| name(entry.file_name())) {
        let Ok(_held) = SessionLock::take(repo, &name, "recover") else { continue };
        if let Err(error) = take_back(repo, &name, events, now) {
            let text = format!("session {name} was left half-way, and can't be set right: {error}");
            events(Event::Warning(text));
        }
    }
    Ok(())
}

fn take_back(repo: &Repo, name: &Name, events: Events<'_>, now: Time) -> Result<()> {
    let moving = Moving { file: folder(repo)?.join(format!("session-{name}{SUFFIX}")) };
    // It may have arrived while we waited.
    let Ok(text) = std::fs::read_to_string(&moving.file) else { return Ok(()) };
    let session = store::sessions::find(repo, name)?.map(|found| found.value);
    if let (Some(session), Ok(back_to)) =
        (session.filter(|found| found.state != SessionState::Archived), text.parse())
    {
        let place = workplace::require(repo, &session)?;
        worktree::unlock(&place)?;
        let tip = workplace::tip(repo, &session)?;
        let head = commit::find_tip(repo, &place)?.unwrap_or(tip);
        let work = snapshot::take(repo, &place, head, &format!("left half-way in session {name}"))?;
        if work.is_some() || head != back_to || tip != back_to {
            let kept = join(repo, work.unwrap_or(head), tip, now)?;
            let pin = format!("{}{}", refs::TRASH, free_id(repo, &session, now)?);
            let lock = RepoLock::take(repo, "recover", events)?;
            refs::apply(repo, &lock, &[RefChange::create(pin, kept)], "recover")?;
        }
        worktree::adopt(repo, &place, work.unwrap_or(head))?;
        worktree::switch(repo, &place, &session.branch, back_to)?;
    }
    moving.end()
}
