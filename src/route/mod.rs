//! Which session gets a task, and why.
//!
//! [`expect`] turns the task into targets; the caller loads the profiles at
//! those paths; [`route`] scores the contenders.
//!
//! **Invariant:** no I/O and no clock: same inputs, same route.

pub mod choose;
pub mod context;
pub mod focus;
pub mod index;
pub mod parallel;
pub mod plan;
pub mod predict;
pub mod score;
pub mod shares;
pub mod signals;
pub mod similar;
pub mod targets;

use crate::model::{Name, PathSet, Profiles, RepoPath, Route, TargetSource, Time, Weights};

pub use index::View;
pub use predict::{Expected, Similar, alike, predicted};
pub use shares::owner;
pub use targets::{Known, expect, symbols};

/// A session that could take the task.
#[derive(Clone, Debug)]
pub struct Contender {
    /// Its name.
    pub name: Name,
    /// The paths it declares.
    pub paths: PathSet,
    /// Words for what it is good at.
    pub specialty: String,
    /// The targets of each of its open tasks.
    pub open: Vec<Vec<RepoPath>>,
    /// When it last did anything.
    pub last_activity: Option<Time>,
    /// How many commits its history holds.
    pub commits: u32,
}

/// What is asked of the router.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The task's text.
    pub text: &'a str,
    /// What the task is expected to touch, from [`expect`].
    pub expected: &'a Expected,
    /// Who could take it.
    pub contenders: &'a [Contender],
    /// What each signal weighs.
    pub weights: &'a Weights,
}

/// Routes a task by the profiles at its targets.
pub fn route(question: Question<'_>, profiles: &Profiles) -> Route {
    let signals = signals::signals(question, profiles);
    let has_words = !question.expected.words.is_empty() || !question.expected.similar.is_empty();
    let is_predicted =
        question.expected.targets.iter().all(|target| target.source == TargetSource::Predicted);
    let weights = question.weights.scaled(is_predicted, has_words);
    let candidates = question
        .contenders
        .iter()
        .zip(signals)
        .map(|(contender, signals)| {
            let reasons = signals::reasons(&question.expected.targets, contender, profiles);
            let similar = signals::alike(question.expected, contender, profiles);
            score::candidate(contender, signals, &weights, (reasons, similar))
        })
        .collect();
    choose::choose(question, candidates)
}

#[cfg(test)]
pub(crate) mod testing {
    use std::collections::HashMap;

    use super::*;
    use crate::model::tokens::tokens;
    use crate::model::{Oid, Owners, Past, SessionWeight, Strings, Target, Words, profile::Touched};

    pub(crate) const NOW: Time = Time(1_700_000_000);

    pub(crate) fn contender(name: &str, patterns: &[&str], open: usize) -> Contender {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        Contender {
            name: name.parse().unwrap(),
            paths: PathSet::parse(&patterns).unwrap(),
            specialty: String::new(),
            open: vec![Vec::new(); open],
            last_activity: None,
            commits: 50,
        }
    }

    pub(crate) fn given(paths: &[&str]) -> Expected {
        let target =
            |path: &&str| Target { path: RepoPath::from(*path), source: TargetSource::Given, score: 1.0 };
        Expected { targets: paths.iter().map(target).collect(), ..Expected::default() }
    }

    /// A past that owns what [`Past`] borrows.
    #[derive(Default)]
    pub(crate) struct Story {
        paths: Strings,
        exists: Vec<bool>,
        oids: Vec<Oid>,
        times: Vec<Time>,
        ends: Vec<u32>,
        changed: Vec<u32>,
        owners: Owners,
        messages: Vec<&'static str>,
        lengths: Vec<u32>,
        name_lengths: Vec<u32>,
    }

    impl Story {
        /// These paths exist, or, behind a `-`, do not any more.
        pub(crate) fn of(paths: &[&'static str]) -> Self {
            let mut story = Self::default();
            for path in paths {
                let gone = path.strip_prefix('-');
                story.paths.push(gone.unwrap_or(path).as_bytes());
                story.exists.push(gone.is_none());
                story.name_lengths.push(tokens(gone.unwrap_or(path)).len() as u32);
            }
            story
        }

        /// A commit of these paths at a time, all of it by one session.
        pub(crate) fn commit(mut self, time: i64, subject: &'static str, paths: &[u32], owner: u16) -> Self {
            self.oids.push(Oid::from_bytes(&[self.oids.len() as u8; 20]).unwrap());
            self.times.push(Time(time));
            self.changed.extend(paths);
            self.ends.push(self.changed.len() as u32);
            self.owners.push([(owner, 1.0)]);
            self.messages.push(subject);
            self.lengths.push(tokens(subject).len() as u32);
            self
        }

        pub(crate) fn past(&self) -> Past<'_> {
            fn words<'a>(
                texts: impl Iterator<Item = String>,
                lengths: &'a [u32],
                counts: impl Fn(usize) -> bool,
            ) -> Words<'a> {
                let mut lists: HashMap<String, Vec<(u32, u32)>> = HashMap::new();
                for (position, text) in (0..).zip(texts) {
                    for token in tokens(&text) {
                        let list = lists.entry(token).or_default();
                        match list.last_mut() {
                            Some((last, count)) if *last == position => *count += 1,
                            _ => list.push((position, 1)),
                        }
                    }
                }
                Words::of(lists, lengths, 1.0, counts)
            }
            let names = self.paths.iter().map(|path| String::from_utf8_lossy(path).into_owned());
            Past {
                paths: &self.paths,
                exists: &self.exists,
                oids: &self.oids,
                times: &self.times,
                ends: &self.ends,
                changed: &self.changed,
                owners: &self.owners,
                messages: words(self.messages.iter().map(|text| (*text).to_owned()), &self.lengths, |_| true),
                names: words(names, &self.name_lengths, |path| self.exists[path]),
            }
        }
    }

    /// Profiles of `names` where each `(session, file, weight)` is one touch.
    pub(crate) fn profiles(names: &[&str], touches: &[(u16, &str, f64)]) -> Profiles {
        let mut profiles = Profiles::empty(NOW);
        profiles.sessions = names.iter().map(|name| name.parse().unwrap()).collect();
        for &(session, file, weight) in touches {
            let file = RepoPath::from(file);
            for path in std::iter::once(file.as_bytes()).chain(file.ancestors()) {
                let at = profiles.weights.entry(path.to_vec()).or_default();
                let index = at.iter().position(|w| w.session == session).unwrap_or_else(|| {
                    at.push(SessionWeight { session, ..SessionWeight::default() });
                    at.len() - 1
                });
                at[index].counts.iter_mut().for_each(|count| *count += weight);
                at[index].touches += 1;
                at[index].last =
                    Some(Touched { time: NOW, oid: crate::model::Oid::from_bytes(&[1; 20]).unwrap() });
            }
        }
        profiles
    }
}
