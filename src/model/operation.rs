//! What a command changed, step by step, as the operation log keeps it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::wording::excerpt;
use super::{Name, Oid, Time};

/// What recovery calls itself in the log.
pub const RECOVERY: &str = "recover";

/// How much of a command line is kept.
const WHAT: usize = 200;

/// One thing that an operation changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum Effect {
    /// A ref was made, moved or deleted.
    Ref {
        /// Its full name.
        name: String,
        /// Where it was; absent when it was made.
        #[serde(skip_serializing_if = "Option::is_none")]
        old: Option<Oid>,
        /// Where it is; absent when it was deleted.
        #[serde(skip_serializing_if = "Option::is_none")]
        new: Option<Oid>,
    },
    /// A session's worktree was made.
    Made {
        /// The session.
        session: Name,
    },
    /// A session's worktree went to the trash.
    Trashed {
        /// The session.
        session: Name,
        /// Its name in the trash.
        id: String,
    },
    /// A session's worktree came back from the trash.
    Restored {
        /// The session.
        session: Name,
        /// The name that it had in the trash.
        id: String,
    },
    /// Something in the trash was deleted for good.
    Emptied {
        /// Its name in the trash.
        id: String,
    },
    /// A session's worktree held uncommitted work before; now it does not.
    Held {
        /// The session.
        session: Name,
        /// A commit that has it.
        work: Oid,
    },
    /// A session's worktree holds uncommitted work; before it did not.
    Holds {
        /// The session.
        session: Name,
        /// A commit that has it.
        work: Oid,
    },
}

/// Some effects of an operation, written together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The operation's first step; `None` where this is it.
    pub operation: Option<Oid>,
    /// The command line, for people.
    pub what: String,
    /// The operation that this one undoes.
    pub undoes: Option<Oid>,
    /// What changed.
    pub effects: Vec<Effect>,
}

impl Step {
    /// The text of the commit that holds the step.
    pub fn to_message(&self) -> String {
        let mut text = format!("{}\n\n", excerpt(&self.what, WHAT));
        for (word, oid) in [("operation", self.operation), ("undoes", self.undoes)] {
            if let Some(oid) = oid {
                let _ = writeln!(text, "{word} {oid}");
            }
        }
        for effect in &self.effects {
            text.push_str(&line(effect));
        }
        text
    }

    /// Reads such a text; `None` where it is none.
    pub fn parse(message: &str) -> Option<Self> {
        let (what, lines) = message.split_once("\n\n")?;
        let mut step = Self { operation: None, what: what.to_owned(), undoes: None, effects: Vec::new() };
        for line in lines.split('\n').filter(|line| !line.is_empty()) {
            let (word, rest) = line.split_once(' ')?;
            match word {
                "operation" => step.operation = Some(rest.parse().ok()?),
                "undoes" => step.undoes = Some(rest.parse().ok()?),
                _ => step.effects.push(effect(word, rest)?),
            }
        }
        Some(step)
    }
}

fn line(effect: &Effect) -> String {
    let place = |oid: &Option<Oid>| oid.map_or_else(|| "-".to_owned(), |oid| oid.to_string());
    match effect {
        Effect::Ref { name, old, new } => format!("ref {} {} {name}\n", place(old), place(new)),
        Effect::Made { session } => format!("made {session}\n"),
        Effect::Trashed { session, id } => format!("trashed {session} {id}\n"),
        Effect::Restored { session, id } => format!("restored {session} {id}\n"),
        Effect::Emptied { id } => format!("emptied {id}\n"),
        Effect::Held { session, work } => format!("held {session} {work}\n"),
        Effect::Holds { session, work } => format!("holds {session} {work}\n"),
    }
}

fn effect(word: &str, rest: &str) -> Option<Effect> {
    if word == "made" {
        return Some(Effect::Made { session: rest.parse().ok()? });
    }
    if word == "emptied" {
        return Some(Effect::Emptied { id: trash_id(rest)? });
    }
    let (first, rest) = rest.split_once(' ')?;
    if word == "ref" {
        let place = |text: &str| if text == "-" { Some(None) } else { text.parse().ok().map(Some) };
        let (new, name) = rest.split_once(' ')?;
        let is_ref = name.starts_with("refs/") && !name.contains(char::is_control);
        return is_ref.then_some(Effect::Ref { name: name.to_owned(), old: place(first)?, new: place(new)? });
    }
    let session = first.parse().ok()?;
    match word {
        "trashed" => Some(Effect::Trashed { session, id: trash_id(rest)? }),
        "restored" => Some(Effect::Restored { session, id: trash_id(rest)? }),
        "held" => Some(Effect::Held { session, work: rest.parse().ok()? }),
        "holds" => Some(Effect::Holds { session, work: rest.parse().ok()? }),
        _ => None,
    }
}

/// A name in the trash, which becomes a part of paths: nothing that leads
/// elsewhere.
fn trash_id(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let id = !text.is_empty() && !text.starts_with('.') && text.chars().all(plain);
    id.then(|| text.to_owned())
}

/// What one command changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// The commit of its first step.
    pub id: Oid,
    /// The command line.
    pub what: String,
    /// When it began.
    pub time: Time,
    /// The operation that it undoes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Oid>,
    /// The operation that undid it, where that holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<Oid>,
    /// What changed, in order.
    pub effects: Vec<Effect>,
}

/// A ref that an operation found at one place and left at another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its full name.
    pub name: String,
    /// Where it was.
    pub old: Option<Oid>,
    /// Where it is.
    pub new: Option<Oid>,
}

impl Operation {
    /// Puts the log's steps, newest first, together to operations, newest first.
    pub fn all(steps: Vec<(Oid, Time, Step)>) -> Vec<Self> {
        let mut found: BTreeMap<Oid, usize> = BTreeMap::new();
        let mut operations: Vec<Self> = Vec::new();
        for (oid, time, step) in steps.into_iter().rev() {
            let id = step.operation.unwrap_or(oid);
            let index = *found.entry(id).or_insert_with(|| {
                let (what, undoes) = (step.what, step.undoes);
                let (undone_by, effects) = (None, Vec::new());
                operations.push(Self { id, what, time, undoes, undone_by, effects });
                operations.len() - 1
            });
            operations[index].effects.extend(step.effects);
        }
        operations.reverse();
        let mut undone: BTreeMap<Oid, Oid> = BTreeMap::new();
        for operation in &mut operations {
            operation.undone_by = undone.get(&operation.id).copied();
            if let (Some(undoes), None) = (operation.undoes, operation.undone_by) {
                undone.insert(undoes, operation.id);
            }
        }
        operations
    }

    /// Whether it only set right what a killed process left.
    pub fn is_recovery(&self) -> bool {
        self.what == RECOVERY
    }

    /// Whether it deleted this from the trash for good; anything, without a name.
    pub fn emptied(&self, name: Option<&str>) -> bool {
        let is_it = |id: &str| name.is_none_or(|name| name == id);
        self.effects.iter().any(|effect| matches!(effect, Effect::Emptied { id } if is_it(id)))
    }

    /// What it did to refs, all its steps taken together.
    pub fn moved(&self) -> Vec<Moved> {
        let mut moved: Vec<Moved> = Vec::new();
        for effect in &self.effects {
            let Effect::Ref { name, old, new } = effect else { continue };
            match moved.iter_mut().find(|one| one.name == *name) {
                Some(one) => one.new = *new,
                None => moved.push(Moved { name: name.clone(), old: *old, new: *new }),
            }
        }
        moved.retain(|one| one.old != one.new);
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(digit: char) -> Oid {
        digit.to_string().repeat(40).parse().unwrap()
    }

    fn moved(old: Option<char>, new: Option<char>) -> Effect {
        Effect::Ref { name: "refs/orch/task/a".to_owned(), old: old.map(oid), new: new.map(oid) }
    }

    fn step(operation: Option<char>, undoes: Option<char>, effects: Vec<Effect>) -> Step {
        let (operation, undoes) = (operation.map(oid), undoes.map(oid));
        Step { operation, what: "task a".to_owned(), undoes, effects }
    }

    #[test]
    fn a_step_reads_back_as_it_was_written() {
        let session: Name = "backend".parse().unwrap();
        let effects = vec![
            moved(None, Some('b')),
            moved(Some('b'), None),
            Effect::Made { session: session.clone() },
            Effect::Trashed { session: session.clone(), id: "backend-17".to_owned() },
            Effect::Restored { session: session.clone(), id: "backend-17".to_owned() },
            Effect::Emptied { id: "backend-17".to_owned() },
            Effect::Held { session: session.clone(), work: oid('c') },
            Effect::Holds { session, work: oid('d') },
        ];
        let step = step(Some('a'), Some('d'), effects);
        assert_eq!(Step::parse(&step.to_message()), Some(step));
    }

    #[test]
    fn what_is_no_step_is_refused() {
        for text in [
            "",
            "a",
            "a\n\nref",
            "a\n\nref - x y",
            "a\n\nheld b c",
            "a\n\ntrashed b ../c",
            "a\n\nmade b\r",
            "a\n\nwhatever b c",
        ] {
            assert_eq!(Step::parse(text), None, "{text}");
        }
    }

    #[test]
    fn steps_of_one_operation_add_up() {
        let steps = vec![
            (oid('3'), Time(3), step(Some('1'), None, vec![moved(Some('b'), Some('c'))])),
            (oid('2'), Time(2), step(None, None, Vec::new())),
            (oid('1'), Time(1), step(None, None, vec![moved(None, Some('b'))])),
        ];
        let operations = Operation::all(steps);
        let told: Vec<_> = operations.iter().map(|one| (one.id, one.time, one.moved().len())).collect();
        assert_eq!(told, [(oid('2'), Time(2), 0), (oid('1'), Time(1), 1)]);
        assert_eq!((operations[1].moved()[0].old, operations[1].moved()[0].new), (None, Some(oid('c'))));
    }

    #[test]
    fn what_was_undone_and_brought_back_counts_as_done() {
        let undo = |at, of| (oid(at), Time(0), step(None, Some(of), Vec::new()));
        let first = (oid('1'), Time(0), step(None, None, Vec::new()));
        let undone = |steps| -> Vec<Option<Oid>> {
            Operation::all(steps).iter().rev().map(|one: &Operation| one.undone_by).collect()
        };
        assert_eq!(undone(vec![undo('2', '1'), first.clone()]), [Some(oid('2')), None]);
        assert_eq!(undone(vec![undo('3', '2'), undo('2', '1'), first]), [None, Some(oid('3')), None]);
    }
}
