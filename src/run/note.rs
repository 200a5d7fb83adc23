//! Decisions and findings, kept on a task's record while others write it too.

use super::Scene;
use crate::error::{Error, Result};
use crate::git::{RepoLock, refs};
use crate::model::note::{MOST, ROOM};
use crate::model::{Name, Note, Task};
use crate::store;
use crate::store::tasks::With;

/// Looks whether a note can be kept.
///
/// # Errors
/// Usage where it says nothing; refused where it is too long, or one too many.
pub fn check(task: &Task, note: &Note) -> Result<()> {
    if note.text.is_empty() {
        return Err(Error::usage("the note has no text").hint("say what to keep: `git orch note TEXT`"));
    }
    if note.text.len() > ROOM {
        let (held, most) = (note.text.len(), ROOM);
        return Err(Error::refused(format!("the note has {held} bytes, and {most} are the most"))
            .hint("write it into a file of the repository, and note where it is"));
    }
    if task.notes.len() >= MOST {
        return Err(Error::refused(format!("`{}` has {MOST} notes, and those are the most", task.name))
            .hint("write the rest into a file of the repository"));
    }
    Ok(())
}

/// Puts a note onto a task's record; the task, and whether it is new there.
///
/// # Errors
/// As [`check`] has it, of the task as it is by then.
pub fn keep(scene: Scene<'_>, task: &Name, note: Note) -> Result<(Task, bool)> {
    let lock = RepoLock::take(scene.repo, &format!("note on {task}"), scene.events)?;
    let mut task = store::tasks::require(scene.repo, task.as_str())?;
    if is_kept(&task.value, &note) {
        return Ok((task.value, false));
    }
    check(&task.value, &note)?;
    task.value.notes.push(note);
    let with = With { old: Some(task.tip), ..With::default() };
    let record = store::tasks::prepare(scene.repo, &mut task.value, with, "note")?;
    refs::apply(scene.repo, &lock, &[record], "note")?;
    Ok((task.value, true))
}

/// Whether the same was told already.
pub fn is_kept(task: &Task, note: &Note) -> bool {
    task.notes.iter().any(|kept| kept.repeats(note))
}
