//! A claimed task, from its session's queue to its end.

use super::claim::{self, Claimed, Unbegun};
use super::conversation::Conversation;
use super::execute::Done;
use super::finish::{Ending, finish};
use super::prepare::{Begun, Ready, prepare};
use super::redact::redact;
use super::set_aside::set_aside;
use super::transcript::Source;
use super::worker::{Program, Worker};
use super::{Scene, after, altered, conversation, end, execute, judge, report, transcript};
use crate::agent::End;
use crate::error::{Error, Result};
use crate::git::commit::Habits;
use crate::git::{RepoLock, refs, worktree};
use crate::model::{Event, Name, Outcome, Reported, Run, Task, TaskState, Time};
use crate::session::{SessionLock, pause, workplace};
use crate::store::tasks::With;
use crate::store::{self, Stored};

/// Carries a claimed task out; for a person only prepares it.
///
/// # Errors
/// What keeps the task from starting; a new claim is taken back then, and a task
/// that was there before stays. How a started run ended is no error but in the
/// record.
pub fn carry_out(scene: Scene<'_>, claimed: Claimed, worker: &Worker) -> Result<Stored<Task>> {
    let name = claimed.task.value.name.clone();
    let interrupt = scene.interrupt.part_on_request(end::request_file(scene.repo, &name)?);
    let scene = Scene { interrupt: &interrupt, ..scene };
    match start(scene, claimed.task, worker) {
        Ok((ready, first, held)) => {
            let done = match (worker, first) {
                (Worker::Program(program), Some(first)) => run(scene, ready, program, first)?,
                _ => ready.task,
            };
            drop((held, claimed.lock));
            Ok(done)
        }
        Err(error) => {
            match claimed.unbegun {
                Unbegun::PutDown => fail(scene, &name, &error)?,
                Unbegun::TakenBack => claim::withdraw(scene.repo, &name, scene.events)?,
                Unbegun::Stays => {}
            }
            Err(error)
        }
    }
}

/// Puts down why a task could not begin that somebody counts on, or that it was called off.
fn fail(scene: Scene<'_>, name: &Name, error: &Error) -> Result<()> {
    let lock = RepoLock::take(scene.repo, "task, failed", scene.events)?;
    let Some(Stored { mut value, tip }) = store::tasks::find(scene.repo, name)? else { return Ok(()) };
    let is_called_off = is_called_off(scene, &value);
    value.state = if is_called_off { TaskState::Cancelled } else { TaskState::Failed };
    value.updated = scene.now;
    if !is_called_off {
        let begun = Run::begun(scene.now, value.base_oid, Vec::new());
        let (ended, outcome, error) = (Some(scene.now), Some(Outcome::Failed), Some(error.to_string()));
        value.runs.push(Run { ended, outcome, error, session: Some(value.session.clone()), ..begun });
    }
    let with = With { old: Some(tip), ..With::default() };
    let why = if is_called_off { "called off" } else { "could not begin" };
    let change = store::tasks::prepare(scene.repo, &mut value, with, why)?;
    refs::apply(scene.repo, &lock, &[change], "task, failed")
}

fn start(
    scene: Scene<'_>,
    task: Stored<Task>,
    worker: &Worker,
) -> Result<(Ready, Option<Conversation>, SessionLock)> {
    after::wait(scene, &task.value)?;
    let name = task.value.session.clone();
    let what = format!("task {}", task.value.name);
    let (held, session) = pause::turn(scene.repo, &name, &what, scene.interrupt, scene.events)?;
    let Worker::Program(program) = worker else {
        return Ok((prepare(scene, &session, task, &Begun::default())?, None, held));
    };
    let first = conversation::choose(scene, &session, &task.value, program)?;
    Ok((prepare(scene, &session, task, &first.begun(program))?, Some(first), held))
}

/// Runs a program for a task. A conversation that has to be printed is kept once the
/// result is put down: that takes its time.
fn run(scene: Scene<'_>, ready: Ready, program: &Program, first: Conversation) -> Result<Stored<Task>> {
    let done = run_to_end(scene, ready, program, first)?;
    if program.export.is_some() {
        keep(scene, &done.value, &Source { patterns: &[], export: program.export.as_deref() });
    }
    Ok(done)
}

fn run_to_end(
    scene: Scene<'_>,
    mut ready: Ready,
    program: &Program,
    first: Conversation,
) -> Result<Stored<Task>> {
    altered::remember(scene, &ready.task.value)?;
    let done = execute::execute(scene, &mut ready, program, first);
    workplace::link(scene.repo, &ready.session, scene.events);
    let altered = altered::since(scene, &ready.task.value);
    // What a run put in place of hooks and signing does not run.
    let habits = if altered.is_empty() { scene.habits } else { Habits::default() };
    ready.task.value.altered.extend(altered);
    let scene = Scene { habits, ..scene };
    let done = match done {
        Ok(done) => done,
        Err(error) => {
            let ending = Ending { ended: scene.now, exit_code: None };
            set_aside(scene, &ready, Outcome::Failed, TaskState::Failed, ending)?;
            return Err(error);
        }
    };
    let seconds = i64::try_from(done.ended.elapsed.as_secs()).unwrap_or(i64::MAX);
    let ending =
        Ending { ended: Time(scene.now.0.saturating_add(seconds)), exit_code: done.ended.exit_code() };
    put_down(&mut ready.task.value, &done);
    keep(scene, &ready.task.value, &files(program));
    warn_of_context(scene, &ready.task.value, program);
    let reported = report::read(scene.repo, &ready.task.value).filter(|one| one.state == Reported::Input);
    report::clear(scene.repo, &ready.task.value);
    if let Some(asked) = reported {
        let run = ready.task.value.runs.last_mut();
        run.into_iter().for_each(|run| run.asked = asked.text.as_deref().map(redact).or(run.asked.take()));
        if matches!(done.ended.end, End::Exit(_)) && !done.told.has_failed && !done.told.is_limited {
            return set_aside(scene, &ready, Outcome::Asked, TaskState::Input, ending);
        }
    }
    let ready = &ready;
    if done.is_success() && workplace::require(scene.repo, &ready.session).is_ok() {
        return match judged(scene, ready, ending) {
            Ok((_, Some(done))) => Ok(done),
            Ok((_, None)) if done.asks() => set_aside(scene, ready, Outcome::Asked, TaskState::Input, ending),
            Ok((outcome, None)) => set_aside(scene, ready, outcome, TaskState::Failed, ending),
            Err(error) => {
                set_aside(scene, ready, Outcome::Failed, TaskState::Failed, ending)?;
                Err(error)
            }
        };
    }
    let (outcome, state) = how(scene, &ready.task.value, &done);
    set_aside(scene, ready, outcome, state, ending)
}

/// Puts what the agent told onto the task's last run.
fn put_down(task: &mut Task, done: &Done) {
    let Some(run) = task.runs.last_mut() else { return };
    let told = &done.told;
    run.conversation.clone_from(&done.conversation);
    // The record travels: what looks like a secret stays here.
    run.said = told.said.as_deref().map(redact);
    run.asked = told.asked.as_deref().map(redact);
    run.usage = told.usage;
    let error = told.error.as_deref().filter(|_| !done.is_success());
    run.error = done.capped.clone().or_else(|| error.map(redact));
}

/// Keeps what an agent wrote down of a task's last conversation, wherever it has it.
pub fn keep_transcript(scene: Scene<'_>, task: &Task, program: &Program) {
    keep(scene, task, &Source { export: program.export.as_deref(), ..files(program) });
}

/// The files in which a program may have a conversation.
fn files(program: &Program) -> Source<'_> {
    let patterns = program.profile.as_deref().map_or(&[][..], |profile| &profile.transcript);
    Source { patterns, export: None }
}

/// Keeps a conversation from its source; the task stands without it.
fn keep(scene: Scene<'_>, task: &Task, source: &Source<'_>) {
    let Some((_, id)) = task.last_talk() else { return };
    if let Err(error) = transcript::keep(scene, &task.session, id, source) {
        (scene.events)(Event::Warning(format!("the conversation could not be kept: {error}")));
    }
}

/// Says so where a conversation's context window is nearly full.
fn warn_of_context(scene: Scene<'_>, task: &Task, program: &Program) {
    let limits = program.profile.as_deref().and_then(|profile| profile.context).unwrap_or_default();
    let used = task.runs.last().and_then(|run| run.usage?.context);
    if let Some(used) = used.filter(|used| *used >= limits.warn) {
        let (used, fresh) = (used * 100.0, limits.fresh * 100.0);
        let text = format!(
            "the conversation of {} fills {used:.0}% of its context window; from {fresh:.0}% on the next task begins a new one",
            task.session
        );
        (scene.events)(Event::Warning(text));
    }
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

fn how(scene: Scene<'_>, task: &Task, done: &Done) -> (Outcome, TaskState) {
    match done.ended.end {
        _ if done.capped.is_some() => (Outcome::Capped, TaskState::Failed),
        End::TimedOut => (Outcome::TimedOut, TaskState::Failed),
        End::Interrupted if is_called_off(scene, task) => (Outcome::Interrupted, TaskState::Cancelled),
        End::Interrupted => (Outcome::Interrupted, TaskState::Failed),
        End::Exit(_) | End::Signal(_) if done.told.is_limited => (Outcome::Limited, TaskState::Failed),
        End::Exit(_) | End::Signal(_) => (Outcome::Failed, TaskState::Failed),
    }
}

/// Whether `cancel` asked for the end; the request is taken down.
fn is_called_off(scene: Scene<'_>, task: &Task) -> bool {
    end::request_file(scene.repo, &task.name).is_ok_and(|file| std::fs::remove_file(file).is_ok())
}
