//! `git orch report`

use std::io::Read as _;

use clap::ValueEnum;
use serde::Serialize;

use super::around;
use super::opened::Opened;
use crate::app::App;
use crate::error::{Error, Result, exit};
use crate::git::Repo;
use crate::model::{Name, Report, Reported, Task, TaskState};
use crate::run::report;

/// Where it can be said.
const AROUND: (&str, &str) =
    ("which task says so?", "say it in the worktree of a session, or in the run of a task");
/// How much of an event is read; one that is longer says nothing.
const LONGEST: u64 = 32 * 1024 * 1024;

/// Say where the task around you is: for agents, their hooks and scripts
///
/// `git orch tasks`, `sessions` and `show` tell it, and how long ago it was
/// said, until the run ends. Only the run of a task can say it of that task,
/// and in the worktree of a session whoever works there; others are refused.
/// With --hook it is one line in the settings of an agent that has hooks.
#[derive(Debug, clap::Args)]
pub(super) struct ReportArgs {
    /// Where it is
    #[arg(value_enum, required_unless_present = "hook")]
    state: Option<State>,
    /// What it asks, or does
    #[arg(short, long, value_name = "TEXT", conflicts_with = "hook")]
    message: Option<String>,
    /// Take it from the hook event of Claude Code or Codex on standard input; never fail
    #[arg(long, conflicts_with = "state")]
    hook: bool,
}

/// Where a task can be.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    /// It goes on
    Working,
    /// It waits for an answer
    Input,
    /// The agent's turn is over
    Done,
}

impl From<State> for Reported {
    fn from(state: State) -> Self {
        match state {
            State::Working => Self::Working,
            State::Input => Self::Input,
            State::Done => Self::Done,
        }
    }
}

#[derive(Serialize)]
struct Said {
    task: Name,
    #[serde(flatten)]
    report: Report,
}

pub(super) fn run(app: &App, args: &ReportArgs) -> Result<u8> {
    let Some(state) = args.state else {
        // An agent is not kept from its work by what we can't hear or write.
        drop(hear(app));
        return Ok(exit::DONE);
    };
    let opened = Opened::to_read(app)?;
    let task = around::task(app, &opened.repo, None, AROUND)?.value;
    require_within(&opened.repo, &task)?;
    let report = Report { state: state.into(), text: args.message.clone(), time: app.now };
    report::write(&opened.repo, &task, &report)?;
    let report = report::read(&opened.repo, &task).unwrap_or(report);
    app.ui.data(&Said { task: task.name.clone(), report })?;
    app.ui.note(format!("{} says: {}", task.name, Reported::from(state).word()));
    Ok(exit::DONE)
}

/// Only a run says where its task is.
fn require_within(repo: &Repo, task: &Task) -> Result<()> {
    let (name, state) = (&task.name, task.state.word());
    if !matches!(task.state, TaskState::Running | TaskState::Input) {
        return Err(Error::refused(format!("nobody works on `{name}`: it is {state}")));
    }
    if !report::is_within(repo, task)? {
        return Err(Error::refused(format!("this is not the run of `{name}`"))
            .hint("only an agent says where its own task is"));
    }
    Ok(())
}

/// Takes a report from an agent's hook.
fn hear(app: &App) -> Result<()> {
    let mut event = Vec::new();
    let mut stdin = std::io::stdin().lock();
    // What is left is read too: an agent may fail that can't tell it all.
    let read = stdin.by_ref().take(LONGEST).read_to_end(&mut event);
    drop(read.and_then(|_| std::io::copy(&mut stdin, &mut std::io::sink())));
    let Some(report) = report::heard(&String::from_utf8_lossy(&event), app.now) else { return Ok(()) };
    let repo = app.repo()?;
    let task = around::task(app, &repo, None, AROUND)?.value;
    require_within(&repo, &task)?;
    report::write(&repo, &task, &report)
}
