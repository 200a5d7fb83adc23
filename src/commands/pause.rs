//! `git orch pause`

use super::opened::Opened;
use super::sessions;
use crate::app::App;
use crate::error::{Result, exit};
use crate::model::TaskState;
use crate::model::wording::{count, list};
use crate::session::pause::{self, Wish};
use crate::session::view::Depth;
use crate::store;

/// Have a session take no tasks until it is resumed
///
/// What runs in it goes on, what is queued for it waits. No task is routed to
/// it, and one that is given to it by name is refused.
#[derive(Debug, clap::Args)]
pub(super) struct PauseArgs {
    /// The session
    #[arg(value_name = "SESSION")]
    session: String,
    /// Why
    #[arg(short, long, value_name = "WHY")]
    message: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: &PauseArgs) -> Result<u8> {
    let why = args.message.as_deref().map(str::trim).filter(|why| !why.is_empty()).map(str::to_owned);
    set(app, &args.session, &Wish::Pause(why), args.dry_run)
}

/// Does what is wished, and tells what becomes of the session's tasks.
pub(super) fn set(app: &App, name: &str, wish: &Wish, dry_run: bool) -> Result<u8> {
    let opened = Opened::to_change(app)?;
    let events = |event| app.ui.event(event);
    let resumes = *wish == Wish::Resume;
    if dry_run {
        let session = store::sessions::require(&opened.repo, name)?.value.name;
        app.ui.note(if resumes {
            format!("{session} would take tasks")
        } else {
            format!("{session} would take no tasks")
        });
        return Ok(exit::DONE);
    }
    let (session, is_new) = pause::set(&opened.repo, name, wish, &events, app.now)?;
    let tasks = store::tasks::load(&opened.repo)?;
    app.ui.data(&sessions::seen(&opened.repo, &session, &tasks, Depth::Refs)?)?;
    let name = &session.name;
    app.ui.note(match (resumes, is_new) {
        (true, true) => format!("{name} takes tasks again"),
        (true, false) => format!("{name} takes tasks already"),
        (false, true) => format!("{name} takes no tasks until git orch resume {name}"),
        (false, false) => format!("{name} is paused already"),
    });
    let own = tasks.iter().map(|task| &task.value).filter(|task| task.session == session.name);
    let of = |state| own.clone().filter(move |task| task.state == state).map(|task| &task.name);
    let (waiting, running) = (of(TaskState::Queued).count(), of(TaskState::Running).next().is_some());
    if waiting > 0 {
        let verb = if waiting == 1 { "waits" } else { "wait" };
        app.ui.note(format!("{} {verb} for it", count(waiting, "task")));
    }
    if !resumes && running {
        app.ui.note(format!("what runs goes on: {}", list(of(TaskState::Running))));
    }
    Ok(exit::DONE)
}
