//! The session's worktree at the right start, and the brief.

use std::path::PathBuf;

use super::{Scene, brief, elsewhere};
use crate::error::{Error, IoContext, Result};
use crate::git::refs;
use crate::git::{Place, Repo, RepoLock, worktree};
use crate::model::{Effect, Oid, Outcome, Run, Session, Task, TaskState};
use crate::session::{base, moving, workplace};
use crate::store::tasks::With;
use crate::store::{self, Stored};

/// A task whose worktree waits for its worker.
#[derive(Debug)]
pub struct Ready {
    /// The record, state running.
    pub task: Stored<Task>,
    /// The session.
    pub session: Session,
    /// Where git works.
    pub place: Place,
    /// Where the session's branch was at the start.
    pub start: Oid,
    /// Where it was when this operation came upon a task that was begun before.
    pub found: Option<Oid>,
    /// The brief's file.
    pub brief: PathBuf,
}

/// What begins, for the record.
#[derive(Clone, Debug, Default)]
pub struct Begun<'a> {
    /// What is run; empty for a person's turn.
    pub command: Vec<String>,
    /// The agent, where it is none that was typed.
    pub agent: Option<&'a str>,
    /// Its conversation, where that is known before it starts.
    pub conversation: Option<&'a str>,
}

/// Where a task's local files lie.
pub fn folder(repo: &Repo, task: &Task) -> Result<PathBuf> {
    let folder = repo.orch_dir()?.join("task").join(task.name.as_str());
    std::fs::create_dir_all(&folder).doing("could not make", &folder)?;
    Ok(folder)
}

/// Brings the worktree to where the task starts and marks it running.
///
/// # Errors
/// Refused when the worktree is not clean or not on its branch.
pub fn prepare(
    scene: Scene<'_>,
    session: &Session,
    mut task: Stored<Task>,
    begun: &Begun<'_>,
) -> Result<Ready> {
    let repo = scene.repo;
    // Who wanted to go on with it may have come late.
    store::tasks::require_same(repo, &task)?;
    refuse_taken(repo, &task.value)?;
    let place = workplace::require_clean(repo, session)?;
    let session = &refresh(scene, session)?;
    let before = workplace::tip(repo, session)?;
    let mut start = before;
    let moving = moving::begin_until(repo, &task.value, start)?;
    if let Some(left) = last_snapshot(&task.value) {
        start = resume(scene, session, &task.value, left)?;
    } else if let Some(tip) = result_tip(repo, &task.value)? {
        // Changes of a lower result are made where it ends, and of one that a
        // person went on with, where that one ended; those above follow.
        if tip != start {
            worktree::switch(repo, &place, &session.branch, tip)?;
        }
        start = tip;
    } else {
        task.value.base_oid = start;
        task.value.on_top_of = pending_on(repo, session, start)?;
    }
    let value = &mut task.value;
    value.state = TaskState::Running;
    value.updated = scene.now;
    value.runs.push(Run {
        session: Some(session.name.clone()),
        agent: begun.agent.map(str::to_owned),
        conversation: begun.conversation.map(str::to_owned),
        ..Run::begun(scene.now, start, begun.command.clone())
    });
    let text = brief::write(repo, session, value)?;
    let brief = folder(repo, value)?.join("brief.md");
    std::fs::write(&brief, &text).doing("could not write", &brief)?;
    let with = With { old: Some(task.tip), brief: Some(text.into_bytes()), ..With::default() };
    let lock = RepoLock::take(repo, &format!("task {}", value.name), scene.events)?;
    let change = store::tasks::prepare(repo, value, with, "running")?;
    task.tip = change.new.expect("a record points somewhere");
    let resumed = moved(repo, session, before)?;
    refs::apply_with(repo, &lock, &[change], &resumed, "task running")?;
    moving.end()?;
    if task.value.agent.is_some() {
        // Where it can't be written, nothing is told of it.
        drop(elsewhere::remember(repo, &task.value));
    }
    Ok(Ready { task, session: session.clone(), place, start, found: None, brief })
}

/// Puts down how a run begins again, before it does, and writes the brief for
/// whoever knows nothing of the conversation before.
///
/// # Errors
/// Unusable where it can't be written.
pub fn begin_again(scene: Scene<'_>, ready: &mut Ready, new: &Begun<'_>) -> Result<()> {
    let (repo, task) = (scene.repo, &mut ready.task.value);
    if let Some(run) = task.runs.last_mut() {
        run.conversation = new.conversation.map(str::to_owned);
        run.command.clone_from(&new.command);
    }
    let text = brief::write(repo, &ready.session, task)?;
    std::fs::write(&ready.brief, &text).doing("could not write", &ready.brief)?;
    let lock = RepoLock::take(repo, &format!("task {}", task.name), scene.events)?;
    let with = With { old: Some(ready.task.tip), brief: Some(text.into_bytes()), ..With::default() };
    let change = store::tasks::prepare(repo, task, with, "again")?;
    let tip = change.new.expect("a record points somewhere");
    refs::apply(repo, &lock, &[change], "task, again")?;
    ready.task.tip = tip;
    Ok(())
}

/// A person's task holds its session until it is done, whatever runs, and one
/// that asks until it is answered.
fn refuse_taken(repo: &Repo, task: &Task) -> Result<()> {
    let works = |other: &Task| {
        other.session == task.session
            && other.name != task.name
            && matches!(other.state, TaskState::Running | TaskState::Input)
    };
    let Some(other) = store::tasks::load(repo)?.into_iter().map(|other| other.value).find(works) else {
        return Ok(());
    };
    let (name, session) = (&other.name, &task.session);
    let first = if other.state == TaskState::Input {
        format!("it waits for an answer: `git orch answer {name} TEXT`")
    } else {
        format!("say when it is done: `git orch done {name}`")
    };
    Err(Error::refused(format!("session `{session}` works on `{name}`"))
        .hint(format!("{first}, or call it off: `git orch cancel {name}`"))
        .hint("or give this to another session with `--session`"))
}

/// That a session's branch is elsewhere than it was, for the operation log.
fn moved(repo: &Repo, session: &Session, before: Oid) -> Result<Vec<Effect>> {
    let at = workplace::tip(repo, session)?;
    Ok(workplace::moved(session, before, at).into_iter().collect())
}

/// Brings an idle, clean session to where its work is by now: to its base where
/// all of it has landed, or to what somebody put in its result's place.
pub fn refresh(scene: Scene<'_>, session: &Session) -> Result<Session> {
    let repo = scene.repo;
    let tip = workplace::tip(repo, session)?;
    let base = base::require(repo, &session.base)?;
    let tasks: Vec<Task> = store::tasks::load(repo)?.into_iter().map(|task| task.value).collect();
    let own: Vec<&Task> = tasks.iter().filter(|task| task.session == session.name).collect();
    let (to, base_oid, why) = if let Some(successor) = successor(&own, tip) {
        (successor, session.base_oid, "follows its result")
    } else if tip != base.oid && has_landed(repo, &own, tip, base.oid)? {
        (base.oid, base.oid, "reset to base")
    } else {
        return Ok(session.clone());
    };
    let moving = moving::begin(repo, &session.name, tip)?;
    worktree::switch(repo, &workplace::place(repo, session), &session.branch, to)?;
    moving.end()?;
    let lock = RepoLock::take(repo, &format!("refresh {}", session.name), scene.events)?;
    let Some(found) = store::sessions::find(repo, &session.name)? else { return Ok(session.clone()) };
    let fresh = Session { base_oid, ..found.value };
    let change = store::sessions::prepare(repo, &fresh, Some(found.tip), why, scene.now)?;
    let reset = workplace::moved(session, tip, to);
    refs::apply_with(repo, &lock, &[change], reset.as_slice(), "refresh")?;
    Ok(fresh)
}

/// Where the work of a task lies that somebody goes on with: what its last run
/// left, else its result.
pub fn left_off(repo: &Repo, task: &Task) -> Result<Option<Oid>> {
    last_snapshot(task).map_or_else(|| result_tip(repo, task), |left| Ok(Some(left)))
}

/// Where a result ends that has to change; its branch wins over its record.
fn result_tip(repo: &Repo, task: &Task) -> Result<Option<Oid>> {
    let branch = task.review_branch.as_deref().map(refs::branch);
    let at = branch.map(|branch| repo.read().find_ref(&branch)).transpose()?.flatten();
    Ok(at.or(task.tip))
}

/// What took the place of the result that lies at the session's tip, or was
/// built on it.
fn successor(own: &[&Task], tip: Oid) -> Option<Oid> {
    let pending = || own.iter().filter(|task| task.state.is_pending());
    let mut at = tip;
    for _ in 0..own.len() {
        let replaced = pending().find(|task| task.superseded.contains(&at)).and_then(|task| task.tip);
        let built_on = || {
            pending().find(|task| task.on_top_of.is_some() && task.base_oid == at).and_then(|task| task.tip)
        };
        match replaced.or_else(built_on).filter(|next| *next != at) {
            Some(next) => at = next,
            None => break,
        }
    }
    (at != tip).then_some(at)
}

/// Whether nothing on the session's branch waits to land: all of it is in the
/// base, or belongs to tasks that landed in another form.
fn has_landed(repo: &Repo, own: &[&Task], tip: Oid, base: Oid) -> Result<bool> {
    let landed = || own.iter().filter(|task| task.state == TaskState::Merged);
    let hidden: Vec<Oid> = landed().flat_map(|task| task.superseded.iter().copied()).chain([base]).collect();
    let commits: Vec<Oid> = landed().flat_map(|task| task.all_commits()).collect();
    Ok(repo.read().commits_between(&hidden, tip)?.iter().all(|commit| commits.contains(commit)))
}

/// The unmerged task whose result lies at the session's tip.
fn pending_on(repo: &Repo, session: &Session, tip: Oid) -> Result<Option<crate::model::Name>> {
    let tasks = store::tasks::load(repo)?.into_iter().map(|task| task.value);
    let below =
        |task: &Task| task.session == session.name && task.state.is_pending() && task.tip == Some(tip);
    Ok(tasks.filter(below).map(|task| task.name).next())
}

/// What the last run left, where it ended badly; one that was killed before it
/// got anywhere left what the one before it had.
fn last_snapshot(task: &Task) -> Option<Oid> {
    let got_nowhere = |run: &&Run| run.outcome == Some(Outcome::Died) && run.snapshot.is_none();
    task.runs.iter().rev().find(|run| !got_nowhere(run)).and_then(|run| run.snapshot)
}

/// Brings back what an ended-badly run left: its commits on the branch, its
/// uncommitted edits as uncommitted edits.
fn resume(scene: Scene<'_>, session: &Session, task: &Task, left: Oid) -> Result<Oid> {
    let repo = scene.repo;
    let place = workplace::place(repo, session);
    worktree::switch(repo, &place, &session.branch, left)?;
    let committed = committed(repo, left)?;
    if committed != left {
        worktree::uncommit(repo, &place, committed)?;
    }
    Ok(task.base_oid)
}

/// The last commit of what a run left, without what it had not committed.
pub fn committed(repo: &Repo, left: Oid) -> Result<Oid> {
    let commit = repo.read().commit(left)?;
    let is_loose = commit.author == "git-orch" && commit.parents.len() == 1;
    Ok(if is_loose { commit.parents[0] } else { left })
}
