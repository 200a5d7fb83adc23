//! A result that fails its check: the shards that make it fail are found and
//! set aside, and the rest lands.
//!
//! **Invariant:** nothing is taken out of a result whose check fails without
//! any shard, too, or says now this, now that of the same files; of which
//! something is taken out, the rest has passed.

use std::collections::BTreeMap;
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
/// What is said of a check that contradicts itself.
const UNRELIABLE: &str =
    "it fails and passes on the same files: it is not reliable, and no shard is left out";

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
    let said = BTreeMap::from([(made.tree, false)]);
    let mut search = Search { judge, ended, most, runs: Vec::new(), passed: None, said };
    let parted = match search.part(&shards) {
        Ok(parted) => parted,
        Err(Stop::Fruitless(why)) => {
            search.clear()?;
            return Ok(format!("{}; {why}", first.told));
        }
        Err(Stop::Error(error)) => return Err(error),
    };
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

/// The most runs that so many shards are worth: one without any of them, and of
/// each of a few at fault twice the halvings that it takes to find it, and one
/// to be sure.
fn enough(shards: usize) -> usize {
    let halvings = usize::BITS - shards.saturating_sub(1).leading_zeros();
    1 + (2 * halvings as usize + 1) * AT_FAULT
}

/// Why no shard can be said to be at fault.
enum Stop {
    /// What the check says is no evidence against any.
    Fruitless(&'static str),
    Error(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
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
    /// Which trees passed and which failed.
    said: BTreeMap<Oid, bool>,
}

impl Search<'_> {
    /// Parts the shards into those that pass and those that make it fail.
    fn part(&mut self, shards: &[usize]) -> std::result::Result<Parted, Stop> {
        if !self.run(&[], shards.len())? {
            return Err(Stop::Fruitless("it fails without these changes, too"));
        }
        bisect(shards, self.most - 1, |numbers| self.run(numbers, shards.len()))
    }

    /// Whether the check passes with these shards alone.
    fn run(&mut self, numbers: &[usize], of: usize) -> std::result::Result<bool, Stop> {
        let site = self.judge.site;
        let run = self.runs.len() + 1;
        let log = site.logs.join(format!("check-{run}.log"));
        let verdict = self.judge.run(|| self.tree(numbers), log.clone())?;
        let passed = verdict.1.passed;
        let shards = numbers.len();
        (site.scene.events)(Event::Probed { shards, of, passed, run, most: self.most });
        let before = self.said.insert(verdict.0, passed);
        if passed {
            self.passed = Some(verdict);
        }
        self.runs.push((numbers.to_vec(), passed, log));
        match before {
            Some(before) if before != passed => Err(Stop::Fruitless(UNRELIABLE)),
            _ => Ok(passed),
        }
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
