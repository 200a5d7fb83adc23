//! `git orch trash`

use serde::Serialize;

use super::gc;
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
///
/// The exit code is 1 when something stays because it could not be judged or
/// deleted.
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
    tell_unjudged(app, trash.entries.iter());
    Ok(exit::DONE)
}

/// Says what can't be judged and why; how many.
fn tell_unjudged<'a>(app: &App, entries: impl Iterator<Item = &'a Entry>) -> usize {
    let unjudged = entries.filter_map(|entry| Some((entry, entry.error.as_ref()?)));
    unjudged.map(|(entry, error)| gc::tell(app, &entry.id, entry.reason, error)).count()
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

/// What becomes of what is in the trash.
#[derive(Serialize)]
struct Emptied<'a> {
    deleted: Vec<&'a Entry>,
    kept: Vec<&'a Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<Failed<'a>>,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Oid>,
    /// How many are not old enough.
    #[serde(skip)]
    young: usize,
}

/// What should have gone.
#[derive(Serialize)]
struct Failed<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    error: String,
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
    let mut emptied = sorted(app, args, &trash, &named)?;
    if !args.dry_run {
        carry_out(scene, &mut emptied);
    }
    emptied.bytes = emptied.deleted.iter().map(|entry| entry.bytes).sum();
    emptied.operation = operation::present(scene.repo);
    report(app, args, &emptied)
}

/// Deletes; what can't be deleted keeps nothing else from going.
fn carry_out(scene: Scene<'_>, emptied: &mut Emptied<'_>) {
    let Emptied { deleted, failed, .. } = emptied;
    deleted.retain(|entry| match trash::empty(scene, entry) {
        Ok(()) => true,
        Err(error) => {
            failed.push(Failed { entry, error: error.to_string() });
            false
        }
    });
}

/// What goes, and what stays.
fn sorted<'a>(app: &App, args: &EmptyArgs, trash: &'a Trash, named: &[&'a Entry]) -> Result<Emptied<'a>> {
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
    let (old, young): (Vec<&Entry>, Vec<&Entry>) = all.into_iter().partition(is_old_enough);
    let (deleted, kept) = old.into_iter().partition(goes);
    Ok(Emptied { deleted, kept, failed: Vec::new(), bytes: 0, operation: None, young: young.len() })
}

fn report(app: &App, args: &EmptyArgs, emptied: &Emptied<'_>) -> Result<u8> {
    app.ui.data(emptied)?;
    let mut table = Table::bare().right(&[4]);
    let word = if args.dry_run { "would go" } else { "deleted" };
    let failed = emptied.failed.iter().map(|failed| failed.entry).collect();
    for (word, entries) in [(word, &emptied.deleted), ("failed", &failed), ("stays", &emptied.kept)] {
        for entry in entries {
            table.row([word.to_owned()].into_iter().chain(row(app, entry)));
        }
    }
    if !emptied.deleted.is_empty() || !failed.is_empty() || !emptied.kept.is_empty() {
        app.ui.answer(table.render())?;
    }
    let size = bytes(emptied.bytes);
    app.ui.note(match (emptied.deleted.len(), args.dry_run) {
        (0, _) if !failed.is_empty() => "nothing was deleted".to_owned(),
        (0, _) => "nothing to delete".to_owned(),
        (some, true) => format!("{}, {size}, would go", count(some, "item")),
        (some, false) => format!("deleted {}, {size}", count(some, "item")),
    });
    if emptied.young > 0 {
        app.ui.note(format!("{} not old enough yet", count(emptied.young, "item")));
    }
    if !emptied.kept.is_empty() {
        app.ui.note("what stays goes by its name, or with `--unpushed`");
    }
    let unjudged = tell_unjudged(app, emptied.kept.iter().copied());
    for Failed { entry, error } in &emptied.failed {
        app.ui.warning(format!("`{}` could not be deleted: {error}", entry.id));
    }
    let is_well = emptied.failed.is_empty() && unjudged == 0;
    Ok(if is_well { exit::DONE } else { exit::FAILED })
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
