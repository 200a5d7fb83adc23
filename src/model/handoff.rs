//! A task that went from one session to another, with its context.

use serde::{Deserialize, Serialize};

use super::{Name, Oid, Time};

/// What is known of a task as it goes over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handoff {
    /// The session that had it.
    pub from: Name,
    /// The session that has it now.
    pub to: Name,
    /// Who handed it over: a session's name, or a person's as git has it.
    pub by: String,
    /// When.
    pub time: Time,
    /// How many runs there had been.
    pub runs: usize,
    /// Where its work lay, uncommitted edits on top; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Oid>,
    /// The commits of it that the first session made, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<Oid>,
    /// Decisions, what was ruled out, what is next; cut to size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// What its agents said on the way that has to do with it; cut to size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// The agent of the last run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// What that one calls the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
}
