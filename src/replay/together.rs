//! Pairs of past commits by different people, close to each other: which could
//! have been made at once, and which are said to be.

use serde::Serialize;

use super::ask::changed;
use super::cast::{Cast, MOST_CHANGES};
use super::state::State;
use super::story::Story;
use crate::error::Result;
use crate::git::untangle::Untangler;
use crate::model::tokens::tokens;
use crate::model::{Event, Events, HalfLives, RepoPath, Time};
use crate::route::parallel::overlaps;
use crate::route::plan::likely;
use crate::route::{self, Known, View};

/// Two commits of a pair are so many apart at most…
const APART: usize = 20;
/// …and so many seconds.
const SECONDS: i64 = 7 * 86_400;
/// How many pairs of each sort are tried.
const TRIED: usize = 400;

/// What one rule is worth that says which pairs can be worked on at once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Safety {
    /// The rule.
    pub rule: String,
    /// The share of pairs that it lets be worked on at once.
    pub allowed: f64,
    /// Of these, the share that do not conflict.
    pub precision: f64,
    /// Of those that do not conflict, the share that it lets be worked on at once.
    pub recall: f64,
}

/// What trying pairs found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Together {
    /// How many pairs there are.
    pub pairs: usize,
    /// How many of them were tried.
    pub tried: usize,
    /// The share that conflicts.
    pub conflicting: f64,
    /// The rules.
    pub rows: Vec<Safety>,
}

/// A pair, and what is said of it.
struct Pair {
    earlier: usize,
    later: usize,
    /// They share a file.
    shares: bool,
    /// They are expected to, by their words.
    expected: bool,
}

/// Tries pairs among the commits that are asked about.
///
/// # Errors
/// Unusable where git2 can't read the repository.
pub fn together(
    story: &Story<'_>,
    cast: &Cast,
    (half_lives, lag): (HalfLives, i64),
    untangler: &Untangler,
    events: Events<'_>,
) -> Result<Together> {
    let pairs = pairs(story, cast, half_lives, lag);
    let sorts: [Vec<&Pair>; 2] = [true, false].map(|shares| sample(&pairs, shares));
    let total = sorts.iter().map(Vec::len).sum();
    let (mut done, mut counts) = (0, Counts::default());
    for (sort, shares) in sorts.iter().zip([true, false]) {
        let mut tried = Vec::new();
        for pair in sort {
            let (one, other) = (story.oids[pair.earlier], story.oids[pair.later]);
            tried.extend(untangler.conflict(one, other).map(|conflicts| (*pair, conflicts)));
            done += 1;
            events(Event::Asking { done, total });
        }
        let all = pairs.iter().filter(|pair| pair.shares == shares).count();
        counts.add(&tried, all);
    }
    Ok(counts.told(pairs.len()))
}

/// Pairs of one sort, evenly spread where there are many.
fn sample(pairs: &[Pair], shares: bool) -> Vec<&Pair> {
    let sort: Vec<&Pair> = pairs.iter().filter(|pair| pair.shares == shares).collect();
    let step = sort.len().div_ceil(TRIED).max(1);
    sort.into_iter().step_by(step).collect()
}

/// Tried pairs, each standing for as many as were not.
#[derive(Default)]
struct Counts {
    tried: usize,
    all: f64,
    conflicts: f64,
    /// By rule: allowed, and allowed without a conflict.
    allowed: [(f64, f64); 2],
}

impl Counts {
    fn add(&mut self, tried: &[(&Pair, bool)], all: usize) {
        let weight = all as f64 / tried.len().max(1) as f64;
        self.tried += tried.len();
        for (pair, conflicts) in tried {
            self.all += weight;
            self.conflicts += if *conflicts { weight } else { 0.0 };
            for (sum, forbidden) in self.allowed.iter_mut().zip([pair.shares, pair.expected]) {
                if !forbidden {
                    sum.0 += weight;
                    sum.1 += if *conflicts { 0.0 } else { weight };
                }
            }
        }
    }

    fn told(self, pairs: usize) -> Together {
        let rules = ["share no file", "are expected to share none"];
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let safety = |(rule, (allowed, clean)): (&str, (f64, f64))| Safety {
            rule: rule.to_owned(),
            allowed: share(allowed, self.all),
            precision: share(clean, allowed),
            recall: share(clean, self.all - self.conflicts),
        };
        Together {
            pairs,
            tried: self.tried,
            conflicting: share(self.conflicts, self.all),
            rows: rules.into_iter().zip(self.allowed).map(safety).collect(),
        }
    }
}

/// All pairs among the commits that are asked about, by different people.
fn pairs(story: &Story<'_>, cast: &Cast, half_lives: HalfLives, lag: i64) -> Vec<Pair> {
    let telling = story.telling();
    let first = cast.questions.first().map_or(usize::MAX, |asked| asked.commit);
    let window: Vec<usize> = telling
        .into_iter()
        .filter(|commit| *commit >= first && story.range(*commit).len() <= MOST_CHANGES)
        .collect();
    let mut state = State::new(story, cast, half_lives);
    let mut sets: Vec<[Vec<RepoPath>; 2]> = Vec::new();
    let mut pairs = Vec::new();
    for (index, later) in window.iter().enumerate() {
        let now = story.times[*later];
        state.advance(Time(now.0.saturating_sub(lag)), *later);
        sets.push([changed(story, *later), predicted((story, cast), &state, *later)]);
        for before in index.saturating_sub(APART)..index {
            let earlier = window[before];
            let is_close = now.since(story.times[earlier]) <= SECONDS;
            if !is_close || story.author(earlier).email.eq_ignore_ascii_case(&story.author(*later).email) {
                continue;
            }
            let shares =
                |sort: usize| !overlaps(&[sets[before][sort].clone(), sets[index][sort].clone()]).is_empty();
            pairs.push(Pair { earlier, later: *later, shares: shares(0), expected: shares(1) });
        }
    }
    pairs
}

/// The files that a commit's words lead to.
fn predicted((story, cast): (&Story<'_>, &Cast), state: &State<'_>, commit: usize) -> Vec<RepoPath> {
    let text = story.subjects[commit];
    let past = state.past(&tokens(text), &cast.owners);
    let expected = route::expect(text, Known::default(), Some(View::new(&past, story.times[commit])));
    likely(&expected.targets)
}
