//! `git orch tasks`

use super::opened::Opened;
use crate::app::App;
use crate::error::{Result, exit};
use crate::model::wording::{count, excerpt};
use crate::model::{Task, TaskState};
use crate::session::TaskLock;
use crate::store;
use crate::ui::Table;

/// List the tasks that are not over
///
/// What waits for somebody comes first: for input, for changes, for review.
#[derive(Debug, clap::Args)]
pub(super) struct TasksArgs {
    /// List those that are over too
    #[arg(long)]
    all: bool,
}

pub(super) fn run(app: &App, args: &TasksArgs) -> Result<u8> {
    let opened = Opened::to_read(app)?;
    let all: Vec<Task> = store::tasks::load(&opened.repo)?.into_iter().map(|task| task.value).collect();
    let failed = all.iter().filter(|task| task.state == TaskState::Failed).count();
    let mut tasks: Vec<Task> = all.into_iter().filter(|task| args.all || !task.state.is_over()).collect();
    // Each is looked at once: a process that ends while they are sorted has one place.
    tasks.sort_by_cached_key(|task| urgency(&opened, task));
    app.ui.data(&tasks)?;
    if tasks.is_empty() && (args.all || failed == 0) {
        app.ui.note(if args.all { "no tasks yet" } else { "no open tasks; --all lists those that are over" });
        return Ok(exit::DONE);
    }
    if !tasks.is_empty() {
        app.ui.answer(table(app, &opened, &tasks))?;
    }
    if failed > 0 && !args.all {
        app.ui.note(format!("{} failed; --all lists them too", count(failed, "task")));
    }
    Ok(exit::DONE)
}

fn table(app: &App, opened: &Opened, tasks: &[Task]) -> String {
    let mut table = Table::new(&["task", "state", "session", "files", "last", "text"]).right(&[3]);
    for task in tasks {
        let state = if is_dead(opened, task) { "died" } else { task.state.word() };
        table.row([
            task.name.to_string(),
            state.to_owned(),
            task.session.to_string(),
            task.touched.len().to_string(),
            task.updated.ago(app.now),
            excerpt(&task.text, 60),
        ]);
    }
    table.render()
}

/// Whether its process is gone without a word.
fn is_dead(opened: &Opened, task: &Task) -> bool {
    task.state == TaskState::Running
        && task.agent.is_some()
        && TaskLock::holder(&opened.repo, &task.name).is_none()
}

/// What waits for somebody comes before what goes on, and that before what is over.
fn urgency(opened: &Opened, task: &Task) -> u8 {
    match task.state {
        TaskState::Input => 0,
        TaskState::Running if is_dead(opened, task) => 1,
        TaskState::Changes => 2,
        TaskState::Review => 3,
        TaskState::Running => 4,
        TaskState::Queued => 5,
        TaskState::Failed => 6,
        TaskState::Cancelled | TaskState::Merged => 7,
    }
}
