//! `git orch answer`

use std::io::Read as _;
use std::time::Duration;

use super::opened::Opened;
use super::retry;
use crate::app::App;
use crate::error::{Error, Result};
use crate::model::{Answer, Event, Reported, Task, TaskState};
use crate::run::{Scene, report};
use crate::session::TaskLock;
use crate::store::{self, Stored};

/// The longest answer, in bytes.
const LONGEST: usize = 7 * 1024;

/// Answer what a task asks: its agent goes on in the same conversation
///
/// Exits like `git orch task`: 0 with a result, 1 without, 6 where it asks again.
#[derive(Debug, clap::Args)]
pub(super) struct AnswerArgs {
    /// The task
    #[arg(value_name = "TASK")]
    task: String,
    /// The answer; `-` reads it from standard input
    #[arg(value_name = "TEXT", allow_hyphen_values = true)]
    text: String,
}

pub(super) fn run(app: &App, args: &AnswerArgs) -> Result<u8> {
    let text = text(args)?;
    let opened = Opened::to_change(app)?;
    let events = |event| app.ui.event(event);
    let task = at_rest(opened.scene(app, &events), &args.task)?;
    refuse(&task.value)?;
    let answer = move |task: &mut Task| {
        let run = task.runs.last();
        let asked = run.and_then(|run| run.asked.clone().or_else(|| run.said.clone()));
        task.answers.push(Answer { asked, text, time: app.now });
    };
    retry::go_on(app, &opened, task, (None, &[]), answer)
}

/// The task, once the command that asks has ended.
fn at_rest(scene: Scene<'_>, typed: &str) -> Result<Stored<Task>> {
    let task = store::tasks::require(scene.repo, typed)?;
    let asks = report::read(scene.repo, &task.value).is_some_and(|report| report.state == Reported::Input);
    if !asks || TaskLock::holder(scene.repo, &task.value.name).is_none() {
        return Ok(task);
    }
    (scene.events)(Event::Waiting(format!("the command of {}", task.value.name)));
    while TaskLock::holder(scene.repo, &task.value.name).is_some() {
        scene.interrupt.check()?;
        std::thread::sleep(Duration::from_millis(50));
    }
    store::tasks::require(scene.repo, typed)
}

fn refuse(task: &Task) -> Result<()> {
    if task.state == TaskState::Input {
        return Ok(());
    }
    let (name, state) = (&task.name, task.state.word());
    let hint = match task.state {
        TaskState::Review => {
            format!("say what has to change: `git orch review {name} --request-changes -m TEXT`")
        }
        TaskState::Failed | TaskState::Cancelled | TaskState::Changes => {
            format!("run it again: `git orch retry {name}`")
        }
        TaskState::Running if task.agent.is_none() => "a person works on it: answer where they do".to_owned(),
        _ => format!("look at it: `git orch show {name}`"),
    };
    Err(Error::refused(format!("`{name}` asks nothing: it is {state}")).hint(hint))
}

fn text(args: &AnswerArgs) -> Result<String> {
    let mut text = args.text.clone();
    if text == "-" {
        let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX) + 1;
        text.clear();
        let read = std::io::stdin().take(limit).read_to_string(&mut text);
        read.map_err(|error| Error::usage("the answer on standard input can't be read").because(error))?;
    }
    let text = text.trim().to_owned();
    if text.is_empty() {
        return Err(Error::usage("the answer has no text"));
    }
    if text.len() > LONGEST {
        return Err(Error::usage(format!("the answer is longer than {LONGEST} bytes"))
            .hint("put it into a file in the repository, and name that"));
    }
    Ok(text)
}
