//! One look: the program, in a throwaway at the result's tip, to its end.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::choose::Choice;
use super::{brief, left, record, said};
use crate::agent::process::{self, End, Ended};
use crate::agent::{Input, Invocation, command};
use crate::config::{Prompt, Says};
use crate::error::{Error, IoContext, Kind, Result};
use crate::git::commit::Habits;
use crate::git::{Repo, programs, room};
use crate::model::time::elapsed;
use crate::model::wording::{count, hanging};
use crate::model::{Decision, Event, Look, Name, TaskState, Time, Viewpoint};
use crate::review::{Item, verdict};
use crate::run::throwaway::Throwaway;
use crate::run::worker::Program;
use crate::run::{Scene, altered};
use crate::session::seat::{self, Seat, SeatLock};

/// Who looks at what, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The result.
    pub item: &'a Item,
    /// From which viewpoint.
    pub viewpoint: Viewpoint,
    /// Who.
    pub choice: &'a Choice,
    /// The program.
    pub program: &'a Program,
    /// How its verdict comes.
    pub says: Says,
}

impl Order<'_> {
    /// The session that looks.
    pub fn session(&self) -> &Name {
        &self.choice.session.name
    }

    /// Whether it may add to the result: what judges by its exit code tests
    /// without a thought of what it leaves.
    pub fn may_add(&self) -> bool {
        self.viewpoint.may_add() && self.item.session.is_some() && self.says == Says::Words
    }

    /// How its program is called, for people: a path by its last part.
    pub fn agent(&self) -> String {
        let name = Path::new(&self.program.name).file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// What a look came to.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// The result.
    pub name: Name,
    /// What was said, as it is on the record.
    #[serde(flatten)]
    pub look: Look,
    /// Where the result is in its life now.
    pub state: TaskState,
    /// Files that it changed although it may not.
    #[serde(skip_serializing_if = "is_none")]
    pub dropped: usize,
    /// The file with what it printed.
    pub log: PathBuf,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_none(number: &usize) -> bool {
    *number == 0
}

impl Told {
    /// It in a line: `docs approves fix-login as reviewer: reads well`.
    pub fn words(&self) -> String {
        let Look { session, viewpoint, verdict, text, commits, .. } = &self.look;
        let verdict = match verdict {
            Decision::Approve => format!("approves {}", self.name),
            Decision::Change => format!("asks for changes in {}", self.name),
            Decision::Abstain => format!("says nothing of {}", self.name),
        };
        let took = match self.look.time.since(self.look.started) {
            0 => "less than 1s".to_owned(),
            seconds => elapsed(Duration::from_secs(seconds.unsigned_abs())),
        };
        let added = match (commits.len(), self.look.aside) {
            (_, Some(_)) => ", and made something that is put aside".to_owned(),
            (0, None) => String::new(),
            (added, None) => format!(", and adds {}", count(added, "commit")),
        };
        let text = if text.is_empty() { String::new() } else { format!(": {}", hanging(text, 2)) };
        format!("{session} {verdict} as {} in {took}{added}{text}", viewpoint.word())
    }
}

/// Looks at a result and records what came of it.
///
/// # Errors
/// Refused where the result does not wait, or the same session looks at it
/// already; interrupted. Nothing is recorded then.
pub fn look(scene: Scene<'_>, order: Order<'_>) -> Result<Told> {
    let Order { item, viewpoint, .. } = order;
    verdict::require_waiting(item)?;
    let session = order.session();
    let mut lock = SeatLock::try_take(scene.repo, &item.name, viewpoint, session)?.map_err(|holder| {
        let (name, word) = (&item.name, viewpoint.word());
        Error::refused(format!("session `{session}` looks at `{name}` as {word} already: {holder}"))
    })?;
    let request = seat::request_file(scene.repo, &item.name, viewpoint, session)?;
    let interrupt = scene.interrupt.part_on_request(request.clone());
    let desk = Desk::lay(scene, &order)?;
    lock.tell(&desk.seat)?;
    let ended = desk.run(Scene { interrupt: &interrupt, ..scene }, &order);
    drop(std::fs::remove_file(request));
    let altered = altered::told(scene, &desk.seat.programs);
    // What a program put in place of hooks and signing does not run.
    let habits = if altered.is_empty() { scene.habits } else { Habits::default() };
    if !altered.is_empty() {
        record::altered(scene, &item.name, altered)?;
    }
    let ended = ended?;
    if ended.end == End::Interrupted {
        scene.interrupt.check()?;
        let name = &item.name;
        return Err(Error::new(Kind::Failed, format!("the look of `{session}` at `{name}` was called off")));
    }
    desk.end(Scene { habits, ..scene }, &order, ended)
}

/// Where a session looks at a result.
struct Desk<'a> {
    throwaway: Throwaway<'a>,
    seat: Seat,
    brief: PathBuf,
}

impl<'a> Desk<'a> {
    fn lay(scene: Scene<'a>, order: &Order<'_>) -> Result<Self> {
        let (repo, item) = (scene.repo, order.item);
        let tree = repo.read().commit(item.tip)?.tree;
        room::require(scene.throwaways, room::of_tree(repo, tree)?, "the worktree to look at it in")?;
        let throwaway = Throwaway::make(repo, scene.throwaways, item.tip, scene.events)?;
        throwaway.set(tree)?;
        let beside = throwaway.beside();
        std::fs::create_dir_all(&beside).doing("could not make", &beside)?;
        let log = free_log(&logs(repo, item)?, order.viewpoint, order.session());
        let brief = log.with_extension("md");
        let has = |file: &str| throwaway.path().join(file).is_file();
        std::fs::write(&brief, brief::write(scene, order, &has)?).doing("could not write", &brief)?;
        let seat = Seat {
            version: crate::store::record::VERSION,
            result: item.name.clone(),
            viewpoint: order.viewpoint,
            session: order.session().clone(),
            tip: item.tip,
            verdict: beside.join("verdict"),
            log,
            programs: programs::load(repo),
        };
        Ok(Self { throwaway, seat, brief })
    }

    fn run(&self, scene: Scene<'_>, order: &Order<'_>) -> Result<Ended> {
        scene.repo.reach("result to be looked at")?;
        let program = order.program;
        let mut argv = program.argv.clone();
        if program.prompt == Prompt::Argument {
            let brief = std::fs::read_to_string(&self.brief).doing("could not read", &self.brief)?;
            argv.push(brief.into());
        }
        let base = order.item.base_oid.to_string();
        let ours: [(&str, &OsStr); 7] = [
            ("GIT_ORCH_SESSION", OsStr::new(order.session().as_str())),
            ("GIT_ORCH_TASK", OsStr::new(order.item.name.as_str())),
            ("GIT_ORCH_ROOT", self.throwaway.path().as_os_str()),
            ("GIT_ORCH_BASE", OsStr::new(&base)),
            ("GIT_ORCH_BRIEF", self.brief.as_os_str()),
            ("GIT_ORCH_VIEWPOINT", OsStr::new(order.viewpoint.word())),
            ("GIT_ORCH_VERDICT", self.seat.verdict.as_os_str()),
        ];
        let is_stdin = program.prompt == Prompt::Stdin;
        let invocation = Invocation {
            argv,
            folder: self.throwaway.path().to_owned(),
            environment: command::environment(scene.environment, &ours),
            input: if is_stdin { Input::File(self.brief.clone()) } else { Input::Nothing },
            log: self.seat.log.clone(),
            is_log_continued: false,
            timeout: program.timeout,
        };
        process::run(&invocation, scene.interrupt, |elapsed| {
            (scene.events)(Event::Running {
                command: order.agent(),
                worktree: self.throwaway.path().to_owned(),
                elapsed,
                changed: None,
                doing: None,
            });
        })
    }

    /// Takes what an ended run said and left.
    fn end(self, scene: Scene<'_>, order: &Order<'_>, ended: Ended) -> Result<Told> {
        let _fence = scene.repo.fence(scene.events);
        let (name, word) = (&order.item.name, order.viewpoint.word());
        let log = format!("git orch log {name} --viewpoint {word}");
        let mut said = said::read(order.says, ended, &self.seat.verdict, (&log, &self.seat.log));
        let (mut left, mut dropped) = (None, 0);
        if order.may_add() && ended.is_success() {
            left = left::take(scene, &self.throwaway, order).unwrap_or_else(|error| {
                // An objection stands, whatever became of the worktree; an approval does not.
                (scene.events)(Event::Warning(format!(
                    "what {} added can't be taken: {error}",
                    order.session()
                )));
                said = said.clone().unless_approved(&error.to_string());
                None
            });
        } else if order.says == Says::Words {
            dropped = left::changed(scene.repo, &self.throwaway, order.item);
        }
        if dropped > 0 {
            let files = count(dropped, "file");
            let text =
                format!("what {} changed there, {files}, is dropped: a {word} says it", order.session());
            (scene.events)(Event::Note(text));
        }
        let seconds = i64::try_from(ended.elapsed.as_secs()).unwrap_or(i64::MAX);
        let look = Look {
            viewpoint: order.viewpoint,
            session: order.session().clone(),
            agent: order.agent(),
            verdict: said.decision,
            text: said.text,
            started: scene.now,
            time: Time(scene.now.0.saturating_add(seconds)),
            exit_code: ended.exit_code(),
            tip: self.seat.tip,
            commits: Vec::new(),
            aside: None,
        };
        scene.repo.reach("verdict to be recorded")?;
        let (look, state) = record::record(scene, order.item, look, left)?;
        scene.repo.reach("verdict recorded")?;
        Ok(Told { name: name.clone(), look, state, dropped, log: self.seat.log.clone() })
    }
}

/// Where what is printed by who looks at a result lies.
pub fn logs(repo: &Repo, item: &Item) -> Result<PathBuf> {
    let kind = if item.session.is_some() { "task" } else { "fanout" };
    let folder = repo.orch_dir()?.join(kind).join(item.name.as_str());
    std::fs::create_dir_all(&folder).doing("could not make", &folder)?;
    Ok(folder)
}

/// `reviewer-docs-1.log`, the first that is not there.
fn free_log(folder: &Path, viewpoint: Viewpoint, session: &Name) -> PathBuf {
    let path = |number: u32| folder.join(format!("{}-{session}-{number}.log", viewpoint.word()));
    (1..).map(path).find(|path| !path.exists()).expect("numbers do not run out")
}
