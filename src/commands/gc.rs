//! `git orch gc`

use serde::Serialize;

use super::opened::Opened;
use crate::app::App;
use crate::error::{Result, exit};
use crate::git::operation;
use crate::model::wording::{bytes, count};
use crate::model::{Oid, time};
use crate::recover::gc::{self, Item, Keep};
use crate::recover::reason::Reason;
use crate::session::LandLock;
use crate::ui::Table;

/// Show what nobody needs any more, or delete it
///
/// Without `--apply` nothing is deleted. What goes: the trash after 14 days
/// (orch.keepTrash), result branches whose task is over, logs and briefs of
/// such tasks after 30 days (orch.keepLogs), operations after 30 days
/// (orch.keepOperations), throwaway worktrees of killed processes, damaged
/// caches. What stays: whatever holds commits or uncommitted work that are
/// nowhere else, is in use, or is not git-orch's own. Deleted from the trash is
/// for good: `undo` does not bring it back.
#[derive(Debug, clap::Args)]
pub(super) struct GcArgs {
    /// Delete what can go
    #[arg(long)]
    apply: bool,
    /// Say what would go, and do nothing; so it is without `--apply`
    #[arg(long, conflicts_with = "apply")]
    dry_run: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    applied: bool,
    items: &'a [Item],
    deletable: usize,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<Oid>,
}

pub(super) fn run(app: &App, args: &GcArgs) -> Result<u8> {
    let opened = Opened::to_change(app)?;
    let events = |event| app.ui.event(event);
    let scene = opened.scene(app, &events);
    let settings = &opened.settings;
    let keep = Keep {
        trash: settings.keep_trash(),
        operations: settings.keep_operations(),
        logs: settings.keep_logs(),
    };
    let items = if args.apply {
        // An undo takes from the trash: not while it is emptied.
        let _turn = LandLock::wait(scene.repo, "gc", scene.interrupt, scene.events)?;
        let items = gc::look(scene, keep)?;
        gc::apply(scene, &items)?;
        items
    } else {
        gc::look(scene, keep)?
    };
    let going: Vec<&Item> = items.iter().filter(|item| item.delete).collect();
    let size = going.iter().map(|item| item.bytes).sum();
    let operation = operation::present(scene.repo);
    app.ui.data(&Report {
        applied: args.apply,
        items: &items,
        deletable: going.len(),
        bytes: size,
        operation,
    })?;
    if !items.is_empty() {
        app.ui.answer(table(app, &items, if args.apply { "deleted" } else { "would go" }))?;
    }
    app.ui.note(match (going.len(), args.apply) {
        (0, _) => "nothing to delete".to_owned(),
        (some, true) => format!("deleted {}, {}", count(some, "item"), bytes(size)),
        (some, false) => format!("{}, {}, would go: git orch gc --apply", count(some, "item"), bytes(size)),
    });
    let young = items.iter().filter(|item| item.reason == Reason::Young).count();
    if young > 0 {
        app.ui.note(format!("{} not old enough yet", count(young, "item")));
    }
    Ok(exit::DONE)
}

fn table(app: &App, items: &[Item], going: &str) -> String {
    let mut table = Table::bare().right(&[3, 4]);
    for item in items {
        table.row([
            if item.delete { going } else { "stays" }.to_owned(),
            item.reason.words().to_owned(),
            item.kind.word().to_owned(),
            if item.bytes > 0 { bytes(item.bytes) } else { String::new() },
            item.since.map(|since| time::span(app.now.since(since))).unwrap_or_default(),
            item.at.clone(),
        ]);
    }
    table.render()
}
