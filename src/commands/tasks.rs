//! `git orch tasks`

use super::opened::Opened;
use crate::app::App;
use crate::error::{Result, exit};
use crate::model::wording::excerpt;
use crate::model::{Task, TaskState};
use crate::session::TaskLock;
use crate::store;
use crate::ui::Table;

/// List the tasks that are not over
#[derive(Debug, clap::Args)]
pub(super) struct TasksArgs {
    /// List those that are over too
    #[arg(long)]
    all: bool,
}

pub(super) fn run(app: &App, args: &TasksArgs) -> Result<u8> {
    let opened = Opened::to_read(app)?;
    let tasks = store::tasks::load(&opened.repo)?.into_iter().map(|task| task.value);
    let tasks: Vec<Task> = tasks.filter(|task| args.all || !task.state.is_over()).collect();
    app.ui.data(&tasks)?;
    if tasks.is_empty() {
        app.ui.note(if args.all { "no tasks yet" } else { "no open tasks; --all lists those that are over" });
        return Ok(exit::DONE);
    }
    let mut table = Table::new(&["task", "state", "session", "files", "last", "text"]).right(&[3]);
    for task in &tasks {
        let gone = task.state == TaskState::Running
            && task.agent.is_some()
            && TaskLock::holder(&opened.repo, &task.name).is_none();
        let state = if gone { "died" } else { task.state.word() };
        table.row([
            task.name.to_string(),
            state.to_owned(),
            task.session.to_string(),
            task.touched.len().to_string(),
            task.updated.ago(app.now),
            excerpt(&task.text, 60),
        ]);
    }
    app.ui.answer(table.render())?;
    Ok(exit::DONE)
}
