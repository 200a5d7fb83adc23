//! Simple rules that a router has to beat.

use super::state::State;
use crate::model::{Profiles, RepoPath, Time};

/// A rule and its name.
pub(super) type Baseline = (&'static str, fn(&Look<'_>) -> Vec<f64>);

/// Recent activity is that of so many seconds.
const LATELY: i64 = 90 * 86_400;

/// What a rule may look at.
pub(super) struct Look<'a> {
    /// What sessions have at the targets.
    pub(super) profiles: &'a Profiles,
    /// What the task will touch, or is expected to.
    pub(super) targets: &'a [RepoPath],
    /// What else is known by now.
    pub(super) state: &'a State<'a>,
    /// The moment of the question.
    pub(super) now: Time,
}

/// All rules, the simplest first.
pub(super) const BASELINES: [Baseline; 5] = [
    ("random", random),
    ("least loaded", least_loaded),
    ("most active", most_active),
    ("overlap count", overlap),
    ("last toucher", last_toucher),
];

fn random(look: &Look<'_>) -> Vec<f64> {
    vec![0.0; look.profiles.sessions.len()]
}

/// Whoever did least lately.
fn least_loaded(look: &Look<'_>) -> Vec<f64> {
    most_active(look).into_iter().map(|active| -active).collect()
}

/// Whoever did most in the last 90 days.
fn most_active(look: &Look<'_>) -> Vec<f64> {
    look.state.active_since(Time(look.now.0.saturating_sub(LATELY)))
}

/// How many of the targets a session ever touched.
fn overlap(look: &Look<'_>) -> Vec<f64> {
    let mut counts = random(look);
    for target in look.targets {
        for weight in look.profiles.at(target.as_bytes()) {
            counts[usize::from(weight.session)] += 1.0;
        }
    }
    counts
}

/// Whoever touched most of the targets last; else who was active last.
fn last_toucher(look: &Look<'_>) -> Vec<f64> {
    let mut counts = random(look);
    for target in look.targets {
        let touched = look.profiles.at(target.as_bytes());
        let last = touched.iter().max_by_key(|weight| weight.last.as_ref().map(|last| last.time));
        if let Some(last) = last {
            counts[usize::from(last.session)] += 1.0;
        }
    }
    for (session, count) in counts.iter_mut().enumerate() {
        let age = look.state.last(session).map_or(f64::MAX, |last| look.now.since(last) as f64);
        *count += 1e-6 / (1.0 + age);
    }
    counts
}
