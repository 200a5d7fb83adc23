//! What `git orch fanout` answers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Desk, FMT, LICENSE, Wish, exit_code, worker};
use crate::error::{Result, exit};
use crate::fanout::formatter::Formatter;
use crate::fanout::plan::PlannedShard;
use crate::fanout::remote::On;
use crate::fanout::room::of_worktrees;
use crate::fanout::{header, job};
use crate::git::room;
use crate::model::wording::{self, count, excerpt, list, review_then_merge, thousands};
use crate::model::{Fanout, Name, RepoPath, Shard, ShardState};
use crate::ui::Table;

/// Says what a fan-out came to.
pub(super) fn report(desk: &Desk<'_>, shards: &[PlannedShard], fanout: &Fanout) -> Result<u8> {
    let ui = &desk.app.ui;
    ui.data(fanout)?;
    ui.answer(summary(fanout))?;
    if let Some(branch) = &fanout.branch {
        ui.answer(branch)?;
    }
    report_bad(desk, shards, fanout)?;
    let skipped = fanout.shards.iter().filter(|shard| shard.state == ShardState::Skipped).count();
    if skipped > 0 {
        let left = count(skipped, "shard");
        ui.answer(format!("not run: {left}   go on: git orch fanout {} --resume", fanout.job))?;
    }
    let failed = |shard: &Shard| shard.state == ShardState::Failed && shard.paths.len() > 1;
    if fanout.shards.iter().any(failed) {
        ui.note("with `--shards file` only the files that fail are left out");
    }
    // Of what was not there, a shard that is a folder might have made it.
    let is_new = |path: &RepoPath| desk.files.regular.binary_search(path).is_err();
    if fanout.escaped.iter().any(is_new) && shards.iter().all(|shard| shard.ground.is_none()) {
        ui.note("with `--shards directory` or `package` new files in a shard's own folder are taken");
    }
    if let Some(reviewers) = reviewers(shards, fanout) {
        ui.note(reviewers);
    }
    if fanout.branch.is_some() {
        ui.note(format!("next: {}", next(fanout)));
    }
    let is_passed = fanout.failed_check().is_none();
    Ok(exit_code(is_passed && fanout.shards.iter().all(|shard| shard.state.is_well())))
}

/// What to do with a result.
pub(super) fn next(fanout: &Fanout) -> String {
    let name = &fanout.name;
    match fanout.failed_check() {
        None => review_then_merge(name),
        Some(_) => format!("git orch log {name} --check, git orch review {name} --diff"),
    }
}

/// `could be reviewed by backend (2 shards) and frontend (1 shard)`; nothing
/// where the shards are told by that anyway.
fn reviewers(shards: &[PlannedShard], fanout: &Fanout) -> Option<String> {
    let done = fanout.shards.iter().filter(|shard| shard.state == ShardState::Done);
    let mut known: BTreeMap<&Name, usize> = BTreeMap::new();
    for (shard, owner) in done.filter_map(|shard| Some((shard, shard.owner.as_ref()?))) {
        let label = &shards[shard.n - 1].label;
        if !label.starts_with(&format!("{owner}: ")) {
            *known.entry(owner).or_default() += 1;
        }
    }
    let named = known.iter().map(|(owner, shards)| format!("{owner} ({})", count(*shards, "shard")));
    (!known.is_empty()).then(|| format!("could be reviewed by {}", list(named)))
}

/// Says of each shard that is not taken where to look.
pub(super) fn report_bad(desk: &Desk<'_>, shards: &[PlannedShard], fanout: &Fanout) -> Result<()> {
    let ui = &desk.app.ui;
    for shard in fanout.shards.iter().filter(|shard| shard.state.is_bad()) {
        let label = &shards[shard.n - 1].label;
        let (state, name, n) = (shard.state.word(), &fanout.name, shard.n);
        let check = if shard.state == ShardState::Evicted { " --check" } else { "" };
        ui.answer(format!("{state}: {label}   log: git orch log {name} --shard {n}{check}"))?;
        if let Some(commit) = shard.commit {
            let base = fanout.started_from(n);
            let left = shard.quarantine.clone().unwrap_or_else(|| commit.short());
            ui.answer(format!("  what it left: git diff {}...{left}", base.short()))?;
        }
    }
    Ok(())
}

/// `8 of 9 shards, 214 files changed, disjoint; check passed in 12s`.
fn summary(fanout: &Fanout) -> String {
    let well = fanout.shards.iter().filter(|shard| shard.state.is_well()).count();
    let total = count(fanout.shards.len(), "shard");
    let shards = if well == fanout.shards.len() { total } else { format!("{} of {total}", thousands(well)) };
    let done = |shard: &&Shard| shard.state == ShardState::Done;
    let changed: usize = fanout.shards.iter().filter(done).map(|shard| shard.changed).sum();
    let mut text = match changed {
        0 if well < fanout.shards.len() => format!("{shards}, nothing taken"),
        0 => format!("{shards}, nothing to change"),
        _ => format!("{shards}, {} changed, disjoint", count(changed, "file")),
    };
    if let Some(check) = &fanout.check {
        text.push_str(&format!("; check {check}"));
    }
    text
}

#[derive(Serialize)]
struct Shown<'a> {
    job: &'a Name,
    command: &'a str,
    engine: String,
    /// How many shards run at once, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_once: Option<usize>,
    /// What their worktrees take at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    shards: Vec<ShownShard<'a>>,
}

#[derive(Serialize)]
struct ShownShard<'a> {
    n: usize,
    label: &'a str,
    paths: &'a [RepoPath],
    argv: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a Name>,
    /// The folder in which it may make new files.
    #[serde(skip_serializing_if = "Option::is_none")]
    ground: Option<&'a RepoPath>,
}

/// Shows a plan.
pub(super) fn show(desk: &Desk<'_>, wish: &Wish, (on, workers): (&On, usize)) -> Result<u8> {
    let at_once = (*on == On::Local).then(|| workers.min(wish.shards.len()));
    let bytes = at_once.map(|at_once| taken(desk, wish, at_once)).transpose()?;
    let argv = |shard: &crate::fanout::plan::PlannedShard| {
        shard.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect()
    };
    let shards = wish.shards.iter().enumerate().map(|(index, shard)| ShownShard {
        n: index + 1,
        label: &shard.label,
        paths: &shard.files,
        argv: argv(shard),
        owner: shard.owner.as_ref(),
        ground: shard.ground.as_ref().map(|ground| &ground.folder),
    });
    let shown = Shown {
        job: &wish.job,
        command: &wish.command,
        engine: on.to_string(),
        at_once,
        bytes,
        shards: shards.collect(),
    };
    desk.app.ui.data(&shown)?;
    let place = match (at_once, bytes) {
        (Some(at_once), Some(bytes)) => {
            format!("{at_once} at a time here, in worktrees of {} together at most", wording::bytes(bytes))
        }
        _ => format!("on {on}"),
    };
    let files: usize = wish.shards.iter().map(|shard| shard.files.len()).sum();
    let (files, shards) = (count(files, "file"), count(wish.shards.len(), "shard"));
    let is_known = wish.shards.iter().any(|shard| shard.owner.is_some());
    let headings = ["shard", "files", "where", "known best by"];
    let mut table = Table::new(&headings[..if is_known { 4 } else { 3 }]).right(&[0, 1]);
    for (index, shard) in wish.shards.iter().enumerate() {
        let known = shard.owner.as_ref().filter(|_| is_known).map(Name::to_string);
        let row = [(index + 1).to_string(), thousands(shard.files.len()), shard.label.clone()];
        table.row(row.into_iter().chain(known));
    }
    let intro = format!("{}: {}; {files} in {shards}", wish.job, wish.intro);
    desk.app.ui.answer(format!("{intro}\n{}{place}{}", table.render(), of_new_files(&wish.shards)))?;
    Ok(exit::DONE)
}

/// What becomes of new files, a line more where any are taken.
pub(super) fn of_new_files(shards: &[PlannedShard]) -> &'static str {
    let has_ground = shards.iter().any(|shard| shard.ground.is_some());
    if has_ground { "\nnew files are taken in a shard's own folder" } else { "" }
}

/// What the largest worktrees that there can be at once take together.
fn taken(desk: &Desk<'_>, wish: &Wish, at_once: usize) -> Result<u64> {
    let files = room::of_files(&desk.opened.repo, desk.tree)?;
    let tracked = desk.files.around(&wish.shards);
    let mut sizes = of_worktrees(&files, &tracked, &wish.shards);
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    Ok(sizes.into_iter().take(at_once).sum())
}

#[derive(Serialize)]
struct ListedJob {
    job: String,
    command: String,
    from: String,
    files: usize,
}

/// Lists the jobs there are.
pub(super) fn show_jobs(desk: &Desk<'_>) -> Result<u8> {
    let jobs = &desk.opened.settings.file.jobs;
    let mut listed: Vec<ListedJob> = Vec::new();
    for (name, job) in jobs {
        let set =
            |patterns: &[String]| crate::model::PathSet::parse(patterns).map_err(crate::error::Error::usage);
        let (include, exclude) = (set(&job.include)?, set(&job.exclude)?);
        let mut files = job::chosen(&desk.files.regular, &include, &exclude);
        files.retain(|file| job.header.is_none() || header::is_for(file));
        let from = crate::config::load::FILE.to_owned();
        let (job, command, files) = (name.clone(), worker::named(job), files.len());
        listed.push(ListedJob { job, command, from, files });
    }
    if let Some((header, manifest)) = worker::license(desk).filter(|_| !jobs.contains_key(LICENSE)) {
        let files = desk.files.regular.iter().filter(|file| header::is_for(file)).count();
        let (job, command) = (LICENSE.to_owned(), format!("header {header}"));
        listed.push(ListedJob { job, command, from: manifest.to_owned(), files });
    }
    if !jobs.contains_key(FMT) {
        let choice = desk.files.formatters(&desk.opened.repo, &desk.app.environment, &|_| true);
        listed.extend(choice.chosen.iter().map(fmt));
        for missing in choice.missing {
            let from = format!("{}, not installed: {}", missing.why, missing.install);
            listed.push(ListedJob {
                job: FMT.to_owned(),
                command: missing.name.to_owned(),
                from,
                files: missing.files,
            });
        }
    }
    desk.app.ui.data(&listed)?;
    if listed.is_empty() {
        desk.app
            .ui
            .note("no jobs: nothing says which formatter the repository uses, and `.orch.yml` has none");
        return Ok(exit::DONE);
    }
    let mut table = Table::new(&["job", "files", "runs", "from"]).right(&[1]);
    for job in &listed {
        let row = [job.job.clone(), thousands(job.files), excerpt(&job.command, 50), job.from.clone()];
        table.row(row);
    }
    desk.app.ui.answer(table.render())?;
    Ok(exit::DONE)
}

fn fmt(formatter: &Formatter) -> ListedJob {
    let from = match &formatter.needs_trust {
        Some(why) => format!("{}, needs trust: {why}", formatter.why),
        None => formatter.why.clone(),
    };
    ListedJob { job: FMT.to_owned(), command: formatter.name.to_owned(), from, files: formatter.work.count() }
}
