//! What a fan-out is going to do: a value that `--dry-run` prints.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::model::path::PathSet;
use crate::model::{Name, RepoPath};

use super::brief::{self, Errand};
use super::formatter::{Formatter, Work};
use super::ground::{self, Ground};
use super::hand::Handed;
use super::job::Job;
use super::shard::{self, By, Facts};

/// A shard before it runs.
#[derive(Clone, Debug)]
pub struct PlannedShard {
    /// What people call it.
    pub label: String,
    /// Its files: the only ones that are there which it may change.
    pub files: Vec<RepoPath>,
    /// The folder its command runs in.
    pub directory: RepoPath,
    /// The command with its arguments.
    pub argv: Vec<OsString>,
    /// What its worktree holds.
    pub contents: Contents,
    /// Ignored folders of the user's checkout that its command needs.
    pub share: Vec<RepoPath>,
    /// Which session knows its files best, where one does.
    pub owner: Option<Name>,
    /// What its command is handed beside its files.
    pub handed: Option<Handed>,
    /// Where it may make new files; nowhere where absent.
    pub ground: Option<Ground>,
}

impl PlannedShard {
    /// One that runs nothing yet, in a worktree with every file.
    pub fn new(label: String, files: Vec<RepoPath>) -> Self {
        Self {
            label,
            files,
            directory: RepoPath::default(),
            argv: Vec::new(),
            contents: Contents::Full,
            share: Vec::new(),
            owner: None,
            handed: None,
            ground: None,
        }
    }
}

/// What the worktree of a shard holds.
#[derive(Clone, Debug)]
pub enum Contents {
    /// Every tracked file.
    Full,
    /// The shard's files, those directly in the folders above them that may be
    /// settings, and those that match.
    Sparse(PathSet),
}

/// The shards of a job.
pub fn of_job(job: &Job, files: &[RepoPath], by: By, facts: Facts<'_>) -> Vec<PlannedShard> {
    let shards = shard::split(files, by, facts);
    let labels = shard::labels(&shards);
    let grounds = ground::of(&shards, by, facts.tracked);
    let owner = |files: &[RepoPath]| {
        files.first().filter(|_| by == By::Owner).and_then(|file| facts.owners.get(file)).cloned()
    };
    let plan = |((files, label), ground): ((Vec<RepoPath>, String), Option<Ground>)| PlannedShard {
        argv: job.command.argv(&files, &RepoPath::default()),
        owner: owner(&files),
        contents: job.contents.clone(),
        ground,
        ..PlannedShard::new(owner(&files).map_or(label.clone(), |owner| format!("{owner}: {label}")), files)
    };
    let brief = |shard: PlannedShard| {
        job.command.agent().map_or(shard.clone(), |program| {
            let errand = Errand { job: &job.name, text: &job.brief, from: None, tracked: facts.tracked };
            let brief = brief::write(errand, &shard, &[]);
            PlannedShard {
                handed: Some(Handed { brief, prompt: program.prompt, problems: Vec::new() }),
                ..shard
            }
        })
    };
    shards.into_iter().zip(labels).zip(grounds).map(plan).map(brief).collect()
}

/// The shards of the formatters a repository uses. `by` is how the files of
/// each are split where they can be split at all.
pub fn of_formatters(
    formatters: &[Formatter],
    by: &dyn Fn(usize) -> By,
    facts: Facts<'_>,
) -> Vec<PlannedShard> {
    formatters.iter().flat_map(|formatter| of_formatter(formatter, by, facts)).collect()
}

fn of_formatter(formatter: &Formatter, by: &dyn Fn(usize) -> By, facts: Facts<'_>) -> Vec<PlannedShard> {
    let plan = |label: String, files: Vec<RepoPath>, argv: Vec<OsString>| PlannedShard {
        directory: formatter.directory.clone(),
        argv,
        contents: if formatter.is_local {
            Contents::Sparse(formatter.settings.clone())
        } else {
            Contents::Full
        },
        share: formatter.share.clone(),
        // A formatter has no reason to make files: it has no ground.
        ..PlannedShard::new(label, files)
    };
    match &formatter.work {
        Work::Files(files) => {
            let shards = shard::split(files, by(files.len()), facts);
            let labels = shard::labels(&shards);
            let argv = |files: &[RepoPath]| formatter.command.argv(files, &formatter.directory);
            shards
                .into_iter()
                .zip(labels)
                .map(|(files, label)| plan(label, files.clone(), argv(&files)))
                .collect()
        }
        Work::Packages(packages) => packages
            .iter()
            .map(|package| {
                let argv =
                    formatter.command.argv(std::slice::from_ref(&package.manifest), &formatter.directory);
                plan(package.label(), package.files.clone(), argv)
            })
            .collect(),
    }
}

/// So many files of a shard tell whose it is.
const SAMPLED: usize = 32;

/// The files of each shard that tell whose it is, evenly spread where there are many.
pub fn sampled(shards: &[PlannedShard]) -> Vec<RepoPath> {
    let of = |shard: &PlannedShard| {
        let step = shard.files.len().div_ceil(SAMPLED).max(1);
        shard.files.iter().step_by(step).cloned().collect::<Vec<_>>()
    };
    shards.iter().flat_map(of).collect()
}

/// Names with each shard the session that knows most of its files best.
pub fn name_owners(shards: &mut [PlannedShard], owners: &BTreeMap<RepoPath, Name>) {
    for shard in shards.iter_mut().filter(|shard| shard.owner.is_none()) {
        let mut files: BTreeMap<&Name, usize> = BTreeMap::new();
        for owner in shard.files.iter().filter_map(|file| owners.get(file)) {
            *files.entry(owner).or_default() += 1;
        }
        let best = files.into_iter().max_by_key(|(name, files)| (*files, std::cmp::Reverse(*name)));
        shard.owner = best.map(|(name, _)| name.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(files: &[&str]) -> PlannedShard {
        PlannedShard::new(String::new(), files.iter().copied().map(RepoPath::from).collect())
    }

    #[test]
    fn a_shard_is_whose_most_of_its_files_are() {
        let owners = [("a", "api"), ("b", "web"), ("c", "web"), ("d", "api"), ("e", "web")];
        let owners = owners.map(|(file, name)| (RepoPath::from(file), name.parse().unwrap())).into();
        let mut shards = [&["a", "b", "c"][..], &["a", "b", "x"], &["x"], &[]].map(shard);
        name_owners(&mut shards, &owners);
        let named = shards.map(|shard| shard.owner.map_or(String::new(), |owner| owner.to_string()));
        assert_eq!(named, ["web", "api", "", ""]);
        let many: Vec<String> = (0..100).map(|n| format!("{n:03}")).collect();
        let many = shard(&many.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(sampled(&[many, shard(&["x"]), shard(&[])]).len(), 25 + 1);
    }
}
