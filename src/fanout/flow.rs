//! A fan-out from its plan to its result branch.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::carry::{Ended, Site};
use super::check::Judge;
use super::claim::{self, Claimed, claim};
use super::halt::Halt;
use super::home::Home;
use super::plan::PlannedShard;
use super::remote::Away;
use super::result::{self, Commits, Made};
use super::tracked::Tracked;
use super::{evict, pool, quarantine, room};
use crate::error::Result;
use crate::git::programs::{self, Programs};
use crate::git::refs::{self, RefChange};
use crate::git::{RepoLock, identity};
use crate::model::time::Stopwatch;
use crate::model::wording::count;
use crate::model::{Event, Fanout, Name, Oid, RepoPath, TaskState, Time};
use crate::run::throwaway::Throwaway;
use crate::run::{Scene, altered, elsewhere};
use crate::store;

/// What to carry out.
#[derive(Clone, Debug)]
pub struct Order {
    /// The job; the fan-out gets its name, or that with a number.
    pub job: Name,
    /// What is run, for people.
    pub command: String,
    /// The commit to start from.
    pub commit: Oid,
    /// The branch that the result merges into.
    pub base: String,
    /// Every tracked file, for worktrees that hold only some.
    pub tracked: Tracked,
    /// The shards.
    pub shards: Vec<PlannedShard>,
    /// How many run at once.
    pub workers: usize,
    /// Whether the worktrees of those that hold every file are laid over one.
    pub overlay: bool,
    /// How long one may take.
    pub timeout: Option<Duration>,
    /// How often one that fails is run again.
    pub retries: u32,
    /// Whose home commands find.
    pub home: Home,
    /// What commands find in their environment, beside the caller's.
    pub env: Vec<(String, String)>,
    /// A command that the result must pass.
    pub check: Option<String>,
    /// How often that is run again at most, to find the shards that make it fail;
    /// not at all with 0.
    pub bisect: Option<usize>,
    /// How the result comes.
    pub commits: Commits,
    /// The checker whose problems are worked on.
    pub from: Option<String>,
    /// Whether the same work may be open already; known outcomes count for
    /// nothing then.
    pub again: bool,
    /// When failing shards end it.
    pub halt: Option<Halt>,
    /// The fan-out that this goes on with, in its place.
    pub resumes: Option<Name>,
    /// Where the shards run that do not run here.
    pub away: Option<Away>,
}

/// Carries a fan-out out. What a shard did wrong is no error but in the record.
///
/// # Errors
/// Refused while the same result is open; interrupted; unusable where
/// worktrees do not fit on their disk or can't be made. Nothing is left then.
pub fn carry_out(scene: Scene<'_>, order: &Order) -> Result<Fanout> {
    room::require(scene, order, scene.repo.read().commit(order.commit)?.tree)?;
    under_claim(scene, order, |claimed| run(scene, order, claimed))
}

/// Does work under a name of its own; what it began is taken back where it fails.
pub(super) fn under_claim(
    scene: Scene<'_>,
    order: &Order,
    work: impl FnOnce(&Claimed) -> Result<Fanout>,
) -> Result<Fanout> {
    identity::require(scene.repo)?;
    let claimed = claim(scene, order, scene.repo.read().commit(order.commit)?.tree)?;
    work(&claimed).map_err(|error| {
        // Ctrl-C on a terminal ends git's children too: they are not to blame.
        let error = scene.interrupt.check().err().unwrap_or(error);
        match claim::break_off(scene, &claimed) {
            Ok(0) => error,
            Ok(done) => {
                let (done, job) = (count(done, "shard"), &order.job);
                let how = match order.from {
                    Some(_) => "the same command".to_owned(),
                    None => format!("`git orch fanout {job} --resume`"),
                };
                error.hint(format!("{done} came to an end: {how} goes on from there"))
            }
            Err(why) => {
                (scene.events)(Event::Warning(why.to_string()));
                error
            }
        }
    })
}

fn run(scene: Scene<'_>, order: &Order, claimed: &Claimed) -> Result<Fanout> {
    let start = Start::now(scene, order, &claimed.logs);
    let begun = &claimed.fanout.value;
    let (name, logs) = (&begun.name, &claimed.logs);
    let (input, past) = (begun.input_tree, &claimed.past);
    let round = round(&Site { scene, order, name, input, logs, past, before: 0 })?;
    let made = Fanout {
        tree: Some(round.tree),
        escaped: round.ended.iter().flat_map(|one| one.escaped.clone()).collect(),
        shards: round.ended.into_iter().map(|one| one.shard).collect(),
        check: round.check,
        ..begun.clone()
    };
    end(scene, claimed, start, (made, round.tip))
}

/// What was there when the first command started.
pub(super) struct Start {
    watch: Stopwatch,
    programs: Programs,
    /// Absent where no agent is at work here.
    elsewhere: Option<elsewhere::Watch>,
}

impl Start {
    /// Looks at it now.
    pub(super) fn now(scene: Scene<'_>, order: &Order, logs: &Path) -> Self {
        // What is told of problems is mostly an agent.
        let is_told = order.from.is_some() || order.shards.iter().any(|shard| shard.handed.is_some());
        let has_agents = order.away.is_none() && is_told;
        // Where it can't be told what there was, nothing is told of what came.
        let elsewhere = has_agents.then(|| elsewhere::Watch::begin(scene, logs).ok()).flatten();
        Self { watch: Stopwatch::start(), programs: programs::load(scene.repo), elsewhere }
    }
}

/// What the shards of one input tree came to.
pub(super) struct Round {
    /// How each ended.
    pub(super) ended: Vec<Ended>,
    /// The one tree with all that is taken of them.
    pub(super) tree: Oid,
    /// Its commit, on the one they started from; none where nothing was changed.
    pub(super) tip: Option<Oid>,
    /// What the check said of it.
    pub(super) check: Option<String>,
}

/// Runs the shards of a site, puts what they changed together and checks it.
pub(super) fn round(site: &Site<'_>) -> Result<Round> {
    let (mut ended, spare) = pool::run_all(site)?;
    let mut made = result::make(site, &mut ended)?;
    let check = match (&site.order.check, made.tip) {
        (Some(check), Some(tip)) => {
            let scene = site.scene;
            let make = || Throwaway::make(scene.repo, scene.throwaways, tip, scene.events);
            let throwaway = spare.map_or_else(make, Ok)?;
            Some(evict::judge(&Judge { site, throwaway, check }, &mut ended, &mut made)?)
        }
        _ => None,
    };
    site.scene.interrupt.check()?;
    let Made { tree, tip } = made;
    Ok(Round { ended, tree, tip, check })
}

/// Records what was made, with the branch where it has a commit.
pub(super) fn end(
    scene: Scene<'_>,
    claimed: &Claimed,
    start: Start,
    (made, tip): (Fanout, Option<Oid>),
) -> Result<Fanout> {
    let seconds = i64::try_from(start.watch.elapsed().as_secs()).unwrap_or(i64::MAX);
    let files: BTreeSet<&RepoPath> = made.shards.iter().flat_map(|shard| &shard.paths).collect();
    let untaken = made.shards.iter().any(|shard| !shard.state.is_well());
    let fanout = Fanout {
        state: match tip {
            Some(_) => TaskState::Review,
            None if untaken || !made.remaining.is_empty() => TaskState::Failed,
            // Nothing is left to land.
            None => TaskState::Merged,
        },
        branch: tip.map(|_| refs::review_branch(&made.name)),
        altered: altered::told(scene, &start.programs),
        elsewhere: start.elsewhere.map(|watch| watch.end(scene, &made.name, &files)).unwrap_or_default(),
        ended: Some(Time(scene.now.0.saturating_add(seconds))),
        ..made
    };
    record(scene, claimed, fanout, tip)
}

/// The record, the result branch and those of what is not in it, which appear
/// together.
fn record(scene: Scene<'_>, claimed: &Claimed, mut fanout: Fanout, tip: Option<Oid>) -> Result<Fanout> {
    let repo = scene.repo;
    let lock = RepoLock::take(repo, "fanout, its result", scene.events)?;
    let keeps = kept(&fanout, tip);
    let now = fanout.ended.unwrap_or(scene.now);
    let mut changes = quarantine::make(repo, &mut fanout)?;
    changes.push(store::fanouts::prepare(repo, &fanout, Some(claimed.fanout.tip), keeps, now)?);
    if let (Some(branch), Some(tip)) = (&fanout.branch, tip) {
        changes.push(RefChange::set(refs::branch(branch), tip, claimed.result));
    }
    changes.extend(claim::unpinned(repo, &fanout.name)?);
    refs::apply(repo, &lock, &changes, "fanout, ended")?;
    for n in 1..=fanout.shards.len() {
        // A list that stays behind is only a file too many.
        for what in ["files", "problems"] {
            drop(std::fs::remove_file(claimed.logs.join(format!("shard-{n}.{what}"))));
        }
    }
    Ok(fanout)
}

/// The result, and what untaken shards left.
fn kept(fanout: &Fanout, tip: Option<Oid>) -> Vec<Oid> {
    let left = fanout.shards.iter().filter(|shard| shard.state.is_bad()).filter_map(|shard| shard.commit);
    let dropped =
        fanout.rounds.iter().filter(|round| round.dropped.is_some()).filter_map(|round| round.commit);
    tip.into_iter().chain(left).chain(dropped).collect()
}
