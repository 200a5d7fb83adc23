//! Touches into weights: every path and every folder above it, per session.
//!
//! **Invariant:** weights are as of the reference moment, the newest commit's
//! time; a later moment only scales them.

use std::collections::{BTreeMap, HashMap};

use super::credit::{Credit, Credits};
use super::folders::Folders;
use super::identity::Identities;
use super::knows::knows;
use super::log::{Log, Logged};
use super::{Request, Source};
use crate::model::profile::{Counts, SCALES, SLOW};
use crate::model::{HalfLives, Known, Name, Oid, Owners, Time};

/// Histories folded into weights.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) reference: Time,
    pub(super) half_lives: HalfLives,
    pub(super) sessions: Vec<FoldedSession>,
    /// By path: what each session has there, in their order.
    pub(super) weights: Vec<(Vec<u8>, Vec<FoldedWeight>)>,
    /// Which log it is of.
    pub(super) mark: u32,
    /// By the log's paths: whether the file exists.
    pub(super) exists: Vec<bool>,
    /// By the log's commits.
    pub(super) owners: Owners,
    /// Changes of files that have another name now: which, and the path.
    pub(super) moved: Vec<(u32, u32)>,
}

/// What listings tell about a session.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FoldedSession {
    pub(super) name: Name,
    pub(super) commits: u32,
    pub(super) last: Option<Time>,
    pub(super) knows: Vec<Known>,
}

/// What one session has at one path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FoldedWeight {
    pub(super) session: u16,
    pub(super) counts: Counts,
    pub(super) touches: u32,
    pub(super) time: Time,
    pub(super) oid: Oid,
}

impl FoldedWeight {
    /// Touches decayed with the slow half-life.
    pub(super) fn slow(&self) -> f64 {
        self.counts[SLOW]
    }

    /// Both in one place.
    fn joined(&self, other: &Self) -> Self {
        let newer = if other.time > self.time { other } else { self };
        Self {
            counts: std::array::from_fn(|scale| self.counts[scale] + other.counts[scale]),
            touches: self.touches + other.touches,
            ..*newer
        }
    }
}

/// Folds the log; `files` are those that exist.
pub(super) fn fold(request: &Request, log: &Log, files: &[u32]) -> Folded {
    let counts = log.within(request.horizon);
    let mut commits = log.commits();
    commits.retain(|commit| counts[commit.position as usize]);
    let reference = commits.last().map_or(request.now, |commit| commit.time.min(request.now));
    let folders = Folders::new(log.paths());
    let mut identities = Identities::new(log.paths().len(), log.renames());
    let mut all: Vec<Weights> = vec![Weights::default(); request.sessions.len()];
    let mut credits = Credits::new(log, &request.sessions, &request.mailmap);
    let (mut found, mut shares) = (Vec::new(), vec![Vec::new(); log.len()]);
    let mut touched: Vec<(usize, Vec<Option<u32>>)> = Vec::new();
    for commit in &commits {
        let identity = identities.take(commit);
        credits.of(commit, &mut found);
        let count = identity.iter().flatten().count().max(1);
        shares[commit.position as usize] = owned(&found, commit.paths.len());
        let left = request.half_lives.decay(reference.since(commit.time));
        let touch = touch(commit, left.map(|left| left / count as f64));
        for credit in &found {
            let change = commit.paths.iter().position(|path| *path == credit.path);
            let Some(file) = change.and_then(|change| identity[change]) else { continue };
            let weights = &mut all[usize::from(credit.session)];
            add(&mut weights.files, file, &touch, credit);
            folders.above(credit.path).for_each(|folder| add(&mut weights.folders, folder, &touch, credit));
        }
        touched.push((commit.position as usize, identity));
    }
    let mut sessions = summaries(request, &all);
    let weights = by_path(log, (&folders, &identities), all);
    knows(&weights, &mut sessions);
    let mut exists = vec![false; log.paths().len()];
    files.iter().for_each(|file| exists[*file as usize] = true);
    let mut owners = Owners::default();
    shares.into_iter().for_each(|shares| owners.push(shares));
    Folded {
        reference,
        half_lives: request.half_lives,
        sessions,
        weights,
        mark: log.mark(),
        exists,
        owners,
        moved: moved(log, &identities, &touched),
    }
}

/// What one session has at files and at folders.
#[derive(Clone, Debug, Default)]
struct Weights {
    files: HashMap<u32, FoldedWeight>,
    folders: HashMap<u32, FoldedWeight>,
}

/// What listings tell of each session: the top folder has all of it.
fn summaries(request: &Request, all: &[Weights]) -> Vec<FoldedSession> {
    let summary = |(source, weights): (&Source, &Weights)| {
        let top = weights.folders.get(&Folders::TOP);
        FoldedSession {
            name: source.name.clone(),
            commits: top.map_or(0, |top| top.touches),
            last: top.map(|top| top.time),
            knows: Vec::new(),
        }
    };
    request.sessions.iter().zip(all).map(summary).collect()
}

/// Changes of files that have another name now, by their place in the log, and that name.
fn moved(log: &Log, identities: &Identities<'_>, touched: &[(usize, Vec<Option<u32>>)]) -> Vec<(u32, u32)> {
    let mut moved = Vec::new();
    for (commit, files) in touched {
        let first = log.first_change(*commit);
        for ((offset, file), path) in (0..).zip(files).zip(log.at(*commit).paths) {
            let now = file.and_then(|file| identities.path(file));
            moved.extend(now.filter(|now| now != path).map(|now| (first + offset, now)));
        }
    }
    moved.sort_unstable();
    moved
}

/// Each session's share of a commit that changes so many paths.
fn owned(credits: &[Credit], paths: usize) -> Vec<(u16, f32)> {
    let mut owners: Vec<(u16, f32)> = Vec::new();
    for credit in credits {
        let share = credit.share as f32 / paths as f32;
        match owners.iter_mut().find(|(session, _)| *session == credit.session) {
            Some((_, sum)) => *sum += share,
            None => owners.push((credit.session, share)),
        }
    }
    owners
}

/// A whole touch of a commit.
fn touch(commit: &Logged<'_>, counts: Counts) -> FoldedWeight {
    FoldedWeight { session: 0, counts, touches: 0, time: commit.time, oid: commit.oid }
}

fn add(at: &mut HashMap<u32, FoldedWeight>, position: u32, touch: &FoldedWeight, credit: &Credit) {
    let none = FoldedWeight { session: credit.session, counts: [0.0; SCALES], touches: 0, ..*touch };
    let weight = at.entry(position).or_insert(none);
    // A commit counts once in a folder, however many of its files it touched.
    weight.touches += u32::from(weight.touches == 0 || weight.oid != touch.oid);
    for (sum, touch) in weight.counts.iter_mut().zip(touch.counts) {
        *sum += touch * credit.share;
    }
    weight.time = touch.time;
    weight.oid = touch.oid;
}

fn by_path(
    log: &Log,
    (folders, identities): (&Folders<'_>, &Identities<'_>),
    all: Vec<Weights>,
) -> Vec<(Vec<u8>, Vec<FoldedWeight>)> {
    let mut at: BTreeMap<&[u8], Vec<FoldedWeight>> = BTreeMap::new();
    for Weights { files, folders: own } in all {
        for (file, weight) in files {
            if let Some(path) = identities.path(file) {
                at.entry(log.paths().get(path as usize)).or_default().push(weight);
            }
        }
        for (folder, weight) in own {
            at.entry(folders.name(folder)).or_default().push(weight);
        }
    }
    // What is a file now may have been a folder once.
    let merged = |weights: Vec<FoldedWeight>| {
        let mut merged: Vec<FoldedWeight> = Vec::new();
        for weight in weights {
            match merged.last_mut() {
                Some(last) if last.session == weight.session => *last = last.joined(&weight),
                _ => merged.push(weight),
            }
        }
        merged
    };
    at.into_iter().map(|(path, weights)| (path.to_vec(), merged(weights))).collect()
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::history::Source;
    use crate::history::log::testing::oid;

    pub(in crate::history) const DAY: i64 = 86_400;

    /// A request at the end of `day`.
    pub(in crate::history) fn request(day: i64, sessions: Vec<Source>) -> Request {
        Request {
            miner: crate::git::mine::Miner::at("/nowhere".as_ref()),
            folder: "/nowhere".into(),
            log: crate::history::NEAR,
            table: crate::history::SESSIONS,
            mailmap: crate::git::Mailmap::default(),
            tips: vec![oid(255)],
            sessions,
            horizon: 9,
            half_lives: HalfLives::default(),
            now: Time(day * DAY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{DAY, request};
    use super::*;
    use crate::history::Source;
    use crate::history::credit::testing::source;
    use crate::history::log::testing::{log, mined, oid};
    use crate::model::profile::FAST;

    fn folded(day: i64, sessions: Vec<Source>, log: &Log) -> Folded {
        fold(&request(day, sessions), log, &[])
    }

    fn at<'a>(folded: &'a Folded, path: &str) -> &'a [FoldedWeight] {
        let found = folded.weights.iter().find(|(known, _)| known == path.as_bytes());
        found.map_or(&[], |(_, weights)| weights)
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn touches_weigh_one_over_files_in_every_folder_above() {
        let log = log(vec![mined(1, "a", &["s/a", "s/b", "s/t/c", "d"]), mined(8, "a", &["s/a"])]);
        let folded = folded(8, vec![source("x", &[])], &log);
        for (path, early, late, touches) in [
            ("s/a", 0.25, 1.0, 2),
            ("s/b", 0.25, 0.0, 1),
            ("s", 0.75, 1.0, 2),
            ("s/t", 0.25, 0.0, 1),
            ("", 1.0, 1.0, 2),
        ] {
            let [weight] = at(&folded, path) else { panic!("{path}") };
            assert!(close(weight.counts[FAST], early * 0.5 + late), "{path}: {weight:?}");
            assert!(close(weight.slow(), early * (-7.0_f64 / 365.0).exp2() + late), "{path}: {weight:?}");
            assert_eq!(weight.touches, touches, "{path}");
            let last = if late > 0.0 { 8 } else { 1 };
            assert_eq!((weight.oid, weight.time), (oid(last), Time(i64::from(last) * DAY)), "{path}");
        }
        assert_eq!((folded.sessions[0].commits, folded.sessions[0].last), (2, Some(Time(8 * DAY))));
        assert!(folded.weights.is_sorted_by_key(|(path, _)| path));
    }

    #[test]
    fn sessions_have_their_parts_of_a_commit() {
        let log = log(vec![mined(1, "a", &["s/a", "w/b"])]);
        let folded = folded(1, vec![source("s", &["s"]), source("w", &["w"]), source("n", &["n"])], &log);
        assert!(close(at(&folded, "s/a")[0].slow(), 0.5));
        assert_eq!((at(&folded, "w")[0].session, at(&folded, "").len()), (1, 2));
        let summary = |index: usize| (folded.sessions[index].commits, folded.sessions[index].last);
        assert_eq!((summary(1), summary(2)), ((1, Some(Time(DAY))), (0, None)));
    }

    #[test]
    fn a_date_ahead_of_the_clock_counts_as_now() {
        let log = log(vec![mined(2, "a", &["a"]), mined(200, "a", &["b"])]);
        let folded = folded(2, vec![source("x", &[])], &log);
        assert_eq!(folded.reference, Time(2 * DAY));
        assert!(close(at(&folded, "a")[0].counts[FAST], 1.0) && close(at(&folded, "b")[0].counts[FAST], 1.0));
    }

    #[test]
    fn an_empty_log_folds_to_nothing() {
        let folded = folded(2, vec![source("x", &[])], &Log::default());
        assert_eq!((folded.weights.len(), folded.sessions.len()), (0, 1));
    }
}
