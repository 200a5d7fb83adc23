//! A result that fails its check: the shards that make it fail are found and
//! set aside, and the rest lands.
//!
//! **Invariant:** nothing is taken out of a result whose check fails without
//! any shard, too; of which something is taken out, the rest has passed.

use std::path::{Path, PathBuf};

use super::bisect::{Parted, bisect};
use super::carry::{self, Ended};
use super::check::{self, Judge, Verdict};
use super::pool;
use super::result::{self, Made};
use crate::error::{Error, IoContext, Result};
use crate::git::Edit;
use crate::model::wording::count;
use crate::model::{Event, Oid, ShardState};

/// For how many shards at fault there are runs enough, where nobody says.
const AT_FAULT: usize = 3;

/// Checks what was made, and makes it anew where shards have to be left out;
/// what the check says of the result.
pub(super) fn judge(judge: &Judge<'_>, ended: &mut [Ended], made: &mut Made) -> Result<String> {
    let (_, first) = judge.run(|| Ok(made.tree), check::log(judge.site.logs))?;
    let shards: Vec<usize> =
        ended.iter().filter(|one| one.accepted.is_some()).map(|one| one.shard.n).collect();
    let most = judge.site.order.bisect.unwrap_or_else(|| enough(shards.len()));
    if first.passed || most == 0 {
        return Ok(first.told);
    }
    (judge.site.scene.events)(Event::Note(format!(
        "check {}: it runs again without some shards",
        first.told
    )));
    let mut search = Search { judge, ended, most, runs: Vec::new(), passed: None };
    if !search.run(&[], shards.len())? {
        search.clear()?;
        return Ok(format!("{}; it fails without these changes, too", first.told));
    }
    let parted = bisect(&shards, most - 1, |numbers| search.run(numbers, shards.len()))?;
    let (passed, runs) = (search.passed.take(), search.runs.len());
    search.keep_logs(&parted)?;
    if parted.kept.is_empty() && !parted.unjudged.is_empty() {
        return Ok(format!(
            "{}; which shards make it fail was not found in {}",
            first.told,
            count(runs, "run")
        ));
    }
    leave_out(judge, ended, &parted, runs)?;
    *made = result::make(judge.site, ended)?;
    match passed {
        _ if made.tip.is_none() => Ok(first.told),
        Some((tree, verdict)) if tree == made.tree => Ok(verdict.told),
        _ => Err(Error::bug("the result is not the tree that passed the check")),
    }
}

/// The most runs that so many shards are worth: one without any of them, and
/// twice the halvings that it takes to find each of a few at fault.
fn enough(shards: usize) -> usize {
    let halvings = usize::BITS - shards.saturating_sub(1).leading_zeros();
    1 + 2 * halvings as usize * AT_FAULT
}

/// Where the search for shards at fault stands.
struct Search<'a> {
    judge: &'a Judge<'a>,
    ended: &'a [Ended],
    most: usize,
    /// The shards of each run, whether it passed, and its log.
    runs: Vec<(Vec<usize>, bool, PathBuf)>,
    /// The last tree that passed.
    passed: Option<(Oid, Verdict)>,
}

impl Search<'_> {
    /// Whether the check passes with these shards alone.
    fn run(&mut self, numbers: &[usize], of: usize) -> Result<bool> {
        let site = self.judge.site;
        let run = self.runs.len() + 1;
        let log = site.logs.join(format!("check-{run}.log"));
        let verdict = self.judge.run(|| self.tree(numbers), log.clone())?;
        let passed = verdict.1.passed;
        let shards = numbers.len();
        (site.scene.events)(Event::Probed { shards, of, passed, run, most: self.most });
        if passed {
            self.passed = Some(verdict);
        }
        self.runs.push((numbers.to_vec(), passed, log));
        Ok(passed)
    }

    fn tree(&self, numbers: &[usize]) -> Result<Oid> {
        let site = self.judge.site;
        let accepted: Vec<(usize, &[Edit])> = self
            .ended
            .iter()
            .filter(|one| numbers.binary_search(&one.shard.n).is_ok())
            .filter_map(|one| Some((one.shard.n, one.accepted.as_deref()?)))
            .collect();
        Ok(result::put_together(site.scene.repo, site.origin(), &accepted, site.scene.now)?.tree)
    }

    /// Gives each shard that is left out the log of the run that judged it, and
    /// the result that of the run that it passed.
    fn keep_logs(&self, parted: &Parted) -> Result<()> {
        let whole = check::log(self.judge.site.logs);
        let copy = |from: &Path, to: &Path| std::fs::copy(from, to).doing("could not write", to).map(drop);
        for n in parted.bad.iter().chain(&parted.unjudged) {
            let judged = self.runs.iter().rfind(|(numbers, passed, _)| !passed && numbers.contains(n));
            let from = judged.map_or(&whole, |(_, _, log)| log);
            copy(from, &check::shard_log(self.judge.site.logs, *n))?;
        }
        if let Some((_, _, log)) =
            self.runs.iter().rfind(|(numbers, passed, _)| *passed && !numbers.is_empty())
        {
            copy(log, &whole)?;
        }
        self.clear()
    }

    fn clear(&self) -> Result<()> {
        self.runs.iter().try_for_each(|(_, _, log)| std::fs::remove_file(log).doing("could not remove", log))
    }
}

fn leave_out(judge: &Judge<'_>, ended: &mut [Ended], parted: &Parted, runs: usize) -> Result<()> {
    let unjudged = format!("the check fails with it or another; not found in {}", count(runs, "run"));
    for one in ended {
        let why = match (parted.bad.contains(&one.shard.n), parted.unjudged.contains(&one.shard.n)) {
            (true, _) => "the check fails with it",
            (_, true) => &unjudged,
            _ => continue,
        };
        carry::leave_out(judge.site, one, ShardState::Evicted, why)?;
        pool::tell(judge.site, Some(one), judge.site.order.shards.len());
    }
    Ok(())
}
