//! Mining: which commit changed which paths, for a whole history.
//!
//! The fast path reads packs and compares trees itself, and leaves what it does
//! not find there to git2, whose own tree diff is an order of magnitude slower.
//! Two threads compare trees while commits are still being walked. The slow path is `git log` (see
//! [`log_args`] and [`parse_log`]), for repositories that git2 can't read.
//!
//! **Invariant:** both paths report exactly what
//! `git log --raw --no-renames --no-merges` does.

pub mod delta;

mod commit;
mod log;
mod miner;
mod objects;
mod pack;
mod packed;
mod renames;
mod trees;
mod walk;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};

use crate::error::Result;
use crate::model::{Event, Events, Mined, Oid, RepoPath};

pub use log::{log_args, parse_log};
pub use miner::Miner;
pub use packed::{Content, Kind, Packed};

use super::read::shallow;
use commit::RawCommit;
pub(super) use commit::date;
use objects::Objects;
use pack::Packs;
use trees::Trees;
use walk::{Step, Walk};

/// Consecutive commits share most of their trees, so a thread takes many at once.
const CHUNK: usize = 1_024;
const THREADS: usize = 2;
/// How many chunks the walk may be ahead of them.
const AHEAD: usize = 8;

/// Which commits to mine.
#[derive(Clone, Copy, Debug)]
pub struct Span<'a> {
    /// Commits reachable from these…
    pub tips: &'a [Oid],
    /// …but not from these.
    pub hide: &'a [Oid],
    /// At most so many, newest first; merges are not counted.
    pub horizon: usize,
}

/// Takes what is mined, piece by piece.
pub trait Sink {
    /// Whether it has a commit already, which is passed over then.
    fn has(&mut self, oid: Oid) -> bool;
    /// Takes commits, newest first by committer date; merges are left out.
    fn take(&mut self, commits: Vec<Mined>);
}

/// Keeps everything.
impl Sink for Vec<Mined> {
    fn has(&mut self, _: Oid) -> bool {
        false
    }

    fn take(&mut self, commits: Vec<Mined>) {
        self.extend(commits);
    }
}

/// Mines the commits of `span` in the repository whose git directory is
/// `git_dir`; those hidden commits that none of the tips descends from, as
/// history was rewritten there.
pub fn mine(git_dir: &Path, span: &Span<'_>, sink: &mut dyn Sink, events: Events<'_>) -> Result<Vec<Oid>> {
    let mut objects = Objects::open(git_dir);
    let (shallow, packs) = (shallow(objects.common_dir()), objects.packs());
    let mut walk = Walk::new(&mut objects, shallow, span)?;
    let mut steps = new_steps(&mut walk, sink)?;
    if walk.is_over() {
        let commits = changes_of(&mut Trees::new(walk.objects()), steps)?;
        sink.take(commits);
    } else {
        Job { git_dir, packs: &packs, events, horizon: span.horizon }.run(&mut steps, &mut walk, sink)?;
    }
    // A badly dated commit can hide from the walk what descends from it.
    let mut unreached = walk.unreached(span.hide)?;
    if !unreached.is_empty() {
        let repository = objects::repository(git_dir)?;
        unreached.retain(|hidden| !is_reached(&repository, *hidden, span.tips));
    }
    Ok(unreached)
}

fn is_reached(repository: &git2::Repository, hidden: Oid, tips: &[Oid]) -> bool {
    let id = |oid: Oid| git2::Oid::from_bytes(oid.as_bytes());
    let reaches = |tip: &Oid| repository.graph_descendant_of(id(*tip)?, id(hidden)?);
    tips.iter().any(|tip| reaches(tip).unwrap_or(false))
}

/// The next commits that the sink has not; none once the walk is over.
fn new_steps(walk: &mut Walk<'_>, sink: &mut dyn Sink) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    while steps.is_empty() && !walk.is_over() {
        steps = walk.take_steps(CHUNK)?;
        steps.retain(|step| !sink.has(step.oid));
    }
    Ok(steps)
}

/// The files of a commit.
pub fn files(git_dir: &Path, commit: Oid) -> Result<Vec<RepoPath>> {
    let mut objects = Objects::open(git_dir);
    let tree = walk::tree(&mut objects, commit)?;
    let found = Trees::new(&mut objects).differences(None, tree)?;
    Ok(found.changes.into_iter().map(|change| change.path).collect())
}

/// Mines just the commits named, in their order; those that are missing and
/// merges are left out.
pub fn mine_commits(git_dir: &Path, oids: &[Oid]) -> Result<Vec<Mined>> {
    if oids.is_empty() {
        return Ok(Vec::new());
    }
    let mut objects = Objects::open(git_dir);
    let shallow = shallow(objects.common_dir());
    let steps = oids.iter().filter_map(|oid| walk::step(&mut objects, &shallow, *oid).transpose());
    let steps = steps.collect::<Result<_>>()?;
    changes_of(&mut Trees::new(&mut objects), steps)
}

fn changes_of(trees: &mut Trees<'_>, steps: Vec<Step>) -> Result<Vec<Mined>> {
    let mined = |step: Step| {
        let found = trees.differences(step.parent_tree, step.commit.tree)?;
        let renames = found.renames();
        let Step { oid, commit: RawCommit { time, author, subject, body, .. }, .. } = step;
        Ok(Mined { oid, time, author, subject, body, changes: found.changes, renames })
    };
    steps.into_iter().map(mined).collect()
}

/// Threads that compare trees while the commits are walked.
struct Job<'a> {
    git_dir: &'a Path,
    packs: &'a Arc<Packs>,
    events: Events<'a>,
    horizon: usize,
}

/// Commits to compare with their parents, and the piece's number.
type Piece = (usize, Vec<Step>);
type Compared = (usize, Result<Vec<Mined>>);

impl Job<'_> {
    fn run(&self, first: &mut Vec<Step>, walk: &mut Walk<'_>, sink: &mut dyn Sink) -> Result<()> {
        let (send, pieces) = mpsc::channel::<Piece>();
        let (give, compared) = mpsc::channel::<Compared>();
        let pieces = Mutex::new(pieces);
        std::thread::scope(|scope| {
            // It goes with whatever ends this, and the threads end with it.
            let send = send;
            for _ in 0..THREADS {
                let (give, pieces) = (give.clone(), &pieces);
                scope.spawn(move || self.work(pieces, &give));
            }
            drop(give);
            let (mut sent, mut taken, mut walked, mut done) = (0, 0, 0, 0);
            let mut waiting: BTreeMap<usize, Vec<Mined>> = BTreeMap::new();
            let mut steps = std::mem::take(first);
            loop {
                while sent - taken < AHEAD && !steps.is_empty() {
                    walked += steps.len();
                    send.send((sent, steps)).expect("a thread lives as long as there are pieces");
                    sent += 1;
                    steps = new_steps(walk, sink)?;
                }
                if sent == taken {
                    return Ok(());
                }
                let (number, commits) = compared.recv().expect("a thread gives back what it takes");
                waiting.insert(number, commits?);
                while let Some(mut commits) = waiting.remove(&taken) {
                    taken += 1;
                    done += commits.len();
                    commits.retain(|mined| !walk.is_hidden(mined.oid));
                    sink.take(commits);
                    let total = if walk.is_over() { walked } else { self.horizon };
                    (self.events)(Event::Mining { done, total });
                }
            }
        })
    }

    fn work(&self, pieces: &Mutex<mpsc::Receiver<Piece>>, give: &mpsc::Sender<Compared>) {
        let next = || pieces.lock().expect("no thread panicked").recv().ok();
        if let Err(error) = self.compare(&next, give)
            && let Some((number, _)) = next()
        {
            // Who waits for a piece hears why there is none.
            drop(give.send((number, Err(error))));
        }
    }

    fn compare(&self, next: &dyn Fn() -> Option<Piece>, give: &mpsc::Sender<Compared>) -> Result<()> {
        let mut objects = Objects::with(self.git_dir, Arc::clone(self.packs));
        let mut trees = Trees::new(&mut objects);
        while let Some((number, steps)) = next() {
            if give.send((number, changes_of(&mut trees, steps))).is_err() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
