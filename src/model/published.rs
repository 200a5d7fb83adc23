//! A result put up on a forge: the pull or merge request that publishes it.

use serde::{Deserialize, Serialize};

use super::{Oid, Time};

/// Where a request is in its life, as its forge said last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestState {
    /// It waits there.
    Open,
    /// It landed there.
    Merged,
    /// It was turned down there.
    Closed,
    /// This forge does not tell.
    #[default]
    Unknown,
}

impl RequestState {
    /// The word that people and JSON see.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Merged => "merged",
            Self::Closed => "closed",
            Self::Unknown => "unknown",
        }
    }
}

/// What reviewers on the forge say of it, all in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Opinion {
    /// It may land.
    Approved,
    /// It must change first.
    Changes,
}

impl Opinion {
    /// The words that people see.
    pub fn words(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Changes => "changes requested",
        }
    }
}

/// What the forge's own checks say of it, all in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Checks {
    /// All passed.
    Passed,
    /// One failed.
    Failed,
    /// Some have not ended.
    Pending,
}

impl Checks {
    /// The words that people see.
    pub fn words(self) -> &'static str {
        match self {
            Self::Passed => "checks passed",
            Self::Failed => "checks failed",
            Self::Pending => "checks pending",
        }
    }
}

/// The request that publishes a result, as its record has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// How it was put up: `gh`, `glab`, `gitlab`, `agit`, `gerrit`, `email`,
    /// `none`, or the name of a forge in `.orch.yml`.
    pub forge: String,
    /// The remote it was pushed to; none for patches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// What it was pushed to there: a branch, or what the forge takes requests by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// The branch there that it shall be merged into.
    pub base: String,
    /// The tip of the result, as it was pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip: Option<Oid>,
    /// The commit that was pushed, where that is a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy: Option<Oid>,
    /// The request's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// What a forge of the user's own calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where people look at it; the folder, for patches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Its title, as it was written.
    pub title: String,
    /// Its text, as it was written.
    pub body: String,
    /// Whether it is a draft.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub draft: bool,
    /// Labels that were put on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Whose review was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviewers: Vec<String>,
    /// Where it is in its life.
    #[serde(default)]
    pub state: RequestState,
    /// What reviewers there say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opinion: Option<Opinion>,
    /// What checks there say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<Checks>,
    /// The reviews and comments that were passed on already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heeded: Vec<String>,
    /// When this was last written.
    #[serde(default)]
    pub updated: Time,
}

impl Published {
    /// `#12`, or what else it is called.
    pub fn label(&self) -> String {
        match (self.number, &self.id) {
            (Some(number), _) => format!("#{number}"),
            (None, Some(id)) => id.clone(),
            (None, None) => self.forge.clone(),
        }
    }

    /// `draft, changes requested, checks failed`.
    pub fn words(&self) -> String {
        let state = match self.state {
            RequestState::Open if self.draft => "draft",
            state => state.word(),
        };
        let more = [self.opinion.map(Opinion::words), self.checks.map(Checks::words)];
        [Some(state)].into_iter().chain(more).flatten().collect::<Vec<_>>().join(", ")
    }
}
