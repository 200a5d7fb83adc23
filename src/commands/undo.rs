//! `git orch undo`

use serde::Serialize;

use super::opened::Opened;
use super::operations::effects;
use crate::app::App;
use crate::error::{Result, exit};
use crate::git::operation;
use crate::model::{Oid, Operation};
use crate::recover::undo;

/// Take back what a command did
///
/// Branches, records and worktrees go back to what they were: of the newest
/// command, or of the one that `git orch log --ops` lists under OP. An undo is
/// an operation too: undoing it brings back what it took. What was changed
/// since, and a base that a remote or a later commit has already, refuses.
#[derive(Debug, clap::Args)]
pub(super) struct UndoArgs {
    /// The operation, by the start of its id; the newest one without it
    #[arg(value_name = "OP")]
    operation: Option<String>,
    /// Say what would go back, and do nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Undone<'a> {
    undone: &'a Operation,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Oid>,
}

pub(super) fn run(app: &App, args: &UndoArgs) -> Result<u8> {
    let opened = Opened::to_change(app)?;
    let repo = &opened.repo;
    let log = operation::log(repo)?;
    let chosen = undo::choose(&log, args.operation.as_deref())?;
    if let (Some(by), true) = (chosen.undone_by, args.operation.is_some()) {
        app.ui.data(&Undone { undone: &chosen, operation: Some(by) })?;
        app.ui.note(format!("{} is undone already, by {}", chosen.id.short(), by.short()));
        return Ok(exit::DONE);
    }
    let plan = undo::plan(repo, &log, chosen)?;
    if args.dry_run {
        app.ui.data(&Undone { undone: &plan.operation, operation: None })?;
        app.ui.note(format!("would undo {}: {}", plan.operation.id.short(), plan.operation.what));
        app.ui.answer(effects(&plan.operation))?;
        return Ok(exit::DONE);
    }
    let events = |event| app.ui.event(event);
    undo::carry_out(opened.scene(app, &events), &plan)?;
    let undone = operation::present(repo);
    app.ui.data(&Undone { undone: &plan.operation, operation: undone })?;
    let again = plan.operation.undoes.and_then(|id| log.iter().find(|one| one.id == id));
    app.ui.note(match again {
        Some(again) => format!("brought back: {}", again.what),
        None => format!("undone: {}", plan.operation.what),
    });
    if let Some(undone) = undone {
        let what = if again.is_some() { "undo it again" } else { "bring it back" };
        app.ui.note(format!("to {what}: git orch undo {}", undone.short()));
    }
    Ok(exit::DONE)
}
