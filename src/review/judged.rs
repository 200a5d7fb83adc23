//! What the checks say of results in line: of all at once, and where that fails,
//! of ever fewer, until the first that makes them fail is known.

use std::path::PathBuf;

use super::check::{self, Candidate, Checked};
use super::gate::Gate;
use super::line::Link;
use super::queue::Queue;
use crate::error::Result;
use crate::model::{Event, Name, Oid};

/// What the checks say of results in line.
pub(super) struct Judged {
    /// How many of the first may land together.
    pub(super) green: usize,
    /// What was said of these.
    pub(super) check: Checked,
    /// What was said of them and the next one, where that failed.
    pub(super) red: Option<Checked>,
    /// The check that fails without any result, and its log.
    pub(super) base_fails: Option<(String, PathBuf)>,
}

/// Asks the checks.
pub(super) fn judge(queue: &Queue<'_>, gate: &Gate, base: Oid, links: &[Link]) -> Result<Judged> {
    let run = |number: usize| {
        let Link { item, commit, tree, .. } = &links[number - 1];
        let candidate = Candidate { name: item.name.clone(), commit: *commit, tree: *tree, log: "check" };
        check::run(queue.scene, &candidate, &gate.checks)
    };
    let (mut low, mut high) = (0, links.len());
    let mut check = run(high)?;
    if check.is_green() {
        return Ok(Judged { green: high, check, red: None, base_fails: None });
    }
    if high > 1 {
        let text = format!("{high} results fail together: looking for the first that does");
        (queue.scene.events)(Event::Note(text));
    }
    let mut red = std::mem::replace(&mut check, Checked::Unconfigured);
    while high - low > 1 {
        let middle = usize::midpoint(low, high);
        let said = run(middle)?;
        if said.is_green() {
            (low, check) = (middle, said);
        } else {
            (high, red) = (middle, said);
        }
    }
    let base_fails = if low == 0 { alone(queue, gate, base, &links[0].item.name)? } else { None };
    Ok(Judged { green: low, check, red: Some(red), base_fails })
}

/// The check that the base itself fails, and its log.
fn alone(queue: &Queue<'_>, gate: &Gate, base: Oid, name: &Name) -> Result<Option<(String, PathBuf)>> {
    let tree = queue.scene.repo.read().commit(base)?.tree;
    let candidate = Candidate { name: name.clone(), commit: base, tree, log: "base" };
    Ok(match check::run(queue.scene, &candidate, &gate.checks)? {
        Checked::Failed { check, log, .. } => Some((check, log)),
        _ => None,
    })
}
