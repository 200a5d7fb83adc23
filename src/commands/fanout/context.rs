//! What is refused to be fanned out, as it reads like work that needs context.
//!
//! A command has no context to lose; an agent has.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::Desk;
use crate::error::{Error, Result};
use crate::fanout::plan::PlannedShard;
use crate::model::wording::{command_line, count, excerpt, list, tick};
use crate::model::{Name, Reads, RepoPath};
use crate::route::context::context;
use crate::run::routing;

/// How many past commits are looked at, and how many are told.
const ALIKE: usize = 5;
const TOLD: usize = 2;

/// The name of a job.
///
/// # Errors
/// Wrong usage where it is none; what reads like a task is sent to its command.
pub(super) fn job_name(text: &str) -> Result<Name> {
    text.parse().map_err(|why| match text.trim().contains(char::is_whitespace) {
        true => Error::usage(format!("this is no job's name but reads like a task: {}", tick(text)))
            .hint(format!("give it to the session that knows the code: {}", as_task(text)))
            .hint("or have an agent do each shard: `git orch fanout NAME --agent AGENT --brief TEXT`"),
        false => Error::usage(format!("`{text}` can't be a job's name: {why}")),
    })
}

/// Refuses a brief that reads as if the shards hung together.
///
/// # Errors
/// Refused, with the words that say so and past commits like it.
pub(super) fn require_free(desk: &Desk<'_>, brief: &str, shards: &[PlannedShard]) -> Result<()> {
    match reads_whole(brief).filter(|_| shards.len() > 1) {
        None => Ok(()),
        Some(error) => {
            Err(with_ways_out(across(desk, brief, shards)?.into_iter().fold(error, Error::hint), brief))
        }
    }
}

/// The same for a brief whose shards are not known before a checker has run.
///
/// # Errors
/// Refused, with the words that say so.
pub(super) fn require_free_brief(brief: &str) -> Result<()> {
    reads_whole(brief).map_or(Ok(()), |error| Err(with_ways_out(error, brief)))
}

/// What is wrong with a brief that reads as if its parts hung together.
fn reads_whole(brief: &str) -> Option<Error> {
    let found = context(brief);
    let words = list(found.words.iter().map(tick));
    let why = format!("this reads like work whose parts hang together: it says {words}");
    (found.reads == Reads::NeedsContext).then(|| Error::refused(why))
}

fn with_ways_out(error: Error, brief: &str) -> Error {
    error
        .hint(format!("give it to the session that knows the code: {}", as_task(brief)))
        .hint("if each shard can be done without the others: `--context-free`")
}

fn as_task(text: &str) -> String {
    let text = excerpt(text.trim(), 60);
    tick(format!("git orch task {}", command_line(&[OsString::from(text)])))
}

/// Past commits that read like it and changed files of several shards at once.
fn across(desk: &Desk<'_>, brief: &str, shards: &[PlannedShard]) -> Result<Vec<String>> {
    let of_file: BTreeMap<&RepoPath, usize> =
        (0..).zip(shards).flat_map(|(n, shard)| shard.files.iter().map(move |file| (file, n))).collect();
    let survey = routing::survey(&desk.opened.repo, &desk.opened.settings, desk.app.now)?;
    let alike = routing::alike(&survey, brief, ALIKE, &|event| desk.app.ui.event(event))?;
    desk.app.ui.settle();
    let mut told = Vec::new();
    for (oid, changed) in alike {
        let touched: std::collections::BTreeSet<&usize> =
            changed.iter().filter_map(|path| of_file.get(path)).collect();
        if touched.len() > 1 && told.len() < TOLD {
            let subject = excerpt(desk.opened.repo.read().commit(oid)?.subject(), 50);
            let (files, shards) = (count(changed.len(), "file"), touched.len());
            told.push(format!("like it, and across {shards} shards: {} {subject} ({files})", oid.short()));
        }
    }
    Ok(told)
}
