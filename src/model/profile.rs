//! Histories folded into decayed path weights.

use std::collections::BTreeMap;

use super::{Name, Oid, Time};

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
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    /// The sessions, in the order that [`SessionWeight::session`] counts.
    pub sessions: Vec<Name>,
    /// How many commits each session's history holds.
    pub commits: Vec<u32>,
    /// When each session last touched anything.
    pub last_activity: Vec<Option<Time>>,
    /// Weights by path.
    pub weights: BTreeMap<Vec<u8>, Vec<SessionWeight>>,
}

impl Profiles {
    /// What every session has at `path`.
    pub fn at(&self, path: &[u8]) -> &[SessionWeight] {
        self.weights.get(path).map_or(&[], Vec::as_slice)
    }

    /// What one session has at `path`.
    pub fn of(&self, session: usize, path: &[u8]) -> Option<&SessionWeight> {
        self.at(path).iter().find(|weight| usize::from(weight.session) == session)
    }
}
