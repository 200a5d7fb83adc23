//! Work that goes on until a checker has no problems left: what it says is
//! shared out, done, put together, and it is asked again about the result.
//!
//! **Invariant:** the result is the tree with the fewest problems so far; each
//! round is one commit on it, and one that made more is not in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::cache::Past;
use super::carry::Site;
use super::checker::Checker;
use super::claim::Claimed;
use super::files::Files;
use super::flow::{self, Order, Start};
use super::plan::PlannedShard;
use super::problems::Found;
use super::room;
use crate::error::{Kind, Result};
use crate::model::wording::count;
use crate::model::{Event, Fanout, Oid, Problem, RepoPath, Round};
use crate::run::Scene;

/// Shares problems in some files out among shards.
pub type Plan<'a> = dyn Fn(&Files, &[Problem]) -> Result<Vec<PlannedShard>> + 'a;

/// What to ask, and what to do with the answers.
pub struct Quest<'a> {
    /// The checker, for a shell.
    pub from: &'a str,
    /// How many rounds there are at most.
    pub rounds: usize,
    /// Which problems are worked on.
    pub wanted: &'a dyn Fn(&RepoPath) -> bool,
    /// Shares problems out.
    pub plan: &'a Plan<'a>,
    /// Ignored folders of the user's checkout that the checker needs.
    pub share: Vec<RepoPath>,
}

/// What rounds came to.
#[derive(Debug)]
pub struct Done {
    /// The record.
    pub fanout: Fanout,
    /// The shards of all rounds.
    pub shards: Vec<PlannedShard>,
}

/// Carries rounds out. `order` is for each of them, with other shards.
///
/// # Errors
/// As for one fan-out; failed where the checker fails and names no problem.
pub fn carry_out(scene: Scene<'_>, order: &Order, quest: &Quest<'_>) -> Result<Done> {
    room::require(scene, order, scene.repo.read().commit(order.commit)?.tree)?;
    let mut shards = Vec::new();
    let fanout = flow::under_claim(scene, order, |claimed| {
        let start = Start::now(scene, order, &claimed.logs);
        let mut course = Course::begin(scene, order, quest, claimed)?;
        course.run()?;
        shards = std::mem::take(&mut course.shards);
        let (mut made, tip) = course.made();
        let all = made.remaining.clone();
        made.remaining.truncate(RECORDED);
        let ended = flow::end(scene, claimed, start, (made, tip))?;
        Ok(Fanout { remaining: all, ..ended })
    })?;
    Ok(Done { fanout, shards })
}

/// What a first round would be.
#[derive(Debug)]
pub struct Seen {
    /// What is wrong now.
    pub problems: Vec<Problem>,
    /// What the checker names beside tracked files.
    pub foreign: BTreeSet<String>,
    /// The problems shared out.
    pub shards: Vec<PlannedShard>,
}

/// Asks the checker about what the order starts from. It runs in a throwaway,
/// and nothing stays of what it prints.
///
/// # Errors
/// Failed where the checker fails and names no problem.
pub fn look(scene: Scene<'_>, order: &Order, quest: &Quest<'_>) -> Result<Seen> {
    let input = scene.repo.read().commit(order.commit)?.tree;
    room::require(scene, order, input)?;
    let (past, logs) = (Past::default(), Path::new(""));
    let site = Site { scene, order, name: &order.job, input, logs, past: &past, before: 0 };
    let checker = Checker::make(&site, quest.from, &quest.share)?;
    let logs = checker.beside()?;
    let mut found = checker.ask(&Site { logs: &logs, ..site }, input)?;
    found.problems.retain(|problem| (quest.wanted)(&problem.path));
    let Found { problems, foreign, .. } = found;
    let shards = match problems.is_empty() {
        true => Vec::new(),
        false => (quest.plan)(&Files::load(scene.repo, input)?, &problems)?,
    };
    Ok(Seen { problems, foreign, shards })
}

/// How far it has come.
struct Course<'a> {
    scene: Scene<'a>,
    order: &'a Order,
    quest: &'a Quest<'a>,
    claimed: &'a Claimed,
    checker: Checker<'a>,
    /// The best tree so far, and its commit where it is not the first.
    tree: Oid,
    tip: Option<Oid>,
    /// What is wrong with it.
    problems: Vec<Problem>,
    made: Fanout,
    shards: Vec<PlannedShard>,
}

/// Whether another round makes sense.
#[derive(PartialEq, Eq)]
enum Next {
    Round,
    Stop,
}

impl<'a> Course<'a> {
    fn begin(scene: Scene<'a>, order: &'a Order, quest: &'a Quest<'a>, claimed: &'a Claimed) -> Result<Self> {
        let made = claimed.fanout.value.clone();
        let site = site(scene, order, claimed, 0, made.input_tree);
        let checker = Checker::make(&site, quest.from, &quest.share)?;
        let tree = made.input_tree;
        let shards = Vec::new();
        let mut course = Self {
            scene,
            order,
            quest,
            claimed,
            checker,
            tree,
            tip: None,
            problems: Vec::new(),
            made,
            shards,
        };
        let found = course.ask(order, tree)?;
        course.made.foreign = found.foreign.into_iter().take(FOREIGN).collect();
        course.problems = found.problems;
        Ok(course)
    }

    fn ask(&self, order: &Order, tree: Oid) -> Result<Found> {
        let site = site(self.scene, order, self.claimed, 0, tree);
        let mut found = self.checker.ask(&site, tree)?;
        found.problems.retain(|problem| (self.quest.wanted)(&problem.path));
        Ok(found)
    }

    fn run(&mut self) -> Result<()> {
        for n in 1..=self.quest.rounds {
            if self.problems.is_empty() || self.round(n)? == Next::Stop {
                break;
            }
        }
        Ok(())
    }

    /// Has all problems worked on once.
    fn round(&mut self, n: usize) -> Result<Next> {
        let files = Files::load(self.scene.repo, self.tree)?;
        let shards = (self.quest.plan)(&files, &self.problems)?;
        let order = Order {
            commit: self.tip.unwrap_or(self.order.commit),
            tracked: files.around(&shards),
            shards,
            ..self.order.clone()
        };
        room::require(self.scene, &order, self.tree)?;
        self.tell(n, &order);
        let before = self.shards.len();
        self.shards.extend(order.shards.iter().cloned());
        let made = flow::round(&site(self.scene, &order, self.claimed, before, self.tree))?;
        let changed =
            made.ended.iter().filter(|one| one.accepted.is_some()).map(|one| one.shard.changed).sum();
        let mut round = Round {
            n,
            problems: self.problems.len(),
            fixed: 0,
            added: 0,
            shards: made.ended.iter().map(|one| one.shard.n).collect(),
            changed,
            commit: made.tip,
            dropped: None,
        };
        self.made.escaped.extend(made.ended.iter().flat_map(|one| one.escaped.clone()));
        self.made.shards.extend(made.ended.into_iter().map(|one| one.shard));
        let next = match made.tip {
            Some(tip) => self.judge(&order, &mut round, (made.tree, tip, made.check))?,
            None => Next::Stop,
        };
        self.made.rounds.push(round);
        Ok(next)
    }

    /// Asks the checker about what a round made, and takes it where it is no worse.
    fn judge(
        &mut self,
        order: &Order,
        round: &mut Round,
        (tree, tip, check): (Oid, Oid, Option<String>),
    ) -> Result<Next> {
        let problems = match self.ask(order, tree) {
            Ok(found) => found.problems,
            Err(error) if error.kind == Kind::Failed => {
                round.dropped = Some(error.to_string());
                return Ok(Next::Stop);
            }
            Err(error) => return Err(error),
        };
        (round.fixed, round.added) = difference(&self.problems, &problems);
        if problems.len() > self.problems.len() {
            round.dropped = Some("it made more problems than there were".to_owned());
            return Ok(Next::Stop);
        }
        let is_better = problems.len() < self.problems.len();
        (self.tree, self.tip, self.problems) = (tree, Some(tip), problems);
        self.made.check = check;
        Ok(if is_better && self.made.failed_check().is_none() { Next::Round } else { Next::Stop })
    }

    fn tell(&self, n: usize, order: &Order) {
        let files: usize = order.shards.iter().map(|shard| shard.files.len()).sum();
        let (problems, files) = (count(self.problems.len(), "problem"), count(files, "file"));
        let (shards, at_once) = (count(order.shards.len(), "shard"), order.workers.min(order.shards.len()));
        let note = format!("round {n}: {problems} in {files}; {shards}, {at_once} at a time");
        (self.scene.events)(Event::Note(note));
    }

    /// What is to be recorded.
    fn made(self) -> (Fanout, Option<Oid>) {
        let made = Fanout { tree: Some(self.tree), remaining: self.problems, ..self.made };
        (made, self.tip)
    }
}

/// How many problems that remain are recorded: records are read often.
const RECORDED: usize = 1_000;
/// How many foreign paths are recorded.
const FOREIGN: usize = 100;

fn site<'a>(scene: Scene<'a>, order: &'a Order, claimed: &'a Claimed, before: usize, input: Oid) -> Site<'a> {
    let (name, logs) = (&claimed.fanout.value.name, claimed.logs.as_path());
    Site { scene, order, name, input, logs, past: &claimed.past, before }
}

/// How many problems are gone, and how many are new, wherever in their files.
fn difference(before: &[Problem], after: &[Problem]) -> (usize, usize) {
    let mut counts: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    before.iter().for_each(|problem| counts.entry(problem.identity()).or_default().0 += 1);
    after.iter().for_each(|problem| counts.entry(problem.identity()).or_default().1 += 1);
    let sum = |part: fn(&(usize, usize)) -> usize| counts.values().map(part).sum();
    (
        sum(|(before, after)| before.saturating_sub(*after)),
        sum(|(before, after)| after.saturating_sub(*before)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(path: &str, line: u32, message: &str) -> Problem {
        let message = message.to_owned();
        Problem {
            path: RepoPath::from(path),
            line: Some(line),
            column: None,
            code: None,
            severity: None,
            message,
        }
    }

    #[test]
    fn a_problem_that_moved_is_the_same_and_two_alike_are_two() {
        let before = [problem("a", 1, "x"), problem("a", 9, "x"), problem("b", 1, "y")];
        let after = [problem("a", 7, "x"), problem("b", 2, "y"), problem("b", 3, "z")];
        assert_eq!(difference(&before, &after), (1, 1));
        assert_eq!(difference(&before, &[]), (3, 0));
        assert_eq!(difference(&after, &after), (0, 0));
    }
}
