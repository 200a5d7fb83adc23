//! A claimed task, from its session's queue to its end.

use super::claim::{self, Claimed};
use super::finish::{Ending, finish};
use super::prepare::{Ready, prepare};
use super::set_aside::set_aside;
use super::worker::{Program, Worker};
use super::{Scene, after, altered, end, execute, judge};
use crate::agent::End;
use crate::agent::process::Ended;
use crate::error::Result;
use crate::git::commit::Habits;
use crate::git::worktree;
use crate::model::{Outcome, Task, TaskState, Time};
use crate::session::{SessionLock, workplace};
use crate::store::{self, Stored};

/// Carries a claimed task out; for a person only prepares it.
///
/// # Errors
/// What keeps the task from starting; a new claim is taken back then. How a
/// started run ended is no error but in the record.
pub fn carry_out(scene: Scene<'_>, claimed: Claimed, worker: &Worker) -> Result<Stored<Task>> {
    let fresh = claimed.task.value.runs.is_empty();
    let name = claimed.task.value.name.clone();
    let interrupt = scene.interrupt.part_on_request(end::request_file(scene.repo, &name)?);
    let scene = Scene { interrupt: &interrupt, ..scene };
    match start(scene, claimed.task, worker) {
        Ok((ready, held)) => {
            let done = match worker {
                Worker::Person => ready.task,
                Worker::Program(program) => run(scene, ready, program)?,
            };
            drop((held, claimed.lock));
            Ok(done)
        }
        Err(error) => {
            if fresh {
                claim::withdraw(scene.repo, &name, scene.events)?;
            }
            Err(error)
        }
    }
}

fn start(scene: Scene<'_>, task: Stored<Task>, worker: &Worker) -> Result<(Ready, SessionLock)> {
    after::wait(scene, &task.value)?;
    let name = task.value.session.clone();
    let what = format!("task {}", task.value.name);
    let held = SessionLock::wait(scene.repo, &name, &what, scene.interrupt, scene.events)?;
    let session = store::sessions::require(scene.repo, name.as_str())?.value;
    let command = match worker {
        Worker::Person => Vec::new(),
        Worker::Program(program) => {
            program.argv.iter().map(|arg| arg.to_string_lossy().into_owned()).collect()
        }
    };
    Ok((prepare(scene, &session, task, &command)?, held))
}

fn run(scene: Scene<'_>, mut ready: Ready, program: &Program) -> Result<Stored<Task>> {
    altered::remember(scene, &ready.task.value)?;
    let ended = execute::execute(scene, &ready, program);
    workplace::link(scene.repo, &ready.session, scene.events);
    let altered = altered::since(scene, &ready.task.value);
    // What a run put in place of hooks and signing does not run.
    let habits = if altered.is_empty() { scene.habits } else { Habits::default() };
    ready.task.value.altered.extend(altered);
    let (scene, ready) = (Scene { habits, ..scene }, &ready);
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) => {
            let ending = Ending { ended: scene.now, exit_code: None };
            set_aside(scene, ready, Outcome::Failed, TaskState::Failed, ending)?;
            return Err(error);
        }
    };
    let seconds = i64::try_from(ended.elapsed.as_secs()).unwrap_or(i64::MAX);
    let ending = Ending { ended: Time(scene.now.0.saturating_add(seconds)), exit_code: ended.exit_code() };
    if ended.is_success() && workplace::require(scene.repo, &ready.session).is_ok() {
        return match judged(scene, ready, ending) {
            Ok((_, Some(done))) => Ok(done),
            Ok((outcome, None)) => set_aside(scene, ready, outcome, TaskState::Failed, ending),
            Err(error) => {
                set_aside(scene, ready, Outcome::Failed, TaskState::Failed, ending)?;
                Err(error)
            }
        };
    }
    let (outcome, state) = how(scene, &ready.task.value, ended);
    set_aside(scene, ready, outcome, state, ending)
}

/// What git says of a run that ended well, and the result where it is one.
fn judged(scene: Scene<'_>, ready: &Ready, ending: Ending) -> Result<(Outcome, Option<Stored<Task>>)> {
    worktree::unlock_own(scene.repo, &ready.place)?;
    let left = judge::look(scene.repo, &ready.place, ready.start)?;
    if !left.descends {
        return Ok((Outcome::Failed, None));
    }
    Ok((Outcome::Empty, finish(scene, ready, &left, ending)?))
}

fn how(scene: Scene<'_>, task: &Task, ended: Ended) -> (Outcome, TaskState) {
    match ended.end {
        End::TimedOut => (Outcome::TimedOut, TaskState::Failed),
        End::Interrupted if is_called_off(scene, task) => (Outcome::Interrupted, TaskState::Cancelled),
        End::Interrupted => (Outcome::Interrupted, TaskState::Failed),
        End::Exit(_) | End::Signal(_) => (Outcome::Failed, TaskState::Failed),
    }
}

/// Whether `cancel` asked for the end; the request is taken down.
fn is_called_off(scene: Scene<'_>, task: &Task) -> bool {
    end::request_file(scene.repo, &task.name).is_ok_and(|file| std::fs::remove_file(file).is_ok())
}
