//! `git orch cancel`

use super::opened::Opened;
use super::result;
use crate::app::App;
use crate::error::{Result, exit};
use crate::run::end;
use crate::store;

/// Call a task off: stop what runs, keep its edits on its record, free its session
#[derive(Debug, clap::Args)]
pub(super) struct CancelArgs {
    /// The task
    #[arg(value_name = "TASK")]
    task: String,
}

pub(super) fn run(app: &App, args: &CancelArgs) -> Result<u8> {
    let opened = Opened::to_change(app)?;
    let task = store::tasks::require(&opened.repo, &args.task)?;
    let events = |event| app.ui.event(event);
    let ended = end::cancel(opened.scene(app, &events), task)?.value;
    app.ui.data(&ended)?;
    let kept = ended.runs.last().and_then(|run| run.snapshot).is_some() || ended.tip.is_some();
    let words = if kept { "; its edits are kept on its record" } else { "" };
    app.ui.note(format!("{} is {}{words}", ended.name, ended.state.word()));
    if let Some(next) = result::next(&ended) {
        app.ui.note(format!("to take it up again: {next}"));
    }
    Ok(exit::DONE)
}
