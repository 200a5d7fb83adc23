//! A run that ended badly: its edits onto the record, the session free again.
//!
//! **Invariant:** the worktree is cleaned only after the record holds what
//! was in it, whole.

use super::finish::Ending;
use super::prepare::Ready;
use super::{Scene, altered, elsewhere, judge, leftovers};
use crate::error::{Error, Result};
use crate::git::{RepoLock, refs, snapshot, worktree};
use crate::model::{Effect, Event, Oid, Outcome, RepoPath, Task, TaskState};
use crate::session::{moving, workplace};
use crate::store::tasks::With;
use crate::store::{self, Stored};

/// How often a snapshot is taken again when git cleared parts of it away.
const ATTEMPTS: usize = 3;

/// Records how a run ended and gives the worktree back.
pub fn set_aside(
    scene: Scene<'_>,
    ready: &Ready,
    outcome: Outcome,
    state: TaskState,
    ending: Ending,
) -> Result<Stored<Task>> {
    let _fence = scene.repo.fence(scene.events);
    let mut task = ready.task.value.clone();
    task.state = state;
    task.updated = ending.ended;
    if let Some(run) = task.runs.last_mut() {
        run.ended = Some(ending.ended);
        run.exit_code = ending.exit_code;
        run.outcome = Some(outcome);
    }
    task.altered.extend(altered::since(scene, &task));
    let why = outcome.word();
    workplace::link(scene.repo, &ready.session, scene.events);
    if let Err(error) = workplace::require(scene.repo, &ready.session) {
        let tip = leave(scene, ready, &mut task, &error, why)?;
        return Ok(Stored { value: task, tip });
    }
    let moving = moving::begin_behind(scene.repo, &task, ready.start)?;
    let kept = keep(scene, ready, &mut task, why).or_else(|_| keep(scene, ready, &mut task, why));
    let (found, tip) = match kept {
        Ok(kept) => kept,
        Err(error) if worktree::dirty(scene.repo, &ready.place).is_ok() => {
            // For want of room, say: the next command tries again.
            return moving.end().and(Err(error));
        }
        Err(error) => {
            let tip = leave(scene, ready, &mut task, &error, why)?;
            return moving.end().map(|()| Stored { value: task, tip });
        }
    };
    worktree::adopt(scene.repo, &ready.place, found)?;
    worktree::switch(scene.repo, &ready.place, &task.branch, ready.start)?;
    leftovers::to_trash(scene, ready)?;
    moving.end()?;
    Ok(Stored { value: task, tip })
}

/// Ends a task whose files are out of reach: nobody touches them where they are.
fn leave(scene: Scene<'_>, ready: &Ready, task: &mut Task, error: &Error, why: &str) -> Result<Oid> {
    (scene.events)(Event::Warning(told(error)));
    record(scene, task, With { old: Some(ready.task.tip), ..With::default() }, &[], why)
}

fn told(error: &Error) -> String {
    [error.to_string()].iter().chain(&error.hints).map(String::as_str).collect::<Vec<_>>().join("; ")
}

/// Puts all that the worktree holds onto the record; what was found, and the
/// record's tip. A `git gc` beside us can take what no ref held yet.
fn keep(scene: Scene<'_>, ready: &Ready, task: &mut Task, why: &str) -> Result<(Oid, Oid)> {
    worktree::unlock(scene.repo, &ready.place, &task.branch)?;
    let mut old = ready.task.tip;
    for _ in 0..ATTEMPTS {
        let (found, keeps) = look(scene, ready)?;
        if old == ready.task.tip {
            let touched = changed(scene, ready, found).unwrap_or_default();
            task.elsewhere.extend(elsewhere::since(scene, ready, &touched));
        }
        if let Some(run) = task.runs.last_mut() {
            run.snapshot = keeps.first().copied();
        }
        let tip = record(
            scene,
            task,
            With { old: Some(old), keeps, ..With::default() },
            &effects(ready, found),
            why,
        )?;
        if refs::is_whole(scene.repo, found, &[ready.start])? {
            return Ok((found, tip));
        }
        old = tip;
    }
    Err(Error::unusable("git clears away what is being kept").hint("let `git gc` end, then run any command"))
}

/// What a run left, against where it started.
fn changed(scene: Scene<'_>, ready: &Ready, found: Oid) -> Result<Vec<RepoPath>> {
    let read = scene.repo.read();
    let (before, after) = (read.commit(ready.start)?.tree, read.commit(found)?.tree);
    Ok(read.changes(Some(before), after)?.into_iter().map(|change| change.path).collect())
}

/// What the worktree holds, and the commits that nothing else keeps: that, and
/// what was committed before HEAD went elsewhere.
fn look(scene: Scene<'_>, ready: &Ready) -> Result<(Oid, Vec<Oid>)> {
    let left = judge::look(scene.repo, &ready.place, ready.start)?;
    let message = format!("uncommitted work of task {}", ready.task.value.name);
    let found = snapshot::take(scene.repo, &ready.place, left.tip, &message)?.unwrap_or(left.tip);
    let passed_over = judge::passed_over(scene.repo, &ready.place, &ready.task.value.branch, found)?;
    let keeps = [found].into_iter().chain(passed_over).filter(|oid| *oid != ready.start).collect();
    Ok((found, keeps))
}

/// What becomes of the worktree of a task that was begun before, for the
/// operation log.
fn effects(ready: &Ready, work: Oid) -> Vec<Effect> {
    let Some(found) = ready.found else { return Vec::new() };
    let session = ready.session.name.clone();
    let held = (work != found).then_some(Effect::Held { session, work });
    workplace::moved(&ready.session, found, ready.start).into_iter().chain(held).collect()
}

fn record(scene: Scene<'_>, task: &mut Task, with: With, effects: &[Effect], why: &str) -> Result<Oid> {
    let lock = RepoLock::take(scene.repo, &format!("task {}, set aside", task.name), scene.events)?;
    let record = store::tasks::prepare(scene.repo, task, with, why)?;
    let tip = record.new.expect("a record points somewhere");
    refs::apply_with(scene.repo, &lock, &[record], effects, "task set aside")?;
    Ok(tip)
}
