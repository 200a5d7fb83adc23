//! Work in words for exactly one session.

use serde::{Deserialize, Serialize};

use super::{
    Alteration, Change, Elsewhere, Handoff, Look, Name, Note, Oid, Published, Route, Run, Target, Time,
    Viewpoint,
};

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskState {
    /// Waits for its session.
    Queued,
    /// An agent or a person works on it.
    Running,
    /// Waits for an answer.
    Input,
    /// Its review branch waits for judgement.
    Review,
    /// Changes were asked for.
    Changes,
    /// Landed.
    Merged,
    /// Its run failed or changed nothing.
    Failed,
    /// Called off.
    Cancelled,
}

impl TaskState {
    /// The word that people and JSON see.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Input => "input",
            Self::Review => "review",
            Self::Changes => "changes",
            Self::Merged => "merged",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the task still loads its session.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running | Self::Input | Self::Changes)
    }

    /// Whether the task holds a result that has not landed.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Review | Self::Changes)
    }

    /// Whether nothing more will happen to it by itself.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Merged | Self::Failed | Self::Cancelled)
    }
}

/// A task as its record has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Version of this format; 1.
    pub version: u32,
    /// Its name, a slug of the text.
    pub name: Name,
    /// Random, to tell apart tasks of one name made in two clones.
    pub uid: String,
    /// What is asked for.
    pub text: String,
    /// Where it is in its life.
    pub state: TaskState,
    /// Who does it.
    pub session: Name,
    /// The agent, where one runs; absent for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The branch it merges back to, as `main`.
    pub base: String,
    /// The commit its work started from.
    pub base_oid: Oid,
    /// The session's branch.
    pub branch: String,
    /// Its result branch, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_branch: Option<String>,
    /// Tip of the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip: Option<Oid>,
    /// Earlier tips of the result, where somebody else than its session put a
    /// later one in their place: oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<Oid>,
    /// The unmerged task whose result this one was built on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_top_of: Option<Name>,
    /// The result whose conflict with its base this one resolves, by merging it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolves: Option<Name>,
    /// The task that has to have a result before this one begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Name>,
    /// Its commits, oldest first: the truth of who did what.
    #[serde(default)]
    pub commits: Vec<Oid>,
    /// Paths it was expected to touch.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// Paths it did touch.
    #[serde(default)]
    pub touched: Vec<Change>,
    /// Its runs, oldest first.
    #[serde(default)]
    pub runs: Vec<Run>,
    /// The viewpoints whose approval was asked for with it, beside those of its base.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Viewpoint>,
    /// What sessions said of its result from their viewpoints, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub viewpoints: Vec<Look>,
    /// What its runs changed of what git executes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub altered: Vec<Alteration>,
    /// What its agent asked, and was told, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// How it went from session to session, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handoffs: Vec<Handoff>,
    /// Decisions and findings that were kept with it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// What came into other worktrees while its runs went on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<Elsewhere>,
    /// What a reviewer asked for last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested: Option<String>,
    /// Why it went to its session; absent when a person chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// The request on a forge that publishes its result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
    /// Where it landed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landed: Option<Landed>,
    /// When it was made.
    pub created: Time,
    /// When its record last changed.
    pub updated: Time,
}

impl Task {
    /// The agent and the id of its session's last conversation about it.
    pub fn last_talk(&self) -> Option<(&str, &str)> {
        let own = |run: &&Run| run.session.as_ref().unwrap_or(&self.session) == &self.session;
        let talks = self.runs.iter().rev().filter(own);
        talks.into_iter().find_map(|run| Some((run.agent.as_deref()?, run.conversation.as_deref()?)))
    }

    /// Whether it was made for somebody to begin it, by `retry`, and nobody has.
    pub fn waits_for_a_start(&self) -> bool {
        self.state == TaskState::Queued && self.resolves.is_some() && self.runs.is_empty()
    }

    /// The commits of its result, whoever made them.
    pub fn all_commits(&self) -> impl Iterator<Item = Oid> {
        self.made().map(|(oid, _)| oid)
    }

    /// The commits of its result, each with the session that made it.
    pub fn made(&self) -> impl Iterator<Item = (Oid, &Name)> {
        let own = self.commits.iter().map(|oid| (*oid, &self.session));
        own.chain(self.made_by_others())
    }

    /// Those that others than its session made: who had it before, and who looked at it.
    pub fn made_by_others(&self) -> impl Iterator<Item = (Oid, &Name)> {
        let before = self.handoffs.iter();
        let before = before.flat_map(|handoff| handoff.commits.iter().map(|oid| (*oid, &handoff.from)));
        let looks = self.viewpoints.iter();
        before.chain(looks.flat_map(|look| look.commits.iter().map(|oid| (*oid, &look.session))))
    }

    /// The last handoff, where nobody has gone on with it since.
    pub fn handed_over(&self) -> Option<&Handoff> {
        self.handoffs.last().filter(|handoff| handoff.runs == self.runs.len())
    }

    /// The commits of its result that a session made.
    pub fn commits_of(&self, session: &Name) -> Vec<Oid> {
        self.made().filter(|(_, maker)| *maker == session).map(|(oid, _)| oid).collect()
    }
}

/// What an agent was told that it had asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What it asked, where it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// What it was told.
    pub text: String,
    /// When.
    pub time: Time,
}

/// How a task reached its base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landed {
    /// The base's tip before.
    pub from: Oid,
    /// The base's tip after.
    pub to: Oid,
    /// When.
    pub time: Time,
    /// Whether configured checks passed on that tree; `false` when none is configured.
    pub checked: bool,
}
