//! What `git orch fanout --from --dry-run` answers: the first round, as it would be.

use serde::Serialize;

use super::Desk;
use super::problems::{NOTHING, warn_of_foreign};
use super::report::of_new_files;
use crate::error::{Result, exit};
use crate::fanout::flow::Order;
use crate::fanout::plan::PlannedShard;
use crate::fanout::rounds::Seen;
use crate::model::wording::{count, thousands};
use crate::model::{Name, Problem, RepoPath};
use crate::ui::Table;

#[derive(Serialize)]
struct Shown<'a> {
    job: &'a Name,
    command: &'a str,
    from: &'a str,
    rounds: u8,
    problems: &'a [Problem],
    shards: Vec<ShownShard<'a>>,
}

#[derive(Serialize)]
struct ShownShard<'a> {
    n: usize,
    label: &'a str,
    paths: &'a [RepoPath],
    problems: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a Name>,
}

/// Shows it.
pub(super) fn show(desk: &Desk<'_>, (order, rounds): (&Order, u8), intro: &str, seen: &Seen) -> Result<u8> {
    let (ui, job) = (&desk.app.ui, &order.job);
    ui.data(&Shown {
        job,
        command: &order.command,
        from: order.from.as_deref().unwrap_or_default(),
        rounds,
        problems: &seen.problems,
        shards: (1..).zip(&seen.shards).map(shown).collect(),
    })?;
    warn_of_foreign(desk, &seen.foreign);
    if seen.problems.is_empty() {
        ui.answer(format!("{intro}\n{NOTHING}"))?;
        return Ok(exit::DONE);
    }
    let files = count(seen.shards.iter().map(|shard| shard.files.len()).sum(), "file");
    let (problems, shards) = (count(seen.problems.len(), "problem"), count(seen.shards.len(), "shard"));
    let (table, new) = (table(&seen.shards), of_new_files(&seen.shards));
    ui.answer(format!("{intro}; {problems} in {files}, {shards}\n{}{new}", table.trim_end()))?;
    Ok(exit::DONE)
}

fn shown((n, shard): (usize, &PlannedShard)) -> ShownShard<'_> {
    let PlannedShard { label, files, owner, .. } = shard;
    ShownShard { n, label, paths: files, problems: problems(shard), owner: owner.as_ref() }
}

fn problems(shard: &PlannedShard) -> usize {
    shard.handed.as_ref().map_or(0, |handed| handed.problems.len())
}

fn table(shards: &[PlannedShard]) -> String {
    let is_known = shards.iter().any(|shard| shard.owner.is_some());
    let headings = ["shard", "problems", "files", "where", "known best by"];
    let mut table = Table::new(&headings[..if is_known { 5 } else { 4 }]).right(&[0, 1, 2]);
    for (n, shard) in (1..).zip(shards) {
        let numbers = [n, problems(shard), shard.files.len()].map(thousands);
        let known = shard.owner.as_ref().filter(|_| is_known).map(Name::to_string);
        table.row(numbers.into_iter().chain([shard.label.clone()]).chain(known));
    }
    table.render()
}
