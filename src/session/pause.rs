//! A session that takes no tasks for a while.
//!
//! What runs in it goes on; what is queued for it waits until it takes tasks
//! again.

use std::time::Duration;

use super::lock::SessionLock;
use crate::agent::Interrupt;
use crate::error::{Error, Result};
use crate::git::{Repo, RepoLock, refs};
use crate::model::{Event, Events, Name, Session, SessionState, Time};
use crate::store;

/// How often somebody who waits looks whether it takes tasks again.
const TICK: Duration = Duration::from_millis(200);

/// What a session shall do with tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Take none, for this reason.
    Pause(Option<String>),
    /// Take them.
    Resume,
}

impl Wish {
    /// The session as it is then.
    fn granted(&self, session: Session) -> Session {
        match self {
            Self::Pause(why) => {
                let why = why.clone().or_else(|| session.why.clone());
                Session { state: SessionState::Paused, why, ..session }
            }
            Self::Resume => Session { state: SessionState::Idle, why: None, ..session },
        }
    }
}

/// Pauses a session, or has it take tasks again; how it is now, and whether
/// that is new.
///
/// # Errors
/// Usage for a session that is not there.
pub fn set(repo: &Repo, name: &str, wish: &Wish, events: Events<'_>, now: Time) -> Result<(Session, bool)> {
    let why = if *wish == Wish::Resume { "resumed" } else { "paused" };
    let lock = RepoLock::take(repo, &format!("{why} {name}"), events)?;
    let found = store::sessions::require(repo, name)?;
    let wanted = wish.granted(found.value.clone());
    if wanted == found.value {
        return Ok((wanted, false));
    }
    let change = store::sessions::prepare(repo, &wanted, Some(found.tip), why, now)?;
    refs::apply(repo, &lock, &[change], why)?;
    Ok((wanted, true))
}

/// Refuses a session that is paused.
///
/// # Errors
/// Refused, with the way to go on.
pub fn refuse(session: &Session) -> Result<()> {
    if session.state != SessionState::Paused {
        return Ok(());
    }
    let name = &session.name;
    Err(Error::refused(format!("session `{name}` is paused{}", because(session)))
        .hint(format!("let it take tasks again: `git orch resume {name}`")))
}

/// Takes a session for `what` once nobody else works in it and it takes tasks;
/// the session as it is then.
///
/// # Errors
/// Interrupted while waiting.
pub fn turn(
    repo: &Repo,
    name: &Name,
    what: &str,
    interrupt: &Interrupt,
    events: Events<'_>,
) -> Result<(SessionLock, Session)> {
    let mut told = false;
    loop {
        let held = SessionLock::wait(repo, name, what, interrupt, events)?;
        let session = store::sessions::require(repo, name.as_str())?.value;
        if session.state != SessionState::Paused {
            return Ok((held, session));
        }
        drop(held);
        if !told {
            let why = because(&session);
            events(Event::Waiting(format!("session {name}, which is paused{why}: git orch resume {name}")));
            told = true;
        }
        while store::sessions::require(repo, name.as_str())?.value.state == SessionState::Paused {
            interrupt.check()?;
            std::thread::sleep(TICK);
        }
    }
}

/// ` (on holiday)`, where somebody said why.
fn because(session: &Session) -> String {
    session.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default()
}
