//! Ends that people ask for: `done`, `cancel`.

use std::path::PathBuf;

use super::finish::{Ending, finish};
use super::prepare::Ready;
use super::set_aside::set_aside;
use super::{Scene, judge};
use crate::agent::interrupt;
use crate::error::{Error, IoContext, Result};
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock, worktree};
use crate::model::wording::uncommitted;
use crate::model::{Effect, Name, Oid, Outcome, Task, TaskState, Viewpoint};
use crate::session::seat::{self, Taken};
use crate::session::{SessionLock, TaskLock, lock, moving, workplace};
use crate::store::tasks::With;
use crate::store::{self, Stored};

/// What `done` may do with what is not committed, and with nothing at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leave {
    /// Commit what is uncommitted.
    pub commit: bool,
    /// A result without any change is right.
    pub empty: bool,
}

/// A person says that a task is done.
///
/// # Errors
/// Refused when there is nothing to show, or something uncommitted.
pub fn done(scene: Scene<'_>, task: Stored<Task>, leave: Leave) -> Result<Stored<Task>> {
    let name = task.value.name.clone();
    if task.value.state != TaskState::Running {
        return Err(Error::refused(format!(
            "the task `{name}` is not being worked on: it is {}",
            task.value.state.word()
        )));
    }
    let _held = SessionLock::take(scene.repo, &task.value.session, "done")?;
    let ready = ready(scene, task)?;
    workplace::require(scene.repo, &ready.session)?;
    let left = judge::look(scene.repo, &ready.place, ready.start)?;
    if let (Some(first), false) = (left.dirty.first(), leave.commit) {
        let what = uncommitted(first, left.dirty.len());
        return Err(Error::refused(format!("`{name}` has {what}")).hint(format!(
            "commit them as you like, or let them be committed: `git orch done {name} --commit`"
        )));
    }
    let ending = Ending { ended: scene.now, exit_code: None };
    if let Some(done) = finish(scene, &ready, &left, ending)? {
        return Ok(done);
    }
    if leave.empty {
        return set_aside(scene, &ready, Outcome::Empty, TaskState::Cancelled, ending);
    }
    Err(Error::refused(format!("`{name}` changes nothing yet")).hint(format!(
        "if that is right: `git orch done {name} --empty`; to call it off: `git orch cancel {name}`"
    )))
}

/// The place of a task that a person works on.
fn ready(scene: Scene<'_>, task: Stored<Task>) -> Result<Ready> {
    let session = store::sessions::require(scene.repo, task.value.session.as_str())?.value;
    let place = workplace::place(scene.repo, &session);
    let start = task.value.runs.last().map_or(task.value.base_oid, |run| run.start_oid);
    let brief = super::prepare::folder(scene.repo, &task.value)?.join("brief.md");
    let found = Some(workplace::tip(scene.repo, &session)?);
    Ok(Ready { task, session, place, start, found, brief })
}

/// Calls a task off, whatever it is doing; its edits stay on its record.
///
/// # Errors
/// Refused once it is over, or when later work builds on it.
pub fn cancel(scene: Scene<'_>, task: Stored<Task>) -> Result<Stored<Task>> {
    let name = task.value.name.clone();
    if let Some(process) = TaskLock::holder(scene.repo, &name) {
        return cancel_elsewhere(scene, &name, process);
    }
    match task.value.state {
        TaskState::Cancelled => Ok(task),
        TaskState::Merged | TaskState::Failed => {
            let state = task.value.state.word();
            Err(Error::refused(format!("the task `{name}` is over: it is {state}")))
        }
        TaskState::Running => {
            let _held = SessionLock::take(scene.repo, &task.value.session, "cancel")?;
            let ending = Ending { ended: scene.now, exit_code: None };
            set_aside(scene, &ready(scene, task)?, Outcome::Interrupted, TaskState::Cancelled, ending)
        }
        TaskState::Queued | TaskState::Input | TaskState::Review | TaskState::Changes => {
            withdraw(scene, task)
        }
    }
}

/// Where the process that carries a task out looks for a request to stop.
pub fn request_file(repo: &Repo, name: &Name) -> Result<PathBuf> {
    Ok(lock::folder(repo)?.join(format!("task-{name}.cancel")))
}

/// Asks the process that carries a task out to end, and waits for it.
fn cancel_elsewhere(scene: Scene<'_>, name: &Name, process: u32) -> Result<Stored<Task>> {
    let request = request_file(scene.repo, name)?;
    std::fs::write(&request, interrupt::request(process)).doing("could not write", &request)?;
    let watch = crate::model::time::Stopwatch::start();
    while TaskLock::holder(scene.repo, name).is_some() {
        scene.interrupt.check()?;
        if watch.elapsed().as_secs() > 30 {
            return Err(Error::refused(format!("process {process} does not end the task `{name}`"))
                .hint(format!("end it yourself: `kill -9 {process}`; the next command frees the session")));
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    drop(std::fs::remove_file(request));
    match store::tasks::find(scene.repo, name)? {
        Some(task) => Ok(task),
        None => Err(Error::refused(format!("the task `{name}` ended before it began"))),
    }
}

/// Ends what looks at a result, from one viewpoint or from any; who did.
///
/// # Errors
/// Refused where one does not end.
pub fn call_off_looks(
    scene: Scene<'_>,
    result: &str,
    viewpoint: Option<Viewpoint>,
) -> Result<Vec<(Name, Viewpoint)>> {
    let is_meant = |taken: &Taken| {
        taken.seat.result.as_str() == result && viewpoint.is_none_or(|wanted| taken.seat.viewpoint == wanted)
    };
    let looks: Vec<Taken> = seat::taken(scene.repo).into_iter().filter(is_meant).collect();
    for Taken { process, request, .. } in &looks {
        std::fs::write(request, interrupt::request(*process)).doing("could not write", request)?;
    }
    let is_there = |look: &Taken| {
        seat::taken(scene.repo).iter().any(|now| now.request == look.request && now.process == look.process)
    };
    let watch = crate::model::time::Stopwatch::start();
    for look in &looks {
        while is_there(look) {
            scene.interrupt.check()?;
            if watch.elapsed().as_secs() > 30 {
                let (process, session) = (look.process, &look.seat.session);
                return Err(Error::refused(format!(
                    "process {process} does not end the look of `{session}`"
                ))
                .hint(format!("end it yourself: `kill -9 {process}`")));
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        drop(std::fs::remove_file(&look.request));
    }
    Ok(looks.into_iter().map(|look| (look.seat.session, look.seat.viewpoint)).collect())
}

/// Takes back a result, or a task that never ran. Its commits stay reachable
/// from its record.
fn withdraw(scene: Scene<'_>, mut task: Stored<Task>) -> Result<Stored<Task>> {
    let repo = scene.repo;
    let tasks = store::tasks::load(repo)?;
    let above = |other: &&Stored<Task>| {
        other.value.on_top_of.as_ref() == Some(&task.value.name) && !other.value.state.is_over()
    };
    if let Some(above) = tasks.iter().find(above) {
        let (name, above) = (&task.value.name, &above.value.name);
        return Err(Error::refused(format!("`{above}` builds on `{name}`"))
            .hint(format!("cancel that one first: `git orch cancel {above}`")));
    }
    let held = SessionLock::take(repo, &task.value.session, "cancel")?;
    let given_back = give_back(scene, &task.value)?;
    drop(held);
    task.value.state = TaskState::Cancelled;
    task.value.updated = scene.now;
    let with = With { old: Some(task.tip), keeps: task.value.tip.into_iter().collect(), ..With::default() };
    let lock = RepoLock::take(repo, "cancel", scene.events)?;
    let record = store::tasks::prepare(repo, &mut task.value, with, "cancelled")?;
    let tip = record.new.expect("a record points somewhere");
    let mut changes = vec![record];
    changes.extend(review_branch_gone(scene, &task.value)?);
    refs::apply_with(repo, &lock, &changes, given_back.as_slice(), "cancel")?;
    Ok(Stored { value: task.value, tip })
}

/// The session's branch goes back to where the task began, if the task's
/// result is the last thing on it and nothing else is in the worktree.
fn give_back(scene: Scene<'_>, task: &Task) -> Result<Option<Effect>> {
    let Some(session) = store::sessions::find(scene.repo, &task.session)? else { return Ok(None) };
    // Where others added to the result, the branch may not have followed yet.
    let is_own = |at: &Oid| task.tip == Some(*at) || task.superseded.contains(at);
    let at = scene.repo.read().find_ref(&refs::branch(&task.branch))?;
    let Some(tip) = at.filter(is_own) else { return Ok(None) };
    match workplace::require_clean(scene.repo, &session.value) {
        Ok(place) => {
            let moving = moving::begin(scene.repo, &task.session, task.base_oid)?;
            worktree::switch(scene.repo, &place, &task.branch, task.base_oid)?;
            moving.end()?;
            Ok(workplace::moved(&session.value, tip, task.base_oid))
        }
        // What is in the worktree stays; the next task there says what is wrong.
        Err(_) => Ok(None),
    }
}

/// Takes a task's result branch away, unless somebody has it checked out.
pub fn review_branch_gone(scene: Scene<'_>, task: &Task) -> Result<Option<RefChange>> {
    task.review_branch.as_deref().map_or(Ok(None), |branch| branch_gone(scene, branch))
}

/// Takes a branch away, unless somebody has it checked out.
pub fn branch_gone(scene: Scene<'_>, branch: &str) -> Result<Option<RefChange>> {
    let name = refs::branch(branch);
    let looked_at = worktree::list(scene.repo)?
        .iter()
        .any(|one| one.head.as_ref().and_then(crate::git::Head::branch) == Some(branch));
    let at = scene.repo.read().find_ref(&name)?;
    Ok(at.filter(|_| !looked_at).map(|at| RefChange::delete(name, at)))
}
