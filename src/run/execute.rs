//! The command of a run, to its end: once, or again where the agent's service
//! or its conversation is not there.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::conversation::{self, Conversation};
use super::prepare::{self, Ready, folder};
use super::told::{Reader, Told};
use super::worker::Program;
use super::{Scene, narrative};
use crate::agent::process::{self, Ended};
use crate::agent::{End, Input, Invocation, command};
use crate::config::Prompt;
use crate::error::{IoContext, Result};
use crate::git::worktree;
use crate::model::time::{self, Stopwatch};
use crate::model::wording::thousands;
use crate::model::{Event, Oid, Session, Task, Usage};

/// How often changed files are counted for the live line.
const COUNT_EVERY: Duration = Duration::from_secs(2);
/// How often a run is tried again whose agent's service took no more.
const RETRIES: u32 = 3;
/// How long is waited before the first time.
const WAIT: Duration = Duration::from_secs(30);
/// A program that finds no conversation ends within this time.
const AT_ONCE: Duration = Duration::from_secs(20);

/// The log of a task's run, counted from 1.
pub fn log(repo: &crate::git::Repo, task: &Task, run: usize) -> Result<PathBuf> {
    Ok(folder(repo, task)?.join(log_name(run)))
}

/// The name of a run's log in its task's folder.
pub fn log_name(run: usize) -> String {
    format!("run-{run}.log")
}

/// Waits until nothing of a task's last command lives on, whose process died.
pub fn wait_for_end(scene: Scene<'_>, task: &Task) -> Result<()> {
    process::wait_for_end(&log(scene.repo, task, task.runs.len())?, scene.interrupt)
}

/// What became of a run.
#[derive(Debug)]
pub struct Done {
    /// How its last command ended.
    pub ended: Ended,
    /// What the agent told.
    pub told: Told,
    /// The conversation it was, where there is one.
    pub conversation: Option<String>,
    /// Why it was ended, where it took more than it may.
    pub capped: Option<String>,
}

impl Done {
    /// Whether an agent that did nothing asks for something: what it was not let
    /// do, or in its last words. Those that run without a person can't ask otherwise.
    pub fn asks(&self) -> bool {
        let is_question = |words: &String| words.trim_end_matches(['*', '_', '`', ' ', '\n']).ends_with('?');
        self.told.asked.is_some() || self.told.said.as_ref().is_some_and(is_question)
    }

    /// The same for a run as a whole, however many attempts it took.
    fn in_all(mut self, elapsed: Duration, spent: Spent) -> Self {
        self.ended.elapsed = elapsed;
        let earlier = Some(spent.usage).filter(|usage| *usage != Usage::default());
        self.told.usage = earlier.into_iter().chain(self.told.usage).reduce(Usage::and);
        self
    }

    /// Whether it ended by itself and well, as far as the agent tells.
    pub fn is_success(&self) -> bool {
        self.ended.is_success() && !self.told.has_failed
    }
}

/// Runs a program in a session's worktree: in its conversation, in a new one
/// where that is gone, and again where the agent's service took no more.
pub fn execute(scene: Scene<'_>, ready: &mut Ready, program: &Program, first: Conversation) -> Result<Done> {
    scene.repo.reach("command to be run")?;
    let profile = program.profile.as_deref();
    let retries = profile.and_then(|profile| profile.retries).unwrap_or(RETRIES);
    let wait = profile.and_then(|profile| profile.wait.as_deref()).and_then(time::parse_span);
    let (mut wait, mut retried, mut at) = (wait.unwrap_or(WAIT), 0, first);
    // What an earlier task of this name printed is not this one's.
    drop(std::fs::remove_file(log(scene.repo, &ready.task.value, ready.task.value.runs.len())?));
    let (watch, mut spent) = (Stopwatch::start(), Spent::default());
    loop {
        let mut done = attempt(scene, ready, (program, &at), spent)?;
        if at.is_resumed && !done.is_success() && is_gone(program, &done) {
            let text = format!("{} does not have its conversation any more: a new one begins", program.name);
            (scene.events)(Event::Warning(text));
            at = conversation::begin(program)?;
        } else if done.told.is_limited && !done.is_success() && retried < retries {
            done.capped = done.capped.or_else(|| over(program, &done.told, spent.usage));
            if done.capped.is_some() {
                return Ok(done.in_all(watch.elapsed(), spent));
            }
            retried += 1;
            pause(scene, program, wait)?;
            wait = wait.saturating_mul(2);
            at = conversation::again(program, &done, &at)?;
        } else {
            return Ok(done.in_all(watch.elapsed(), spent));
        }
        if scene.interrupt.is_raised() {
            done.ended.end = End::Interrupted;
            return Ok(done.in_all(watch.elapsed(), spent));
        }
        prepare::begin_again(scene, ready, &at.begun(program))?;
        spent.time = spent.time.saturating_add(done.ended.elapsed);
        spent.usage = spent.usage.and(done.told.usage.unwrap_or_default());
        tell_in_log(scene, ready);
    }
}

/// What earlier attempts of a run took.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    time: Duration,
    usage: Usage,
}

/// Says in the log that what comes next is another attempt.
fn tell_in_log(scene: Scene<'_>, ready: &Ready) {
    let task = &ready.task.value;
    let log = log(scene.repo, task, task.runs.len())
        .and_then(|log| std::fs::File::options().append(true).open(&log).doing("could not write", &log));
    // It is for people alone.
    drop(log.map(|mut log| writeln!(log, "\n[tried again]")));
}

/// Whether the conversation was not there: said so, or a program whose output is
/// read ended at once without naming it and without a word of the model.
fn is_gone(program: &Program, done: &Done) -> bool {
    if program.readings().is_empty() {
        return false;
    }
    let at_once = done.ended.elapsed < AT_ONCE && matches!(done.ended.end, End::Exit(_));
    let is_silent = done.told.conversation.is_none() && !done.told.has_answered();
    done.told.is_gone || at_once && is_silent && !done.told.is_limited
}

/// Waits before a run is tried again; a wish to stop ends it.
fn pause(scene: Scene<'_>, program: &Program, wait: Duration) -> Result<()> {
    let why = format!(
        "{}: its service takes no more at the moment; again in {}",
        program.name,
        time::elapsed(wait)
    );
    (scene.events)(Event::Warning(why));
    let watch = Stopwatch::start();
    while watch.elapsed() < wait && !scene.interrupt.is_raised() {
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn attempt(
    scene: Scene<'_>,
    ready: &Ready,
    (program, at): (&Program, &Conversation),
    spent: Spent,
) -> Result<Done> {
    let task = &ready.task.value;
    let log = log(scene.repo, task, task.runs.len())?;
    let printed = log.metadata().map_or(0, |meta| meta.len());
    let invocation = Invocation {
        argv: argv(ready, program, &at.argv)?,
        folder: ready.session.worktree.clone(),
        environment: environment(scene.environment, (task, &ready.session), (ready.start, &ready.brief)),
        input: if program.prompt == Prompt::Stdin {
            Input::File(ready.brief.clone())
        } else {
            Input::Nothing
        },
        log,
        is_log_continued: true,
        timeout: program.timeout.map(|timeout| timeout.saturating_sub(spent.time)),
    };
    let window = program.profile.as_deref().and_then(|profile| profile.window);
    let mut reader = Reader::new(program.readings(), invocation.log.clone(), at.before, window).from(printed);
    let mut counted: (Stopwatch, Option<usize>, bool) = (Stopwatch::start(), None, true);
    let (mut known, mut capped) = (at.id.clone(), None);
    let ended = process::run(&invocation, scene.interrupt, |elapsed| {
        if counted.2 && counted.0.elapsed() > COUNT_EVERY {
            let watch = Stopwatch::start();
            counted.1 = worktree::dirty(scene.repo, &ready.place).ok().map(|paths| paths.len());
            // On a tree so large that counting takes long, once is enough.
            counted = (Stopwatch::start(), counted.1, watch.elapsed() < Duration::from_millis(200));
        }
        let told = reader.told();
        learn(scene, task, told, &mut known);
        if capped.is_none() {
            capped = over(program, told, spent.usage);
            if capped.is_some() {
                scene.interrupt.end();
            }
        }
        (scene.events)(Event::Running {
            command: program.name.clone(),
            worktree: ready.session.worktree.clone(),
            elapsed,
            changed: counted.1,
            doing: told.doing.clone(),
        });
    })?;
    let mut told = reader.end();
    // One that ended soon was not looked at meanwhile.
    learn(scene, task, &told, &mut known);
    if program.readings().is_empty() {
        told.said = narrative::of_log(&invocation.log);
    }
    if at.is_resumed && !told.is_gone && told.conversation.is_some() && told.conversation != at.id {
        let text =
            format!("{} began a new conversation in place of the one it was to go on with", program.name);
        (scene.events)(Event::Warning(text));
    }
    let conversation = told.conversation.clone().or(known);
    Ok(Done { ended, told, conversation, capped })
}

/// Keeps the conversation that an agent tells, where it is new.
fn learn(scene: Scene<'_>, task: &Task, told: &Told, known: &mut Option<String>) {
    if told.conversation.is_some() && told.conversation != *known {
        known.clone_from(&told.conversation);
        // Without it a killed run's conversation is not gone on with.
        drop(conversation::remember(scene.repo, task, known.as_deref().unwrap_or_default()));
    }
}

/// What a run took more of than it may, with its earlier attempts.
fn over(program: &Program, told: &Told, spent: Usage) -> Option<String> {
    let (profile, usage) = (program.profile.as_deref()?, told.usage.filter(|_| !told.is_done)?);
    let usage = spent.and(usage);
    let tokens = usage.input_tokens.saturating_add(usage.output_tokens);
    if let Some(most) = profile.max_tokens.filter(|most| tokens > *most) {
        return Some(format!("it took {} of {} tokens", large(tokens), large(most)));
    }
    let cost = usage.cost?;
    let most = profile.max_cost.filter(|most| cost > *most)?;
    Some(format!("it cost {cost:.2} of {most:.2} US dollars"))
}

fn large(number: u64) -> String {
    thousands(usize::try_from(number).unwrap_or(usize::MAX))
}

fn argv(ready: &Ready, program: &Program, argv: &[OsString]) -> Result<Vec<OsString>> {
    let mut argv = argv.to_vec();
    if program.prompt == Prompt::Argument {
        argv.push(std::fs::read_to_string(&ready.brief).doing("could not read", &ready.brief)?.into());
    }
    Ok(argv)
}

/// The environment of whoever works on a task from a commit on.
pub fn environment(
    caller: &BTreeMap<OsString, OsString>,
    (task, session): (&Task, &Session),
    (start, brief): (Oid, &Path),
) -> BTreeMap<OsString, OsString> {
    let start = start.to_string();
    let ours: [(&str, &OsStr); 5] = [
        ("GIT_ORCH_SESSION", OsStr::new(task.session.as_str())),
        ("GIT_ORCH_TASK", OsStr::new(task.name.as_str())),
        ("GIT_ORCH_ROOT", session.worktree.as_os_str()),
        ("GIT_ORCH_BASE", OsStr::new(&start)),
        ("GIT_ORCH_BRIEF", brief.as_os_str()),
    ];
    command::environment(caller, &ours)
}
