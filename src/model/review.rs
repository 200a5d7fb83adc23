//! A branch put up for judgement, and what was said of it.

use serde::{Deserialize, Serialize};

use super::{Name, Oid, Time};

/// From where a review is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Viewpoint {
    /// Did the work.
    Developer,
    /// Reads it.
    Reviewer,
    /// Tries it.
    Tester,
    /// Checks what is written about it.
    Documenter,
}

impl Viewpoint {
    /// Whether who looks from there may add to the result: tests, documentation.
    pub fn may_add(self) -> bool {
        matches!(self, Self::Tester | Self::Documenter)
    }

    /// The word that people and JSON see.
    pub fn word(self) -> &'static str {
        match self {
            Self::Developer => "developer",
            Self::Reviewer => "reviewer",
            Self::Tester => "tester",
            Self::Documenter => "documenter",
        }
    }
}

impl std::str::FromStr for Viewpoint {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        let all = [Self::Developer, Self::Reviewer, Self::Tester, Self::Documenter];
        all.into_iter().find(|viewpoint| viewpoint.word() == word).ok_or(())
    }
}

/// What a verdict says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// May land.
    Approve,
    /// Must change first.
    Change,
    /// No opinion.
    Abstain,
}

impl Decision {
    /// The word that a verdict's file has.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Change => "change",
            Self::Abstain => "abstain",
        }
    }

    /// The word that people see.
    pub fn word(self) -> &'static str {
        match self {
            Self::Approve => "approves",
            Self::Change => "asks for changes",
            Self::Abstain => "abstains",
        }
    }
}

/// One line of a verdict note.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Verdict {
    /// When.
    pub time: Time,
    /// Who: name and e-mail address, or session and agent.
    pub by: String,
    /// The session, where one looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Name>,
    /// From which viewpoint.
    pub viewpoint: Viewpoint,
    /// What.
    pub decision: Decision,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The tree that was judged.
    pub tree: Oid,
    /// `git patch-id --verbatim` of base..tip, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<Oid>,
}

/// A session's look at a result from a viewpoint, as the task's record has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// From which viewpoint.
    pub viewpoint: Viewpoint,
    /// Who looked.
    pub session: Name,
    /// The program that did it.
    pub agent: String,
    /// What it said.
    pub verdict: Decision,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// When it began.
    pub started: Time,
    /// When it ended.
    pub time: Time,
    /// Its exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The tip it looked at.
    pub tip: Oid,
    /// What it added to the result, oldest first: its session's work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<Oid>,
    /// The tip of what it made, where the result had moved on without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<Oid>,
}
