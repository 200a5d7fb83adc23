//! Session records.

use super::record::{self, Next, Stored};
use crate::error::{Error, Result};
use crate::git::{RefChange, Repo, refs};
use crate::model::wording::unknown;
use crate::model::{Name, Oid, Session, SessionState, Time};

const FILE: &str = "session.json";

/// Reads all sessions, archived ones too, by name.
pub fn load_all(repo: &Repo) -> Result<Vec<Stored<Session>>> {
    record::load_all(repo, refs::SESSIONS, FILE)
}

/// Reads the sessions that are not archived, by name.
pub fn load(repo: &Repo) -> Result<Vec<Stored<Session>>> {
    let mut sessions = load_all(repo)?;
    sessions.retain(|session| session.value.state != SessionState::Archived);
    Ok(sessions)
}

/// Reads one session, archived or not.
pub fn find(repo: &Repo, name: &Name) -> Result<Option<Stored<Session>>> {
    record::find(repo, &format!("{}{name}", refs::SESSIONS), FILE)
}

/// Reads a session as it was at a commit of its record.
pub fn at(repo: &Repo, tip: Oid) -> Result<Stored<Session>> {
    record::at(repo, tip, FILE)
}

/// Reads one session that is not archived.
///
/// # Errors
/// Usage, with the name that may have been meant.
pub fn require(repo: &Repo, typed: &str) -> Result<Stored<Session>> {
    let sessions = load(repo)?;
    if let Some(index) = sessions.iter().position(|session| session.value.name.as_str() == typed) {
        return Ok(sessions.into_iter().nth(index).expect("the position was just found"));
    }
    let known = sessions.iter().map(|session| session.value.name.as_str());
    let error = Error::usage(unknown("session", typed, known));
    Err(if sessions.is_empty() {
        error.hint("make one: `git orch add-session NAME --paths GLOB`")
    } else {
        error.hint("`git orch sessions` lists them")
    })
}

/// The ref change that makes `session` the present state.
pub fn prepare(repo: &Repo, session: &Session, old: Option<Oid>, why: &str, now: Time) -> Result<RefChange> {
    let next = Next {
        name: format!("{}{}", refs::SESSIONS, session.name),
        file: FILE,
        value: session,
        old,
        keeps: Vec::new(),
        texts: Vec::new(),
        why: format!("session {}: {why}", session.name),
        now,
    };
    record::prepare(repo, &next)
}
