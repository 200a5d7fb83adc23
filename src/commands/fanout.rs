//! `git orch fanout`

mod args;
mod checker;
mod context;
mod elsewhere;
mod emit;
mod formatters;
mod known;
mod narrowed;
mod overlaid;
pub(super) mod problems;
mod report;
mod resume;
mod seen;
mod worker;

use std::time::Duration;

use super::opened::{Opened, patterns};
use crate::app::App;
use crate::config;
use crate::config::schema::{CommitsKind, ShardBy, TreeKind};
use crate::config::trust::{self, Named};
use crate::error::{Error, Result, exit};
use crate::fanout::files::Files;
use crate::fanout::flow::{self, Order};
use crate::fanout::home::Home;
use crate::fanout::job::{Command, Job};
use crate::fanout::plan::{self, Contents, PlannedShard};
use crate::fanout::result::Commits;
use crate::fanout::shard::By;
use crate::git::{Head, worktree};
use crate::model::time::parse_span;
use crate::model::wording::{count, hanging, tick};
use crate::model::{Name, Oid, PathSet, RepoPath};
use crate::session::base;
use crate::store;

pub(super) use args::FanoutArgs;
use known::Known;
use narrowed::narrowed;
use overlaid::overlaid;
use report::{report, show, show_jobs};
use resume::Resumed;

/// The job that needs no configuration.
pub(super) const FMT: &str = "fmt";
/// The job that needs none where a manifest names the license.
pub(super) const LICENSE: &str = "license";

/// What is asked for, understood.
pub(super) struct Wish {
    pub(super) job: Name,
    /// What is run, for people.
    pub(super) command: String,
    /// What it is, for the first line.
    pub(super) intro: String,
    pub(super) shards: Vec<PlannedShard>,
    timeout: Option<Duration>,
    retries: u32,
    home: Home,
    env: Vec<(String, String)>,
    pub(super) check: Option<String>,
}

/// What every step here needs.
pub(super) struct Desk<'a> {
    pub(super) app: &'a App,
    pub(super) opened: &'a Opened,
    pub(super) tree: Oid,
    pub(super) files: Files,
    /// Whether worktrees are laid over one checkout.
    overlay: bool,
}

pub(super) fn run(app: &App, args: &FanoutArgs) -> Result<u8> {
    let reads = args.list || args.dry_run;
    let mut opened = if reads { Opened::to_read(app)? } else { Opened::to_change(app)? };
    let job = match &args.job {
        Some(job) if !args.list => job,
        _ => return show_jobs(&Desk::at(app, &opened, checked_out(&opened)?)?),
    };
    let job = context::job_name(job)?;
    let checker = checker::find(&opened, args, &job)?;
    let overlay = overlaid(app, args, &opened, &job)?;
    if reads && checker.is_some() {
        // It runs, in a throwaway that a signal may not leave behind.
        opened = Opened::to_change(app)?;
    }
    let before = if args.resume { resume::find(&opened, &job)? } else { Resumed::Nothing };
    let commit = match &before {
        Resumed::Nothing => checked_out(&opened)?,
        Resumed::Fanout(fanout) => fanout.base_oid,
        Resumed::Whole(fanout) => return resume::report_whole(app, fanout),
    };
    let desk = Desk { overlay, ..Desk::at(app, &opened, commit)? };
    if let Some(checker) = &checker {
        return problems::run(&desk, args, job, checker);
    }
    let wish = understand(&desk, args, job)?;
    let (base, resumes) = merging_back(&desk, before, &wish)?;
    let workers = workers(&desk, args);
    if args.dry_run {
        return show(&desk, &wish, (&args.on, workers));
    }
    let away = if args.emit.is_some() { None } else { elsewhere::find(&desk, args)? };
    if args.emit.is_none() {
        narrate(&desk, &wish, away.as_ref().map_or(Some(workers), |away| away.limit))?;
    }
    let (bisect, commits) = making(&desk, args, &wish.job);
    let order = Order {
        job: wish.job,
        command: wish.command,
        commit,
        base,
        tracked: desk.files.around(&wish.shards),
        shards: wish.shards,
        workers,
        overlay: desk.overlay,
        timeout: wish.timeout,
        retries: wish.retries,
        home: wish.home,
        env: wish.env,
        check: wish.check,
        bisect,
        commits,
        from: None,
        again: args.again,
        halt: args.halt,
        resumes,
        away,
    };
    carry_out(&desk, args, &order)
}

fn carry_out(desk: &Desk<'_>, args: &FanoutArgs, order: &Order) -> Result<u8> {
    if args.emit.is_some() {
        return emit::matrix(desk, args, order);
    }
    let events = |event| desk.app.ui.event(event);
    let fanout = flow::carry_out(desk.opened.scene(desk.app, &events), order)?;
    report(desk, &order.shards, &fanout)
}

/// Where the result merges back to, and the fan-out that is gone on with.
fn merging_back(desk: &Desk<'_>, before: Resumed, wish: &Wish) -> Result<(String, Option<Name>)> {
    let Resumed::Fanout(fanout) = before else { return Ok((base_branch(desk)?, None)) };
    resume::require_same(&fanout, wish)?;
    Ok((fanout.base, Some(fanout.name)))
}

/// How many shards run at once.
fn workers(desk: &Desk<'_>, args: &FanoutArgs) -> usize {
    args.workers.map(usize::from).or(desk.opened.settings.jobs()).unwrap_or_else(cores)
}

impl<'a> Desk<'a> {
    fn at(app: &'a App, opened: &'a Opened, commit: Oid) -> Result<Self> {
        let tree = opened.repo.read().commit(commit)?.tree;
        Ok(Self { app, opened, tree, files: Files::load(&opened.repo, tree)?, overlay: false })
    }
}

fn checked_out(opened: &Opened) -> Result<Oid> {
    opened.repo.read().head()?.oid().ok_or_else(|| {
        Error::unusable("there is no commit yet")
            .hint("make a first one: `git commit --allow-empty -m 'first commit'`")
    })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn understand(desk: &Desk<'_>, args: &FanoutArgs, name: Name) -> Result<Wish> {
    let wanted = wanted(desk, args, &name)?;
    let configured = desk.opened.settings.file.jobs.get(name.as_str());
    if configured.is_none() && !worker::is_typed(args) && name.as_str() == FMT {
        let chosen = formatters::choose(desk, &wanted)?;
        let files: usize = chosen.iter().map(|formatter| formatter.work.count()).sum();
        let by = |count: usize| match args.shards {
            Some(By::Count(shards)) => By::Count((shards * count).div_ceil(files)),
            Some(by) => by,
            None => By::balanced(count, cores()),
        };
        let (command, intro) = formatters::versions(desk, &chosen, args.dry_run)?;
        let known = Known::find(desk, args.shards, &desk.files.regular, &typed_patterns(desk, args)?)?;
        let mut shards = plan::of_formatters(&chosen, &by, known.facts(desk));
        known.name_owners(desk, &mut shards)?;
        return Ok(Wish {
            job: name,
            command,
            intro,
            shards,
            timeout: args.timeout,
            retries: args.retries.unwrap_or(0),
            home: Home::own_if(args.isolate),
            env: args.env.clone(),
            check: args.check.clone(),
        });
    }
    let job = resolve(desk, args, &name, configured)?;
    let mut files = job.files(&desk.files.regular);
    files.retain(&wanted);
    if files.is_empty() {
        return Err(Error::usage(format!("no tracked file is for `{name}`")).hint(
            "`git ls-files` lists what is tracked; `--paths` and the job's `include` choose among them",
        ));
    }
    let by = args.shards.or(job.by).unwrap_or_else(|| By::balanced(files.len(), cores()));
    let known = Known::find(desk, Some(by), &files, &lists(desk, args, &job)?)?;
    let mut shards = plan::of_job(&job, &files, by, known.facts(desk));
    if by != By::Owner {
        known.name_owners(desk, &mut shards)?;
    }
    if job.command.agent().is_some() && !args.context_free && !args.resume {
        context::require_free(desk, &job.brief, &shards)?;
    }
    let (command, intro) = described(&job);
    let timeout = args.timeout.or(job.timeout).or(job.command.agent().and_then(|agent| agent.timeout));
    let (retries, home, env) = (job.retries, job.home, job.env);
    Ok(Wish { job: name, command, intro, shards, timeout, retries, home, env, check: job.check })
}

/// How the result is made, by the command line and the configuration: how often
/// a check that fails runs again, and as which commits.
fn making(desk: &Desk<'_>, args: &FanoutArgs, job: &Name) -> (Option<usize>, Commits) {
    let configured = desk.opened.settings.file.jobs.get(job.as_str());
    let bisect = args.bisect.or(configured.and_then(|job| job.bisect));
    let shared = configured.map(|job| job.commits).unwrap_or_default();
    let is_each = args.commits.as_deref().map_or(shared == CommitsKind::Shard, |kind| kind == "shard");
    (bisect.map(usize::from), if is_each { Commits::Shard } else { Commits::One })
}

/// The patterns that shards are made by where that is asked for.
fn lists(desk: &Desk<'_>, args: &FanoutArgs, job: &Job) -> Result<Vec<String>> {
    let typed = typed_patterns(desk, args)?;
    Ok(if typed.is_empty() { job.include.patterns().to_vec() } else { typed })
}

fn typed_patterns(desk: &Desk<'_>, args: &FanoutArgs) -> Result<Vec<String>> {
    patterns(desk.app, &desk.opened.repo, &args.paths)
}

/// Which files the command line takes.
fn wanted(desk: &Desk<'_>, args: &FanoutArgs, name: &Name) -> Result<impl Fn(&RepoPath) -> bool + use<>> {
    let narrowed = narrowed(desk, args, name)?;
    let excluded = patterns(desk.app, &desk.opened.repo, &args.exclude)?;
    let excluded = PathSet::parse(&excluded).map_err(Error::usage)?;
    Ok(move |file: &RepoPath| narrowed.contains(file) && !excluded.contains(file))
}

/// What a job runs, for the record, and for the first line.
fn described(job: &Job) -> (String, String) {
    let command = job.command.for_people();
    match job.command.agent() {
        Some(_) => (
            format!("{command}: {}", job.brief),
            format!("{command}, {}", tick(hanging(job.brief.trim_end(), 2))),
        ),
        None => (command.clone(), tick(hanging(&command, 2))),
    }
}

/// A job from the configuration, the command line over it; what the
/// repository names is refused until it is trusted.
fn resolve(desk: &Desk<'_>, args: &FanoutArgs, name: &Name, configured: Option<&config::Job>) -> Result<Job> {
    let (command, brief) = worker::choose(desk, args, name, configured)?;
    let shared_check = configured.and_then(|job| job.check.clone());
    if let (None, Some(check)) = (&args.check, &shared_check) {
        let named = Named { purpose: format!("check of job {name}"), command: check.clone() };
        desk.opened.trust.require(&named)?;
    }
    let mut env = Vec::new();
    if let Some(job) = configured.filter(|job| !job.env.is_empty()) {
        desk.opened.trust.require(&trust::environment(name.as_str(), &job.env))?;
        env.extend(job.env.clone());
    }
    env.extend(args.env.clone());
    let set = |choose: fn(&config::Job) -> &Vec<String>| {
        PathSet::parse(configured.map(choose).map_or(&[][..], Vec::as_slice)).map_err(Error::usage)
    };
    let shared_tree = configured.map(|job| job.tree).unwrap_or_default();
    let is_sparse = args.tree.as_deref().map_or(shared_tree == TreeKind::Sparse, |kind| kind == "sparse");
    if !is_sparse && !args.needs.is_empty() {
        return Err(Error::usage("`--needs` is for sparse worktrees")
            .hint("a full one has every file; `--tree sparse` makes sparse ones"));
    }
    let is_local = matches!(command, Command::Header { .. });
    Ok(Job {
        name: name.clone(),
        command,
        brief,
        include: set(|job| &job.include)?,
        exclude: set(|job| &job.exclude)?,
        by: match configured.map(|job| job.shard).unwrap_or_default() {
            ShardBy::Count => None,
            ShardBy::Directory => Some(By::Directory),
            ShardBy::File => Some(By::File),
            ShardBy::Package => Some(By::Package),
            ShardBy::Bytes => Some(By::Bytes),
            ShardBy::Owner => Some(By::Owner),
            ShardBy::List => Some(By::List),
        },
        contents: if is_sparse || is_local {
            Contents::Sparse(needs(desk, args, configured)?)
        } else {
            Contents::Full
        },
        check: args.check.clone().or(shared_check),
        timeout: configured.and_then(|job| job.timeout.as_deref()).and_then(parse_span),
        retries: args.retries.or(configured.map(|job| job.retries)).unwrap_or(0),
        home: Home::own_if(args.isolate || configured.is_some_and(|job| job.isolate)),
        env,
    })
}

/// What sparse worktrees need, by the command line and the configuration.
fn needs(desk: &Desk<'_>, args: &FanoutArgs, configured: Option<&config::Job>) -> Result<PathSet> {
    let mut needs = patterns(desk.app, &desk.opened.repo, &args.needs)?;
    needs.extend(configured.into_iter().flat_map(|job| job.needs.iter().cloned()));
    PathSet::parse(&needs).map_err(Error::usage)
}

/// Where the result merges back to: the branch that is checked out, or the
/// base of the session that is.
fn base_branch(desk: &Desk<'_>) -> Result<String> {
    let repo = &desk.opened.repo;
    let sessions = store::sessions::load(repo)?;
    let is_session = |branch: &str| sessions.iter().any(|session| session.value.branch == branch);
    match repo.read().head()? {
        Head::Branch(branch, _) if !is_session(&branch) => Ok(branch),
        _ => Ok(base::choose(repo, None, desk.opened.settings.base(), &sessions)?.branch),
    }
}

/// Says what starts, and what is not in it.
fn narrate(desk: &Desk<'_>, wish: &Wish, workers: Option<usize>) -> Result<()> {
    let files: usize = wish.shards.iter().map(|shard| shard.files.len()).sum();
    let (files, shards) = (count(files, "file"), count(wish.shards.len(), "shard"));
    let at_once = workers.map(|workers| format!(", {} at a time", workers.min(wish.shards.len())));
    let at_once = at_once.unwrap_or_default();
    desk.app.ui.note(format!("{}: {}; {files} in {shards}{at_once}", wish.job, wish.intro));
    let own: std::collections::BTreeSet<&RepoPath> =
        wish.shards.iter().flat_map(|shard| &shard.files).collect();
    warn_of_uncommitted(desk, &|path| own.contains(path))
}

/// Says how many files of a job have changes that are not in it.
fn warn_of_uncommitted(desk: &Desk<'_>, is_own: &dyn Fn(&RepoPath) -> bool) -> Result<()> {
    let dirty = worktree::dirty(&desk.opened.repo, desk.opened.repo.place())?;
    let dirty = dirty.iter().filter(|path| is_own(path)).count();
    if dirty > 0 {
        let changes = count(dirty, "file");
        desk.app.ui.warning(format!("uncommitted changes to {changes} of the job are not in it"));
    }
    Ok(())
}

/// The exit code for a fan-out that is through.
pub(super) fn exit_code(is_well: bool) -> u8 {
    if is_well { exit::DONE } else { exit::FAILED }
}
