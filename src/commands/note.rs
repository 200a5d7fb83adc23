//! `git orch note`

use super::around;
use super::opened::Opened;
use crate::app::App;
use crate::error::{Result, exit};
use crate::model::Note;
use crate::run::note;
use crate::run::redact::redact;

/// Keep a decision or a finding with a task
///
/// It stands on the task's record with its time and who told it, in `git orch
/// show`, in later briefs of the session and in whatever hands the task over.
/// Inside a run, or a session's worktree, the task need not be named.
#[derive(Debug, clap::Args)]
pub(super) struct NoteArgs {
    /// What was decided or found
    #[arg(value_name = "TEXT")]
    text: String,
    /// The task; that of the run or the session around you without one
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// Say where it would be kept, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: &NoteArgs) -> Result<u8> {
    let opened = if args.dry_run { Opened::to_read(app)? } else { Opened::to_change(app)? };
    let asks =
        ("which task is it about?", "name it: `git orch note TEXT --task TASK`; `git orch tasks` lists them");
    let task = around::task(app, &opened.repo, args.task.as_deref(), asks)?.value;
    let note = told(app, &opened, args)?;
    let name = task.name.clone();
    if note::is_kept(&task, &note) {
        app.ui.data(&task.notes)?;
        app.ui.note(format!("{name} has that note already"));
        return Ok(exit::DONE);
    }
    note::check(&task, &note)?;
    if args.dry_run {
        app.ui.data(&task.notes)?;
        app.ui.note(format!("would keep it with {name}, as told by {}", note.by));
        return Ok(exit::DONE);
    }
    let events = |event| app.ui.event(event);
    let (task, _) = note::keep(opened.scene(app, &events), &name, note)?;
    app.ui.data(&task.notes)?;
    app.ui.note(format!("kept with {name}: git orch show {name}"));
    Ok(exit::DONE)
}

/// The note, and who tells it.
fn told(app: &App, opened: &Opened, args: &NoteArgs) -> Result<Note> {
    let (by, session) = around::teller(app, &opened.repo)?;
    Ok(Note { text: redact(args.text.trim()), by, session, time: app.now })
}
