//! Touch notes on sessions' own commits: the readable cache of who did what.
//!
//! **Invariant:** they follow from records and commits alone, byte for byte.

use std::collections::BTreeMap;

use super::Scene;
use crate::error::Result;
use crate::git::{Repo, RepoLock, notes, refs};
use crate::history::notes::TouchNote;
use crate::model::{Name, Oid, Session, Task, Time};
use crate::store::Stored;

/// Notes the commits of one task.
pub fn note(repo: &Repo, lock: &RepoLock, task: &Task, now: Time) -> Result<()> {
    let found = texts(repo, &task.session, Some(&task.name), &task.commits)?;
    notes::set(repo, lock, &notes_ref(&task.session), &found, now)
}

/// Notes commits that a session made outside any task.
pub fn note_strays(repo: &Repo, lock: &RepoLock, session: &Name, commits: &[Oid], now: Time) -> Result<()> {
    notes::set(repo, lock, &notes_ref(session), &texts(repo, session, None, commits)?, now)
}

/// Writes all notes again, where they are not as the records have them.
pub fn rewrite(scene: Scene<'_>, sessions: &[Stored<Session>], tasks: &[Stored<Task>]) -> Result<()> {
    let mut by_session: BTreeMap<&Name, Vec<(Oid, Vec<u8>)>> = BTreeMap::new();
    for Stored { value: session, .. } in sessions {
        by_session.insert(&session.name, texts(scene.repo, &session.name, None, &session.commits)?);
    }
    for Stored { value: task, .. } in tasks {
        let found = texts(scene.repo, &task.session, Some(&task.name), &task.commits)?;
        by_session.entry(&task.session).or_default().extend(found);
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

fn texts(repo: &Repo, session: &Name, task: Option<&Name>, commits: &[Oid]) -> Result<Vec<(Oid, Vec<u8>)>> {
    let mut found = Vec::new();
    for oid in commits {
        let commit = repo.read().commit(*oid)?;
        if commit.parents.len() > 1 {
            continue;
        }
        let parent = commit.parents.first().map(|parent| repo.read().commit(*parent)).transpose()?;
        let changes = repo.read().changes(parent.map(|parent| parent.tree), commit.tree)?;
        let tasks = task.into_iter().cloned().collect();
        let note = TouchNote { session: session.clone(), tasks, changes: changes.into_iter().collect() };
        found.push((*oid, note.to_text().into_bytes()));
    }
    Ok(found)
}
