//! `git orch show`

mod task;

use std::time::Duration;

use super::opened::Opened;
use super::{result, sessions};
use crate::app::App;
use crate::error::{Kind, Result, exit};
use crate::fanout::shard::labels;
use crate::model::time::elapsed;
use crate::model::wording::{bytes, count, hanging, list, review_then_merge, thousands};
use crate::model::{Fanout, Report, Session, Shard, ShardState, Task, TaskState, Time};
use crate::run::report;
use crate::session::view::Depth;
use crate::store::{self, Stored};
use crate::ui::Table;

/// Show one session, task or fan-out, whole
#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// Its name
    #[arg(value_name = "SESSION-OR-TASK")]
    name: String,
}

pub(super) fn run(app: &App, args: &ShowArgs) -> Result<u8> {
    let opened = Opened::to_read(app)?;
    if let Ok(name) = args.name.parse() {
        if let Some(session) = store::sessions::find(&opened.repo, &name)? {
            return show_session(app, &opened, session);
        }
        if let Some(fanout) = store::fanouts::find(&opened.repo, &name)? {
            app.ui.data(&fanout.value)?;
            let mut beside = result::altered_words(&opened, &fanout.value.altered);
            beside.extend(result::elsewhere_words(&opened, &fanout.value.elsewhere));
            app.ui.answer(fanout_text(&fanout.value, beside, app.now))?;
            return Ok(exit::DONE);
        }
    }
    let seen = report::seen(&opened.repo, require(&opened, &args.name)?.value);
    app.ui.data(&seen)?;
    app.ui.answer(task::text(app, &opened, &seen)?)?;
    Ok(exit::DONE)
}

/// The task, or an error that knows the sessions too.
pub(super) fn require(opened: &Opened, name: &str) -> Result<Stored<Task>> {
    store::tasks::require(&opened.repo, name).map_err(|mut error| {
        if error.kind != Kind::Usage {
            return error;
        }
        let sessions = store::sessions::load(&opened.repo).unwrap_or_default();
        let names = sessions.iter().map(|session| session.value.name.as_str());
        if crate::model::wording::nearest(name, names.clone()).is_some()
            || !error.message.contains("did you mean")
        {
            error.message = crate::model::wording::unknown("session or task", name, names);
        }
        error
    })
}

fn show_session(app: &App, opened: &Opened, found: Stored<Session>) -> Result<u8> {
    let tasks = store::tasks::load(&opened.repo)?;
    let mut views = vec![sessions::seen(&opened.repo, &found.value, &tasks, Depth::Files)?];
    super::history::add_knowledge(app, opened, std::slice::from_ref(&found), &mut views)?;
    let view = &views[0];
    app.ui.data(view)?;
    let mut lines = vec![
        format!("session {}: {}", view.name, view.state.word()),
        format!(
            "  branch     {} ({} ahead of {}, {} behind)",
            view.branch, view.ahead, view.base, view.behind
        ),
        format!("  worktree   {}", view.worktree.display()),
    ];
    let mut line = |label: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("  {label:<10} {}", hanging(value, 13)));
        }
    };
    line("dirty", view.dirty.map(|dirty| count(dirty, "uncommitted file")).unwrap_or_default());
    line("paths", view.paths.join(", "));
    line("specialty", view.specialty.clone());
    line("why", view.why.clone().unwrap_or_default());
    line("reports", view.reported.as_ref().map(|report| report_words(report, app.now)).unwrap_or_default());
    line("agent", view.agent.clone().unwrap_or_default());
    line("knows", list(view.knows.iter().take(5).map(|knows| format!("{} {:.2}", knows.path, knows.weight))));
    line("open", list(&view.open_tasks));
    let done =
        tasks.iter().rev().filter(|task| task.value.session == view.name && !task.value.state.is_open());
    for task in done.take(5) {
        line(
            "task",
            format!("{} ({}, {})", task.value.name, task.value.state.word(), task.value.updated.ago(app.now)),
        );
    }
    app.ui.answer(lines.join("\n"))?;
    Ok(exit::DONE)
}

/// `input, 2m ago: which tone?`
fn report_words(report: &Report, now: Time) -> String {
    let text = report.text.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
    format!("{}, {}{text}", report.state.word(), report.time.ago(now))
}

fn fanout_text(fanout: &Fanout, altered: Vec<String>, now: Time) -> String {
    let mut lines = vec![
        format!("fan-out {}: {}", fanout.name, fanout.state.word()),
        format!("  command    {}", hanging(&fanout.command, 13)),
        format!("  base       {} {}", fanout.base, fanout.base_oid.short()),
    ];
    lines.extend(fanout.branch.iter().map(|branch| format!("  branch     {branch}")));
    lines.extend(fanout.check.iter().map(|check| format!("  check      {check}")));
    lines.extend(fanout.from.iter().map(|from| format!("  problems   {}", hanging(from, 13))));
    lines.extend(fanout.rounds.iter().map(|round| format!("  {}", super::fanout::problems::line(round))));
    let request = fanout.published.as_ref().map(result::request_words);
    lines.extend(request.map(|words| format!("  request    {words}")));
    lines.push(shards(&fanout.shards, now));
    lines.extend(altered);
    if let Some(landed) = &fanout.landed {
        lines.push(format!("  landed     {} {} → {}", fanout.base, landed.from.short(), landed.to.short()));
    }
    if let Some(bad) = fanout.shards.iter().find(|shard| shard.state.is_bad()) {
        let check = if bad.state == ShardState::Evicted { " --check" } else { "" };
        lines.push(format!("log: git orch log {} --shard {}{check}", fanout.name, bad.n));
    }
    if fanout.state == TaskState::Review {
        let name = &fanout.name;
        lines.push(format!("next: {}", review_then_merge(name)));
    }
    lines.join("\n")
}

/// What each shard came to: its line of the job log.
fn shards(shards: &[Shard], now: Time) -> String {
    let headings = ["shard", "state", "files", "changed", "exit", "began", "took", "printed", "where"];
    let mut table = Table::new(&headings).right(&[0, 2, 3, 4, 6, 7]);
    let paths: Vec<_> = shards.iter().map(|shard| shard.paths.clone()).collect();
    for (shard, label) in shards.iter().zip(labels(&paths)) {
        let ran = shard.started.is_some();
        let known = shard.known_from.as_ref().map(|name| format!(", known from {name}"));
        table.row([
            shard.n.to_string(),
            shard.state.word().to_owned(),
            thousands(shard.paths.len()),
            thousands(shard.changed),
            shard.exit_code.map(|code| code.to_string()).unwrap_or_default(),
            shard.started.map(|time| time.ago(now)).unwrap_or_default(),
            if ran { elapsed(Duration::from_secs_f64(shard.seconds)) } else { String::new() },
            if ran { bytes(shard.bytes) } else { String::new() },
            label + &known.unwrap_or_default(),
        ]);
    }
    table.render().trim_end().to_owned()
}
