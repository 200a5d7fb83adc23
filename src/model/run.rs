//! One execution of an agent for a task.

use serde::{Deserialize, Serialize};

use super::{Oid, Time};

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
        }
    }
}

/// One execution of an agent, or a person's turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}
