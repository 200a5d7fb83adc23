//! The command of a run, to its end.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use super::Scene;
use super::prepare::{Ready, folder};
use super::worker::Program;
use crate::agent::process::{self, Ended};
use crate::agent::{Input, Invocation, command};
use crate::config::schema::Prompt;
use crate::error::{IoContext, Result};
use crate::git::worktree;
use crate::model::time::Stopwatch;
use crate::model::{Event, Task};

/// How often changed files are counted for the live line.
const COUNT_EVERY: Duration = Duration::from_secs(2);

/// The log of a task's run, counted from 1.
pub fn log(repo: &crate::git::Repo, task: &Task, run: usize) -> Result<PathBuf> {
    Ok(folder(repo, task)?.join(format!("run-{run}.log")))
}

/// Waits until nothing of a task's last command lives on, whose process died.
pub fn wait_for_end(scene: Scene<'_>, task: &Task) -> Result<()> {
    process::wait_for_end(&log(scene.repo, task, task.runs.len())?, scene.interrupt)
}

/// Runs a program in a session's worktree.
pub fn execute(scene: Scene<'_>, ready: &Ready, program: &Program) -> Result<Ended> {
    let task = &ready.task.value;
    scene.repo.reach("command to be run")?;
    let invocation = Invocation {
        argv: argv(ready, program)?,
        folder: ready.session.worktree.clone(),
        environment: environment(scene, ready),
        input: if program.prompt == Prompt::Stdin {
            Input::File(ready.brief.clone())
        } else {
            Input::Nothing
        },
        log: log(scene.repo, task, task.runs.len())?,
        timeout: program.timeout,
    };
    let mut counted: (Stopwatch, Option<usize>, bool) = (Stopwatch::start(), None, true);
    process::run(&invocation, scene.interrupt, |elapsed| {
        if counted.2 && counted.0.elapsed() > COUNT_EVERY {
            let watch = Stopwatch::start();
            counted.1 = worktree::dirty(scene.repo, &ready.place).ok().map(|paths| paths.len());
            // On a tree so large that counting takes long, once is enough.
            counted = (Stopwatch::start(), counted.1, watch.elapsed() < Duration::from_millis(200));
        }
        (scene.events)(Event::Running {
            command: program.name.clone(),
            worktree: ready.session.worktree.clone(),
            elapsed,
            changed: counted.1,
        });
    })
}

fn argv(ready: &Ready, program: &Program) -> Result<Vec<OsString>> {
    let mut argv = program.argv.clone();
    if program.prompt == Prompt::Argument {
        argv.push(std::fs::read_to_string(&ready.brief).doing("could not read", &ready.brief)?.into());
    }
    Ok(argv)
}

fn environment(scene: Scene<'_>, ready: &Ready) -> std::collections::BTreeMap<OsString, OsString> {
    let task = &ready.task.value;
    let start = ready.start.to_string();
    let ours: [(&str, &OsStr); 5] = [
        ("GIT_ORCH_SESSION", OsStr::new(task.session.as_str())),
        ("GIT_ORCH_TASK", OsStr::new(task.name.as_str())),
        ("GIT_ORCH_ROOT", ready.session.worktree.as_os_str()),
        ("GIT_ORCH_BASE", OsStr::new(&start)),
        ("GIT_ORCH_BRIEF", ready.brief.as_os_str()),
    ];
    command::environment(scene.environment, &ours)
}
