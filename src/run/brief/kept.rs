//! What was kept for later: decisions and findings of this task and of the
//! session's earlier ones.

use super::known::{Known, is_at};
use super::page::{Body, Section};
use crate::model::{Note, RepoPath, Task};

/// The notes of a task, latest first.
pub fn own(task: &Task) -> Section {
    let lines = task.notes.iter().rev().map(line).collect();
    Section { title: "Kept with this task".to_owned(), body: Body::Lines(lines), room: 3_000 }
}

/// The notes of the session's other tasks, those that touched one of some places
/// first, each latest first.
pub fn earlier(known: &Known<'_>, places: &[RepoPath], task: &Task) -> Section {
    let others = known.tasks.iter().rev().map(|other| &other.value).filter(|other| other.name != task.name);
    let was_there = |other: &&Task| other.touched.iter().any(|change| is_at(&change.path, places));
    let (near, far): (Vec<&Task>, Vec<&Task>) = others.partition(was_there);
    let of_session =
        |note: &&Note, other: &Task| note.session.as_ref().unwrap_or(&other.session) == &known.session.name;
    let lines = near.into_iter().chain(far).flat_map(|other| {
        let notes = other.notes.iter().rev().filter(move |note| of_session(note, other));
        notes.map(|note| format!("{}, {}", other.name, line(note)))
    });
    Section { title: "Kept from earlier tasks".to_owned(), body: Body::Lines(lines.collect()), room: 2_000 }
}

/// `2023-11-20 backend: the token is checked by the proxy`, further lines set in.
fn line(note: &Note) -> String {
    format!("{} {}: {}", note.time.date(), note.by, note.text.replace('\n', "\n  "))
}
