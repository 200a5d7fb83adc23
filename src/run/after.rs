//! A task that comes after another waits until that one has a result.

use std::time::Duration;

use super::Scene;
use crate::error::{Error, Result};
use crate::model::{Event, Name, Task, TaskState};
use crate::session::TaskLock;
use crate::store;

/// Waits for the task that this one comes after, if there is one.
///
/// # Errors
/// Refused when that one has failed, was cancelled or died; interrupted.
pub fn wait(scene: Scene<'_>, task: &Task) -> Result<()> {
    let Some(before) = &task.after else { return Ok(()) };
    let mut told = false;
    while !has_result(scene, before)? {
        if !told {
            (scene.events)(Event::Waiting(format!("task {before}")));
            told = true;
        }
        scene.interrupt.check()?;
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn has_result(scene: Scene<'_>, name: &Name) -> Result<bool> {
    let task = store::tasks::require(scene.repo, name.as_str())?.value;
    let refused = |what: &str| {
        Err(Error::refused(format!("`{name}`, which comes first, {what}"))
            .hint(format!("`git orch retry {name}`, then run the command again")))
    };
    match task.state {
        TaskState::Review | TaskState::Changes | TaskState::Merged => Ok(true),
        TaskState::Failed => refused("has failed"),
        TaskState::Cancelled => refused("was cancelled"),
        TaskState::Queued | TaskState::Running | TaskState::Input => {
            let is_at_rest = task.state == TaskState::Input;
            let is_dead = !is_at_rest && task.agent.is_some() && TaskLock::holder(scene.repo, name).is_none();
            // Its record may have been written between the two looks.
            let now = store::tasks::require(scene.repo, name.as_str())?.value;
            if is_dead && now.state == task.state { refused("died") } else { Ok(false) }
        }
    }
}
