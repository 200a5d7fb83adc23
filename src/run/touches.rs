//! Touch notes on sessions' own commits: the readable cache of who did what.
//!
//! **Invariant:** they follow from records and commits alone, byte for byte.

use std::collections::BTreeMap;

use super::Scene;
use crate::error::Result;
use crate::git::{Repo, RepoLock, notes, refs};
use crate::history::notes::TouchNote;
use crate::model::{Name, Oid, Task, Time};
use crate::store::Stored;

/// Notes the commits of one task.
pub fn note(repo: &Repo, lock: &RepoLock, task: &Task, now: Time) -> Result<()> {
    let found = of_task(repo, task)?;
    notes::set(repo, lock, &notes_ref(&task.session), &found, now)
}

/// Writes the notes of all tasks again, where they are not as they must be.
pub fn rewrite(scene: Scene<'_>, tasks: &[Stored<Task>]) -> Result<()> {
    let mut by_session: BTreeMap<&Name, Vec<(Oid, Vec<u8>)>> = BTreeMap::new();
    for task in tasks {
        by_session.entry(&task.value.session).or_default().extend(of_task(scene.repo, &task.value)?);
    }
    let lock = RepoLock::take(scene.repo, "history --rebuild", scene.events)?;
    for (session, found) in by_session {
        notes::set(scene.repo, &lock, &notes_ref(session), &found, scene.now)?;
    }
    Ok(())
}

fn notes_ref(session: &Name) -> String {
    format!("{}{session}", refs::TOUCH_NOTES)
}

fn of_task(repo: &Repo, task: &Task) -> Result<Vec<(Oid, Vec<u8>)>> {
    let mut found = Vec::new();
    for oid in &task.commits {
        let commit = repo.read().commit(*oid)?;
        if commit.parents.len() > 1 {
            continue;
        }
        let parent = commit.parents.first().map(|parent| repo.read().commit(*parent)).transpose()?;
        let changes = repo.read().changes(parent.map(|parent| parent.tree), commit.tree)?;
        let (session, tasks) = (task.session.clone(), [task.name.clone()].into());
        let note = TouchNote { session, tasks, changes: changes.into_iter().collect() };
        found.push((*oid, note.to_text().into_bytes()));
    }
    Ok(found)
}
