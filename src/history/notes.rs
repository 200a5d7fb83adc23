//! The text of a touch note.
//!
//! **Invariant:** lines sorted and unique, so that a union merge is right.

use std::collections::BTreeSet;

use crate::model::{Change, Name};

/// Which session, in which task, changed which paths in one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The session.
    pub session: Name,
    /// The task, where it was one.
    pub task: Option<Name>,
    /// The paths.
    pub changes: Vec<Change>,
}

impl Note {
    /// The note's text.
    pub fn to_text(&self) -> Vec<u8> {
        let mut lines = BTreeSet::from([format!("session {}\n", self.session)]);
        lines.extend(self.task.iter().map(|task| format!("task {task}\n")));
        lines.extend(
            self.changes.iter().map(|change| format!("{} {}\n", change.status.letter(), change.path)),
        );
        lines.into_iter().collect::<String>().into_bytes()
    }
}
