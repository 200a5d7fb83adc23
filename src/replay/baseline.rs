//! Simple rules that a router has to beat.

use super::cast::Asked;
use super::state::State;
use crate::model::{Profiles, RepoPath, SessionWeight, Time};
use crate::route::{Contender, View};

/// A rule and its name: the score of each session.
pub type Rule<'a> = (&'a str, &'a dyn Fn(&Look<'_>) -> Vec<f64>);

/// Recent activity is that of so many seconds.
const LATELY: i64 = 90 * 86_400;

/// What a rule may look at.
pub struct Look<'a> {
    /// The task's text; empty where it is not told.
    pub text: &'a str,
    /// The paths that are told.
    pub given: &'a [RepoPath],
    /// The past, where the text is told.
    pub view: Option<View<'a>>,
    /// The sessions.
    pub contenders: &'a [Contender],
    /// What sessions have at the targets.
    pub profiles: &'a Profiles,
    /// What the task will touch, or is expected to.
    pub targets: &'a [RepoPath],
    /// The moment of the question.
    pub now: Time,
    /// The commit that is asked about.
    pub asked: &'a Asked,
    /// What else is known by now.
    pub(super) state: &'a State<'a>,
}

impl Look<'_> {
    /// What sessions have at some paths.
    pub fn profiles_at(&self, paths: &[RepoPath]) -> Profiles {
        self.state.profiles(paths, &self.asked.among, self.now)
    }
}

/// Simple rules, the simplest first.
pub const BASELINES: [Rule<'static>; 5] = [
    ("random", &random),
    ("least loaded", &least_loaded),
    ("most active", &most_active),
    ("overlap count", &overlap),
    ("last toucher", &last_toucher),
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
    look.state.active_since(Time(look.now.0.saturating_sub(LATELY)), &look.asked.among)
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
        let time = |weight: &SessionWeight| weight.last.as_ref().map(|last| last.time);
        let newest = touched.iter().map(time).max();
        for weight in touched.iter().filter(|weight| Some(time(weight)) == newest) {
            counts[usize::from(weight.session)] += 1.0;
        }
    }
    for (session, count) in look.profiles.last_activity.iter().zip(&mut counts) {
        let age = session.map_or(f64::MAX, |last| look.now.since(last) as f64);
        *count += 1e-6 / (1.0 + age);
    }
    counts
}
