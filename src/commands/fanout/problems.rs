//! `git orch fanout --from`, or `from` of a job: a checker says what there is to do.

use std::collections::BTreeSet;

use super::checker::Checker;
use super::context;
use super::known::Known;
use super::report::{next, report_bad};
use super::seen;
use super::{
    Desk, FanoutArgs, base_branch, described, exit_code, lists, resolve, wanted, warn_of_uncommitted, workers,
};
use crate::error::Result;
use crate::fanout::files::Files;
use crate::fanout::flow::Order;
use crate::fanout::job::Job;
use crate::fanout::plan::PlannedShard;
use crate::fanout::problems;
use crate::fanout::rounds::{self, Done, Quest};
use crate::fanout::shard::Facts;
use crate::fanout::tracked::Tracked;
use crate::model::wording::{count, few, hanging, thousands, tick};
use crate::model::{Fanout, Name, Problem, RepoPath, Round};

/// How many of the problems that remain are listed.
const LISTED: usize = 10;
/// What is said where a checker finds nothing.
pub(super) const NOTHING: &str = "no problems: nothing to do";
/// Folders that tools of JavaScript and Python install into, beside their manifests.
const INSTALLED: [(&str, &str); 3] =
    [("package.json", "node_modules"), ("pyproject.toml", ".venv"), ("pyproject.toml", "venv")];

/// Works on what a checker says.
pub(super) fn run(desk: &Desk<'_>, args: &FanoutArgs, name: Name, checker: &Checker) -> Result<u8> {
    let configured = desk.opened.settings.file.jobs.get(name.as_str());
    let job = resolve(desk, args, &name, configured)?;
    if job.command.agent().is_some() && !args.context_free {
        context::require_free_brief(&job.brief)?;
    }
    let typed = wanted(desk, args, &name)?;
    let (command, intro) = described(&job);
    let ui = &desk.app.ui;
    let intro = format!("{name}: {intro} for the problems of {}, ", tick(hanging(&checker.from, 2)));
    let intro = format!("{intro}{} at most", count(checker.rounds.into(), "round"));
    let is_wanted = |file: &RepoPath| typed(file) && job.is_for(file);
    let plan =
        |files: &Files, problems: &[Problem]| shards(desk, args, (&job, &checker.from), files, problems);
    let (from, rounds) = (checker.from.as_str(), checker.rounds.into());
    let quest = Quest { from, rounds, wanted: &is_wanted, plan: &plan, share: installed(desk) };
    let order = order(desk, args, (&job, command), checker)?;
    let is_tracked = |file: &RepoPath| desk.files.regular.binary_search(file).is_ok();
    let is_ours = |file: &RepoPath| is_wanted(file) && is_tracked(file);
    let events = |event| ui.event(event);
    let scene = desk.opened.scene(desk.app, &events);
    if args.dry_run {
        warn_of_uncommitted(desk, &is_ours)?;
        let seen = rounds::look(scene, &order, &quest)?;
        return seen::show(desk, (&order, checker.rounds), &intro, &seen);
    }
    let order = Order { away: super::elsewhere::find(desk, args)?, ..order };
    ui.note(intro);
    warn_of_uncommitted(desk, &is_ours)?;
    report(desk, &rounds::carry_out(scene, &order, &quest)?)
}

/// What is done in each round, here.
fn order(
    desk: &Desk<'_>,
    args: &FanoutArgs,
    (job, command): (&Job, String),
    checker: &Checker,
) -> Result<Order> {
    let (bisect, commits) = super::making(desk, args, &job.name);
    Ok(Order {
        job: job.name.clone(),
        command,
        commit: super::checked_out(desk.opened)?,
        base: base_branch(desk)?,
        tracked: Tracked::default(),
        shards: Vec::new(),
        workers: workers(desk, args),
        overlay: desk.overlay,
        timeout: args.timeout.or(job.timeout).or(job.command.agent().and_then(|agent| agent.timeout)),
        retries: job.retries,
        home: job.home,
        env: job.env.clone(),
        check: job.check.clone(),
        bisect,
        commits,
        from: Some(checker.from.clone()),
        again: args.again,
        halt: args.halt,
        resumes: None,
        away: None,
    })
}

fn shards(
    desk: &Desk<'_>,
    args: &FanoutArgs,
    (job, from): (&Job, &str),
    files: &Files,
    problems: &[Problem],
) -> Result<Vec<PlannedShard>> {
    let by = args.shards.or(job.by);
    let paths: BTreeSet<&RepoPath> = problems.iter().map(|problem| &problem.path).collect();
    let paths: Vec<RepoPath> = paths.into_iter().cloned().collect();
    let known = Known::find(desk, by, &paths, &lists(desk, args, job)?)?;
    let facts = Facts { tracked: &files.regular, ..known.facts(desk) };
    let mut shards = problems::shards(job, from, problems, by, facts);
    let share = installed(desk);
    shards.iter_mut().for_each(|shard| shard.share.clone_from(&share));
    known.name_owners(desk, &mut shards)?;
    Ok(shards)
}

/// Says what the checker named that is none of the repository's files.
pub(super) fn warn_of_foreign<'a>(desk: &Desk<'_>, foreign: impl IntoIterator<Item = &'a String>) {
    let mut foreign = foreign.into_iter().map(tick).peekable();
    if foreign.peek().is_some() {
        let text = "the checker names what is no tracked file and was left alone";
        desk.app.ui.warning(format!("{text}: {}", few(foreign)));
    }
}

/// The folders of the user's checkout into which tools were installed.
fn installed(desk: &Desk<'_>) -> Vec<RepoPath> {
    let Some(top) = &desk.opened.repo.place().work_tree else { return Vec::new() };
    let beside = |file: &RepoPath| -> Vec<RepoPath> {
        let found = INSTALLED.iter().filter(|(manifest, _)| file.file_name() == manifest.as_bytes());
        found.map(|(_, folder)| file.parent().as_path().join(folder).into()).collect()
    };
    let folders: BTreeSet<RepoPath> = desk.files.regular.iter().flat_map(beside).collect();
    folders.into_iter().filter(|folder| top.join(folder.as_path()).is_dir()).collect()
}

/// Says what the rounds came to.
fn report(desk: &Desk<'_>, Done { fanout, shards }: &Done) -> Result<u8> {
    let ui = &desk.app.ui;
    ui.data(fanout)?;
    for round in &fanout.rounds {
        ui.answer(line(round))?;
    }
    ui.answer(summary(fanout))?;
    if let Some(branch) = &fanout.branch {
        ui.answer(branch)?;
    }
    for problem in fanout.remaining.iter().take(LISTED) {
        ui.answer(format!("  {problem}"))?;
    }
    if let Some(more @ 1..) = fanout.remaining.len().checked_sub(LISTED) {
        ui.answer(format!("  and {} more: `--json` lists all", thousands(more)))?;
    }
    if !fanout.remaining.is_empty() {
        report_bad(desk, shards, fanout)?;
    }
    warn_of_foreign(desk, &fanout.foreign);
    if fanout.branch.is_some() {
        ui.note(format!("next: {}", next(fanout)));
    }
    Ok(exit_code(fanout.failed_check().is_none() && fanout.remaining.is_empty()))
}

/// `round 1: 12 problems, 10 fixed, 1 new, 3 left; 5 files changed`.
pub(in super::super) fn line(round: &Round) -> String {
    let (n, problems) = (round.n, count(round.problems, "problem"));
    let (fixed, added, left) = (thousands(round.fixed), thousands(round.added), thousands(round.left()));
    let changed = count(round.changed, "file");
    match (&round.dropped, round.commit) {
        (Some(why), _) => format!("round {n}: {problems}, not taken: {why}"),
        (None, None) => format!("round {n}: {problems}, nothing changed"),
        (None, Some(_)) => {
            format!("round {n}: {problems}, {fixed} fixed, {added} new, {left} left; {changed} changed")
        }
    }
}

/// `2 of 12 problems are left; check passed in 12s`.
fn summary(fanout: &Fanout) -> String {
    let first = fanout.rounds.first().map_or(0, |round| round.problems);
    let left = fanout.remaining.len();
    let mut text = match (first, left) {
        (0, _) => NOTHING.to_owned(),
        (_, 0) => format!("no problem is left of {}", thousands(first)),
        (_, 1) => format!("1 problem is left of {}", thousands(first)),
        _ => format!("{} are left of {}", count(left, "problem"), thousands(first)),
    };
    if let Some(check) = &fanout.check {
        text.push_str(&format!("; check {check}"));
    }
    text
}
