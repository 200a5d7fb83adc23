//! Open work that goes from one session to another, with its context.
//!
//! What goes over is mined from records and commits, so that it is the same
//! whenever it is told; beside it stands what somebody says of it. The work
//! itself stays where its record keeps it: whoever has the task goes on from
//! there.
//!
//! **Invariant:** who made a commit stays its maker; all tasks of one handoff go
//! over in one transaction, or none does.

use super::brief;
use super::finish::own_commits;
use super::prepare::{committed, left_off};
use super::redact::redact;
use super::{Scene, excerpt, narrative, touches};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::git::{Repo, RepoLock, refs, worktree};
use crate::model::{Effect, Handoff, Name, Oid, Session, SessionState, Task, TaskState};
use crate::session::{SessionLock, TaskLock, moving, workplace};
use crate::store::tasks::With;
use crate::store::{self, Stored};

/// What is handed over, to whom, and what is said of it.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// The session that gets it.
    pub to: Name,
    /// What is said of it; found in the last run's words where nothing is.
    pub said: Option<String>,
    /// Who hands it over.
    pub by: String,
    /// How agents' output is read.
    pub settings: &'a Settings,
}

/// The open work of a session that another one can go on with.
pub fn open_work(repo: &Repo, session: &Name) -> Result<Vec<Stored<Task>>> {
    let mut tasks = store::tasks::load(repo)?;
    tasks.retain(|task| task.value.session == *session && is_open(task.value.state));
    Ok(tasks)
}

fn is_open(state: TaskState) -> bool {
    state.is_open() || state == TaskState::Failed
}

/// Looks whether a task can be handed over.
///
/// # Errors
/// Refused, with what to do first.
pub fn check(repo: &Repo, task: &Task, to: &Session) -> Result<()> {
    let (name, session) = (&task.name, &to.name);
    if to.state == SessionState::Archived {
        return Err(Error::refused(format!("session `{session}` is removed")));
    }
    if task.base != to.base {
        let (theirs, base) = (&to.base, &task.base);
        return Err(Error::refused(format!(
            "`{name}` goes back to `{base}`, and session `{session}` works for `{theirs}`"
        ))
        .hint("name a session with that base: `git orch sessions` lists them"));
    }
    let first = |what: String| {
        Error::refused(what).hint(format!("call it off first, its edits go along: `git orch cancel {name}`"))
    };
    if let Some(process) = TaskLock::holder(repo, name) {
        return Err(first(format!("`{name}` is being worked on, by process {process}")));
    }
    match task.state {
        TaskState::Running => {
            Err(first(format!("`{name}` is being worked on, in session `{}`", task.session)))
        }
        TaskState::Review => Err(Error::refused(format!(
            "`{name}` waits for review, and needs no session for that"
        ))
        .hint(format!(
            "what has to change of it is asked for: `git orch review {name} --request-changes -m TEXT`"
        ))),
        TaskState::Merged => Err(Error::refused(format!("`{name}` has landed"))),
        _ => Ok(()),
    }
}

/// Hands tasks over; as they are then, and what was cut of what is said.
///
/// # Errors
/// Refused where one can't be handed over, or was changed meanwhile.
pub fn carry_out(
    scene: Scene<'_>,
    tasks: Vec<Stored<Task>>,
    order: &Order<'_>,
) -> Result<(Vec<Stored<Task>>, Option<String>)> {
    let repo = scene.repo;
    let to = store::sessions::require(repo, order.to.as_str())?.value;
    let (mut held, mut given) = (Vec::new(), Vec::new());
    for task in tasks {
        check(repo, &task.value, &to)?;
        let name = task.value.name.clone();
        held.push(TaskLock::try_take(repo, &name)?.map_err(|holder| {
            Error::refused(format!("`{name}` is held by {holder}")).hint("run the command again")
        })?);
        store::tasks::require_same(repo, &task)?;
        given.push(freed(task));
    }
    let left = leave(scene, &given)?;
    // The record travels: what looks like a secret stays here.
    let said = order.said.as_deref().map(redact);
    let (said, cut) = said.as_deref().map(narrative::fit).unzip();
    for task in &mut given {
        hand_over(scene, &mut task.value, (&to, order, said.as_deref()))?;
    }
    let lock = RepoLock::take(repo, &format!("handoff to {}", to.name), scene.events)?;
    require_there(repo, &to)?;
    let mut changes = Vec::new();
    for task in &mut given {
        touches::note(repo, &lock, &task.value, scene.now)?;
        let text = brief::handoff(repo, &to, &task.value)?.into_bytes();
        let keeps = task.value.handoffs.last().and_then(|handoff| handoff.work).into_iter().collect();
        let with = With { old: Some(task.tip), keeps, handoff: Some(text), ..With::default() };
        let why = format!("handed over to {}", to.name);
        let record = store::tasks::prepare(repo, &mut task.value, with, &why)?;
        task.tip = record.new.expect("a record points somewhere");
        changes.push(record);
    }
    refs::apply_with(repo, &lock, &changes, &left, "handoff")?;
    Ok((given, cut.flatten()))
}

/// Refuses a session that somebody took away meanwhile.
fn require_there(repo: &Repo, to: &Session) -> Result<()> {
    store::sessions::require(repo, to.name.as_str()).map(drop)
}

/// A task that waits for nobody: whoever has it next has its question, and what
/// was set aside when it asked.
fn freed(mut task: Stored<Task>) -> Stored<Task> {
    if task.value.state == TaskState::Input {
        task.value.state = TaskState::Failed;
    }
    task
}

/// Takes the branches of sessions back to below the results that go over, where
/// those are the last thing on them.
fn leave(scene: Scene<'_>, tasks: &[Stored<Task>]) -> Result<Vec<Effect>> {
    let mut sessions: Vec<&Name> = tasks.iter().map(|task| &task.value.session).collect();
    sessions.dedup();
    let mut effects = Vec::new();
    for name in sessions {
        let Some(session) = store::sessions::find(scene.repo, name)?.map(|found| found.value) else {
            continue;
        };
        let branch = scene.repo.read().find_ref(&refs::branch(&session.branch))?;
        let Some(tip) = branch.filter(|_| session.state != SessionState::Archived) else { continue };
        let back_to = below(tasks, name, tip);
        if back_to == tip {
            continue;
        }
        let _held = SessionLock::take(scene.repo, name, "handoff")?;
        require_idle(scene.repo, name)?;
        let place = workplace::require_clean(scene.repo, &session)?;
        let moving = moving::begin(scene.repo, name, back_to)?;
        worktree::switch(scene.repo, &place, &session.branch, back_to)?;
        moving.end()?;
        effects.extend(workplace::moved(&session, tip, back_to));
    }
    Ok(effects)
}

/// Refuses while a person works in a session: its branch is not moved under them.
fn require_idle(repo: &Repo, session: &Name) -> Result<()> {
    let tasks = store::tasks::load(repo)?.into_iter().map(|task| task.value);
    let mut running = tasks.filter(|task| task.session == *session && task.state == TaskState::Running);
    let Some(task) = running.next() else { return Ok(()) };
    let name = &task.name;
    Err(Error::refused(format!("session `{session}` works on `{name}`, on top of what would go over")).hint(
        format!("say when it is done: `git orch done {name}`, or call it off: `git orch cancel {name}`"),
    ))
}

/// Where a branch is without the results of these tasks at its tip.
fn below(tasks: &[Stored<Task>], session: &Name, tip: Oid) -> Oid {
    let own = || tasks.iter().map(|task| &task.value).filter(|task| task.session == *session);
    let mut at = tip;
    for _ in own() {
        let result = own().find(|task| task.tip == Some(at) || task.superseded.contains(&at));
        match result.filter(|task| task.state.is_pending()) {
            Some(task) => at = task.base_oid,
            None => break,
        }
    }
    at
}

/// Makes a task the other session's.
fn hand_over(
    scene: Scene<'_>,
    task: &mut Task,
    (to, order, said): (&Session, &Order<'_>, Option<&str>),
) -> Result<()> {
    let repo = scene.repo;
    let work = left_off(repo, task)?;
    let commits = work.map_or(Ok(Vec::new()), |work| own_commits(repo, task, committed(repo, work)?))?;
    let last = task.runs.last();
    // What was said before it came to this session went over with it already.
    let own = last.filter(|_| task.handed_over().is_none());
    let found = || own.and_then(|run| narrative::find(run.said.as_deref()?));
    let said = said.map(str::to_owned).or_else(|| Some(narrative::fit(&found()?).0));
    let excerpt = excerpt::of(repo, order.settings, task, said.as_deref().unwrap_or_default());
    let handoff = Handoff {
        from: task.session.clone(),
        to: to.name.clone(),
        by: order.by.clone(),
        time: scene.now,
        runs: task.runs.len(),
        work,
        commits,
        said: said.filter(|said| !said.is_empty()),
        excerpt,
        agent: last.and_then(|run| run.agent.clone()),
        conversation: last.and_then(|run| run.conversation.clone()),
    };
    let was_its_own = store::sessions::find(repo, &task.session)?
        .is_some_and(|from| from.value.agent.is_some() && from.value.agent == task.agent);
    if was_its_own {
        task.agent.clone_from(&to.agent);
    }
    task.commits.clear();
    task.handoffs.push(handoff);
    task.session = to.name.clone();
    task.branch.clone_from(&to.branch);
    task.updated = scene.now;
    Ok(())
}
