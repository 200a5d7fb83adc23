//! The text of a touch note: whose commit this is and what it changed.
//!
//! **Invariant:** lines are sorted and unique, so that git's own union merge
//! of two notes is a note again, and writing is the same everywhere.

use std::collections::BTreeSet;

use crate::model::{Change, Name, RepoPath, Status};

/// A touch note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TouchNote {
    /// The session.
    pub session: Name,
    /// The tasks it was done for: one, or none outside any task.
    pub tasks: BTreeSet<Name>,
    /// What changed.
    pub changes: BTreeSet<Change>,
}

impl TouchNote {
    /// As text, a fact a line.
    pub fn to_text(&self) -> String {
        let changes = self.changes.iter().map(|c| format!("{} {}\n", c.status.letter(), c.path.quoted()));
        let tasks = self.tasks.iter().map(|task| format!("task {task}\n"));
        let mut lines: Vec<String> = changes.chain(tasks).collect();
        lines.push(format!("session {}\n", self.session));
        lines.sort_unstable();
        lines.concat()
    }

    /// Reads a note; `None` where it is none, or of a later format.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut session, mut tasks, mut changes) = (None::<Name>, BTreeSet::new(), BTreeSet::new());
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (word, value) = line.split_once(' ')?;
            match word {
                "session" => {
                    let name = value.parse().ok()?;
                    if session.replace(name).is_some_and(|other| Some(&other) != session.as_ref()) {
                        return None;
                    }
                }
                "task" => drop(tasks.insert(value.parse().ok()?)),
                _ => drop(changes.insert(change(word, value)?)),
            }
        }
        Some(Self { session: session?, tasks, changes })
    }
}

fn change(letter: &str, path: &str) -> Option<Change> {
    let [letter] = letter.as_bytes() else { return None };
    Some(Change { status: Status::from_letter(*letter)?, path: RepoPath::unquoted(path)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn note() -> TouchNote {
        let change = |status, path: &[u8]| Change { status, path: RepoPath::from_bytes(path) };
        TouchNote {
            session: "backend".parse().unwrap(),
            tasks: BTreeSet::from(["fix-login".parse().unwrap()]),
            changes: BTreeSet::from([
                change(Status::Modified, b"src/api/login.rs"),
                change(Status::Added, b"z z"),
                change(Status::Deleted, b"caf\xe9\n"),
            ]),
        }
    }

    const TEXT: &str = "A z z\nD \"caf\\351\\n\"\nM src/api/login.rs\nsession backend\ntask fix-login\n";

    #[test]
    fn a_note_is_sorted_lines_and_reads_back() {
        assert_eq!(note().to_text(), TEXT);
        assert_eq!(TouchNote::parse(TEXT), Some(note()));
    }

    #[test]
    fn a_union_of_two_notes_is_a_note() {
        let mut other = note();
        other.tasks = BTreeSet::from(["other".parse().unwrap()]);
        let (one, two) = (note().to_text(), other.to_text());
        let union: BTreeSet<&str> = one.lines().chain(two.lines()).collect();
        let text: String = union.into_iter().map(|line| format!("{line}\n")).collect();
        let both = TouchNote::parse(&text).unwrap();
        assert_eq!((both.tasks.len(), both.changes.len()), (2, 3));
        assert_eq!(both.to_text(), text);
    }

    #[test]
    fn what_is_no_note_is_refused() {
        for text in [
            "",
            "task x\n",
            "session Backend\n",
            "session a\nsession b\n",
            "session a\nX y\n",
            "session a\nM \"bad\n",
            "session a\nM\n",
            "session a\nlater-word x\n",
        ] {
            assert_eq!(TouchNote::parse(text), None, "{text:?}");
        }
    }

    fn any_note(session: &'static str) -> impl Strategy<Value = TouchNote> {
        let status = proptest::sample::select(vec![Status::Added, Status::Modified, Status::Deleted]);
        let path = proptest::collection::vec(any::<u8>(), 1..6).prop_map(RepoPath::from_bytes);
        let change = (status, path).prop_map(|(status, path)| Change { status, path });
        let task = "[a-c]{1,2}".prop_map(|name| name.parse().unwrap());
        let changes = proptest::collection::btree_set(change, 0..5);
        (proptest::collection::btree_set(task, 0..3), changes).prop_map(move |(tasks, changes)| TouchNote {
            session: session.parse().unwrap(),
            tasks,
            changes,
        })
    }

    /// Git's `cat_sort_uniq`.
    fn union(one: &str, other: &str) -> String {
        let lines: BTreeSet<&str> = one.lines().chain(other.lines()).collect();
        lines.into_iter().map(|line| format!("{line}\n")).collect()
    }

    proptest! {
        #[test]
        fn merging_notes_in_any_order_any_number_of_times_is_one_note(
            (one, other) in (any_note("a"), any_note("a")),
        ) {
            let (first, second) = (one.to_text(), other.to_text());
            assert_eq!(TouchNote::parse(&first), Some(one.clone()));
            assert_eq!(union(&first, &first), first.clone());
            let both = union(&first, &second);
            assert_eq!(&union(&second, &first), &both);
            assert_eq!(&union(&both, &second), &both);
            let merged = TouchNote::parse(&both).unwrap();
            assert_eq!(merged.to_text(), both);
            assert_eq!(merged.tasks, &one.tasks | &other.tasks);
            assert_eq!(merged.changes, &one.changes | &other.changes);
        }
    }
}
