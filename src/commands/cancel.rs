//! `git orch cancel`

use super::opened::Opened;
use super::result;
use crate::app::App;
use crate::error::{Result, exit};
use crate::fanout;
use crate::run::end;
use crate::store;

/// Call a task off: stop what runs, keep its edits on its record, free its session
///
/// A fan-out that waits for review is called off too: its branch goes, its
/// result stays on its record.
#[derive(Debug, clap::Args)]
pub(super) struct CancelArgs {
    /// The task or fan-out
    #[arg(value_name = "TASK")]
    task: String,
}

pub(super) fn run(app: &App, args: &CancelArgs) -> Result<u8> {
    let opened = Opened::to_change(app)?;
    let events = |event| app.ui.event(event);
    if let Ok(name) = args.task.parse()
        && let Some(fanout) = store::fanouts::find(&opened.repo, &name)?
    {
        let ended = fanout::cancel::cancel(opened.scene(app, &events), fanout)?;
        app.ui.data(&ended)?;
        app.ui.note(format!("{} is cancelled; its result is kept on its record", ended.name));
        return Ok(exit::DONE);
    }
    let task = store::tasks::require(&opened.repo, &args.task)?;
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
