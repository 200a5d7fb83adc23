//! `git orch tasks`

use super::opened::Opened;
use crate::app::App;
use crate::error::{Result, exit};
use crate::model::wording::{count, excerpt};
use crate::model::{Task, TaskState, Time};
use crate::run::report::{self, Seen};
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
    let all =
        store::tasks::load(&opened.repo)?.into_iter().map(|task| report::seen(&opened.repo, task.value));
    let (open, over): (Vec<Seen>, Vec<Seen>) = all.partition(|seen| !seen.task.state.is_over());
    let failed = over.iter().filter(|seen| seen.task.state == TaskState::Failed).count();
    let mut tasks: Vec<Seen> = open.into_iter().chain(over.into_iter().filter(|_| args.all)).collect();
    // Each is looked at once: a process that ends while they are sorted has one place.
    tasks.sort_by_cached_key(|seen| urgency(&opened, &seen.task));
    app.ui.data(&tasks)?;
    if tasks.is_empty() && (args.all || failed == 0) {
        app.ui.note(if args.all { "no tasks yet" } else { "no open tasks; --all lists those that are over" });
        return Ok(exit::DONE);
    }
    if !tasks.is_empty() {
        let asked: Vec<String> = tasks.iter().filter_map(|seen| asked(seen, app.now)).collect();
        app.ui.answer(table(app, &opened, &tasks) + &asked.concat())?;
    }
    if failed > 0 && !args.all {
        app.ui.note(format!("{} failed; --all lists them too", count(failed, "task")));
    }
    Ok(exit::DONE)
}

fn table(app: &App, opened: &Opened, tasks: &[Seen]) -> String {
    let mut table = Table::new(&["task", "state", "session", "files", "last", "text"]).right(&[3]);
    for Seen { task, reported } in tasks {
        let state = if report::is_dead(&opened.repo, task) { "died" } else { task.state.word() };
        let said = reported.as_ref().map_or(task.updated, |report| report.time.max(task.updated));
        table.row([
            task.name.to_string(),
            state.to_owned(),
            task.session.to_string(),
            task.touched.len().to_string(),
            said.ago(app.now),
            excerpt(&task.text, 60),
        ]);
    }
    table.render()
}

/// What a task asks, and how it is told: a line below the table.
fn asked(seen: &Seen, now: Time) -> Option<String> {
    let (name, report) = (&seen.task.name, seen.asks()?);
    let question = report.text.as_deref().map(|text| format!(": {}", excerpt(text, 200))).unwrap_or_default();
    Some(format!("{name} asks, {}{question}\n  git orch answer {name} TEXT\n", report.time.ago(now)))
}

/// What waits for somebody comes before what goes on, and that before what is over.
fn urgency(opened: &Opened, task: &Task) -> u8 {
    match task.state {
        TaskState::Input => 0,
        TaskState::Running if report::is_dead(&opened.repo, task) => 1,
        TaskState::Changes => 2,
        TaskState::Review => 3,
        TaskState::Running => 4,
        TaskState::Queued => 5,
        TaskState::Failed => 6,
        TaskState::Cancelled | TaskState::Merged => 7,
    }
}
