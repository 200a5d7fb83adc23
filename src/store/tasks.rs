//! Task records.

use super::record::{self, Next, Stored};
use crate::error::{Error, Result};
use crate::git::{RefChange, Repo, refs};
use crate::model::wording::unknown;
use crate::model::{Name, Oid, Task};

const FILE: &str = "task.json";
/// The brief's file in the record's tree.
pub const BRIEF: &str = "brief.md";
/// What went over with a task, in the record's tree.
pub const HANDOFF: &str = "handoff.md";

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

/// Looks whether a task is as it was read, but for notes.
///
/// # Errors
/// Refused where it is not.
pub fn require_same(repo: &Repo, task: &Stored<Task>) -> Result<()> {
    let name = &task.value.name;
    let present = require(repo, name.as_str())?;
    if present.tip == task.tip || has_only_notes_since(repo, &present, Some(task.tip))? {
        return Ok(());
    }
    let state = present.value.state.word();
    Err(Error::refused(format!("`{name}` was changed meanwhile: it is {state}"))
        .hint(format!("look at it: `git orch show {name}`")))
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
    /// What went over with it, where it is new.
    pub handoff: Option<Vec<u8>>,
}

/// The ref change that makes `task` the present state, with whatever notes came
/// onto its record meanwhile: a note is lost by nobody, and is in nobody's way.
/// The repository must be locked.
pub fn prepare(repo: &Repo, task: &mut Task, mut with: With, why: &str) -> Result<RefChange> {
    if let Some(present) = with.old.map_or(Ok(None), |_| find(repo, &task.name))? {
        if with.old != Some(present.tip) && has_only_notes_since(repo, &present, with.old)? {
            with.old = Some(present.tip);
        }
        take_notes(task, present.value);
    }
    let next = Next {
        name: record_ref(&task.name),
        file: FILE,
        value: task,
        old: with.old,
        keeps: with.keeps,
        texts: [(BRIEF, with.brief), (HANDOFF, with.handoff)]
            .into_iter()
            .filter_map(|(name, text)| Some((name, text?)))
            .collect(),
        why: format!("task {}: {why}", task.name),
        now: task.notes.last().map_or(task.updated, |note| note.time.max(task.updated)),
    };
    record::prepare(repo, &next)
}

/// Whether a record got nothing but notes since it was at some commit.
fn has_only_notes_since(repo: &Repo, present: &Stored<Task>, old: Option<Oid>) -> Result<bool> {
    let Some(old) = old else { return Ok(false) };
    let mut before: Stored<Task> = record::at(repo, old, FILE)?;
    before.value.notes.clone_from(&present.value.notes);
    Ok(before.value == present.value)
}

/// Puts the notes of a record before those that only the task has.
fn take_notes(task: &mut Task, present: Task) {
    let own = std::mem::replace(&mut task.notes, present.notes);
    for note in own {
        if !task.notes.contains(&note) {
            task.notes.push(note);
        }
    }
}
