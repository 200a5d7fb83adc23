//! Operations as people see them: `git orch log --ops`.

use super::opened::Opened;
use crate::app::App;
use crate::error::{Result, exit};
use crate::git::operation;
use crate::model::{Effect, Oid, Operation};
use crate::recover::undo;
use crate::ui::Table;

/// Prints all operations, newest first, or what one of them changed.
pub(super) fn list(app: &App, opened: &Opened, typed: Option<&str>) -> Result<u8> {
    let log = operation::log(&opened.repo)?;
    if let Some(typed) = typed {
        let one = undo::choose(&log, Some(typed))?;
        app.ui.data(&one)?;
        app.ui.answer(effects(&one))?;
        return Ok(exit::DONE);
    }
    app.ui.data(&log)?;
    let mut table = Table::bare();
    for one in &log {
        table.row([one.id.short(), one.time.ago(app.now), state(one), one.what.clone()]);
    }
    app.ui.answer(table.render())?;
    Ok(exit::DONE)
}

/// Where an operation stands.
fn state(one: &Operation) -> String {
    match (one.undone_by, one.undoes) {
        (Some(by), _) => format!("undone by {}", by.short()),
        (None, Some(of)) => format!("undoes {}", of.short()),
        (None, None) => String::new(),
    }
}

/// What an operation changed, a line each.
pub(super) fn effects(one: &Operation) -> String {
    let place = |oid: Option<Oid>| oid.map_or_else(|| "nothing".to_owned(), |oid| oid.short());
    let moved = one
        .moved()
        .into_iter()
        .map(|moved| format!("{}  {} → {}", moved.name, place(moved.old), place(moved.new)));
    let others = one.effects.iter().filter_map(|effect| match effect {
        Effect::Ref { .. } => None,
        Effect::Made { session } => Some(format!("worktree of session {session}  made")),
        Effect::Trashed { session, id } => Some(format!("worktree of session {session}  to the trash, {id}")),
        Effect::Restored { session, .. } => {
            Some(format!("worktree of session {session}  back from the trash"))
        }
        Effect::Emptied { id } => Some(format!("{id} in the trash  deleted for good")),
        Effect::Held { session, work } => {
            Some(format!("worktree of session {session}  held uncommitted work, {}", work.short()))
        }
        Effect::Holds { session, work } => {
            Some(format!("worktree of session {session}  holds uncommitted work, {}", work.short()))
        }
    });
    moved.chain(others).collect::<Vec<_>>().join("\n")
}
