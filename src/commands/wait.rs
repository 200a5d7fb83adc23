//! `git orch wait`

use std::time::Duration;

use super::opened::Opened;
use crate::app::App;
use crate::error::{Error, Kind, Result, exit};
use crate::model::time::{Stopwatch, parse_span};
use crate::model::{Task, TaskState};
use crate::run::report;
use crate::session::TaskLock;
use crate::store;

/// Wait until a task is no longer being worked on
///
/// The exit code tells how it ended: 0 with a result, 1 failed or cancelled,
/// 6 waits for input, 124 the time ran out.
#[derive(Debug, clap::Args)]
pub(super) struct WaitArgs {
    /// The task
    #[arg(value_name = "TASK")]
    task: String,
    /// Wait at most so long, as `30s` or `10m`
    #[arg(long, value_name = "SPAN")]
    timeout: Option<String>,
}

pub(super) fn run(app: &App, args: &WaitArgs) -> Result<u8> {
    let limit = args.timeout.as_deref().map(|text| {
        parse_span(text).ok_or_else(|| {
            Error::usage(format!("`{text}` is no time span")).hint("write it as `30s` or `10m`")
        })
    });
    let limit = limit.transpose()?;
    let opened = Opened::to_read(app)?;
    let watch = Stopwatch::start();
    loop {
        let seen = report::seen(&opened.repo, store::tasks::require(&opened.repo, &args.task)?.value);
        let task = &seen.task;
        if let Some(code) = ended(&opened, task) {
            app.ui.data(&seen)?;
            app.ui.answer(format!("{} is {}", task.name, task.state.word()))?;
            return Ok(code);
        }
        if limit.is_some_and(|limit| watch.elapsed() >= limit) {
            return Err(Error::new(
                Kind::TimedOut,
                format!("`{}` still is {}", task.name, task.state.word()),
            ));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn ended(opened: &Opened, task: &Task) -> Option<u8> {
    match task.state {
        TaskState::Review | TaskState::Merged => Some(exit::DONE),
        TaskState::Failed | TaskState::Cancelled | TaskState::Changes => Some(exit::FAILED),
        TaskState::Input => Some(exit::INPUT),
        TaskState::Queued | TaskState::Running => {
            let dead = task.agent.is_some() && TaskLock::holder(&opened.repo, &task.name).is_none();
            dead.then_some(exit::FAILED)
        }
    }
}
