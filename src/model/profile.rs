//! Histories folded into decayed path weights.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Name, Oid, RepoPath, Time};

/// What one session has at one path: its decayed touches as of now,
/// and the facts that explain them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionWeight {
    /// Position of the session in [`Profiles::sessions`].
    pub session: u16,
    /// Touches of 1/files each, decayed with the fast half-life.
    pub fast: f64,
    /// The same with the slow half-life.
    pub slow: f64,
    /// How many commits touched the path.
    pub touches: u32,
    /// The newest of them.
    pub last: Option<Touched>,
}

/// The newest commit of a session at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// When.
    pub time: Time,
    /// The commit.
    pub oid: Oid,
}

/// The profiles of all live sessions at the paths that were asked for:
/// files and every folder above them, the top as the empty path.
#[derive(Clone, Debug)]
pub struct Profiles {
    /// The moment the weights are decayed to.
    pub now: Time,
    /// The sessions, in the order that [`SessionWeight::session`] counts.
    pub sessions: Vec<Name>,
    /// How many commits each session's history holds.
    pub commits: Vec<u32>,
    /// When each session last touched anything.
    pub last_activity: Vec<Option<Time>>,
    /// Weights by path.
    pub weights: BTreeMap<Vec<u8>, Vec<SessionWeight>>,
}

/// A path that a session knows well, for listings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// A folder, or a file where no folder tells more.
    pub path: RepoPath,
    /// Touches of 1/files each, decayed with the slow half-life.
    pub weight: f64,
}

impl Profiles {
    /// No sessions, no history.
    pub fn empty(now: Time) -> Self {
        Self {
            now,
            sessions: Vec::new(),
            commits: Vec::new(),
            last_activity: Vec::new(),
            weights: BTreeMap::new(),
        }
    }

    /// Where the session of this name stands in [`Profiles::sessions`].
    pub fn position(&self, session: &Name) -> Option<usize> {
        self.sessions.iter().position(|name| name == session)
    }

    /// What every session has at `path`.
    pub fn at(&self, path: &[u8]) -> &[SessionWeight] {
        self.weights.get(path).map_or(&[], Vec::as_slice)
    }

    /// What one session has at `path`.
    pub fn of(&self, session: usize, path: &[u8]) -> Option<&SessionWeight> {
        self.at(path).iter().find(|weight| usize::from(weight.session) == session)
    }
}
