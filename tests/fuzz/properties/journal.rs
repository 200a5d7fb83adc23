//! What is written down before it is done, and behind it: entries of the
//! journal, ref transactions in the lock's file, steps of the operation log.

use std::collections::BTreeSet;

use git_orch::git::pending;
use git_orch::model::operation::{Operation, Step};
use git_orch::model::{Oid, Time};
use git_orch::store::journal::{self, Intent};
use git_orch::store::record;

use super::records::reads_back;

/// What is believed reads back; what is cut off is not believed.
pub fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(intent) = journal::parse(&text) {
        let written = record::line(&intent).expect("an entry can be written");
        assert_eq!(reads_back::<Intent>(&written), Some(intent));
    }
    let changes = pending::parse(&text);
    assert!(changes.is_empty() || text.lines().any(|line| line == "end"), "half a transaction is none");
    assert!(changes.len() < text.lines().count().max(1));
    if let Some(step) = Step::parse(&text) {
        steps(step);
    }
}

fn steps(step: Step) {
    let again = Step::parse(&step.to_message()).expect("a step reads back");
    assert_eq!((again.operation, again.undoes), (step.operation, step.undoes));
    assert_eq!(again.effects, step.effects);
    let oid = |digit: u8| Oid::from_bytes(&[digit; 20]).expect("20 bytes are an id");
    let effects = 2 * step.effects.len();
    let both = vec![(oid(2), Time(2), again), (oid(1), Time(1), step)];
    let operations = Operation::all(both);
    assert_eq!(operations.iter().map(|operation| operation.effects.len()).sum::<usize>(), effects);
    for operation in operations {
        let moved = operation.moved();
        let names: BTreeSet<&str> = moved.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names.len(), moved.len(), "a ref moves once");
        assert!(moved.iter().all(|one| one.old != one.new));
    }
}
