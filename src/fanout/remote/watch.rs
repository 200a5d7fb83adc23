//! From the order on the remote to the end of every shard.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::carry::{Ended, Site};
use super::begun::Begun;
use super::{Away, Doing, Further, On, collect};
use crate::error::{Kind, Result};
use crate::git::remote;
use crate::model::wording::count;
use crate::model::{Event, Oid};

/// How long is waited between two looks, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// How often nobody has to answer before that is an error.
const PATIENCE: u32 = 6;
/// How often a shard is missing before it counts as gone: an engine may take
/// a moment to know what it was handed.
const MISSING: u32 = 3;

/// Runs shards elsewhere, each with the key of its outcome, and gives away how
/// each ended as it does.
///
/// # Errors
/// Interrupted, or unusable where remote or engine do not answer.
pub(in crate::fanout) fn run_all(
    site: &Site<'_>,
    away: &Away,
    keys: &BTreeMap<usize, String>,
    take: &mut dyn FnMut(Ended) -> Result<Further>,
) -> Result<()> {
    let mut begun = Begun::new(site, away, keys)?;
    let (waiting, further) = (BTreeMap::new(), Further::GoOn);
    let mut watch = Watch { site, away, waiting, take, further, held_back: false, failures: 0, again: false };
    watch.submit(&mut begun, keys.keys().copied().collect())?;
    watch.until_all_ended(&mut begun)?;
    // Of a shard that ran twice, one may be at work still.
    begun.at_work = watch.again || !watch.waiting.is_empty();
    if watch.waiting.is_empty() {
        begun.over();
    }
    Ok(())
}

struct Watch<'s, 'a> {
    site: &'s Site<'a>,
    away: &'s Away,
    waiting: BTreeMap<usize, Shard>,
    take: &'s mut dyn FnMut(Ended) -> Result<Further>,
    further: Further,
    /// Whether what had not begun is called off.
    held_back: bool,
    /// How often in a row nobody answered.
    failures: u32,
    /// Whether any shard was submitted more than once.
    again: bool,
}

/// How shards stand, and the results that are new.
type Seen = (BTreeMap<usize, Doing>, Vec<(usize, Oid)>);

/// A shard that has no result yet.
#[derive(Default)]
struct Shard {
    submitted: u32,
    missing: u32,
}

impl Watch<'_, '_> {
    fn submit(&mut self, begun: &mut Begun<'_>, shards: Vec<usize>) -> Result<()> {
        self.site.scene.repo.reach("shards to be submitted")?;
        begun.at_work = true;
        let called = begun.engine.submit(&shards)?;
        for n in &shards {
            let shard = self.waiting.entry(*n).or_default();
            (shard.submitted, shard.missing) = (shard.submitted + 1, 0);
        }
        let what = count(shards.len(), "shard");
        let how = match &self.away.on {
            On::Run(_) => "awaited from others".to_owned(),
            on => format!("submitted to {on} {called}"),
        };
        let text = format!("{what} {how}, over {}", self.away.remote.name);
        (self.site.scene.events)(Event::Note(text));
        self.site.scene.repo.reach("shards submitted")
    }

    fn until_all_ended(&mut self, begun: &mut Begun<'_>) -> Result<()> {
        let mut pause = PAUSES.0;
        while !self.waiting.is_empty() && self.further != Further::Stop {
            self.site.scene.interrupt.check()?;
            // In this order: what was gone before refs were read has its result, or none.
            let looked = self.look(begun);
            let (doing, news) = match looked {
                Ok(seen) => seen,
                // A failure is no want of an answer.
                Err(error) if self.failures < PATIENCE && error.kind == Kind::Unusable => {
                    if self.failures == 0 {
                        (self.site.scene.events)(Event::Warning(format!("{error}; trying on")));
                    }
                    self.failures += 1;
                    self.wait(pause)?;
                    pause = (pause * 2).min(PAUSES.1);
                    continue;
                }
                Err(error) => return Err(error),
            };
            self.failures = 0;
            let is_new = !news.is_empty();
            self.collect(begun, news)?;
            self.hold_back(begun);
            self.lost(begun, &doing)?;
            self.tell(&doing);
            pause = if is_new { PAUSES.0 } else { (pause * 3 / 2).min(PAUSES.1) };
            if !self.waiting.is_empty() && self.further != Further::Stop {
                self.wait(pause)?;
            }
        }
        Ok(())
    }

    fn look(&self, begun: &mut Begun<'_>) -> Result<Seen> {
        let waiting: Vec<usize> = self.waiting.keys().copied().collect();
        let doing = begun.engine.poll(&waiting)?;
        let prefix = begun.post.result(0).trim_end_matches('0').to_owned();
        let there = remote::list(self.site.scene.repo, &begun.post.remote, &format!("{prefix}*"))?;
        let result = |(name, oid): (String, Oid)| Some((name.strip_prefix(&prefix)?.parse().ok()?, oid));
        let is_news = |(n, _): &(usize, Oid)| self.waiting.contains_key(n);
        Ok((doing, there.into_iter().filter_map(result).filter(is_news).collect()))
    }

    fn collect(&mut self, begun: &Begun<'_>, news: Vec<(usize, Oid)>) -> Result<()> {
        if news.is_empty() {
            return Ok(());
        }
        let repo = self.site.scene.repo;
        repo.reach("results to be fetched")?;
        // Until refs keep what is fetched.
        let _fence = repo.fence(self.site.scene.events);
        let names: Vec<String> = news.iter().map(|(n, _)| begun.post.result(*n)).collect();
        let fetched = remote::fetch(repo, &begun.post.remote, &names);
        for ((n, oid), name) in news.into_iter().zip(names) {
            // One that git refuses takes no other along.
            let alone = || remote::fetch(repo, &begun.post.remote, &[name]);
            let ended = match if fetched.is_ok() { Ok(()) } else { alone() } {
                Ok(()) => collect::ended(self.site, n, oid)?,
                Err(error) => collect::lost(self.site, n, error.to_string())?,
            };
            self.end(ended)?;
        }
        Ok(())
    }

    fn end(&mut self, ended: Ended) -> Result<()> {
        self.waiting.remove(&ended.shard.n);
        let further = (self.take)(ended)?;
        if self.further != Further::Stop {
            self.further = further;
        }
        Ok(())
    }

    /// Calls off what has not begun, once that is wanted; everything, where the
    /// engine can't tell.
    fn hold_back(&mut self, begun: &mut Begun<'_>) {
        if self.further != Further::Finish || self.held_back || self.waiting.is_empty() {
            return;
        }
        let on = &self.away.on;
        let event = match begun.engine.hold_back() {
            Ok(true) => {
                self.held_back = true;
                return;
            }
            Ok(false) if matches!(on, On::Run(_)) => Event::Note("no more is waited for".to_owned()),
            Ok(false) => Event::Note(format!("{on} can't end only what waits: what runs is ended, too")),
            Err(error) => Event::Warning(format!("{error}; what runs on {on} is ended, too")),
        };
        (self.site.scene.events)(event);
        self.further = Further::Stop;
    }

    /// What is gone without a result is submitted again, as often as a shard
    /// that fails, and once at least; not where no more are to begin.
    fn lost(&mut self, begun: &mut Begun<'_>, doing: &BTreeMap<usize, Doing>) -> Result<()> {
        let mut lost = Vec::new();
        for (n, shard) in &mut self.waiting {
            let why = match doing.get(n) {
                Some(Doing::Gone(why)) => why.clone(),
                Some(_) => {
                    shard.missing = 0;
                    continue;
                }
                None if shard.missing + 1 < MISSING => {
                    shard.missing += 1;
                    continue;
                }
                None => None,
            };
            lost.push((*n, shard.submitted, why.unwrap_or_else(|| "it ended without a result".to_owned())));
        }
        if self.held_back {
            self.waiting.retain(|n, _| lost.iter().all(|(gone, ..)| gone != n));
            return Ok(());
        }
        let most = 1 + self.site.order.retries.max(1);
        let mut again = Vec::new();
        for (n, submitted, why) in lost {
            if submitted < most {
                let label = &self.site.planned(n).label;
                (self.site.scene.events)(Event::Warning(format!("{label} was lost and runs again: {why}")));
                again.push(n);
            } else {
                let ended = collect::lost(self.site, n, format!("lost {}: {why}", times(submitted)))?;
                self.end(ended)?;
            }
        }
        if again.is_empty() || self.further != Further::GoOn {
            return Ok(());
        }
        self.again = true;
        self.submit(begun, again)
    }

    fn tell(&self, doing: &BTreeMap<usize, Doing>) {
        let is_running = |n: &&usize| doing.get(n) == Some(&Doing::Running);
        let running = self.waiting.keys().filter(is_running).count();
        (self.site.scene.events)(Event::Away { waiting: self.waiting.len() - running, running });
    }

    fn wait(&self, pause: Duration) -> Result<()> {
        const STEP: Duration = Duration::from_millis(50);
        let mut left = pause;
        while !left.is_zero() {
            self.site.scene.interrupt.check()?;
            let step = left.min(STEP);
            std::thread::sleep(step);
            left -= step;
        }
        Ok(())
    }
}

fn times(number: u32) -> String {
    if number == 1 { "once".to_owned() } else { format!("{number} times") }
}
