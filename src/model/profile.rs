//! Histories folded into decayed path weights.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Name, Oid, RepoPath, Time};

/// At how many time scales touches are counted.
pub const SCALES: usize = 6;
/// The scale of the fast half-life…
pub const FAST: usize = 1;
/// …and that of the slow one.
pub const SLOW: usize = 4;

/// Touches of 1/files each, one sum for each time scale: the fast half-life's
/// three, from days to a month, then the slow one's two, then all time.
pub type Counts = [f64; SCALES];

/// In which time a touch halves: what is recent, and what lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HalfLives {
    /// For `recent`.
    pub fast: Duration,
    /// For `context`.
    pub slow: Duration,
}

impl Default for HalfLives {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        Self { fast: days(7), slow: days(365) }
    }
}

impl HalfLives {
    /// Nothing decays.
    pub const NEVER: Self = Self { fast: Duration::MAX, slow: Duration::MAX };

    /// The half-lives of all scales, in seconds: by default 1, 7, 30, 90 and 365 days, and no end.
    pub fn seconds(self) -> Counts {
        let (fast, slow) = (self.fast.as_secs_f64().max(1.0), self.slow.as_secs_f64().max(1.0));
        [fast / 7.0, fast, fast * 30.0 / 7.0, slow * 90.0 / 365.0, slow, f64::INFINITY]
    }

    /// What is left of 1 after so many seconds, at each scale.
    pub fn decay(self, seconds: i64) -> Counts {
        self.seconds().map(|half_life| (-(seconds as f64) / half_life).exp2())
    }
}

/// What one session has at one path: its decayed touches as of now,
/// and the facts that explain them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionWeight {
    /// Position of the session in [`Profiles::sessions`].
    pub session: u16,
    /// Its decayed touches.
    pub counts: Counts,
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

impl SessionWeight {
    /// Touches decayed with the fast half-life.
    pub fn fast(&self) -> f64 {
        self.counts[FAST]
    }

    /// Touches decayed with the slow half-life.
    pub fn slow(&self) -> f64 {
        self.counts[SLOW]
    }
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
