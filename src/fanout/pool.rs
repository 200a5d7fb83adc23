//! The workers: each has one throwaway, and takes shard after shard.
//!
//! **Invariant:** a shard that fails stops no other unless that was asked for;
//! Ctrl-C, and a machine that can't go on, stop all.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};

use super::cache::Cache;
use super::carry::{self, Ended, Site, Stage};
use super::halt::When;
use super::joblog;
use super::plan::Contents;
use super::remote::{self, Away, Further};
use crate::agent::Interrupt;
use crate::error::Result;
use crate::model::wording::{count, few, tick};
use crate::model::{Event, Oid, Shard};
use crate::run::throwaway::Throwaway;

/// Runs all shards whose outcome is not known; how each ended, in order, and a
/// throwaway that is left over where one is wanted.
///
/// # Errors
/// Interrupted, or unusable when worktrees can't be made.
pub(super) fn run_all<'a>(site: &Site<'a>) -> Result<(Vec<Ended>, Option<Throwaway<'a>>)> {
    let (queue, mut ended) = sort_out(site)?;
    tell(site, None, ended.len());
    let left = match &site.order.away {
        None => run_here(site, &queue, &mut ended)?,
        Some(away) => run_elsewhere(site, away, &queue, &mut ended).map(|()| None)?,
    };
    site.scene.interrupt.check()?;
    Ok((in_order(site, ended), left))
}

type AllEnded = BTreeMap<usize, Ended>;

fn run_here<'a>(site: &Site<'a>, queue: &Queue, ended: &mut AllEnded) -> Result<Option<Throwaway<'a>>> {
    let workers = site.order.workers.min(queue.waiting.len());
    let keep = site.order.check.is_some();
    let below = below(site, workers)?;
    tell_load(site, workers);
    let (send, receive) = mpsc::channel();
    let left = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|worker| {
                let (send, below) = (send.clone(), below.as_ref());
                scope.spawn(move || {
                    let left = work(site, queue, &send, below);
                    queue.stopped.fetch_or(left.is_err(), Ordering::Relaxed);
                    // What is not wanted goes here, where workers go side by side.
                    left.map(|left| left.filter(|_| keep && worker == 0 && below.is_none()))
                })
            })
            .collect();
        drop(send);
        let gathered = receive.iter().try_for_each(|one| {
            take_down(site, one, ended)?;
            tell_load(site, workers);
            Ok(())
        });
        queue.stopped.fetch_or(gathered.is_err(), Ordering::Relaxed);
        let left: Vec<_> =
            threads.into_iter().map(|thread| thread.join().expect("a worker does not panic")).collect();
        gathered.map(|()| left)
    })?;
    site.scene.interrupt.check()?;
    let left = left.into_iter().collect::<Result<Vec<_>>>()?;
    Ok(left.into_iter().flatten().next().or(below.filter(|_| keep)))
}

/// The checkout that others are laid over, where that is wanted and can be.
fn below<'a>(site: &Site<'a>, workers: usize) -> Result<Option<Throwaway<'a>>> {
    let Site { scene, order, .. } = site;
    if !order.overlay || workers < 2 {
        return Ok(None);
    }
    let _fence = scene.repo.fence(scene.events);
    let below = Throwaway::make(scene.repo, scene.throwaways, order.commit, scene.events)?;
    match Throwaway::over(&below, order.commit) {
        Ok(_) => {}
        Err(error) => {
            (scene.events)(Event::Note(format!("{error}: worktrees are full ones")));
            return Ok(None);
        }
    }
    below.set(site.input)?;
    Ok(Some(below))
}

fn run_elsewhere(site: &Site<'_>, away: &Away, queue: &Queue, ended: &mut AllEnded) -> Result<()> {
    let number = |index: &usize| site.before + index + 1;
    let keys: BTreeMap<usize, String> =
        queue.waiting.iter().map(|(index, key)| (number(index), key.clone())).collect();
    if keys.is_empty() {
        return Ok(());
    }
    remote::run_all(site, away, &keys, &mut |mut one| {
        one.shard.key = keys.get(&one.shard.n).cloned();
        queue.heed(site, &one);
        take_down(site, one, ended)?;
        let is_soon = site.order.halt.is_some_and(|halt| halt.when == When::Soon);
        Ok(match queue.stopped.load(Ordering::Relaxed) {
            false => Further::GoOn,
            true if is_soon => Further::Finish,
            true => Further::Stop,
        })
    })
}

/// The shards that have to run.
struct Queue {
    /// Which, with the keys of their outcomes.
    waiting: Vec<(usize, String)>,
    next: AtomicUsize,
    stopped: AtomicBool,
    bad: AtomicUsize,
    /// Ends the commands that run.
    stop: Interrupt,
}

impl Queue {
    fn take(&self, site: &Site<'_>) -> Option<&(usize, String)> {
        if self.stopped.load(Ordering::Relaxed) || site.scene.interrupt.is_raised() {
            return None;
        }
        self.waiting.get(self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Stops where too much has failed.
    fn heed(&self, site: &Site<'_>, ended: &Ended) {
        if !ended.shard.state.is_bad() {
            return;
        }
        let (bad, all) = (self.bad.fetch_add(1, Ordering::Relaxed) + 1, site.order.shards.len());
        if let Some(halt) = site.order.halt.filter(|halt| halt.is_met(bad, all))
            && !self.stopped.swap(true, Ordering::Relaxed)
        {
            let and = if halt.when == When::Now { ", and what runs is ended" } else { "" };
            let failed = count(bad, "shard");
            (site.scene.events)(Event::Note(format!("{failed} failed: no more are started{and}")));
            if halt.when == When::Now {
                self.stop.end();
            }
        }
    }
}

/// Parts the shards that must run from those whose outcome is known.
fn sort_out(site: &Site<'_>) -> Result<(Queue, AllEnded)> {
    let mut cache = Cache::load(site)?;
    let (mut waiting, mut ended, mut names) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (index, planned) in site.order.shards.iter().enumerate() {
        let key = cache.key(planned);
        match cache.find(index, &key)? {
            Some(known) => {
                names.extend(known.shard.known_from.clone().filter(|name| !names.contains(name)));
                joblog::add(site.logs, &known)?;
                ended.insert(known.shard.n, known);
            }
            None => waiting.push((index, key)),
        }
    }
    if !ended.is_empty() {
        let (known, names) = (ended.len(), few(names.iter().map(tick)));
        let what = match waiting.len() {
            0 if known == 1 => "its outcome is known".to_owned(),
            0 => "all outcomes are known".to_owned(),
            _ => format!("{} known", count(known, "outcome")),
        };
        (site.scene.events)(Event::Note(format!("{what} from {names}; `--again` runs everything")));
    }
    let queue = Queue {
        waiting,
        next: AtomicUsize::default(),
        stopped: AtomicBool::default(),
        bad: AtomicUsize::default(),
        stop: site.scene.interrupt.part(),
    };
    Ok((queue, ended))
}

/// Takes down and tells how a shard ended.
fn take_down(site: &Site<'_>, one: Ended, ended: &mut AllEnded) -> Result<()> {
    joblog::add(site.logs, &one)?;
    tell(site, Some(&one), ended.len() + 1);
    ended.insert(one.shard.n, one);
    Ok(())
}

/// All shards; those that did not run are skipped.
fn in_order(site: &Site<'_>, mut ended: AllEnded) -> Vec<Ended> {
    for (index, planned) in site.order.shards.iter().enumerate() {
        let n = site.before + index + 1;
        let skipped = || Shard::new(n, planned.files.clone(), planned.owner.clone());
        ended.entry(n).or_insert_with(|| Ended::without_changes(skipped()));
    }
    ended.into_values().collect()
}

fn work<'a>(
    site: &Site<'a>,
    queue: &Queue,
    send: &Sender<Ended>,
    below: Option<&Throwaway<'a>>,
) -> Result<Option<Throwaway<'a>>> {
    let mut held = None;
    // Up from what a command left until the next begins.
    let mut fence = None;
    while let Some((index, key)) = queue.take(site) {
        let standing = fence.take().unwrap_or_else(|| site.scene.repo.fence(site.scene.events));
        let (throwaway, input) = ready(site, held.take(), *index, below)?;
        let stage = Stage { throwaway: &throwaway, input, interrupt: &queue.stop };
        drop(standing);
        match carry::carry_out(site, &stage, *index)? {
            Some((mut ended, standing)) => {
                fence = Some(standing);
                ended.shard.key = Some(key.clone());
                queue.heed(site, &ended);
                drop(send.send(ended));
            }
            None => break,
        }
        held = Some(throwaway);
    }
    Ok(held)
}

/// A throwaway that holds what a shard starts from, which tree that is: the
/// one from before where it can be mended.
fn ready<'a>(
    site: &Site<'a>,
    held: Option<Throwaway<'a>>,
    index: usize,
    below: Option<&Throwaway<'a>>,
) -> Result<(Throwaway<'a>, Oid)> {
    let tree = carry::input(site, &site.order.shards[index])?;
    if let Some(held) = held
        && held.set(tree).is_ok()
    {
        return Ok((held, tree));
    }
    let Site { scene, order, .. } = site;
    let holds_all = matches!(order.shards[index].contents, Contents::Full);
    let laid = below.filter(|_| holds_all).and_then(|below| {
        let new = Throwaway::over(below, order.commit).ok()?;
        new.set(tree).ok().map(|()| new)
    });
    if let Some(new) = laid {
        return Ok((new, tree));
    }
    let new = Throwaway::make(scene.repo, scene.throwaways, order.commit, scene.events)?;
    new.set(tree)?;
    Ok((new, tree))
}

/// Tells of a shard that ended, and how many have.
pub(super) fn tell(site: &Site<'_>, ended: Option<&Ended>, done: usize) {
    let total = site.order.shards.len();
    let Some(ended) = ended else {
        let widths = site.order.shards.iter().map(|shard| shard.label.chars().count());
        return (site.scene.events)(Event::Shards { done, total, width: widths.max().unwrap_or_default() });
    };
    (site.scene.events)(Event::Shard {
        shard: Box::new(ended.shard.clone()),
        label: site.planned(ended.shard.n).label.clone(),
        done,
        total,
        last_line: ended.last_line.clone(),
    });
}

/// Tells how busy this machine is, where it can be told: whether more shards at
/// once would help shows there.
fn tell_load(site: &Site<'_>, at_once: usize) {
    let told = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    if let Some(load) = told.split(' ').next().and_then(|word| word.parse().ok()) {
        (site.scene.events)(Event::Load { at_once, load });
    }
}
