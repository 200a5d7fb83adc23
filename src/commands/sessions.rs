//! `git orch sessions`

use std::collections::BTreeMap;

use super::opened::Opened;
use crate::app::App;
use crate::error::{Result, exit};
use crate::git::Repo;
use crate::model::wording::excerpt;
use crate::model::{Session, SessionState, Task};
use crate::run::report::{self, Seen};
use crate::session::View;
use crate::session::view::{Depth, view};
use crate::store::{self, Stored};
use crate::ui::Table;

/// List the sessions: state, task, drift from base, load, what each knows best
#[derive(Debug, clap::Args)]
pub(super) struct SessionsArgs {
    /// Count uncommitted files too; that looks at every worktree
    #[arg(long)]
    dirty: bool,
    /// List removed sessions too
    #[arg(long)]
    all: bool,
}

pub(super) fn run(app: &App, args: &SessionsArgs) -> Result<u8> {
    let opened = Opened::to_read(app)?;
    let repo = &opened.repo;
    let sessions = if args.all { store::sessions::load_all(repo)? } else { store::sessions::load(repo)? };
    let tasks = store::tasks::load(repo)?;
    let depth = if args.dirty { Depth::Files } else { Depth::Refs };
    let mut views = Vec::new();
    for session in &sessions {
        views.push(seen(repo, &session.value, &tasks, depth)?);
    }
    super::history::add_knowledge(app, &opened, &sessions, &mut views)?;
    app.ui.data(&views)?;
    if views.is_empty() {
        app.ui.note("no sessions yet\nnext: git orch add-session NAME --paths GLOB");
        return Ok(exit::DONE);
    }
    app.ui.answer(table(app, &views, args.dirty))?;
    Ok(exit::DONE)
}

/// A session, with what the run in it says of itself.
pub(super) fn seen(repo: &Repo, session: &Session, tasks: &[Stored<Task>], depth: Depth) -> Result<View> {
    let own = tasks.iter().filter(|task| task.value.session == session.name);
    let (mut tasks, mut reports) = (Vec::new(), BTreeMap::new());
    for Stored { value, tip } in own.cloned() {
        let Seen { task, reported } = report::seen(repo, value);
        reports.extend(reported.map(|report| (task.name.clone(), report)));
        tasks.push(Stored { value: task, tip });
    }
    let view = view(repo, session, &tasks, depth)?;
    let reported = view.task.as_ref().and_then(|task| reports.remove(task));
    Ok(View { reported, ..view })
}

fn table(app: &App, views: &[View], dirty: bool) -> String {
    let mut headings = vec!["session", "state", "task", "ahead", "behind", "load", "last", "knows"];
    if dirty {
        headings.insert(5, "dirty");
    }
    let mut table = Table::new(&headings).right(if dirty { &[3, 4, 5, 6] } else { &[3, 4, 5] });
    for view in views {
        let mut row = vec![
            view.name.to_string(),
            view.state.word().to_owned(),
            view.task.as_ref().map(ToString::to_string).unwrap_or_default(),
            view.ahead.to_string(),
            view.behind.to_string(),
            view.load.to_string(),
            view.reported
                .as_ref()
                .map_or(view.last_activity, |report| report.time.max(view.last_activity))
                .ago(app.now),
            knows(view),
        ];
        if dirty {
            row.insert(5, view.dirty.map_or_else(|| "?".to_owned(), |dirty| dirty.to_string()));
        }
        table.row(row);
    }
    table.render()
}

fn knows(view: &View) -> String {
    let paths: Vec<String> = view.knows.iter().take(2).map(|knows| knows.path.to_string()).collect();
    let words = if paths.is_empty() { view.paths.join(", ") } else { paths.join(", ") };
    match (view.state, &view.task) {
        (SessionState::Blocked, _) => format!("{words}  see: git orch doctor"),
        (SessionState::Paused, _) => {
            let why = view.why.as_ref().map(|why| format!(" ({})", excerpt(why, 60))).unwrap_or_default();
            format!("{words}  paused{why}: git orch resume {}", view.name)
        }
        (SessionState::Input, Some(task)) => {
            let asked = view.reported.as_ref().and_then(|report| report.text.as_deref());
            let asked = asked.map(|text| format!("asks: {}  ", excerpt(text, 60))).unwrap_or_default();
            format!("{words}  {asked}waits: git orch answer {task} TEXT")
        }
        _ => words,
    }
}
