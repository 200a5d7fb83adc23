//! One execution of an agent for a task.

use serde::{Deserialize, Serialize};

use super::{Name, Oid, Time};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It left commits.
    Committed,
    /// It ended well and changed nothing.
    Empty,
    /// Its command failed.
    Failed,
    /// Its time ran out.
    TimedOut,
    /// Ctrl-C, SIGTERM or `cancel`.
    Interrupted,
    /// git-orch itself was killed during it.
    Died,
    /// It waits for an answer.
    Asked,
    /// The agent's service took no more of it, again and again.
    Limited,
    /// It took more tokens or money than it may.
    Capped,
}

impl Outcome {
    /// The word that people and JSON see.
    pub fn word(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Empty => "changed nothing",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::Interrupted => "interrupted",
            Self::Died => "died",
            Self::Asked => "asks",
            Self::Limited => "was limited",
            Self::Capped => "took too much",
        }
    }
}

/// One execution of an agent, or a person's turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// When it began.
    pub started: Time,
    /// When it ended; absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
    /// What was run; empty for a person's turn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Where the session's branch was at the start.
    pub start_oid: Oid,
    /// The command's exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What an ended-badly run left, as a commit on top of its own commits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Oid>,
    /// Whose run it was; absent where it was that of the task's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Name>,
    /// The agent that ran; absent for a command that was typed, and for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What the agent calls the conversation; absent where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// The agent's last words, cut to size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// Why it went wrong, as the agent tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// What it took, where the agent tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
}

impl Run {
    /// A run that begins.
    pub fn begun(started: Time, start_oid: Oid, command: Vec<String>) -> Self {
        Self {
            started,
            ended: None,
            command,
            start_oid,
            exit_code: None,
            outcome: None,
            snapshot: None,
            session: None,
            agent: None,
            conversation: None,
            said: None,
            error: None,
            asked: None,
            usage: None,
        }
    }
}

/// What a run took of a model, as the agent tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens read, those from a cache too.
    pub input_tokens: u64,
    /// Those of them that came from a cache.
    pub cached_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// US dollars; absent where the agent does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// How often the model answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns: Option<u64>,
    /// The share of the context window in use at the end, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<f64>,
}

impl Usage {
    /// Both together; of the context window what is in use after the later one.
    pub fn and(self, later: Self) -> Self {
        let both =
            |one: Option<u64>, other: Option<u64>| one.into_iter().chain(other).reduce(u64::saturating_add);
        Self {
            input_tokens: self.input_tokens.saturating_add(later.input_tokens),
            cached_tokens: self.cached_tokens.saturating_add(later.cached_tokens),
            output_tokens: self.output_tokens.saturating_add(later.output_tokens),
            cost: self.cost.into_iter().chain(later.cost).reduce(|one, other| one + other),
            turns: both(self.turns, later.turns),
            context: later.context.or(self.context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_added_up_and_has_an_end() {
        let most = Usage { input_tokens: u64::MAX, output_tokens: 3, context: Some(0.5), ..Usage::default() };
        let later = Usage { input_tokens: 1, output_tokens: 4, cost: Some(0.25), ..Usage::default() };
        let both = most.and(later);
        assert_eq!((both.input_tokens, both.output_tokens, both.cost), (u64::MAX, 7, Some(0.25)));
        assert_eq!((both.turns, both.context), (None, Some(0.5)));
        assert_eq!(both.and(Usage { cost: Some(0.5), turns: Some(2), ..Usage::default() }).cost, Some(0.75));
    }
}
