//! A fan-out's result that nobody wants.

use super::quarantine;
use crate::error::{Error, Result};
use crate::git::{RepoLock, refs};
use crate::model::{Fanout, TaskState};
use crate::run::{Scene, end};
use crate::store::{self, Stored};

/// Takes a result back. Its commit stays reachable from its record.
///
/// # Errors
/// Refused unless it waits for review.
pub fn cancel(scene: Scene<'_>, fanout: Stored<Fanout>) -> Result<Fanout> {
    let Stored { mut value, tip } = fanout;
    let name = &value.name;
    match value.state {
        TaskState::Cancelled => return Ok(value),
        TaskState::Review | TaskState::Changes => {}
        TaskState::Running => {
            return Err(Error::refused(format!("the fan-out `{name}` is running"))
                .hint("stop it where it runs, with Ctrl-C: it leaves nothing behind"));
        }
        state => return Err(Error::refused(format!("the fan-out `{name}` is over: it is {}", state.word()))),
    }
    let branch = value.branch.clone().unwrap_or_default();
    let result = scene.repo.read().find_ref(&refs::branch(&branch))?.into_iter().collect();
    value.state = TaskState::Cancelled;
    let lock = RepoLock::take(scene.repo, "cancel", scene.events)?;
    let mut changes = vec![store::fanouts::prepare(scene.repo, &value, Some(tip), result, scene.now)?];
    changes.extend(end::branch_gone(scene, &branch)?);
    changes.extend(quarantine::take_away(scene, &value)?);
    refs::apply(scene.repo, &lock, &changes, "cancel")?;
    Ok(value)
}
