//! What the run of a task says of itself while it goes on, in a file beside its
//! logs: on this machine only, never on the record.
//!
//! **Invariant:** it is replaced as a whole, and holds for the run that wrote it
//! alone: nothing is taken from a file that another run, another task of the
//! name, or nobody we know left.

mod hook;

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::prepare::folder;
use crate::agent::family;
use crate::error::{IoContext, Result};
use crate::git::Repo;
pub use crate::model::{Report, Reported};
use crate::model::{Task, TaskState};
use crate::session::TaskLock;
use crate::store::{self, record};

pub use hook::heard;

/// The file, in a task's folder.
const FILE: &str = "report.json";
/// How much of the words is kept.
const MOST: usize = 2 * 1024;
/// A longer file is none of ours: each byte of the words takes six at most.
const LONGEST: u64 = 16 * 1024;

/// The file's content.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    uid: String,
    run: usize,
    #[serde(flatten)]
    report: Report,
}

/// Writes down what the run of a task says, in place of what it said before.
///
/// # Errors
/// Unusable where it can't be written.
pub fn write(repo: &Repo, task: &Task, report: &Report) -> Result<()> {
    let text = report.text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(cut);
    let report = Report { text, ..report.clone() };
    let written = Written { version: record::VERSION, uid: task.uid.clone(), run: task.runs.len(), report };
    let (folder, line) = (folder(repo, task)?, record::line(&written)?);
    let file = folder.join(FILE);
    let mut fresh = tempfile::NamedTempFile::new_in(&folder).doing("could not write", &file)?;
    fresh.write_all(line.as_bytes()).doing("could not write", &file)?;
    fresh.persist(&file).map_err(|error| error.error).doing("could not write", &file)?;
    Ok(())
}

/// What the present run of a task said last; `None` where it said nothing.
pub fn read(repo: &Repo, task: &Task) -> Option<Report> {
    let file = std::fs::File::open(path(repo, task)).ok()?;
    let mut line = String::new();
    file.take(LONGEST).read_to_string(&mut line).ok()?;
    let written: Written = record::parse_line(&line)?;
    let is_its_own =
        written.version == record::VERSION && written.uid == task.uid && written.run == task.runs.len();
    let text = written.report.text.as_deref().map(cut);
    is_its_own.then_some(Report { text, ..written.report })
}

/// Forgets what the run of a task said.
pub fn clear(repo: &Repo, task: &Task) {
    // Where it can't be removed, the next run's number tells that it is old.
    drop(std::fs::remove_file(path(repo, task)));
}

fn path(repo: &Repo, task: &Task) -> PathBuf {
    repo.orch_path().join("task").join(task.name.as_str()).join(FILE)
}

/// The beginning of a text, whole characters.
fn cut(text: &str) -> String {
    let end = (0..=MOST.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text[..end.unwrap_or_default()].to_owned()
}

/// A task as it is seen by now: while it runs, what it says of itself comes
/// before what its record says.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// The task; its state is `input` where its run says so.
    #[serde(flatten)]
    pub task: Task,
    /// What its run said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported: Option<Report>,
}

impl Seen {
    /// What it asks, and when it did, where it waits for an answer.
    pub fn asks(&self) -> Option<&Report> {
        self.reported.as_ref().filter(|_| self.task.state == TaskState::Input)
    }
}

/// Looks at a task.
pub fn seen(repo: &Repo, mut task: Task) -> Seen {
    let goes_on = matches!(task.state, TaskState::Running | TaskState::Input) && !is_dead(repo, &task);
    let reported = goes_on.then(|| read(repo, &task)).flatten();
    let asks = reported.as_ref().is_some_and(|report| report.state == Reported::Input);
    if asks {
        task.state = TaskState::Input;
    }
    Seen { task, reported }
}

/// Whether a task's process is gone without a word.
pub fn is_dead(repo: &Repo, task: &Task) -> bool {
    task.state == TaskState::Running && task.agent.is_some() && TaskLock::holder(repo, &task.name).is_none()
}

/// Whether this process belongs to the run of a task: is below the process that
/// carries it out, started for it, whatever its own variables say; of a task
/// that a person works on, whether it is in the session's worktree.
///
/// # Errors
/// Unusable where the session's record can't be read.
pub fn is_within(repo: &Repo, task: &Task) -> Result<bool> {
    let Some(holder) = TaskLock::holder(repo, &task.name) else {
        let session = store::sessions::find(repo, &task.session)?;
        let at = session.map(|session| session.value.worktree);
        return Ok(task.agent.is_none() && at.as_deref() == repo.place().work_tree.as_deref());
    };
    let above = family::ancestors();
    // Where the system does not tell, nobody is sent away.
    Ok(above.is_empty() || of(holder, &above).is_some_and(|below| names(below, task)))
}

/// The process just below the holder, the supervisor.
fn of(holder: u32, above: &[u32]) -> Option<u32> {
    let at = above.iter().position(|process| *process == holder)?;
    above.get(at.checked_sub(1)?).copied()
}

/// Whether a supervisor was started for a task: one process can carry several out.
fn names(supervisor: u32, task: &Task) -> bool {
    family::variable(supervisor, "GIT_ORCH_TASK").is_none_or(|name| name == task.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_between_characters() {
        let long = format!("{}é", "x".repeat(MOST - 1));
        assert_eq!(cut(&long), "x".repeat(MOST - 1));
        assert_eq!(cut("é"), "é");
        assert_eq!(cut(""), "");
    }

    #[test]
    fn the_process_below_the_holder_is_the_supervisor() {
        assert_eq!(of(7, &[9, 8, 7, 6]), Some(8));
        assert_eq!(of(9, &[9, 8]), None);
        assert_eq!(of(5, &[9, 8]), None);
    }
}
