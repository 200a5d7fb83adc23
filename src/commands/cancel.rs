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
    /// Only end the look at its result from this viewpoint
    #[arg(long, value_name = "VIEWPOINT", value_parser = ["reviewer", "tester", "documenter"])]
    viewpoint: Option<String>,
}

pub(super) fn run(app: &App, args: &CancelArgs) -> Result<u8> {
    let opened = Opened::to_change(app)?;
    let events = |event| app.ui.event(event);
    let viewpoint = args.viewpoint.as_deref().and_then(|word| word.parse().ok());
    let ended = end::call_off_looks(opened.scene(app, &events), &args.task, viewpoint)?;
    for (session, viewpoint) in &ended {
        app.ui.note(format!("{session} looks at {} as {} no more", args.task, viewpoint.word()));
    }
    if let Some(viewpoint) = &args.viewpoint {
        app.ui.data(&ended)?;
        if ended.is_empty() {
            app.ui.note(format!("no {viewpoint} looks at {}", args.task));
        }
        return Ok(exit::DONE);
    }
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
