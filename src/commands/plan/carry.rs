//! A plan carried out: each task as `git orch task` would, in its turn.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::super::{result, retry, task};
use super::{Desk, summary, table};
use crate::error::{Error, Result, exit};
use crate::git::identity;
use crate::model::wording::{count, few};
use crate::model::{Because, Event, Name, Planned, Session, Task, TaskState};
use crate::run::claim::{self, Order};
use crate::run::turns::{self, Ended, Turn};
use crate::run::worker::{self, Worker};
use crate::run::{Scene, flow, routing};

/// How a task of a plan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    /// It has a result.
    Done,
    /// It ran, and has none.
    Failed,
    /// It could not begin.
    Refused,
    /// One that it shares files with has no result.
    Skipped,
    /// Somebody asked to stop before it began.
    Waits,
    /// It was made before, and was let be.
    Open,
}

/// A task of a plan, and how it ended.
#[derive(Debug, Serialize)]
struct Carried<'a> {
    #[serde(flatten)]
    planned: &'a Planned,
    outcome: Outcome,
    /// Its record.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Task>,
    /// Why it did not begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Why a task has no result.
enum Failure {
    Ran(Box<Task>),
    Refused(Error),
}

/// A task that is to be made, and who does it.
struct Piece<'a> {
    planned: &'a Planned,
    session: Session,
    worker: Worker,
}

/// What all tasks share while they run.
#[derive(Default)]
struct Shared {
    /// The names that tasks got, by piece.
    names: Mutex<BTreeMap<usize, Name>>,
    /// Those that run: for how long, and what they changed.
    running: Mutex<BTreeMap<Name, (Duration, Option<usize>)>>,
}

/// Carries it out, and tells of each task as it ends.
pub(super) fn run(desk: &Desk<'_>) -> Result<u8> {
    let ui = &desk.app.ui;
    let pieces = pieces(desk)?;
    if !desk.plan.tasks.is_empty() {
        ui.note(table(desk.plan).trim_end());
    }
    ui.note(summary(desk.plan));
    let turns: Vec<Turn> = pieces.iter().map(|piece| turn(piece.planned, &pieces)).collect();
    let workers = desk.args.workers.map(usize::from).or(desk.opened.settings.jobs());
    let workers = workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let events = |event| ui.event(event);
    let interrupt = desk.opened.scene(desk.app, &events).interrupt;
    let shared = Shared::default();
    let mut carried: BTreeMap<Name, Carried<'_>> = BTreeMap::new();
    let mut told = Ok(());
    let carry = |index: usize| carry(desk, &pieces, index, &shared);
    turns::carry_out(&turns, workers, interrupt, &carry, |index, ended| {
        let one = ended_as(&pieces, index, ended);
        let line = line(desk, &one).and_then(|line| ui.answer(line));
        told = std::mem::replace(&mut told, Ok(())).and(line);
        carried.insert(one.planned.name.clone(), one);
    });
    told?;
    let all = desk.plan.tasks.iter().map(|planned| {
        let left = if planned.is_new() { Outcome::Waits } else { Outcome::Open };
        let rest = Carried { planned, outcome: left, result: None, error: None };
        carried.remove(&planned.name).unwrap_or(rest)
    });
    report(desk, &all.collect::<Vec<_>>(), interrupt.check().err())
}

/// The tasks that are to be made; nothing begins unless all can.
fn pieces<'a>(desk: &Desk<'a>) -> Result<Vec<Piece<'a>>> {
    let new = desk.plan.tasks.iter().filter(|task| task.is_new());
    let picked = OnceCell::new();
    let piece = |planned: &'a Planned| {
        let found = routing::find(desk.survey, &planned.session);
        let session = found.expect("the choice is among the surveyed").value.clone();
        let worker = worker(desk, &session, &picked)?;
        if matches!(worker, Worker::Person) {
            let why = format!("no agent is set for session `{}`", session.name);
            return Err(Error::usage(why).hint("give a command behind `--`, or name one with `--agent`"));
        }
        Ok(Piece { planned, session, worker })
    };
    let pieces: Vec<Piece<'_>> = new.map(piece).collect::<Result<_>>()?;
    if !pieces.is_empty() {
        identity::require(&desk.opened.repo)?;
    }
    Ok(pieces)
}

/// Who carries a session's tasks out; what is picked where nobody is named is told once.
fn worker(desk: &Desk<'_>, session: &Session, picked: &OnceCell<Option<&'static str>>) -> Result<Worker> {
    let (app, opened, args) = (desk.app, desk.opened, desk.args);
    if !args.command.is_empty() {
        return worker::typed(&args.command, &app.folder, &app.environment);
    }
    let picked =
        || session.agent.is_none().then(|| *picked.get_or_init(|| task::picked(app, opened))).flatten();
    let asked = args.agent.as_deref().or_else(picked);
    worker::configured(&opened.settings, &opened.trust, asked, session, &app.environment)
}

fn turn(planned: &Planned, pieces: &[Piece<'_>]) -> Turn {
    let mut turn = Turn::default();
    for behind in &planned.behind {
        let earlier = pieces.iter().position(|piece| piece.planned.name == behind.task);
        match behind.because {
            Because::Session => turn.behind.extend(earlier),
            Because::Files | Because::After => turn.needs.extend(earlier),
        }
    }
    turn
}

/// Makes a task and carries it out.
fn carry(
    desk: &Desk<'_>,
    pieces: &[Piece<'_>],
    index: usize,
    shared: &Shared,
) -> std::result::Result<Task, Failure> {
    let piece = &pieces[index];
    let name = &piece.planned.name;
    let events = |event| tell(desk, shared, name, event);
    let scene = desk.opened.scene(desk.app, &events);
    let done = make(desk, scene, (pieces, index), shared);
    held(&shared.running).remove(name);
    let done = done.map_err(Failure::Refused)?;
    if done.state == TaskState::Review { Ok(done) } else { Err(Failure::Ran(Box::new(done))) }
}

fn make(
    desk: &Desk<'_>,
    scene: Scene<'_>,
    (pieces, index): (&[Piece<'_>], usize),
    shared: &Shared,
) -> Result<Task> {
    let Piece { planned, session, worker } = &pieces[index];
    let order = Order {
        text: planned.text.clone(),
        targets: planned.targets.clone(),
        route: planned.route.clone(),
        session: session.clone(),
        agent: worker.name().map(str::to_owned),
        after: after(planned, pieces, &held(&shared.names)),
        needs: Vec::new(),
        again: false,
        resolves: None,
    };
    let claimed = claim::claim(scene.repo, order, scene.events, scene.now)?;
    let name = claimed.task.value.name.clone();
    desk.app.ui.note(format!("{} takes {name}", session.name));
    held(&shared.names).insert(index, name);
    let done = flow::carry_out(scene, claimed, worker)?.value;
    if !desk.args.command.is_empty() {
        let command = done.runs.last().map(|run| run.command.as_slice()).unwrap_or_default();
        retry::remember(scene.repo, &done, command)?;
    }
    Ok(done)
}

/// The task of another session that this one comes after or shares files with,
/// and whose result it should know of.
fn after(planned: &Planned, pieces: &[Piece<'_>], names: &BTreeMap<usize, Name>) -> Option<Name> {
    let last = planned.behind.iter().rfind(|behind| behind.because != Because::Session)?;
    match pieces.iter().position(|piece| piece.planned.name == last.task) {
        Some(piece) if pieces[piece].planned.session == planned.session => None,
        Some(piece) => names.get(&piece).cloned(),
        None => Some(last.task.clone()),
    }
}

/// Tells an event of one of several tasks.
fn tell(desk: &Desk<'_>, shared: &Shared, name: &Name, event: Event) {
    let ui = &desk.app.ui;
    match event {
        Event::Note(text) => ui.note(format!("{name}: {text}")),
        Event::Warning(text) => ui.warning(format!("{name}: {text}")),
        Event::Waiting(holder) => ui.note(format!("{name}: waiting for {holder}")),
        Event::Running { elapsed, changed, .. } => {
            let mut running = held(&shared.running);
            running.insert(name.clone(), (elapsed, changed));
            let all = running.iter().map(|(name, (elapsed, changed))| (name.clone(), *elapsed, *changed));
            ui.event(Event::RunningTasks(all.collect()));
        }
        event => ui.event(event),
    }
}

fn ended_as<'a>(pieces: &[Piece<'a>], index: usize, ended: Ended<Task, Failure>) -> Carried<'a> {
    let (outcome, result, error) = match ended {
        Ended::Carried(Ok(task)) => (Outcome::Done, Some(task), None),
        Ended::Carried(Err(Failure::Ran(task))) => (Outcome::Failed, Some(*task), None),
        Ended::Carried(Err(Failure::Refused(error))) => {
            let hints = error.hints.iter().map(|hint| format!("; {hint}"));
            let text = hints.fold(error.to_string(), |text, hint| text + &hint);
            (Outcome::Refused, None, Some(text))
        }
        Ended::Skipped(before) => {
            let name = &pieces[before].planned.name;
            (Outcome::Skipped, None, Some(format!("it shares files with {name}, which has no result")))
        }
    };
    Carried { planned: pieces[index].planned, outcome, result, error }
}

/// `  done     fix-login  backend   review/fix-login: 1 commit, 2 files in 12s`.
fn line(desk: &Desk<'_>, one: &Carried<'_>) -> Result<String> {
    let words = match (&one.result, &one.error) {
        (Some(task), _) => {
            let branch = task.review_branch.as_ref().filter(|_| one.outcome == Outcome::Done);
            let branch = branch.map(|branch| format!("{branch}: ")).unwrap_or_default();
            format!("{branch}{}", result::ended_words(desk.opened, task)?)
        }
        (None, error) => error.clone().unwrap_or_default(),
    };
    let width = |text: fn(&Planned) -> &Name| {
        desk.plan.tasks.iter().map(|task| text(task).as_str().len()).max().unwrap_or(0)
    };
    let (wide, room) = (width(|task| &task.name), width(|task| &task.session));
    let name = one.result.as_ref().map_or(&one.planned.name, |task| &task.name).as_str();
    let state = one.result.as_ref().map(|task| task.state).filter(|state| *state != TaskState::Review);
    let (outcome, session) =
        (state.map_or(one.outcome.word(), TaskState::word), one.planned.session.as_str());
    Ok(format!("  {outcome:<9} {name:<wide$}  {session:<room$}  {words}"))
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Skipped => "skipped",
            Self::Waits => "waits",
            Self::Open => "open",
        }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    tasks: &'a [Carried<'a>],
}

/// Says what it came to; the exit code.
fn report(desk: &Desk<'_>, all: &[Carried<'_>], stopped: Option<Error>) -> Result<u8> {
    let ui = &desk.app.ui;
    ui.settle();
    ui.data(&Answer { tasks: all })?;
    let of = |outcome| all.iter().filter(move |one| one.outcome == outcome);
    let (new, done) = (all.iter().filter(|one| one.planned.is_new()).count(), of(Outcome::Done).count());
    if new == 0 {
        return Ok(exit::DONE);
    }
    let waits: Vec<&Name> = of(Outcome::Waits).map(|one| &one.planned.name).collect();
    if !waits.is_empty() {
        ui.note(format!("not begun: {}", few(waits)));
    }
    let have = if done == 1 && new == 1 { "has" } else { "have" };
    ui.note(match done == new {
        true => format!("{} {have} a result", count(new, "task")),
        false => format!("{done} of {} {have} a result", count(new, "task")),
    });
    if let Some(failed) = of(Outcome::Failed).find_map(|one| one.result.as_ref()) {
        ui.note(format!("failed: git orch log {0}, then git orch retry {0}", failed.name));
    }
    if done > 0 {
        ui.note("next: git orch review, then git orch merge");
    }
    Ok(if done == new { exit::DONE } else { stopped.map_or(exit::FAILED, |why| why.kind.exit_code()) })
}

fn held<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
