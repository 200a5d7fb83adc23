//! Why something can go, or stays: above all, what else holds a commit.
//!
//! **Invariant:** what can't be judged stays.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::error::Result;
use crate::git::landed::{self, How};
use crate::git::{Repo, refs};
use crate::model::Oid;
use crate::store::{self, Stored};

/// Why something can go, or stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// A base has its commits.
    Merged,
    /// A base has its change as other commits.
    SquashMerged,
    /// A base has the same files.
    IdenticalTree,
    /// Merging it into a base would change nothing.
    NothingToAdd,
    /// Another ref has its commits.
    KeptElsewhere,
    /// Files that git never had.
    FilesOnly,
    /// Its task is over.
    Over,
    /// Its process died.
    Dead,
    /// It can't be read.
    Damaged,
    /// It is old.
    Old,
    /// Nothing else has its commits.
    Unpushed,
    /// Nothing else has its uncommitted work.
    Dirty,
    /// Another repository is inside.
    Repository,
    /// Somebody uses it.
    Live,
    /// It is not old enough.
    Young,
    /// An operation could not be undone without it.
    Undo,
    /// It is not git-orch's.
    Foreign,
    /// Something of it can't be read.
    Unjudged,
}

impl Reason {
    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Merged => "merged",
            Self::SquashMerged => "squash-merged",
            Self::IdenticalTree => "identical tree",
            Self::NothingToAdd => "nothing to add",
            Self::KeptElsewhere => "kept elsewhere",
            Self::FilesOnly => "files only",
            Self::Over => "task over",
            Self::Dead => "its process died",
            Self::Damaged => "damaged",
            Self::Old => "old",
            Self::Unpushed => "unpushed",
            Self::Dirty => "dirty",
            Self::Repository => "a repository inside",
            Self::Live => "live",
            Self::Young => "young",
            Self::Undo => "undo needs it",
            Self::Foreign => "foreign",
            Self::Unjudged => "can't be judged",
        }
    }

    /// Whether nothing is lost with it.
    pub fn is_spare(self) -> bool {
        !matches!(
            self,
            Self::Unpushed
                | Self::Dirty
                | Self::Repository
                | Self::Live
                | Self::Young
                | Self::Undo
                | Self::Foreign
                | Self::Unjudged
        )
    }
}

/// What may hold commits beside the trash: all refs that are not on their way
/// out themselves, and the bases by what they contain.
#[derive(Debug)]
pub struct Holders<'a> {
    repo: &'a Repo,
    doomed: BTreeSet<String>,
    bases: Vec<(String, Oid)>,
}

impl<'a> Holders<'a> {
    /// Looks at the records. Result branches whose task is over hold nothing.
    pub fn load(repo: &'a Repo) -> Result<Self> {
        let mut doomed = BTreeSet::new();
        let mut named = BTreeSet::new();
        for task in store::tasks::load(repo)? {
            let branch = task.value.review_branch.filter(|_| task.value.state.is_over());
            doomed.extend(branch.map(|branch| refs::branch(&branch)));
            named.insert(task.value.base);
        }
        for Stored { value: fanout, .. } in store::fanouts::load(repo)? {
            if fanout.state.is_over() {
                doomed.extend(
                    fanout.branch.as_deref().into_iter().chain(fanout.quarantined()).map(refs::branch),
                );
            }
            named.insert(fanout.base);
        }
        named.extend(store::sessions::load_all(repo)?.into_iter().map(|session| session.value.base));
        let is_base = |full: &str| {
            let remote = full.strip_prefix("refs/remotes/").and_then(|rest| rest.split_once('/'));
            let branch = remote.map(|(_, branch)| branch).or(full.strip_prefix("refs/heads/"));
            branch.is_some_and(|branch| named.contains(branch))
        };
        let mut bases = repo.read().refs("refs/heads/")?;
        bases.extend(repo.read().refs("refs/remotes/")?);
        bases.retain(|(name, _)| is_base(name));
        Ok(Self { repo, doomed, bases })
    }

    /// What else has a commit, with the uncommitted work that it may stand for.
    pub fn judge(&self, oid: Oid) -> Result<Reason> {
        if let Some(reason) = self.in_graph(oid)? {
            return Ok(reason);
        }
        let commit = self.repo.read().commit(oid)?;
        match commit.parents.as_slice() {
            [one, other] if commit.author == "git-orch" => {
                let (one, other) = (self.judge(*one)?, self.judge(*other)?);
                Ok(if one.is_spare() { other } else { one })
            }
            [below] if commit.author == "git-orch" => {
                let below = self.judge(*below)?;
                let here = self.by_content(oid)?.unwrap_or(Reason::Dirty);
                Ok(if below.is_spare() { here } else { below })
            }
            _ => Ok(self.by_content(oid)?.unwrap_or(Reason::Unpushed)),
        }
    }

    /// By the refs that a commit can be reached from.
    fn in_graph(&self, oid: Oid) -> Result<Option<Reason>> {
        for (_, base) in &self.bases {
            if self.repo.read().merge_base(*base, oid)? == Some(oid) {
                return Ok(Some(Reason::Merged));
            }
        }
        let command = self.repo.git(["for-each-ref", "--format=%(refname)", "--contains"]);
        let text = command.args([oid.to_string()]).run()?;
        let holds = |name: &str| {
            ![refs::TRASH, refs::KEEP].iter().any(|prefix| name.starts_with(prefix))
                && name != refs::OPERATIONS
                && !self.doomed.contains(name)
        };
        Ok(String::from_utf8_lossy(&text).lines().any(holds).then_some(Reason::KeptElsewhere))
    }

    /// By what the bases contain.
    fn by_content(&self, oid: Oid) -> Result<Option<Reason>> {
        for (_, base) in &self.bases {
            let how = landed::landed(self.repo, oid, *base)?;
            let reason = how.map(|how| match how {
                How::Merged => Reason::Merged,
                How::SquashMerged => Reason::SquashMerged,
                How::IdenticalTree => Reason::IdenticalTree,
                How::NothingToAdd => Reason::NothingToAdd,
            });
            if reason.is_some() {
                return Ok(reason);
            }
        }
        Ok(None)
    }
}
