//! The checker whose problems are worked on: of the command line, else of the job.

use super::super::opened::Opened;
use super::FanoutArgs;
use crate::config::load::ROUNDS;
use crate::config::trust;
use crate::error::{Error, Result};
use crate::model::Name;

/// A checker, and how often it is gone through its problems at most.
pub(super) struct Checker {
    pub(super) from: String,
    pub(super) rounds: u8,
}

/// Finds it; `None` where a job has none.
///
/// # Errors
/// Untrusted where the repository names it; wrong usage where an option makes
/// no sense with it, or without.
pub(super) fn find(opened: &Opened, args: &FanoutArgs, job: &Name) -> Result<Option<Checker>> {
    let configured = opened.settings.file.jobs.get(job.as_str());
    let shared = configured.and_then(|job| job.from.as_ref());
    let Some(from) = args.from.as_ref().or(shared) else {
        return match args.rounds {
            None => Ok(None),
            Some(_) => Err(Error::usage("`--rounds` is for the problems of a checker")
                .hint("name one: `--from CMD`, or `from` in a job of `.orch.yml`")),
        };
    };
    if args.from.is_none() {
        refuse_options(args, job)?;
        opened.trust.require(&trust::checker(job.as_str(), from))?;
    }
    let rounds = args.rounds.or(configured.and_then(|job| job.rounds)).unwrap_or(ROUNDS);
    Ok(Some(Checker { from: from.clone(), rounds }))
}

/// Refuses what goes with no checker, as it is refused beside `--from`.
fn refuse_options(args: &FanoutArgs, job: &Name) -> Result<()> {
    let given = [
        ("--header", args.header.is_some()),
        ("--files-from", args.files_from.is_some()),
        ("--retry-failed", args.retry_failed),
        ("--resume", args.resume),
        ("--commits", args.commits.is_some()),
        ("--emit", args.emit.is_some()),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((option, _)) => Err(Error::usage(format!(
            "`{option}` makes no sense for `{job}`, whose checker says what there is to do"
        ))
        .hint("the same command without it goes on with what is left")),
    }
}
