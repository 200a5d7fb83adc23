//! Task records.

use super::record::{self, Next, Stored};
use crate::error::{Error, Result};
use crate::git::{RefChange, Repo, refs};
use crate::model::wording::unknown;
use crate::model::{Name, Oid, Task};

const FILE: &str = "task.json";
/// The brief's file in the record's tree.
pub const BRIEF: &str = "brief.md";

/// Reads all tasks, oldest first.
pub fn load(repo: &Repo) -> Result<Vec<Stored<Task>>> {
    let mut tasks: Vec<Stored<Task>> = record::load_all(repo, refs::TASKS, FILE)?;
    tasks.sort_by(|one, two| (one.value.created, &one.value.name).cmp(&(two.value.created, &two.value.name)));
    Ok(tasks)
}

/// Reads one task.
pub fn find(repo: &Repo, name: &Name) -> Result<Option<Stored<Task>>> {
    record::find(repo, &record_ref(name), FILE)
}

/// Reads one task.
///
/// # Errors
/// Usage, with the name that may have been meant.
pub fn require(repo: &Repo, typed: &str) -> Result<Stored<Task>> {
    if let Ok(name) = typed.parse()
        && let Some(task) = find(repo, &name)?
    {
        return Ok(task);
    }
    let names: Vec<String> = repo
        .read()
        .refs(refs::TASKS)?
        .into_iter()
        .map(|(name, _)| name[refs::TASKS.len()..].to_owned())
        .collect();
    let error = Error::usage(unknown("task", typed, names.iter().map(String::as_str)));
    Err(error.hint("`git orch tasks --all` lists them"))
}

/// A task's brief, where one was written.
pub fn brief(repo: &Repo, task: &Stored<Task>) -> Result<Option<Vec<u8>>> {
    Ok(repo.read().files(&[(task.tip, BRIEF)])?.pop().flatten())
}

/// The full ref of a task's record.
pub fn record_ref(name: &Name) -> String {
    format!("{}{name}", refs::TASKS)
}

/// What goes with a task's next state.
#[derive(Debug, Default)]
pub struct With {
    /// The chain's tip that this follows.
    pub old: Option<Oid>,
    /// Commits that shall stay reachable from here.
    pub keeps: Vec<Oid>,
    /// The brief, where it is new.
    pub brief: Option<Vec<u8>>,
}

/// The ref change that makes `task` the present state.
pub fn prepare(repo: &Repo, task: &Task, with: With, why: &str) -> Result<RefChange> {
    let next = Next {
        name: record_ref(&task.name),
        file: FILE,
        value: task,
        old: with.old,
        keeps: with.keeps,
        texts: with.brief.into_iter().map(|brief| (BRIEF, brief)).collect(),
        why: format!("task {}: {why}", task.name),
        now: task.updated,
    };
    record::prepare(repo, &next)
}
