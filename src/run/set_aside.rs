//! A run that ended badly: its edits onto the record, the session free again.
//!
//! **Invariant:** the worktree is cleaned only after the record holds what
//! was in it.

use super::finish::Ending;
use super::prepare::Ready;
use super::{Scene, judge};
use crate::error::Result;
use crate::git::refs;
use crate::git::{RepoLock, snapshot, worktree};
use crate::model::{Outcome, Task, TaskState};
use crate::store::tasks::With;
use crate::store::{self, Stored};

/// Records how a run ended and gives the worktree back.
pub fn set_aside(
    scene: Scene<'_>,
    ready: &Ready,
    outcome: Outcome,
    state: TaskState,
    ending: Ending,
) -> Result<Stored<Task>> {
    let repo = scene.repo;
    let mut task = ready.task.value.clone();
    let left = judge::look(repo, &ready.place, ready.start)?;
    let message = format!("uncommitted work of task {}", task.name);
    let work = snapshot::take(repo, &ready.place, left.tip, &message)?;
    let kept = work.or(Some(left.tip).filter(|tip| *tip != ready.start));
    task.state = state;
    task.updated = ending.ended;
    if let Some(run) = task.runs.last_mut() {
        run.ended = Some(ending.ended);
        run.exit_code = ending.exit_code;
        run.outcome = Some(outcome);
        run.snapshot = kept;
    }
    let with = With { old: Some(ready.task.tip), keeps: kept, brief: None };
    let tip = {
        let lock = RepoLock::take(repo, &format!("task {}, set aside", task.name), scene.events)?;
        let record = store::tasks::prepare(repo, &task, with, outcome.word())?;
        let tip = record.new.expect("a record points somewhere");
        refs::apply(repo, &lock, &[record], "task set aside")?;
        tip
    };
    worktree::discard(repo, &ready.place)?;
    worktree::switch(repo, &ready.place, &task.branch, ready.start)?;
    Ok(Stored { value: task, tip })
}
