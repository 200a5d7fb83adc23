//! What does the shards of a job: a command, or an agent with a brief.

use super::{Desk, FMT, FanoutArgs, LICENSE};
use crate::agent::process;
use crate::config;
use crate::config::trust::{self, Named};
use crate::error::{Error, Result};
use crate::fanout::job::Command;
use crate::fanout::remote::On;
use crate::model::Name;
use crate::model::wording::unknown;
use crate::run::worker;

/// What an agent is told where a checker says the rest.
const FIX: &str = "Fix the problems listed below.";

/// The command or agent, and its brief: of the command line, else of the job.
///
/// # Errors
/// Wrong usage where there is none; untrusted where the repository names it.
pub(super) fn choose(
    desk: &Desk<'_>,
    args: &FanoutArgs,
    name: &Name,
    configured: Option<&config::Job>,
) -> Result<(Command, String)> {
    let has_checker = args.from.is_some() || configured.is_some_and(|job| job.from.is_some());
    let told_by_problems = has_checker.then(|| FIX.to_owned());
    if let Some(text) = &args.run {
        return Ok((Command::Shell(text.clone()), told_by_problems.unwrap_or_default()));
    }
    if let Some(text) = header(desk, args, name, configured)? {
        if !matches!(args.on, On::Local) || args.emit.is_some() {
            return Err(Error::usage("git-orch itself writes headers, and only here")
                .hint("leave out where else it shall run, or give a command: `--run CMD`"));
        }
        return Ok((Command::Header { program: process::this_program()?, text }, String::new()));
    }
    let shared = configured.and_then(|job| job.brief.as_ref());
    let is_typed = args.agent.is_some() && (args.brief.is_some() || shared.is_none());
    if let Some(job) = configured.filter(|_| !is_typed) {
        let named = Named { purpose: format!("job {name}"), command: trust::work(job) };
        desk.opened.trust.require(&named)?;
    }
    let agent = args.agent.as_ref().or(configured.and_then(|job| job.agent.as_ref()));
    let brief = args.brief.as_ref().or(shared).or(agent.and(told_by_problems.as_ref()));
    match (agent, brief, configured.and_then(|job| job.run.as_ref())) {
        (Some(agent), Some(brief), _) => Ok((Command::Agent(find(desk, agent)?), brief.clone())),
        (Some(_), None, _) => Err(Error::usage("the agent is not told what to do")
            .hint("say it: `--brief TEXT`, or `brief` in a job of `.orch.yml`")),
        (None, Some(_), _) => Err(Error::usage("a brief is for an agent").hint("name one: `--agent NAME`")),
        (None, None, Some(config::Command::Shell(text))) => Ok((Command::Shell(text.clone()), String::new())),
        (None, None, Some(config::Command::List(argv))) => {
            Ok((Command::Argv(argv.iter().map(Into::into).collect()), String::new()))
        }
        (None, None, None) if has_checker => Err(Error::usage("nothing is there to work on problems")
            .hint("have it done: `--agent NAME`, or `--run CMD` with the files as \"$@\"")),
        (None, None, None) => Err(unknown_job(desk, name)),
    }
}

/// Whether the command line says what is done.
pub(super) fn is_typed(args: &FanoutArgs) -> bool {
    args.run.is_some() || args.agent.is_some() || args.header.is_some()
}

/// The header to put into files, where that is what the job does.
fn header(
    desk: &Desk<'_>,
    args: &FanoutArgs,
    name: &Name,
    configured: Option<&config::Job>,
) -> Result<Option<String>> {
    let shared = configured.and_then(|job| job.header.clone());
    if let Some(text) = args.header.clone().or(shared.filter(|_| !is_typed(args))) {
        return Ok(Some(text));
    }
    if configured.is_some() || is_typed(args) || name.as_str() != LICENSE {
        return Ok(None);
    }
    let named = license(desk).ok_or_else(|| {
        Error::usage("no manifest at the top names the license").hint(
            "say what the header is: `--header 'SPDX-License-Identifier: MIT'`, or `header` in the job `license` of `.orch.yml`",
        )
    })?;
    Ok(Some(named.0))
}

/// The header by what a manifest says, and which does.
pub(super) fn license(desk: &Desk<'_>) -> Option<(String, &'static str)> {
    let (license, manifest) = desk.files.license(&desk.opened.repo)?;
    Some((format!("SPDX-License-Identifier: {license}"), manifest))
}

fn find(desk: &Desk<'_>, name: &str) -> Result<worker::Program> {
    let (settings, trust) = (&desk.opened.settings, &desk.opened.trust);
    if settings.profile(name).is_none() {
        return Err(Error::usage(unknown("agent", name, settings.agents()))
            .hint("`git orch agents` lists them; name it under `agents:` in `.orch.yml`, or give a command: `--run CMD`"));
    }
    let top = desk.opened.repo.require_work_tree()?;
    worker::agent(settings, trust, name, top, &desk.app.environment)
}

fn unknown_job(desk: &Desk<'_>, name: &Name) -> Error {
    let known = desk.opened.settings.file.jobs.keys().map(String::as_str).chain([FMT, LICENSE]);
    Error::usage(unknown("job", name.as_str(), known))
        .hint("`git orch fanout --list` lists them; `--run CMD` runs any command")
}

/// What a job of the configuration runs, for people.
pub(super) fn named(job: &config::Job) -> String {
    let named = match (&job.run, &job.agent, &job.header) {
        (Some(command), ..) => command.to_string(),
        (None, _, Some(header)) => format!("header {header}"),
        (None, agent, None) => format!("agent {}", agent.as_deref().unwrap_or_default()),
    };
    match &job.from {
        Some(from) => format!("{named} for {from}"),
        None => named,
    }
}
