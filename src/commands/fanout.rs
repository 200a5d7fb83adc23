//! `git orch fanout`

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

use std::path::PathBuf;
use std::time::Duration;

use super::opened::{Opened, patterns};
use crate::app::App;
use crate::config;
use crate::config::load::{MOST_RETRIES, MOST_ROUNDS, is_variable};
use crate::config::schema::{CommitsKind, ShardBy, TreeKind};
use crate::config::trust::{self, Named};
use crate::error::{Error, Result, exit};
use crate::fanout::files::Files;
use crate::fanout::flow::{self, Order};
use crate::fanout::halt::Halt;
use crate::fanout::home::Home;
use crate::fanout::job::{Command, Job};
use crate::fanout::plan::{self, Contents, PlannedShard};
use crate::fanout::remote::On;
use crate::fanout::result::Commits;
use crate::fanout::shard::By;
use crate::git::{Head, worktree};
use crate::model::time::parse_span;
use crate::model::wording::{count, hanging, tick};
use crate::model::{Name, Oid, PathSet, RepoPath};
use crate::session::base;
use crate::store;

use known::Known;
use narrowed::narrowed;
use overlaid::overlaid;
use report::{report, show, show_jobs};
use resume::Resumed;

/// The job that needs no configuration.
pub(super) const FMT: &str = "fmt";
/// The job that needs none where a manifest names the license.
pub(super) const LICENSE: &str = "license";

/// Do parallel-safe work in throwaway worktrees; it comes back as one branch
///
/// A job's files are split into shards. Each shard's command runs in a
/// worktree of its own and may change its own files only, and make new ones
/// where shards are folders or packages; what all shards changed becomes one
/// tree, one commit and the branch `review/JOB`. A shard that fails, or changes
/// other files, is left out; the rest comes back. The work starts from the
/// commit that is checked out, without what is uncommitted. `fmt` is always there: it runs the formatters that the
/// repository uses; so is `license`, which puts license headers into files.
///
/// With --from, or `from` of a job, a checker says what there is to do: each
/// shard gets some of the files in which it found problems, the checker is
/// asked again about the result, and another round takes what is left. With
/// --dry-run it is asked once, and what it says is shared out.
#[derive(Debug, clap::Args)]
pub(super) struct FanoutArgs {
    /// A job of `.orch.yml`, or `fmt`, or with --run any name
    #[arg(value_name = "JOB", required_unless_present = "list")]
    job: Option<String>,
    /// Run this in a shell, with the shard's files as "$@"
    #[arg(long, value_name = "CMD")]
    run: Option<String>,
    /// Have this agent do each shard
    #[arg(long, value_name = "NAME", conflicts_with = "run")]
    agent: Option<String>,
    /// What the agent shall do, in words
    #[arg(long, value_name = "TEXT", conflicts_with = "run")]
    brief: Option<String>,
    /// Have agents do it although it reads like work that needs context
    #[arg(long)]
    context_free: bool,
    /// Put this text into a comment at the top of files that have no license or copyright there
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["run", "agent", "brief", "from", "on", "emit"], value_parser = clap::builder::NonEmptyStringValueParser::new())]
    header: Option<String>,
    /// Take only the files that match
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    paths: Vec<String>,
    /// Work on the problems that this prints, in rounds, until none is left
    #[arg(long, value_name = "CMD", conflicts_with_all = ["files_from", "retry_failed", "resume", "commits"])]
    from: Option<String>,
    /// Go through the problems so often at most; 3 times where nobody says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST_ROUNDS)))]
    rounds: Option<u8>,
    /// Take only the files listed here, one a line or NUL-separated; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "paths")]
    files_from: Option<PathBuf>,
    /// Take none of the files that match
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    exclude: Vec<String>,
    /// Take only the files of shards that came to nothing in this job's last fan-out
    #[arg(long, conflicts_with_all = ["paths", "files_from"])]
    retry_failed: bool,
    /// Go on with this job's last fan-out: run what is left of it, in place of its result
    #[arg(long, conflicts_with_all = ["paths", "files_from", "retry_failed", "again"])]
    resume: bool,
    /// Make so many shards, or by `directory`, `file`, `package`, `bytes`, `owner` or `list`: one a pattern
    ///
    /// A shard that is a directory may make new files in it and in new folders
    /// in it; one that is a package, anywhere in it that is not in another.
    #[arg(long, value_name = "N")]
    shards: Option<By>,
    /// Give each shard the whole tree, or only what lies around its files
    ///
    /// With `overlay` the whole trees are laid over one checkout, where Linux
    /// allows it: a command can't rename folders of it then, and unless it is
    /// root's, not use ssh or sudo.
    #[arg(long, value_name = "KIND", value_parser = ["full", "sparse", "overlay"])]
    tree: Option<String>,
    /// What sparse worktrees need beside that
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    needs: Vec<String>,
    /// Run so many shards at once
    #[arg(short = 'j', long = "jobs", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,
    /// Run the shards there: `local`, `slurm`, `ssh:HOST,HOST*4` or `exec:NAME`
    ///
    /// Other machines need git, a shell, what the command needs, and the remote.
    /// `run:NAME` gathers what became of shards that --emit handed out.
    #[arg(long, value_name = "WHERE", default_value = "local", hide_default_value = true)]
    on: On,
    /// Exchange commits with other machines over this remote
    #[arg(long, value_name = "REMOTE")]
    remote: Option<String>,
    /// Run nothing: print the shards as the `matrix` of a CI service
    ///
    /// With --remote, what they have to do is pushed there, and how a job of
    /// the service does it is told.
    #[arg(long, value_name = "FORM", value_parser = ["matrix"], conflicts_with_all = ["on", "dry_run", "resume", "from"])]
    emit: Option<String>,
    /// End a shard after this time, as `5m`
    #[arg(long, value_name = "SPAN", value_parser = span)]
    timeout: Option<Duration>,
    /// Run a shard that fails so often again, from what it started from
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=i64::from(MOST_RETRIES)))]
    retries: Option<u32>,
    /// Give each shard an empty home and temporary folder of its own; `--env` brings back what it needs
    #[arg(long)]
    isolate: bool,
    /// Set this in the environment of the command
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
    /// Stop where too much fails: `soon,fail=3` starts no more, `now,fail=10%` ends what runs
    ///
    /// With `--on exec:NAME` and `run:NAME` either ends what runs, as nothing
    /// tells it from what waits.
    #[arg(long, value_name = "WHEN")]
    halt: Option<Halt>,
    /// Run this on the result; it must pass
    #[arg(long, value_name = "CMD")]
    check: Option<String>,
    /// When that fails, run it so often again at most, to find the shards that make it
    /// fail and leave them out; 0 leaves them in
    #[arg(long, value_name = "N")]
    bisect: Option<u16>,
    /// Make one commit of the result, or one for each shard
    #[arg(long, value_name = "KIND", value_parser = ["one", "shard"])]
    commits: Option<String>,
    /// Do all of it once more, although it is open or its outcome known already
    #[arg(long)]
    again: bool,
    /// Say which shards there would be, and run nothing
    #[arg(long)]
    dry_run: bool,
    /// List the jobs
    #[arg(long)]
    list: bool,
}

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

fn span(text: &str) -> std::result::Result<Duration, String> {
    parse_span(text)
        .filter(|span| !span.is_zero())
        .ok_or_else(|| "write it as `30s`, `5m` or `2h`".to_owned())
}

fn variable(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if is_variable(name) => Ok((name.to_owned(), value.to_owned())),
        Some((name, _)) => Err(format!("`{name}` can't be set here")),
        None => Err("write it as NAME=VALUE".to_owned()),
    }
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
        known::name_owners(desk, &mut shards)?;
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
        known::name_owners(desk, &mut shards)?;
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
