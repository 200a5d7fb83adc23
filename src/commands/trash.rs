//! `git orch trash`

use serde::Serialize;

use super::opened::Opened;
use crate::app::App;
use crate::error::{Error, Result, exit};
use crate::git::operation;
use crate::model::Oid;
use crate::model::time::parse_span;
use crate::model::wording::{bytes, count};
use crate::recover::gc::is_old;
use crate::recover::reason::Reason;
use crate::recover::trash::{self, Entry, Trash, Way};
use crate::recover::undo;
use crate::run::Scene;
use crate::session::LandLock;
use crate::ui::Table;

/// List what is in the trash, bring it back, or delete it for good
///
/// Removed sessions go there whole, with what recovery found half-way in a
/// session and with files that a failed run left. The last column tells what
/// else has the work: `unpushed` and `dirty` are nowhere else.
#[derive(Debug, clap::Args)]
pub(super) struct TrashArgs {
    #[command(subcommand)]
    command: Option<TrashCommand>,
}

#[derive(Debug, clap::Subcommand)]
enum TrashCommand {
    Empty(EmptyArgs),
    Restore(RestoreArgs),
}

/// Delete from the trash for good
///
/// Without a name, everything but what holds work that is nowhere else or is in
/// use. What a name is given of goes whatever it holds.
#[derive(Debug, clap::Args)]
struct EmptyArgs {
    /// What to delete; as `git orch trash` lists it
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Only what is there for so long, as `14d`
    #[arg(long, value_name = "SPAN")]
    older: Option<String>,
    /// Also what holds work that is nowhere else
    #[arg(long)]
    unpushed: bool,
    /// Say what would go, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Bring back a removed session, or its work as a branch
#[derive(Debug, clap::Args)]
struct RestoreArgs {
    /// What to bring back; as `git orch trash` lists it
    #[arg(value_name = "ID")]
    id: String,
    /// Make this branch at its work; the trash stays as it is
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: &TrashArgs) -> Result<u8> {
    match &args.command {
        None => list(app),
        Some(TrashCommand::Empty(args)) => empty(app, args),
        Some(TrashCommand::Restore(args)) => restore(app, args),
    }
}

fn list(app: &App) -> Result<u8> {
    let opened = Opened::to_read(app)?;
    let events = |event| app.ui.event(event);
    let (_, trash) = trash::look(opened.scene(app, &events))?;
    app.ui.data(&trash.entries)?;
    if trash.entries.is_empty() {
        app.ui.note("the trash is empty");
        return Ok(exit::DONE);
    }
    let mut table = Table::new(&["id", "session", "since", "size", "work"]).right(&[3]);
    for entry in &trash.entries {
        table.row(row(app, entry));
    }
    app.ui.answer(table.render())?;
    Ok(exit::DONE)
}

fn row(app: &App, entry: &Entry) -> [String; 5] {
    [
        entry.id.clone(),
        entry.session.as_ref().map(ToString::to_string).unwrap_or_default(),
        entry.since.map(|since| since.ago(app.now)).unwrap_or_default(),
        bytes(entry.bytes),
        entry.reason.words().to_owned(),
    ]
}

#[derive(Serialize)]
struct Emptied<'a> {
    deleted: &'a [&'a Entry],
    kept: &'a [&'a Entry],
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Oid>,
}

fn empty(app: &App, args: &EmptyArgs) -> Result<u8> {
    let opened = Opened::to_change(app)?;
    let events = |event| app.ui.event(event);
    let scene = opened.scene(app, &events);
    let _turn = match args.dry_run {
        true => None,
        // An undo takes from the trash: not while it is emptied.
        false => Some(LandLock::wait(scene.repo, "trash empty", scene.interrupt, scene.events)?),
    };
    let (log, trash) = trash::look(scene)?;
    let named = trash::choose(&trash, &log, &args.ids)?;
    let (going, kept) = sorted(app, args, &trash, &named)?;
    if !args.dry_run {
        for entry in &going {
            trash::empty(scene, entry)?;
        }
    }
    report(app, args, scene, (&going, &kept))?;
    Ok(exit::DONE)
}

/// What goes, and what stays.
fn sorted<'a>(
    app: &App,
    args: &EmptyArgs,
    trash: &'a Trash,
    named: &[&'a Entry],
) -> Result<(Vec<&'a Entry>, Vec<&'a Entry>)> {
    let older = args.older.as_deref().map(|text| {
        parse_span(text)
            .ok_or_else(|| Error::usage(format!("`{text}` is no time span")).hint("write it as `14d`"))
    });
    let older = older.transpose()?;
    let is_old_enough = |entry: &&Entry| {
        older.is_none_or(|older| entry.since.is_some_and(|since| is_old(since, older, app.now)))
    };
    if let Some(entry) = named.iter().find(|entry| entry.reason == Reason::Live) {
        return Err(Error::refused(format!("a process works in `{}`", entry.id)).hint("leave it, or end it"));
    }
    let goes = |entry: &&Entry| match (args.ids.is_empty(), args.unpushed) {
        (false, _) => true,
        (true, true) => entry.reason != Reason::Live,
        (true, false) => entry.reason.is_spare(),
    };
    let all: Vec<&Entry> = if args.ids.is_empty() { trash.entries.iter().collect() } else { named.to_vec() };
    Ok(all.into_iter().filter(is_old_enough).partition(goes))
}

fn report(
    app: &App,
    args: &EmptyArgs,
    scene: Scene<'_>,
    (going, kept): (&[&Entry], &[&Entry]),
) -> Result<()> {
    let size = going.iter().map(|entry| entry.bytes).sum();
    let operation = operation::present(scene.repo);
    app.ui.data(&Emptied { deleted: going, kept, bytes: size, operation })?;
    let mut table = Table::bare().right(&[4]);
    let word = if args.dry_run { "would go" } else { "deleted" };
    for (word, entries) in [(word, going), ("stays", kept)] {
        for entry in entries {
            table.row([word.to_owned()].into_iter().chain(row(app, entry)));
        }
    }
    if !going.is_empty() || !kept.is_empty() {
        app.ui.answer(table.render())?;
    }
    app.ui.note(match (going.len(), args.dry_run) {
        (0, _) => "nothing to delete".to_owned(),
        (some, true) => format!("{}, {}, would go", count(some, "item"), bytes(size)),
        (some, false) => format!("deleted {}, {}", count(some, "item"), bytes(size)),
    });
    if !kept.is_empty() {
        app.ui.note("what stays goes by its name, or with `--unpushed`");
    }
    Ok(())
}

#[derive(Serialize)]
struct Restored<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Oid>,
}

fn restore(app: &App, args: &RestoreArgs) -> Result<u8> {
    let opened = Opened::to_change(app)?;
    let events = |event| app.ui.event(event);
    let scene = opened.scene(app, &events);
    let (log, trash) = trash::look(scene)?;
    let RestoreArgs { id, branch, dry_run } = args;
    let way = trash::way_back(scene.repo, &trash, &log, id, branch.as_deref())?;
    let told = match &way {
        Way::Done => format!("{id} is restored already"),
        Way::Undo(plan) if *dry_run => {
            format!("would undo {}: {}", plan.operation.id.short(), plan.operation.what)
        }
        Way::Branch(name, oid) if *dry_run => format!("would make the branch {name} at {}", oid.short()),
        Way::Undo(plan) => {
            undo::carry_out(scene, plan)?;
            format!("restored {id}: undone is {}", plan.operation.what)
        }
        Way::Branch(name, oid) => {
            trash::make_branch(scene, name, *oid)?;
            format!("its work is on the branch {name}, {}", oid.short())
        }
    };
    app.ui.data(&Restored { id, branch: branch.as_deref(), operation: operation::present(scene.repo) })?;
    app.ui.note(told);
    Ok(exit::DONE)
}
