//! What `git orch fanout` is told on the command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::load::{MOST_RETRIES, MOST_ROUNDS, is_variable};
use crate::fanout::halt::Halt;
use crate::fanout::remote::On;
use crate::fanout::shard::By;
use crate::model::time::parse_span;

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
pub(in crate::commands) struct FanoutArgs {
    /// A job of `.orch.yml`, or `fmt`, or with --run any name
    #[arg(value_name = "JOB", required_unless_present = "list")]
    pub(super) job: Option<String>,
    /// Run this in a shell, with the shard's files as "$@"
    #[arg(long, value_name = "CMD")]
    pub(super) run: Option<String>,
    /// Have this agent do each shard
    #[arg(long, value_name = "NAME", conflicts_with = "run")]
    pub(super) agent: Option<String>,
    /// What the agent shall do, in words
    #[arg(long, value_name = "TEXT", conflicts_with = "run")]
    pub(super) brief: Option<String>,
    /// Have agents do it although it reads like work that needs context
    #[arg(long)]
    pub(super) context_free: bool,
    /// Put this text into a comment at the top of files that have no license or copyright there
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["run", "agent", "brief", "from", "on", "emit"], value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(super) header: Option<String>,
    /// Take only the files that match
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    pub(super) paths: Vec<String>,
    /// Work on the problems that this prints, in rounds, until none is left
    #[arg(long, value_name = "CMD", conflicts_with_all = ["files_from", "retry_failed", "resume", "commits"])]
    pub(super) from: Option<String>,
    /// Go through the problems so often at most; 3 times where nobody says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST_ROUNDS)))]
    pub(super) rounds: Option<u8>,
    /// Take only the files listed here, one a line or NUL-separated; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with = "paths")]
    pub(super) files_from: Option<PathBuf>,
    /// Take none of the files that match
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    pub(super) exclude: Vec<String>,
    /// Take only the files of shards that came to nothing in this job's last fan-out
    #[arg(long, conflicts_with_all = ["paths", "files_from"])]
    pub(super) retry_failed: bool,
    /// Go on with this job's last fan-out: run what is left of it, in place of its result
    #[arg(long, conflicts_with_all = ["paths", "files_from", "retry_failed", "again"])]
    pub(super) resume: bool,
    /// Make so many shards, or by `directory`, `file`, `package`, `bytes`, `owner` or `list`: one a pattern
    ///
    /// A shard that is a directory may make new files in it and in new folders
    /// in it; one that is a package, anywhere in it that is not in another.
    #[arg(long, value_name = "N")]
    pub(super) shards: Option<By>,
    /// Give each shard the whole tree, or only what lies around its files
    ///
    /// With `overlay` the whole trees are laid over one checkout, where Linux
    /// allows it: a command can't rename folders of it then, and unless it is
    /// root's, not use ssh or sudo.
    #[arg(long, value_name = "KIND", value_parser = ["full", "sparse", "overlay"])]
    pub(super) tree: Option<String>,
    /// What sparse worktrees need beside that
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    pub(super) needs: Vec<String>,
    /// Run so many shards at once
    #[arg(short = 'j', long = "jobs", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) workers: Option<u16>,
    /// Run the shards there: `local`, `slurm`, `ssh:HOST,HOST*4` or `exec:NAME`
    ///
    /// Other machines need git, a shell, what the command needs, and the remote.
    /// `run:NAME` gathers what became of shards that --emit handed out.
    #[arg(long, value_name = "WHERE", default_value = "local", hide_default_value = true)]
    pub(super) on: On,
    /// Exchange commits with other machines over this remote
    #[arg(long, value_name = "REMOTE")]
    pub(super) remote: Option<String>,
    /// Run nothing: print the shards as the `matrix` of a CI service
    ///
    /// With --remote, what they have to do is pushed there, and how a job of
    /// the service does it is told.
    #[arg(long, value_name = "FORM", value_parser = ["matrix"], conflicts_with_all = ["on", "dry_run", "resume", "from"])]
    pub(super) emit: Option<String>,
    /// End a shard after this time, as `5m`
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub(super) timeout: Option<Duration>,
    /// Run a shard that fails so often again, from what it started from
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=i64::from(MOST_RETRIES)))]
    pub(super) retries: Option<u32>,
    /// Give each shard an empty home and temporary folder of its own; `--env` brings back what it needs
    #[arg(long)]
    pub(super) isolate: bool,
    /// Set this in the environment of the command
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub(super) env: Vec<(String, String)>,
    /// Stop where too much fails: `soon,fail=3` starts no more, `now,fail=10%` ends what runs
    ///
    /// With `--on exec:NAME` and `run:NAME` either ends what runs, as nothing
    /// tells it from what waits.
    #[arg(long, value_name = "WHEN")]
    pub(super) halt: Option<Halt>,
    /// Run this on the result; it must pass
    #[arg(long, value_name = "CMD")]
    pub(super) check: Option<String>,
    /// When that fails, run it so often again at most, to find the shards that make it
    /// fail and leave them out; 0 leaves them in
    #[arg(long, value_name = "N")]
    pub(super) bisect: Option<u16>,
    /// Make one commit of the result, or one for each shard
    #[arg(long, value_name = "KIND", value_parser = ["one", "shard"])]
    pub(super) commits: Option<String>,
    /// Do all of it once more, although it is open or its outcome known already
    #[arg(long)]
    pub(super) again: bool,
    /// Say which shards there would be, and run nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// List the jobs
    #[arg(long)]
    pub(super) list: bool,
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
