//! The workers: each has one throwaway, and takes shard after shard.
//!
//! **Invariant:** a shard that fails stops no other; Ctrl-C, and a machine
//! that can't go on, stop all.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};

use super::carry::{self, Ended, Site};
use crate::error::Result;
use crate::model::Event;
use crate::run::throwaway::Throwaway;

/// Runs all shards; how each ended, in order, and a throwaway that is left
/// over where one is wanted.
///
/// # Errors
/// Interrupted, or unusable when worktrees can't be made.
pub(super) fn run_all<'a>(site: &Site<'a>) -> Result<(Vec<Ended>, Option<Throwaway<'a>>)> {
    let total = site.order.shards.len();
    let workers = site.order.workers.clamp(1, total.max(1));
    let queue = Queue { next: AtomicUsize::new(0), stop: AtomicBool::new(false) };
    let (send, receive) = mpsc::channel();
    let (ended, left) = std::thread::scope(|scope| {
        let (queue, keep) = (&queue, site.order.check.is_some());
        let threads: Vec<_> = (0..workers)
            .map(|worker| {
                let send = send.clone();
                scope.spawn(move || {
                    let left = work(site, queue, &send);
                    queue.stop.fetch_or(left.is_err(), Ordering::Relaxed);
                    // What is not wanted goes here, where workers go side by side.
                    left.map(|left| left.filter(|_| keep && worker == 0))
                })
            })
            .collect();
        drop(send);
        let mut ended: Vec<Ended> = Vec::new();
        for one in receive {
            tell(site, &one, ended.len() + 1, total);
            ended.push(one);
        }
        let left: Vec<_> =
            threads.into_iter().map(|thread| thread.join().expect("a worker does not panic")).collect();
        (ended, left)
    });
    site.scene.interrupt.check()?;
    let left = left.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().next();
    let mut ended = ended;
    ended.sort_by_key(|one| one.shard.n);
    Ok((ended, left))
}

struct Queue {
    next: AtomicUsize,
    stop: AtomicBool,
}

impl Queue {
    fn take(&self, site: &Site<'_>) -> Option<usize> {
        if self.stop.load(Ordering::Relaxed) || site.scene.interrupt.is_raised() {
            return None;
        }
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        (index < site.order.shards.len()).then_some(index)
    }
}

fn work<'a>(site: &Site<'a>, queue: &Queue, send: &Sender<Ended>) -> Result<Option<Throwaway<'a>>> {
    let mut held = None;
    while let Some(index) = queue.take(site) {
        let throwaway = ready(site, held.take(), index)?;
        match carry::carry_out(site, &throwaway, index)? {
            Some(ended) => drop(send.send(ended)),
            None => break,
        }
        held = Some(throwaway);
    }
    Ok(held)
}

/// A throwaway that holds what a shard starts from: the one from before where
/// it can be mended.
fn ready<'a>(site: &Site<'a>, held: Option<Throwaway<'a>>, index: usize) -> Result<Throwaway<'a>> {
    let _fence = site.scene.repo.fence(site.scene.events);
    let tree = carry::input(site, &site.order.shards[index])?;
    if let Some(held) = held
        && held.set(tree).is_ok()
    {
        return Ok(held);
    }
    let new = Throwaway::make(site.scene.repo, site.scene.throwaways, site.order.commit, site.scene.events)?;
    new.set(tree)?;
    Ok(new)
}

fn tell(site: &Site<'_>, ended: &Ended, done: usize, total: usize) {
    (site.scene.events)(Event::Shard {
        shard: ended.shard.clone(),
        label: site.planned(ended.shard.n).label.clone(),
        done,
        total,
        last_line: ended.last_line.clone(),
    });
}
