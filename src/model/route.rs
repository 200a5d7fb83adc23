//! The routing decision: candidates in order, the choice, why.

use serde::{Deserialize, Serialize};

use super::{Author, Name, RepoPath};

/// Where a target came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetSource {
    /// By `--paths`.
    Given,
    /// In the task's text.
    Named,
    /// From similar past commits.
    Predicted,
}

/// A path a task is expected to touch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The path.
    pub path: RepoPath,
    /// Where it came from.
    pub source: TargetSource,
    /// How likely, 0..=1; 1 when given or named.
    pub score: f64,
}

/// The signals of a session for a task, each 0..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Signals {
    /// Its share of the lasting work at the targets.
    pub context: f64,
    /// Its share of the latest work there; open tasks' targets count as touched now.
    pub recent: f64,
    /// Its share of the very last touches there, in the same way.
    #[serde(default)]
    pub last: f64,
    /// How much more it works there than elsewhere, against the others.
    #[serde(default)]
    pub focus: f64,
    /// How much more its commits are about the task's words than about other
    /// things, against the others.
    #[serde(default)]
    pub words: f64,
    /// Its share of the past commits that are most like the task.
    #[serde(default)]
    pub similar: f64,
    /// Its share of all latest work, wherever; counted for people only.
    #[serde(default)]
    pub active: f64,
    /// Share of the targets inside the declared paths.
    pub specialty: f64,
    /// Open tasks / 20, at most 1.
    pub load: f64,
}

/// What each signal weighs. Those of the past count relative to each other, as
/// [`Weights::scaled`] has it; those of `specialty` and `load` as they are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Of `context`.
    pub context: f64,
    /// Of `recent`.
    pub recent: f64,
    /// Of `last`.
    pub last: f64,
    /// Of `focus`.
    pub focus: f64,
    /// Of `words`.
    pub words: f64,
    /// Of `similar`.
    pub similar: f64,
    /// Of `active`.
    pub active: f64,
    /// Of `specialty`.
    pub specialty: f64,
    /// Of `specialty` for a session with less than ten commits of history.
    pub young_specialty: f64,
    /// Of `load`; negative.
    pub load: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            context: 0.15,
            recent: 0.15,
            last: 0.05,
            focus: 0.2,
            words: 0.2,
            similar: 0.1,
            active: 0.15,
            specialty: 0.25,
            young_specialty: 0.5,
            load: -1.0,
        }
    }
}

impl Weights {
    /// The same for sessions: people who have done nothing lately may have
    /// left, but a session that is not archived is there. What that would count
    /// goes to who was at a place last: it needs not read it again.
    #[must_use]
    pub fn of_sessions(self) -> Self {
        Self { active: 0.0, last: self.last + self.active, ..self }
    }

    /// The same with those of the past adding up to 1. Where the targets are only
    /// predicted, what was done there counts half; where no word of the task was
    /// ever used, words count nothing.
    #[must_use]
    pub fn scaled(&self, is_predicted: bool, has_words: bool) -> Self {
        let there = if is_predicted { 0.5 } else { 1.0 };
        let [context, recent, last, focus] =
            [self.context, self.recent, self.last, self.focus].map(|weight| there * weight);
        let [words, similar] = if has_words { [self.words, self.similar] } else { [0.0; 2] };
        let all = context + recent + last + focus + words + similar + self.active;
        let part = |weight: f64| if all > 0.0 { weight / all } else { 0.0 };
        Self {
            context: part(context),
            recent: part(recent),
            last: part(last),
            focus: part(focus),
            words: part(words),
            similar: part(similar),
            active: part(self.active),
            ..*self
        }
    }
}

/// One summand of a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Term {
    /// The signal.
    pub name: String,
    /// The signal's value.
    pub value: f64,
    /// Its weight; value × weight is the summand.
    pub weight: f64,
}

/// A fact that speaks for a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// The path it is about.
    pub path: RepoPath,
    /// How many commits of the session touched it.
    pub touches: u32,
    /// The newest of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<super::Oid>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<super::Time>,
}

/// A past commit that reads like the task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alike {
    /// The commit.
    pub commit: super::Oid,
    /// When it was made.
    pub time: super::Time,
    /// How like, 1 at most.
    pub weight: f64,
}

/// A session with its signals and score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The session.
    pub session: Name,
    /// The person that stands in the place of a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Author>,
    /// The sum of the terms.
    pub score: f64,
    /// Its signals.
    pub signals: Signals,
    /// What the score is made of.
    pub terms: Vec<Term>,
    /// What speaks for it, strongest first.
    pub reasons: Vec<Reason>,
    /// Its commits that are most like the task, the likest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub similar: Vec<Alike>,
}

/// Shares of the past below this come from the top folder alone.
const EVIDENCE: f64 = 1e-4;

impl Candidate {
    /// Whether it touched anything like the task, or wrote of it.
    pub fn has_evidence(&self) -> bool {
        let Signals { context, recent, similar, .. } = self.signals;
        context.max(recent).max(similar) > EVIDENCE
    }

    /// How it is called: the person, or the session.
    pub fn label(&self) -> String {
        self.person.as_ref().map_or_else(|| self.session.to_string(), |person| person.name.clone())
    }
}

/// Who gets a task, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// What was asked for.
    pub task: String,
    /// The paths it is expected to touch.
    pub targets: Vec<Target>,
    /// How many past commits the predicted targets come from.
    #[serde(default)]
    pub similar: usize,
    /// All sessions that could take it, best first.
    pub candidates: Vec<Candidate>,
    /// The session that gets it; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Name>,
    /// Score of the choice less that of the next; its own score when it is alone.
    pub margin: f64,
    /// Whether the margin is too small to trust.
    pub unsure: bool,
    /// Sessions that were left out, as they are paused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<Name>,
}
