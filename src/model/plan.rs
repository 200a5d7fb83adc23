//! Several tasks, in the order that they can be worked on.

use serde::{Deserialize, Serialize};

use super::{Context, Name, RepoPath, Route, Target, TaskState};

/// A task that somebody wants done, and what else they say of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// What to do.
    pub text: String,
    /// What it will touch, as patterns.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Who does it, whatever the history says.
    #[serde(default)]
    pub session: Option<String>,
    /// What has to have a result first: the words of another one, or a task's name.
    #[serde(default)]
    pub after: Option<String>,
}

/// Tasks in order, each behind those that it has to wait for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The tasks.
    pub tasks: Vec<Planned>,
}

/// A task of a plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Planned {
    /// Its name, or the one that it would get.
    pub name: Name,
    /// What is asked for.
    pub text: String,
    /// Where it is in its life, where it was made already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<TaskState>,
    /// Who does it, or would.
    pub session: Name,
    /// Whether it needs context, by how it reads.
    pub context: Context,
    /// When it can begin: those of one number at once, from 1; absent where
    /// nothing is left to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wave: Option<usize>,
    /// The earlier tasks that it waits for.
    pub behind: Vec<Behind>,
    /// Why it goes to its session; absent where that was said by somebody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// What it is expected to touch.
    #[serde(skip)]
    pub targets: Vec<Target>,
    /// Whether it waits for a session that is paused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

/// An earlier task that another one waits for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Behind {
    /// The earlier task.
    pub task: Name,
    /// Why.
    pub because: Because,
    /// What both are expected to touch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<RepoPath>,
}

/// Why a task waits for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Because {
    /// Both are expected to touch the same files.
    Files,
    /// A session does one task at a time.
    Session,
    /// Somebody said so, with `--after`.
    After,
}

impl Planned {
    /// Whether it was not made yet.
    pub fn is_new(&self) -> bool {
        self.state.is_none()
    }
}
