//! Where the agent of a task says that it is.

use serde::{Deserialize, Serialize};

use super::Time;

/// What a run can say of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reported {
    /// It goes on.
    Working,
    /// It waits for an answer.
    Input,
    /// Its turn is over.
    Done,
}

impl Reported {
    /// The word that people and JSON see.
    pub fn word(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::Input => "input",
            Self::Done => "done",
        }
    }
}

/// What the run of a task said last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Where it is.
    pub state: Reported,
    /// In its own words: what it asks, what it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When it said so.
    pub time: Time,
}
