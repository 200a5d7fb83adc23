//! A decision or a finding that is kept with a task.

use serde::{Deserialize, Serialize};

use super::{Name, Time};

/// The most bytes of one.
pub const ROOM: usize = 2_000;

/// The most that one task keeps.
pub const MOST: usize = 200;

/// A decision or a finding, as somebody told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What was decided or found.
    pub text: String,
    /// Who told it: a session's name, or a person's as git has it.
    pub by: String,
    /// The session, where one told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Name>,
    /// When.
    pub time: Time,
}

impl Note {
    /// Whether it says what another one says.
    pub fn repeats(&self, other: &Self) -> bool {
        (&self.text, &self.by) == (&other.text, &other.by)
    }
}
