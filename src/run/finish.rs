//! A run that ended well: commit, notes, review branch, record, in this order.

use super::judge::{self, Left};
use super::prepare::Ready;
use super::{Scene, elsewhere, touches};
use crate::error::Result;
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock, commit, trailer, worktree};
use crate::model::wording::excerpt;
use crate::model::{Effect, Event, Oid, Outcome, RepoPath, Task, TaskState, Time};
use crate::session::workplace;
use crate::store::journal::{self, Intent};
use crate::store::tasks::With;
use crate::store::{self, Stored};

/// How a run ended, for the record.
#[derive(Clone, Copy, Debug)]
pub struct Ending {
    /// When.
    pub ended: Time,
    /// The command's exit code.
    pub exit_code: Option<i32>,
}

/// Commits what is left and puts the result up for review; `None` when the
/// run changed nothing.
pub fn finish(scene: Scene<'_>, ready: &Ready, left: &Left, ending: Ending) -> Result<Option<Stored<Task>>> {
    let session = ready.session.name.clone();
    let entry = journal::begin(scene.repo, &Intent::Commit { session })?;
    let done = put_up(scene, ready, left, ending);
    if done.is_err() {
        worktree::unlock(scene.repo, &ready.place, &ready.session.branch)?;
    }
    entry.end()?;
    done
}

fn put_up(scene: Scene<'_>, ready: &Ready, left: &Left, ending: Ending) -> Result<Option<Stored<Task>>> {
    let repo = scene.repo;
    let _fence = repo.fence(scene.events);
    let mut task = ready.task.value.clone();
    let mut tip = left.tip;
    if !left.dirty.is_empty() {
        tip = commit::everything(repo, &ready.place, left.tip, &message(&task), scene.habits)?;
    }
    let (before, after) = (repo.read().commit(task.base_oid)?.tree, repo.read().commit(tip)?.tree);
    if before == after {
        return Ok(None);
    }
    let passed_over = judge::passed_over(repo, &ready.place, &task.branch, tip)?;
    let keeps = [tip].into_iter().chain(passed_over).collect();
    // Also where it is there already: a merge that was left half-way ends with it.
    worktree::switch(repo, &ready.place, &task.branch, tip)?;
    if let Some(before) = task.tip.filter(|before| *before != tip) {
        task.superseded.push(before);
    }
    task.commits = own_commits(repo, &task, tip)?;
    keep_handed_over(repo, &mut task, tip)?;
    task.touched = repo.read().changes(Some(before), after)?;
    let touched: Vec<RepoPath> = task.touched.iter().map(|change| change.path.clone()).collect();
    task.elsewhere.extend(elsewhere::since(scene, ready, &touched));
    task.tip = Some(tip);
    task.state = TaskState::Review;
    task.requested = None;
    task.updated = ending.ended;
    if let Some(run) = task.runs.last_mut() {
        run.ended = Some(ending.ended);
        run.exit_code = ending.exit_code;
        run.outcome = Some(Outcome::Committed);
    }
    let branch = refs::review_branch(&task.name);
    let lock = RepoLock::take(repo, &format!("task {}, done", task.name), scene.events)?;
    touches::note(repo, &lock, &task, ending.ended)?;
    let old = repo.read().find_ref(&refs::branch(&branch))?;
    let mut keeps: Vec<Oid> = keeps;
    if let Some(other) = old.filter(|old| Some(*old) != ready.task.value.tip)
        && repo.read().merge_base(tip, other)? != Some(other)
    {
        // Somebody committed there meanwhile: it stays reachable, and is told.
        keeps.push(other);
        let text = format!("{branch} was at {other}, which this run does not have: git log {other}");
        (scene.events)(Event::Warning(text));
    }
    let review = RefChange::set(refs::branch(&branch), tip, old);
    task.review_branch = Some(branch);
    let with = With { old: Some(ready.task.tip), keeps, ..With::default() };
    let record = store::tasks::prepare(repo, &mut task, with, "review")?;
    let at = record.new.expect("a record points somewhere");
    let effects = effects(ready, left, tip);
    refs::apply_with(repo, &lock, &[review, record], &effects, "task done")?;
    Ok(Some(Stored { value: task, tip: at }))
}

/// What became of the session's branch and worktree, for the operation log.
fn effects(ready: &Ready, left: &Left, tip: Oid) -> Vec<Effect> {
    let session = ready.session.name.clone();
    let held = ready.found.filter(|_| !left.dirty.is_empty()).map(|_| Effect::Held { session, work: tip });
    let moved = workplace::moved(&ready.session, ready.found.unwrap_or(ready.start), tip);
    moved.into_iter().chain(held).collect()
}

/// The message of the commit that takes what an agent left.
fn message(task: &Task) -> String {
    let subject = excerpt(&task.text, 72);
    let text = if subject == task.text { subject } else { format!("{subject}\n\n{}", task.text) };
    trailer::sign(&text, Some(&task.session), &task.name)
}

/// The commits that a task's session itself made: neither those of its base that
/// it merged, nor what other sessions made: those that had it before, and those
/// that added to it from their viewpoints.
pub fn own_commits(repo: &Repo, task: &Task, tip: Oid) -> Result<Vec<Oid>> {
    let others: Vec<Oid> = task.made_by_others().map(|(oid, _)| oid).collect();
    let mut commits = result_commits(repo, task, tip)?;
    commits.retain(|commit| !others.contains(commit));
    Ok(commits)
}

/// What sessions before made of a task is theirs as long as the result has it.
fn keep_handed_over(repo: &Repo, task: &mut Task, tip: Oid) -> Result<()> {
    if task.handoffs.is_empty() {
        return Ok(());
    }
    let all = result_commits(repo, task, tip)?;
    task.handoffs.iter_mut().for_each(|handoff| handoff.commits.retain(|oid| all.contains(oid)));
    Ok(())
}

/// The commits of a task's result, whoever made them.
pub fn result_commits(repo: &Repo, task: &Task, tip: Oid) -> Result<Vec<Oid>> {
    let base = repo.read().find_ref(&refs::branch(&task.base))?;
    let resolved = task.resolves.as_ref().map(|name| store::tasks::find(repo, name)).transpose()?.flatten();
    let resolved = resolved.and_then(|task| task.value.tip);
    let hidden: Vec<Oid> = std::iter::once(task.base_oid).chain(base).chain(resolved).collect();
    repo.read().commits_between(&hidden, tip)
}
