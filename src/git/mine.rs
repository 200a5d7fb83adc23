//! Mining: which commit changed which paths, for a whole history.
//!
//! The fast path reads objects with git2 and compares trees itself: git2's own
//! tree diff is an order of magnitude slower. Two threads compare trees while
//! commits are still being walked. The slow path is `git log` (see
//! [`log_args`] and [`parse_log`]), for repositories that git2 can't read.
//!
//! **Invariant:** both paths report exactly what
//! `git log --raw --no-renames --no-merges` does.

mod commit;
mod log;
mod miner;
mod trees;
mod walk;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

use crate::error::{Error, Result};
use crate::model::{Event, Events, Mined, Oid};

pub use log::{log_args, parse_log};
pub use miner::Miner;

use super::read::shallow;
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

/// What mining a span found.
#[derive(Debug, Default)]
pub struct Mining {
    /// The commits, newest first by committer date; merges left out.
    pub commits: Vec<Mined>,
    /// Hidden commits that none of the tips descends from: history was rewritten there.
    pub unreached: Vec<Oid>,
}

/// Mines the commits of `span` in the repository whose git directory is `git_dir`.
pub fn mine(git_dir: &Path, span: &Span<'_>, events: Events<'_>) -> Result<Mining> {
    let repository = open(git_dir)?;
    let odb = repository.odb().map_err(|error| failed(git_dir, &error))?;
    let mut walk = Walk::new(&odb, shallow(repository.commondir()), span)?;
    let first = walk.take_steps(CHUNK)?;
    let mut commits = if first.len() < CHUNK {
        changes_of(&mut Trees::new(&odb), first)?
    } else {
        Job::new(git_dir, events).run(first, &mut walk)?
    };
    if !span.hide.is_empty() {
        commits.retain(|mined| !walk.is_hidden(mined.oid));
    }
    Ok(Mining { commits, unreached: walk.unreached(span.hide)? })
}

/// Mines just the commits named, in their order; those that are missing and
/// merges are left out.
pub fn mine_commits(git_dir: &Path, oids: &[Oid]) -> Result<Vec<Mined>> {
    if oids.is_empty() {
        return Ok(Vec::new());
    }
    let repository = open(git_dir)?;
    let odb = repository.odb().map_err(|error| failed(git_dir, &error))?;
    let shallow = shallow(repository.commondir());
    let steps = oids.iter().filter_map(|oid| walk::step(&odb, &shallow, *oid).transpose());
    changes_of(&mut Trees::new(&odb), steps.collect::<Result<_>>()?)
}

fn open(git_dir: &Path) -> Result<git2::Repository> {
    // Every object would be hashed again: that costs three times the rest.
    git2::opts::strict_hash_verification(false);
    git2::Repository::open(git_dir).map_err(|error| failed(git_dir, &error))
}

fn failed(git_dir: &Path, error: &git2::Error) -> Error {
    Error::unusable(format!("could not read history of `{}`", git_dir.display()))
        .because(error.message().to_owned())
}

fn changes_of(trees: &mut Trees<'_>, steps: Vec<Step>) -> Result<Vec<Mined>> {
    let mined = |step: Step| {
        let changes = trees.changes(step.parent_tree, step.tree)?;
        let Step { oid, time, author, subject, .. } = step;
        Ok(Mined { oid, time, author, subject, changes })
    };
    steps.into_iter().map(mined).collect()
}

/// Threads that compare trees while the commits are walked.
struct Job<'a> {
    git_dir: &'a Path,
    events: Events<'a>,
    done: AtomicUsize,
    total: AtomicUsize,
    found: Mutex<Vec<(usize, Result<Vec<Mined>>)>>,
}

type Chunk = (usize, Vec<Step>);

impl<'a> Job<'a> {
    fn new(git_dir: &'a Path, events: Events<'a>) -> Self {
        Self {
            git_dir,
            events,
            done: AtomicUsize::new(0),
            total: AtomicUsize::new(0),
            found: Mutex::default(),
        }
    }

    fn run(self, first: Vec<Step>, walk: &mut Walk<'_>) -> Result<Vec<Mined>> {
        let (sender, receiver) = mpsc::sync_channel::<Chunk>(AHEAD);
        let receiver = Mutex::new(receiver);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| self.work(&receiver));
            }
            let walked = self.feed(first, walk, &sender);
            drop(sender);
            walked
        })?;
        let mut found = self.found.into_inner().expect("no thread panicked");
        found.sort_unstable_by_key(|(index, _)| *index);
        let mut commits = Vec::with_capacity(self.total.into_inner());
        for (_, mined) in found {
            commits.append(&mut mined?);
        }
        Ok(commits)
    }

    fn feed(&self, first: Vec<Step>, walk: &mut Walk<'_>, sender: &mpsc::SyncSender<Chunk>) -> Result<()> {
        let mut steps = first;
        for index in 0.. {
            if steps.is_empty() {
                break;
            }
            self.total.fetch_add(steps.len(), Ordering::Relaxed);
            sender.send((index, steps)).expect("the receiver outlives the threads");
            steps = walk.take_steps(CHUNK)?;
        }
        Ok(())
    }

    fn work(&self, receiver: &Mutex<mpsc::Receiver<Chunk>>) {
        let next = || receiver.lock().expect("no thread panicked").recv().ok();
        if let Err(error) = self.compare(&next) {
            self.keep(usize::MAX, Err(error));
            // Whoever feeds must not wait for ever.
            while next().is_some() {}
        }
    }

    fn compare(&self, next: &dyn Fn() -> Option<Chunk>) -> Result<()> {
        let repository = open(self.git_dir)?;
        let odb = repository.odb().map_err(|error| failed(self.git_dir, &error))?;
        let mut trees = Trees::new(&odb);
        while let Some((index, steps)) = next() {
            let count = steps.len();
            self.keep(index, Ok(changes_of(&mut trees, steps)?));
            let done = self.done.fetch_add(count, Ordering::Relaxed) + count;
            (self.events)(Event::Mining { done, total: self.total.load(Ordering::Relaxed) });
        }
        Ok(())
    }

    fn keep(&self, index: usize, mined: Result<Vec<Mined>>) {
        self.found.lock().expect("no thread panicked").push((index, mined));
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
