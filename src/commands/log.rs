//! `git orch log`

mod grep;

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use super::opened::Opened;
use super::operations;
use crate::app::App;
use crate::error::{Error, IoContext, Result, exit};
use crate::fanout::check;
use crate::model::Fanout;
use crate::model::wording::list;
use crate::review::item;
use crate::review::viewpoint::look;
use crate::run::{execute, transcript as kept};
use crate::session::{TaskLock, seat};
use crate::store;

/// Print what a task's command, or a fan-out's shard or check, printed
///
/// With `--grep`: where something was said in the conversations of sessions,
/// which outlive their worktrees, or printed by a run; `--transcript` prints
/// the conversation of a run. Both tell nothing that looks like a secret, and
/// stay on this machine, as logs do. With `--ops`: what every command changed,
/// newest first; `git orch undo` takes an operation back.
#[derive(Debug, clap::Args)]
pub(super) struct LogArgs {
    /// The task or fan-out; with `--ops`, an operation to show in full
    #[arg(value_name = "TASK", required_unless_present_any = ["ops", "grep"])]
    task: Option<String>,
    /// Look for this regular expression in the conversations and logs of all, or of the task or
    /// session named; small letters are for both
    #[arg(long, value_name = "PATTERN", conflicts_with_all = ["ops", "follow", "run", "shard", "check", "viewpoint"])]
    grep: Option<String>,
    /// Print the conversation that a run was part of
    #[arg(long, conflicts_with_all = ["ops", "grep", "follow", "shard", "check", "viewpoint"])]
    transcript: bool,
    /// List the operations instead
    #[arg(long, conflicts_with_all = ["follow", "run", "shard", "check"])]
    ops: bool,
    /// Go on printing while it runs
    #[arg(short, long)]
    follow: bool,
    /// An earlier run, counted from 1
    #[arg(long, value_name = "N")]
    run: Option<usize>,
    /// A fan-out's shard, counted from 1; the one that went wrong without it
    #[arg(long, value_name = "N", conflicts_with = "run")]
    shard: Option<usize>,
    /// What the last session printed that looked at its result from this viewpoint
    #[arg(long, value_name = "VIEWPOINT", value_parser = ["reviewer", "tester", "documenter"])]
    #[arg(conflicts_with_all = ["ops", "run", "shard", "check"])]
    viewpoint: Option<String>,
    /// What the check of a fan-out printed; with `--shard`, when it failed with that one
    #[arg(long, conflicts_with_all = ["run", "follow"])]
    check: bool,
}

pub(super) fn run(app: &App, args: &LogArgs) -> Result<u8> {
    let opened = Opened::to_read(app)?;
    let typed = args.task.as_deref();
    if args.ops {
        return operations::list(app, &opened, typed);
    }
    if let Some(pattern) = &args.grep {
        return grep::run(app, &opened, pattern, typed);
    }
    let task = typed.unwrap_or_default();
    if args.transcript {
        return transcript(app, &opened, task, args.run);
    }
    let path = find(&opened, task, args)?;
    let mut file = File::open(&path).map_err(|_| {
        Error::refused(format!("`{task}` has no log here"))
            .hint("logs stay on the machine that ran the command")
    })?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).doing("could not read", &path)?;
    if app.ui.is_json() {
        app.ui.data(&String::from_utf8_lossy(&text))?;
        return Ok(exit::DONE);
    }
    app.ui.raw(&text)?;
    while args.follow && is_running(&opened, task) {
        std::thread::sleep(Duration::from_millis(200));
        text.clear();
        file.read_to_end(&mut text).doing("could not read", &path)?;
        app.ui.raw(&text)?;
    }
    Ok(exit::DONE)
}

/// Prints the conversation that a task's run was part of, as it was kept.
fn transcript(app: &App, opened: &Opened, typed: &str, number: Option<usize>) -> Result<u8> {
    let task = store::tasks::require(&opened.repo, typed)?.value;
    let run = match number {
        Some(number) => number.checked_sub(1).and_then(|index| task.runs.get(index)),
        None => task.runs.iter().rev().find(|run| run.conversation.is_some()),
    };
    let talk =
        run.and_then(|run| Some((run.session.as_ref().unwrap_or(&task.session), run.conversation.as_ref()?)));
    let kept = talk.map(|(session, id)| kept::read(&opened.repo, session, id)).transpose()?.flatten();
    let text = kept.ok_or_else(|| {
        Error::refused(format!("no conversation of `{typed}` was kept here"))
            .hint(format!("what its command printed: `git orch log {typed}`"))
    })?;
    app.ui.data(&text)?;
    if !app.ui.is_json() {
        app.ui.raw(text.as_bytes())?;
    }
    Ok(exit::DONE)
}

fn is_running(opened: &Opened, task: &str) -> bool {
    task.parse().is_ok_and(|name| {
        let is_seen = || seat::taken(&opened.repo).iter().any(|taken| taken.seat.result == name);
        TaskLock::holder(&opened.repo, &name).is_some() || is_seen()
    })
}

/// The only shard there is, or the only one that went wrong.
fn telling_shard(fanout: &Fanout) -> Result<usize> {
    let bad: Vec<usize> =
        fanout.shards.iter().filter(|shard| shard.state.is_bad()).map(|shard| shard.n).collect();
    match (fanout.shards.as_slice(), bad.as_slice()) {
        ([only], _) => Ok(only.n),
        (_, [only]) => Ok(*only),
        (_, bad) => {
            let error =
                Error::usage(format!("`{}` is a fan-out: name a shard with `--shard N`", fanout.name));
            Err(if bad.is_empty() { error } else { error.hint(format!("these went wrong: {}", list(bad))) })
        }
    }
}

/// The log of the last look from a viewpoint.
fn of_look(opened: &Opened, typed: &str, viewpoint: &str) -> Result<PathBuf> {
    let item = item::require(&opened.repo, typed)?;
    let folder = look::logs(&opened.repo, &item)?;
    let files = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let is_of = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(&format!("{viewpoint}-")) && name.ends_with(".log")
    };
    let last = files.filter(is_of).max_by_key(|path| path.metadata().and_then(|meta| meta.modified()).ok());
    last.ok_or_else(|| {
        Error::refused(format!("no {viewpoint} has looked at `{typed}` here"))
            .hint(format!("have one look: `git orch review {typed} --by --viewpoint {viewpoint}`"))
    })
}

fn find(opened: &Opened, typed: &str, args: &LogArgs) -> Result<PathBuf> {
    if let Some(viewpoint) = &args.viewpoint {
        return of_look(opened, typed, viewpoint);
    }
    if let Ok(name) = typed.parse()
        && let Some(fanout) = store::fanouts::find(&opened.repo, &name)?
    {
        let logs = opened.repo.orch_path().join("fanout").join(typed);
        return Ok(match (args.check, args.shard) {
            (true, None) => check::log(&logs),
            (true, Some(shard)) => check::shard_log(&logs, shard),
            (false, shard) => {
                logs.join(format!("shard-{}.log", shard.map_or_else(|| telling_shard(&fanout.value), Ok)?))
            }
        });
    }
    let task = store::tasks::require(&opened.repo, typed)?.value;
    let last = task.runs.len();
    let number = args.run.unwrap_or(last);
    if last == 0 {
        return Err(Error::refused(format!("`{}` has not run yet", task.name)));
    }
    if number == 0 || number > last {
        return Err(Error::usage(format!("`{}` has no run {number}; the last one is {last}", task.name)));
    }
    execute::log(&opened.repo, &task, number)
}
