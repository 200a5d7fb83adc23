//! Touches into weights: every path and every folder above it, per session.
//!
//! **Invariant:** weights are as of the reference moment, the newest commit's
//! time; a later moment only scales them.

use std::collections::HashMap;

use super::credit::{Credit, Credits};
use super::knows::knows;
use super::log::{Log, Logged};
use super::{HalfLives, Request};
use crate::model::path::ancestors;
use crate::model::{Known, Name, Oid, Owners, Strings, Time};

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
    pub(super) fast: f64,
    pub(super) slow: f64,
    pub(super) touches: u32,
    pub(super) time: Time,
    pub(super) oid: Oid,
}

/// Folds the log; `files` are those that exist.
pub(super) fn fold(request: &Request, log: &Log, files: &[u32]) -> Folded {
    let commits = log.commits();
    let reference = commits.last().map_or(request.now, |commit| commit.time.min(request.now));
    let folders = Folders::new(log.paths());
    let mut weights: Vec<HashMap<u32, FoldedWeight>> = vec![HashMap::new(); request.sessions.len()];
    let session = |source: &super::Source| FoldedSession {
        name: source.name.clone(),
        commits: 0,
        last: None,
        knows: Vec::new(),
    };
    let mut sessions: Vec<FoldedSession> = request.sessions.iter().map(session).collect();
    let mut credits = Credits::new(log, &request.sessions, &request.mailmap);
    let mut found = Vec::new();
    let mut shares: Vec<Vec<(u16, f32)>> = vec![Vec::new(); log.len()];
    for commit in &commits {
        credits.of(commit, &mut found);
        shares[commit.position as usize] = owned(&found, commit.paths.len());
        let time = commit.time.min(reference);
        let part = |half_life: std::time::Duration| {
            decay(reference.since(time), half_life) / commit.paths.len() as f64
        };
        let touch = touch(commit, part(request.half_lives.fast), part(request.half_lives.slow));
        for credit in &found {
            let session = usize::from(credit.session);
            let summary = &mut sessions[session];
            if weights[session].get(&Folders::TOP).is_none_or(|top| top.oid != commit.oid) {
                summary.commits += 1;
                summary.last = Some(commit.time);
            }
            for node in folders.up_from(credit.path) {
                add(&mut weights[session], node, &touch, credit.share, credit.session);
            }
        }
    }
    let weights = by_path(&folders, weights);
    knows(&weights, &mut sessions);
    let mut exists = vec![false; log.paths().len()];
    files.iter().for_each(|file| exists[*file as usize] = true);
    let mut owners = Owners::default();
    shares.into_iter().for_each(|shares| owners.push(shares));
    Folded { reference, half_lives: request.half_lives, sessions, weights, mark: log.mark(), exists, owners }
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

/// What is left of 1 after a time.
pub fn decay(seconds: i64, half_life: std::time::Duration) -> f64 {
    (-(seconds as f64) / half_life.as_secs_f64().max(1.0)).exp2()
}

/// A whole touch of a commit.
fn touch(commit: &Logged<'_>, fast: f64, slow: f64) -> FoldedWeight {
    FoldedWeight { session: 0, fast, slow, touches: 0, time: commit.time, oid: commit.oid }
}

fn add(at: &mut HashMap<u32, FoldedWeight>, node: u32, touch: &FoldedWeight, share: f64, session: u16) {
    let none = FoldedWeight { session, fast: 0.0, slow: 0.0, touches: 0, ..*touch };
    let weight = at.entry(node).or_insert(none);
    // A commit counts once in a folder, however many of its files it touched.
    weight.touches += u32::from(weight.touches == 0 || weight.oid != touch.oid);
    weight.fast += touch.fast * share;
    weight.slow += touch.slow * share;
    weight.time = touch.time;
    weight.oid = touch.oid;
}

fn by_path(
    folders: &Folders<'_>,
    weights: Vec<HashMap<u32, FoldedWeight>>,
) -> Vec<(Vec<u8>, Vec<FoldedWeight>)> {
    let mut at: Vec<Vec<FoldedWeight>> = vec![Vec::new(); folders.paths.len()];
    for session in weights {
        session.into_iter().for_each(|(node, weight)| at[node as usize].push(weight));
    }
    let paths = folders.paths.iter().map(|path| path.to_vec());
    let mut list: Vec<_> = paths.zip(at).filter(|(_, weights)| !weights.is_empty()).collect();
    list.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    list
}

/// The paths of a log with the folders above them.
struct Folders<'a> {
    paths: Vec<&'a [u8]>,
    /// The folder of each; the top is its own.
    above: Vec<u32>,
    /// By position in the log.
    nodes: Vec<u32>,
}

impl<'a> Folders<'a> {
    const TOP: u32 = 0;

    fn new(files: &'a Strings) -> Self {
        let mut folders = Self { paths: vec![b""], above: vec![Self::TOP], nodes: Vec::new() };
        let mut known: HashMap<&[u8], u32> = HashMap::from([(&b""[..], Self::TOP)]);
        for file in files.iter() {
            let missing: Vec<&[u8]> = std::iter::once(file)
                .chain(ancestors(file))
                .take_while(|path| !known.contains_key(path))
                .collect();
            for path in missing.into_iter().rev() {
                let above = ancestors(path).next().and_then(|above| known.get(above));
                folders.above.push(above.copied().unwrap_or(Self::TOP));
                known.insert(path, folders.paths.len() as u32);
                folders.paths.push(path);
            }
            folders.nodes.push(known[file]);
        }
        folders
    }

    /// A file, its folder, and so on to the top.
    fn up_from(&self, path: u32) -> impl Iterator<Item = u32> {
        let file = self.nodes[path as usize];
        std::iter::successors(Some(file), |node| (*node != Self::TOP).then(|| self.above[*node as usize]))
    }
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
            assert!(close(weight.fast, early * 0.5 + late), "{path}: {weight:?}");
            assert!(close(weight.slow, early * (-7.0_f64 / 365.0).exp2() + late), "{path}: {weight:?}");
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
        assert!(close(at(&folded, "s/a")[0].slow, 0.5));
        assert_eq!((at(&folded, "w")[0].session, at(&folded, "").len()), (1, 2));
        let summary = |index: usize| (folded.sessions[index].commits, folded.sessions[index].last);
        assert_eq!((summary(1), summary(2)), ((1, Some(Time(DAY))), (0, None)));
    }

    #[test]
    fn a_date_ahead_of_the_clock_counts_as_now() {
        let log = log(vec![mined(2, "a", &["a"]), mined(200, "a", &["b"])]);
        let folded = folded(2, vec![source("x", &[])], &log);
        assert_eq!(folded.reference, Time(2 * DAY));
        assert!(close(at(&folded, "a")[0].fast, 1.0) && close(at(&folded, "b")[0].fast, 1.0));
    }

    #[test]
    fn an_empty_log_folds_to_nothing() {
        let folded = folded(2, vec![source("x", &[])], &Log::default());
        assert_eq!((folded.weights.len(), folded.sessions.len()), (0, 1));
    }
}
