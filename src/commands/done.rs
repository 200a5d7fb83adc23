//! `git orch done`

use super::opened::Opened;
use super::{around, result};
use crate::app::App;
use crate::error::{Result, exit};
use crate::model::{Report, Reported, Task, TaskState};
use crate::review::restack;
use crate::run::end::{self, Leave};
use crate::run::{Scene, flow, report, worker};
use crate::session::TaskLock;
use crate::store;

/// Say that a task is done: its commits go up for review
///
/// Inside a session's worktree the task need not be named. A task without any
/// change, or with uncommitted files, is refused unless told otherwise.
#[derive(Debug, clap::Args)]
pub(super) struct DoneArgs {
    /// The task; that of the session around you without one
    #[arg(value_name = "TASK")]
    task: Option<String>,
    /// Commit what is uncommitted
    #[arg(long)]
    commit: bool,
    /// Close the task although it changed nothing
    #[arg(long)]
    empty: bool,
}

pub(super) fn run(app: &App, args: &DoneArgs) -> Result<u8> {
    let opened = Opened::to_change(app)?;
    let asks = ("which task is done?", "name it: `git orch done TASK`; `git orch tasks` lists them");
    let task = around::task(app, &opened.repo, args.task.as_deref(), asks)?;
    if TaskLock::holder(&opened.repo, &task.value.name).is_some() {
        if app.variable("GIT_ORCH_TASK") == Some(task.value.name.as_str()) {
            // Whoever asked before asks no more.
            let report = Report { state: Reported::Done, text: None, time: app.now };
            report::write(&opened.repo, &task.value, &report)?;
        }
        app.ui.note(format!("{} is judged when its command ends", task.value.name));
        return Ok(exit::DONE);
    }
    if matches!(task.value.state, TaskState::Review | TaskState::Merged) {
        app.ui.note(format!("{} is done already", task.value.name));
        return result::report(app, &opened, &task.value);
    }
    let events = |event| app.ui.event(event);
    let leave = Leave { commit: args.commit, empty: args.empty };
    let scene = opened.scene(app, &events);
    let done = end::done(scene, task, leave)?;
    keep_transcript(&opened, scene, &done.value)?;
    restack::follow(scene)?;
    if done.value.state == TaskState::Cancelled {
        app.ui.data(&done.value)?;
        app.ui.note(format!("{} is closed without any change", done.value.name));
        return Ok(exit::DONE);
    }
    result::report(app, &opened, &done.value)
}

/// Keeps the conversation in which somebody may have gone on at a terminal.
fn keep_transcript(opened: &Opened, scene: Scene<'_>, task: &Task) -> Result<()> {
    let session = store::sessions::find(&opened.repo, &task.session)?;
    let (Some(session), Some((agent, _))) = (session, task.last_talk()) else { return Ok(()) };
    let folder = &session.value.worktree;
    // An agent that is gone, or not trusted by now, is not asked.
    if let Ok(program) = worker::agent(&opened.settings, &opened.trust, agent, folder, scene.environment) {
        flow::keep_transcript(scene, task, &program);
    }
    Ok(())
}
