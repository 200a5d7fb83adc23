//! Whether the worktrees of a fan-out fit on their disk.

use super::flow::Order;
use crate::error::Result;
use crate::git::room;
use crate::model::Oid;
use crate::model::wording::count;
use crate::run::Scene;

/// Refuses a fan-out whose first worktrees, which are made all at once, do not
/// fit. Later ones take the place of these.
///
/// # Errors
/// Unusable, with how many would fit.
pub(super) fn require(scene: Scene<'_>, order: &Order, input: Oid) -> Result<()> {
    let files = room::of_files(scene.repo, input)?;
    let all: u64 = files.values().sum();
    let here = if order.away.is_some() { 0 } else { order.workers.max(1) };
    let first = order.shards.iter().take(here);
    let sizes: Vec<u64> = first
        .map(|shard| match order.tracked.held(shard) {
            None => all,
            Some(held) => held.iter().filter_map(|path| files.get(path)).sum(),
        })
        .collect();
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
