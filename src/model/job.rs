//! Named parallel-safe work, and one carrying-out of it.

use serde::{Deserialize, Serialize};

use super::task::Landed;
use super::{Alteration, Elsewhere, Name, Oid, Problem, Published, RepoPath, TaskState, Time};

/// How a shard ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShardState {
    /// Changed files, all its own.
    Done,
    /// Its command failed.
    Failed,
    /// It changed files that are not its own; none of its changes are kept.
    Escaped,
    /// What it changed does not fit what other shards changed.
    Clashed,
    /// Left out of the result, since the check fails with what it changed.
    Evicted,
    /// Changed nothing.
    Unchanged,
    /// Never ran.
    Skipped,
}

impl ShardState {
    /// The word that people and JSON see.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Escaped => "escaped",
            Self::Clashed => "clashed",
            Self::Evicted => "evicted",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
        }
    }

    /// Whether what the shard did is not taken.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Escaped | Self::Clashed | Self::Evicted)
    }

    /// Whether nothing is left to be done of it.
    pub fn is_well(self) -> bool {
        matches!(self, Self::Done | Self::Unchanged)
    }
}

/// The part of a fan-out that one throwaway worktree does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shard {
    /// Its number, from 1.
    pub n: usize,
    /// Its files.
    pub paths: Vec<RepoPath>,
    /// New files that it made and that are taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<RepoPath>,
    /// How it ended.
    pub state: ShardState,
    /// The command's exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// How many files it changed.
    #[serde(default)]
    pub changed: usize,
    /// Its result, or what an escaped or failed shard left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Oid>,
    /// The branch that holds what it did, where that is not in the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
    /// When its command began, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Time>,
    /// Seconds its command took, the last time.
    #[serde(default)]
    pub seconds: f64,
    /// How many bytes its command printed, as its log holds them.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub bytes: u64,
    /// All that its outcome depends on, as a hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The fan-out whose outcome was used again instead of running it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_from: Option<Name>,
    /// How often its command was run again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// The session that knows its files best, where one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Name>,
    /// The machine it ran on, where that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

impl Shard {
    /// All files of which it says what they are: its own, and those it made.
    pub fn written(&self) -> Vec<RepoPath> {
        self.paths.iter().chain(&self.made).cloned().collect()
    }

    /// One that has not run.
    pub fn new(n: usize, paths: Vec<RepoPath>, owner: Option<Name>) -> Self {
        Self {
            n,
            paths,
            made: Vec::new(),
            state: ShardState::Skipped,
            exit_code: None,
            changed: 0,
            commit: None,
            quarantine: None,
            started: None,
            seconds: 0.0,
            bytes: 0,
            key: None,
            known_from: None,
            retries: 0,
            owner,
            host: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_nothing(bytes: &u64) -> bool {
    *bytes == 0
}

/// One time that the problems of a list were worked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// Its number, from 1.
    pub n: usize,
    /// How many problems there were before.
    pub problems: usize,
    /// How many of these are gone.
    pub fixed: usize,
    /// How many there are that were not before.
    pub added: usize,
    /// The numbers of its shards.
    pub shards: Vec<usize>,
    /// How many files it changed.
    pub changed: usize,
    /// Its commit, where anything was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Oid>,
    /// Why it is not in the result, where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<String>,
}

impl Round {
    /// How many problems are left after it.
    pub fn left(&self) -> usize {
        if self.dropped.is_some() { self.problems } else { self.problems - self.fixed + self.added }
    }
}

/// One carrying-out of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fanout {
    /// Version of this format; 1.
    pub version: u32,
    /// Its name, shared with tasks.
    pub name: Name,
    /// The job's name.
    pub job: Name,
    /// What was run, for people.
    pub command: String,
    /// Where the shards ran: `local`, `slurm`, `ssh`, `exec:NAME`.
    pub engine: String,
    /// The commit the shards started from.
    pub base_oid: Oid,
    /// The branch the result merges into, as `main`.
    pub base: String,
    /// The tree the shards started from.
    pub input_tree: Oid,
    /// The assembled tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<Oid>,
    /// The result branch, where anything changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The shards, in order.
    pub shards: Vec<Shard>,
    /// Paths that shards changed outside their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escaped: Vec<RepoPath>,
    /// What its commands changed of what git executes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub altered: Vec<Alteration>,
    /// What came into other worktrees while agents did its shards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<Elsewhere>,
    /// What the check said, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The checker whose problems were worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// How often all shards were gone through, where a checker says what to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<Round>,
    /// The problems that the checker still has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remaining: Vec<Problem>,
    /// What the checker named beside tracked files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign: Vec<String>,
    /// Where its result is in its life: running, review, merged, failed, cancelled.
    pub state: TaskState,
    /// The request on a forge that publishes its result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
    /// Where it landed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landed: Option<Landed>,
    /// When it began.
    pub started: Time,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
}

/// How a check's answer starts when all is well.
pub const PASSED: &str = "passed";

impl Fanout {
    /// What its check said, where that was not that all is well.
    pub fn failed_check(&self) -> Option<&str> {
        self.check.as_deref().filter(|check| !check.starts_with(PASSED))
    }

    /// The branches that hold what shards did that is not in the result.
    pub fn quarantined(&self) -> impl Iterator<Item = &str> {
        self.shards.iter().filter_map(|shard| shard.quarantine.as_deref())
    }

    /// The commit that a shard started from.
    pub fn started_from(&self, shard: usize) -> Oid {
        let before = self.rounds.iter().take_while(|round| !round.shards.contains(&shard));
        before
            .filter(|round| round.dropped.is_none())
            .filter_map(|round| round.commit)
            .last()
            .unwrap_or(self.base_oid)
    }
}
