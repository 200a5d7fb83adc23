//! `git orch retry`

use std::ffi::OsString;
use std::path::Path;

use super::opened::Opened;
use super::{result, review};
use crate::app::App;
use crate::error::{Error, IoContext, Result};
use crate::git::{Repo, identity};
use crate::model::{Oid, Session, SessionState, Task, TaskState};
use crate::review::restack;
use crate::run::claim::{Claimed, Unbegun};
use crate::run::worker::{self, Worker};
use crate::run::{flow, prepare};
use crate::session::{TaskLock, pause};
use crate::store::{self, Stored};

/// Run a task again: one that failed, was cancelled, or must change
///
/// It goes on from what the last run left. Without a command behind `--` the
/// same agent or command runs again.
#[derive(Debug, clap::Args)]
pub(super) struct RetryArgs {
    /// The task
    #[arg(value_name = "TASK")]
    task: String,
    /// The agent that does it; `person` for none
    #[arg(long, value_name = "AGENT", conflicts_with = "command")]
    agent: Option<String>,
    /// The command that does it
    #[arg(last = true, value_name = "CMD")]
    command: Vec<OsString>,
}

pub(super) fn run(app: &App, args: &RetryArgs) -> Result<u8> {
    let opened = Opened::to_change(app)?;
    let task = store::tasks::require(&opened.repo, &args.task)?;
    check(&opened.repo, &task)?;
    go_on(app, &opened, task, (args.agent.as_deref(), &args.command), |_| {})
}

/// Goes on with a task that is at rest; `change` says what is new on its record.
pub(super) fn go_on(
    app: &App,
    opened: &Opened,
    task: Stored<Task>,
    (agent, command): (Option<&str>, &[OsString]),
    change: impl FnOnce(&mut Task),
) -> Result<u8> {
    let session = require_session(&opened.repo, &task.value)?;
    pause::refuse(&session)?;
    let worker = choose(app, opened, (agent, command), &task.value, &session)?;
    identity::require(&opened.repo)?;
    let lock = TaskLock::try_take(&opened.repo, &task.value.name)?
        .map_err(|holder| Error::refused(format!("`{}` is held by {holder}", task.value.name)))?;
    let events = |event| app.ui.event(event);
    let mut claimed = Claimed { task, lock, unbegun: Unbegun::Stays };
    claimed.task.value.agent = worker.name().map(str::to_owned);
    change(&mut claimed.task.value);
    let scene = opened.scene(app, &events);
    let done = flow::carry_out(scene, claimed, &worker)?;
    restack::follow(scene)?;
    if !command.is_empty() {
        remember(
            &opened.repo,
            &done.value,
            done.value.runs.last().map(|run| run.command.as_slice()).unwrap_or_default(),
        )?;
    }
    if matches!(worker, Worker::Person) {
        result::hand_over(app, opened, &done.value, &session)?;
    }
    review::follow(app, opened, scene, &done.value).map(|code| opened.exit_code(code))
}

/// Who runs a task again that has to change, as it was run before; nobody where
/// a person does it, or it takes no tasks at the moment.
pub(super) fn again(app: &App, opened: &Opened, task: &Task) -> Result<Option<Worker>> {
    let task = store::tasks::require(&opened.repo, task.name.as_str())?;
    check(&opened.repo, &task)?;
    let session = require_session(&opened.repo, &task.value)?;
    if session.state == SessionState::Paused {
        return Ok(None);
    }
    let worker = choose(app, opened, (None, &[]), &task.value, &session)?;
    let did = task.value.agent.is_some() && !matches!(worker, Worker::Person);
    Ok(did.then_some(worker))
}

/// The session that goes on with a task.
///
/// # Errors
/// Refused where it was removed, with who else could.
fn require_session(repo: &Repo, task: &Task) -> Result<Session> {
    let found = store::sessions::find(repo, &task.session)?.map(|found| found.value);
    found.filter(|session| session.state != SessionState::Archived).ok_or_else(|| {
        let Task { name, session, .. } = task;
        Error::refused(format!("the session of `{name}` is removed: `{session}`"))
            .hint(format!("let another one go on with it: `git orch handoff {name} --to SESSION`"))
    })
}

pub(super) fn check(repo: &Repo, task: &Stored<Task>) -> Result<()> {
    let name = &task.value.name;
    match task.value.state {
        TaskState::Failed | TaskState::Cancelled | TaskState::Queued => {}
        TaskState::Changes => {
            let branch = repo.read().find_ref(&crate::git::refs::branch(&task.value.branch))?;
            let is_free = is_of_a_result(repo, &task.value, branch)? || is_landed(repo, &task.value, branch)?;
            if branch != task.value.tip && !is_free {
                return Err(later(&task.value));
            }
        }
        TaskState::Review => {
            return Err(Error::refused(format!("`{name}` waits for review"))
                .hint(format!("ask for changes first: `git orch review {name} --request-changes -m TEXT`")));
        }
        state => return Err(Error::refused(format!("`{name}` can't be run again: it is {}", state.word()))),
    }
    Ok(())
}

/// Whether a session is at a result of its own that waits: it goes from there to
/// another one, and back.
fn is_of_a_result(repo: &Repo, task: &Task, at: Option<Oid>) -> Result<bool> {
    let tasks = store::tasks::load(repo)?.into_iter().map(|other| other.value);
    let mut own = tasks.filter(|other| other.session == task.session && other.state.is_pending());
    Ok(own.any(|other| other.tip == at || at.is_some_and(|at| other.superseded.contains(&at))))
}

/// Whether all that a session is at has landed.
fn is_landed(repo: &Repo, task: &Task, at: Option<Oid>) -> Result<bool> {
    let base = repo.read().find_ref(&crate::git::refs::branch(&task.base))?;
    let (Some(at), Some(base)) = (at, base) else { return Ok(false) };
    Ok(repo.read().merge_base(base, at)? == Some(at))
}

/// Why a result can't be worked on, and what can be done instead.
fn later(task: &Task) -> Error {
    let Task { name, session, branch, .. } = task;
    let result = task.review_branch.as_deref().unwrap_or(&task.base);
    Error::refused(format!("later work of session `{session}` lies on top of `{name}`"))
        .hint(format!("look at it: `git log {result}..{branch}`"))
}

fn choose(
    app: &App,
    opened: &Opened,
    (agent, command): (Option<&str>, &[OsString]),
    task: &Task,
    session: &Session,
) -> Result<Worker> {
    if !command.is_empty() {
        return worker::typed(command, &app.folder, &app.environment);
    }
    if agent.is_none()
        && let Some(argv) = remembered(&opened.repo, task)?
    {
        return worker::typed(&argv, &app.folder, &app.environment);
    }
    let known = |name: &&str| opened.settings.profile(name).is_some();
    let asked = agent.or(task.agent.as_deref().filter(known));
    worker::configured(&opened.settings, &opened.trust, asked, session, &app.environment)
}

/// Keeps a typed command beside the task, on this machine only.
pub(super) fn remember(repo: &Repo, task: &Task, command: &[String]) -> Result<()> {
    let path = prepare::folder(repo, task)?.join("command");
    std::fs::write(&path, command.join("\0")).doing("could not write", &path)
}

/// Forgets such a command.
pub(super) fn forget(repo: &Repo, task: &Task) -> Result<()> {
    let path = prepare::folder(repo, task)?.join("command");
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).doing("could not remove", &path)
        }
        _ => Ok(()),
    }
}

fn remembered(repo: &Repo, task: &Task) -> Result<Option<Vec<OsString>>> {
    let path = prepare::folder(repo, task)?.join("command");
    if !Path::new(&path).is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).doing("could not read", &path)?;
    Ok(Some(text.split('\0').map(OsString::from).collect()))
}
