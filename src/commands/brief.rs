//! `git orch brief`

use super::opened::Opened;
use crate::app::App;
use crate::error::{Error, Result, exit};
use crate::model::{Task, TaskState};
use crate::run::brief;
use crate::store::{self, Stored};

/// Print what a task's worker was given, or would be given
///
/// The brief of the last run, as it was. Of a task that has not started,
/// or has been handed over since, what it would be given now.
#[derive(Debug, clap::Args)]
pub(super) struct BriefArgs {
    /// The task
    #[arg(value_name = "TASK")]
    task: String,
    /// What its next run would be given, although it has run
    #[arg(long)]
    next: bool,
}

pub(super) fn run(app: &App, args: &BriefArgs) -> Result<u8> {
    let opened = Opened::to_read(app)?;
    let task = store::tasks::require(&opened.repo, &args.task)?;
    let next_counts = args.next || task.value.handed_over().is_some();
    let given = if next_counts { None } else { store::tasks::brief(&opened.repo, &task)? };
    let text = match given {
        Some(given) => String::from_utf8_lossy(&given).into_owned(),
        None => next(&opened, &task)?,
    };
    app.ui.data(&text)?;
    app.ui.answer(text)?;
    Ok(exit::DONE)
}

/// What the next run would be given.
fn next(opened: &Opened, task: &Stored<Task>) -> Result<String> {
    let Task { name, state, session, .. } = &task.value;
    if *state == TaskState::Merged {
        return Err(Error::refused(format!("`{name}` runs no more: it is {}", state.word())));
    }
    let session = store::sessions::find(&opened.repo, session)?
        .ok_or_else(|| Error::refused(format!("the session of `{name}` is gone: `{session}`")))?;
    brief::write(&opened.repo, &session.value, &task.value)
}
