//! What went over with a task from the session that had it before: facts of its
//! work, what was told of it, and where the conversation is.

use super::known::{Known, at};
use super::page::{Body, Section};
use crate::error::Result;
use crate::model::{Handoff, Oid, Task};

/// The last handoff of a task, and what earlier ones told.
pub fn sections(known: &Known<'_>, task: &Task) -> Result<Vec<Section>> {
    let Some((last, earlier)) = task.handoffs.split_last() else { return Ok(Vec::new()) };
    let Handoff { from, said, .. } = last;
    let section = |title: String, body: Body, room: usize| Section { title, body, room };
    let told = |one: &Handoff| Some(format!("{}:\n{}", one.from, one.said.as_ref()?));
    let earlier: Vec<String> = earlier.iter().rev().filter_map(told).collect();
    let on_the_way = on_the_way(task).unwrap_or_default();
    Ok(vec![
        section(
            format!("What {from} says: decisions, what was ruled out, what is next"),
            Body::Words(said.clone().unwrap_or_default()),
            5_000,
        ),
        section(format!("What {from} left"), Body::List(left(task, last)), 1_500),
        section("Its commits so far".to_owned(), Body::Lines(commits(known, task, last)?), 1_500),
        section("The files they change".to_owned(), Body::Lines(files(known, task, last)?), 1_500),
        section(format!("What those before {from} said"), Body::Words(earlier.join("\n\n")), 2_000),
        section(
            format!("What was said of it in the conversation of {}", on_the_way.0),
            Body::Words(on_the_way.1),
            3_200,
        ),
        section("The conversation".to_owned(), Body::Lines(conversation(task, last)), 500),
    ])
}

/// Where the work is, and how the last run ended.
fn left(task: &Task, handoff: &Handoff) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(run) = handoff.runs.checked_sub(1).and_then(|last| task.runs.get(last)) {
        let outcome = run.outcome.map_or("goes on", |outcome| outcome.word());
        let code = run.exit_code.filter(|code| *code != 0).map(|code| format!(" (exit {code})"));
        lines.push(format!("Run {} {outcome}{}.", handoff.runs, code.unwrap_or_default()));
    }
    lines.push(match handoff.work {
        Some(work) => {
            let (base, work) = (task.base_oid.short(), work.short());
            format!("Its work lies at {work}, on top of {base}: `git diff {base} {work}` shows all of it.")
        }
        None => "There is no work of it yet.".to_owned(),
    });
    lines
}

/// The commits of the work, oldest first, each with who made it; what was not
/// committed is none.
fn commits(known: &Known<'_>, task: &Task, handoff: &Handoff) -> Result<Vec<String>> {
    let made: Vec<Oid> = task.made().map(|(oid, _)| oid).collect();
    let made = if made.is_empty() { handoff.commits.clone() } else { made };
    let mined = known.mine(&made)?;
    Ok(mined.iter().rev().map(|mined| known.line_by(mined)).collect())
}

/// What the work changes of what it started from; what was not committed is told apart.
fn files(known: &Known<'_>, task: &Task, handoff: &Handoff) -> Result<Vec<String>> {
    let read = known.repo.read();
    let Some(work) = handoff.work else { return Ok(Vec::new()) };
    let (before, after) = (read.commit(task.base_oid)?.tree, read.commit(work)?.tree);
    let changes = read.changes(Some(before), after)?;
    let loose: Vec<_> = match handoff.commits.contains(&work) || task.all_commits().any(|oid| oid == work) {
        true => Vec::new(),
        false => known.mine(&[work])?,
    };
    let line = |change: &crate::model::Change| {
        let is_loose = loose.iter().any(|mined| !at(mined, std::slice::from_ref(&change.path)).is_empty());
        let loose = if is_loose { "  (not committed)" } else { "" };
        format!("{} {}{loose}", change.status.letter(), change.path)
    };
    Ok(changes.iter().map(line).collect())
}

/// Whose agents were the last ones to say something of it on the way, and what.
fn on_the_way(task: &Task) -> Option<(String, String)> {
    task.handoffs.iter().rev().find_map(|one| Some((one.from.to_string(), one.excerpt.clone()?)))
}

/// That of the last run, in the session that had the task then.
fn conversation(task: &Task, handoff: &Handoff) -> Vec<String> {
    let line = |conversation: &String| {
        let agent = handoff.agent.as_deref().unwrap_or("an agent");
        let ran = task.handoffs.iter().find(|one| one.runs == handoff.runs).unwrap_or(handoff);
        format!("{agent}, {conversation}, in session {}", ran.from)
    };
    handoff.conversation.iter().map(line).collect()
}
