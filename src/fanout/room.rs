//! Whether the worktrees of a fan-out fit on their disk.

use std::collections::BTreeMap;

use super::flow::Order;
use super::plan::PlannedShard;
use super::tracked::Tracked;
use crate::error::Result;
use crate::git::room;
use crate::model::wording::count;
use crate::model::{Oid, RepoPath};
use crate::run::Scene;

/// What the worktree of each of these shards takes, by what each file does.
pub fn of_worktrees(files: &BTreeMap<RepoPath, u64>, tracked: &Tracked, shards: &[PlannedShard]) -> Vec<u64> {
    let all: u64 = files.values().sum();
    let size = |shard: &PlannedShard| match tracked.held(shard) {
        None => all,
        Some(held) => held.iter().filter_map(|path| files.get(path)).sum(),
    };
    shards.iter().map(size).collect()
}

/// Refuses a fan-out whose first worktrees, which are made all at once, do not
/// fit. Later ones take the place of these.
///
/// # Errors
/// Unusable, with how many would fit.
pub(super) fn require(scene: Scene<'_>, order: &Order, input: Oid) -> Result<()> {
    let files = room::of_files(scene.repo, input)?;
    let all: u64 = files.values().sum();
    // Those that are laid over one checkout take little beside it.
    let at_once = if order.overlay { 1 } else { order.workers.max(1) };
    let here = if order.away.is_some() { 0 } else { at_once.min(order.shards.len()) };
    let sizes = of_worktrees(&files, &order.tracked, &order.shards[..here]);
    // The check has a worktree to itself, with every file in it.
    let checked = if order.check.is_some() { all } else { 0 };
    let needed = |number: usize| sizes[..number].iter().sum::<u64>().max(checked);
    let what = match needed(sizes.len()) == checked {
        true => "the worktree of the check".to_owned(),
        false => count(sizes.len(), "worktree"),
    };
    let folder = scene.throwaways;
    let refused = room::require(folder, needed(sizes.len()), &what);
    refused.map_err(|mut error| {
        if let Some(number) = (1..sizes.len()).rev().find(|number| room::is_there(folder, needed(*number))) {
            error.hints.insert(0, format!("run fewer shards at once: `-j {number}`"));
        }
        error
    })
}
