//! A named, lasting specialist: worktree, branch, specialty, history.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Name, Oid, Time};

/// Where a session is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    /// Free for its next task.
    #[default]
    Idle,
    /// A task runs in it.
    Running,
    /// Its task waits for input.
    Input,
    /// Takes no tasks until resumed.
    Paused,
    /// Can't work; `doctor` says why.
    Blocked,
    /// Removed; its commits are kept.
    Archived,
}

impl SessionState {
    /// The word that people and JSON see.
    pub fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Running => "running",
            Self::Input => "input",
            Self::Paused => "paused",
            Self::Blocked => "blocked",
            Self::Archived => "archived",
        }
    }
}

/// Which commits made before the session count as its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adoption {
    /// Only commits of these authors (e-mail addresses); all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
}

/// A session as its record has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Version of this format; 1.
    pub version: u32,
    /// Its name.
    pub name: Name,
    /// Its branch, as `orch/backend`.
    pub branch: String,
    /// Its worktree's directory.
    pub worktree: PathBuf,
    /// Name of the worktree under git's `worktrees/`.
    pub worktree_id: String,
    /// The branch it starts from and merges back to, as `main`.
    pub base: String,
    /// Where the base was when the session was made or last reset.
    pub base_oid: Oid,
    /// Words for what it is good at.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub specialty: String,
    /// Path patterns it declares.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// The agent that works in it, where one is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Which older history counts as its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopts: Option<Adoption>,
    /// Paused or archived; running and idle are read from its tasks.
    #[serde(default)]
    pub state: SessionState,
    /// Why it is paused, where somebody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Commits made in it outside any task, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<Oid>,
    /// When it was made.
    pub created: Time,
}
