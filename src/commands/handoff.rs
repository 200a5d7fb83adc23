//! `git orch handoff`

use std::path::PathBuf;

use super::opened::Opened;
use super::{around, result};
use crate::app::App;
use crate::error::{IoContext, Result, exit};
use crate::model::wording::list;
use crate::model::{Name, Task};
use crate::run::handoff::{self, Order};
use crate::store::{self, Stored};

/// Hand open work over to another session, with its context
///
/// What went into it goes along: commits, files and uncommitted edits, what
/// failed or was asked for, notes, what its last run said of DECISIONS, RULED
/// OUT and NEXT, what was said of it on the way, and where its conversation is.
/// The next brief tells all of it. Of a session everything goes over that is
/// open, as before it is removed. Call off first what is being worked on.
#[derive(Debug, clap::Args)]
pub(super) struct HandoffArgs {
    /// The task, or the session whose open work it is
    #[arg(value_name = "TASK-OR-SESSION")]
    name: String,
    /// Who goes on with it
    #[arg(long, value_name = "SESSION")]
    to: String,
    /// What to know of it: decisions, what was ruled out, what is next
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// The same, from a file
    #[arg(long, value_name = "FILE", conflicts_with = "message")]
    file: Option<PathBuf>,
    /// Say what would go over, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: &HandoffArgs) -> Result<u8> {
    let said = said(app, args)?;
    let opened = if args.dry_run { Opened::to_read(app)? } else { Opened::to_change(app)? };
    let to = store::sessions::require(&opened.repo, &args.to)?.value;
    let mut tasks = find(&opened, &args.name)?;
    tasks.retain(|task| task.value.session != to.name);
    if tasks.is_empty() {
        app.ui.data(&Vec::<Task>::new())?;
        app.ui.note(format!("{} has nothing that {} does not have already", args.name, to.name));
        return Ok(exit::DONE);
    }
    tasks.iter().try_for_each(|task| handoff::check(&opened.repo, &task.value, &to))?;
    if args.dry_run {
        app.ui.data(&tasks.iter().map(|task| &task.value).collect::<Vec<_>>())?;
        let names = list(tasks.iter().map(|task| &task.value.name));
        app.ui.note(format!("would hand {names} over to {}", to.name));
        return Ok(exit::DONE);
    }
    let by = around::teller(app, &opened.repo)?.0;
    let events = |event| app.ui.event(event);
    let order = Order { to: to.name, said, by, settings: &opened.settings };
    let (given, cut) = handoff::carry_out(opened.scene(app, &events), tasks, &order)?;
    if let Some(cut) = cut {
        app.ui.warning(format!("what is said of it is cut: {cut} are left out"));
    }
    app.ui.data(&given.iter().map(|task| &task.value).collect::<Vec<_>>())?;
    for Stored { value, .. } in &given {
        let (name, session) = (&value.name, &value.session);
        app.ui.note(format!("{session} has {name} now: git orch brief {name}"));
        app.ui.note(format!("next: {}", result::next(value).unwrap_or_default()));
    }
    Ok(exit::DONE)
}

/// What the caller says of it.
fn said(app: &App, args: &HandoffArgs) -> Result<Option<String>> {
    let Some(file) = args.file.as_ref().map(|file| app.folder.join(file)) else {
        return Ok(args.message.clone());
    };
    let bytes = std::fs::read(&file).doing("could not read", &file)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// A session's open work, or the task of that name.
fn find(opened: &Opened, typed: &str) -> Result<Vec<Stored<Task>>> {
    if let Ok(name) = typed.parse::<Name>()
        && store::sessions::find(&opened.repo, &name)?.is_some()
    {
        return handoff::open_work(&opened.repo, &name);
    }
    super::show::require(opened, typed).map(|task| vec![task])
}
