//! A branch put up for judgement, and what was said of it.

use serde::{Deserialize, Serialize};

use super::{Oid, Time};

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
    /// Who: name and e-mail address.
    pub by: String,
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
