//! What a fan-out is going to do: a value that `--dry-run` prints.

use std::ffi::OsString;

use crate::model::path::PathSet;
use crate::model::{Name, RepoPath};

use super::brief::{self, Errand};
use super::formatter::{Formatter, Work};
use super::hand::Handed;
use super::job::Job;
use super::shard::{self, By, Facts};

/// A shard before it runs.
#[derive(Clone, Debug)]
pub struct PlannedShard {
    /// What people call it.
    pub label: String,
    /// Its files: the only ones it may change.
    pub files: Vec<RepoPath>,
    /// The folder its command runs in.
    pub directory: RepoPath,
    /// The command with its arguments.
    pub argv: Vec<OsString>,
    /// What its worktree holds.
    pub contents: Contents,
    /// Ignored folders of the user's checkout that its command needs.
    pub share: Vec<RepoPath>,
    /// Which session knows its files best, where they are split by that.
    pub owner: Option<Name>,
    /// What its command is handed beside its files.
    pub handed: Option<Handed>,
}

/// What the worktree of a shard holds.
#[derive(Clone, Debug)]
pub enum Contents {
    /// Every tracked file.
    Full,
    /// The shard's files, all files directly in the folders above them, and
    /// those that match.
    Sparse(PathSet),
}

/// The shards of a job.
pub fn of_job(job: &Job, files: &[RepoPath], by: By, facts: Facts<'_>) -> Vec<PlannedShard> {
    let top = RepoPath::default();
    let shards = shard::split(files, by, facts);
    let labels = shard::labels(&shards);
    let owner = |files: &[RepoPath]| {
        files.first().filter(|_| by == By::Owner).and_then(|file| facts.owners.get(file)).cloned()
    };
    let plan = |(files, label): (Vec<RepoPath>, String)| PlannedShard {
        label: owner(&files).map_or(label.clone(), |owner| format!("{owner}: {label}")),
        argv: job.command.argv(&files, &top),
        owner: owner(&files),
        files,
        directory: top.clone(),
        contents: job.contents.clone(),
        share: Vec::new(),
        handed: None,
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
    shards.into_iter().zip(labels).map(plan).map(brief).collect()
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
        label,
        files,
        directory: formatter.directory.clone(),
        argv,
        contents: if formatter.is_local {
            Contents::Sparse(formatter.settings.clone())
        } else {
            Contents::Full
        },
        share: formatter.share.clone(),
        owner: None,
        handed: None,
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
