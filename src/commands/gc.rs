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
/// such tasks after 30 days (orch.keepLogs), conversations after 365 days
/// (orch.keepConversations), operations after 30 days (orch.keepOperations),
/// throwaway worktrees of killed processes, damaged caches. What stays: whatever
/// holds commits or uncommitted work that are nowhere else, is in use, or is not
/// git-orch's own. Deleted from the trash is for good: `undo` does not bring it
/// back.
///
/// The exit code is 1 when something stays because it could not be judged or
/// deleted.
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
        conversations: settings.keep_conversations(),
    };
    let items = if args.apply {
        // An undo takes from the trash: not while it is emptied.
        let _turn = LandLock::wait(scene.repo, "gc", scene.interrupt, scene.events)?;
        let mut items = gc::look(scene, keep)?;
        gc::apply(scene, &mut items)?;
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
        (0, true) if items.iter().any(is_failed) => "nothing was deleted".to_owned(),
        (0, _) => "nothing to delete".to_owned(),
        (some, true) => format!("deleted {}, {}", count(some, "item"), bytes(size)),
        (some, false) => format!("{}, {}, would go: git orch gc --apply", count(some, "item"), bytes(size)),
    });
    let young = items.iter().filter(|item| item.reason == Reason::Young).count();
    if young > 0 {
        app.ui.note(format!("{} not old enough yet", count(young, "item")));
    }
    let troubled = items.iter().filter_map(|item| Some((item, item.error.as_ref()?)));
    let told = troubled.map(|(item, error)| tell(app, &item.at, item.reason, error));
    Ok(if told.count() == 0 { exit::DONE } else { exit::FAILED })
}

/// Says why something stays that should not, or of which nobody knows.
pub(super) fn tell(app: &App, what: &str, reason: Reason, error: &str) {
    let trouble = if reason == Reason::Unjudged { reason.words() } else { "could not be deleted" };
    app.ui.warning(format!("`{what}` {trouble}: {error}"));
}

/// Whether something should have gone.
fn is_failed(item: &Item) -> bool {
    item.error.is_some() && item.reason.is_spare()
}

fn table(app: &App, items: &[Item], going: &str) -> String {
    let mut table = Table::bare().right(&[3, 4]);
    for item in items {
        let word = match item.delete {
            true => going,
            false if is_failed(item) => "failed",
            false => "stays",
        };
        table.row([
            word.to_owned(),
            item.reason.words().to_owned(),
            item.kind.word().to_owned(),
            if item.bytes > 0 { bytes(item.bytes) } else { String::new() },
            item.since.map(|since| time::span(app.now.since(since))).unwrap_or_default(),
            item.at.clone(),
        ]);
    }
    table.render()
}
