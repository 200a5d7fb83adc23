//! `git orch brief`

use super::opened::Opened;
use crate::app::App;
use crate::error::{Error, Result, exit};
use crate::store;

/// Print the brief that a task's worker was given
#[derive(Debug, clap::Args)]
pub(super) struct BriefArgs {
    /// The task
    #[arg(value_name = "TASK")]
    task: String,
}

pub(super) fn run(app: &App, args: &BriefArgs) -> Result<u8> {
    let opened = Opened::to_read(app)?;
    let task = store::tasks::require(&opened.repo, &args.task)?;
    let brief = store::tasks::brief(&opened.repo, &task)?
        .ok_or_else(|| Error::refused(format!("`{}` has no brief: it has not started", task.value.name)))?;
    let text = String::from_utf8_lossy(&brief).into_owned();
    app.ui.data(&text)?;
    app.ui.answer(text)?;
    Ok(exit::DONE)
}
