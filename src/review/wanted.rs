//! What a result's request shall say and be: facts alone, gathered from
//! records, notes and commits.

use super::forge::{Text, text};
use super::item::Item;
use super::{check, verdict};
use crate::error::Result;
use crate::git::{notes, refs};
use crate::model::wording::{count, excerpt};
use crate::model::{Change, Handoff, Route, Task};
use crate::run::Scene;
use crate::store;

/// Title and body; `below` names the request of the result it builds on.
pub fn text(
    scene: Scene<'_>,
    item: &Item,
    touched: &[Change],
    (below, reviewers): (Option<String>, &[String]),
) -> Result<Text> {
    let mut text = Text::new(&item.name, &item.text);
    let task = store::tasks::find(scene.repo, &item.name)?.map(|stored| stored.value);
    if let Some((name, label)) = item.on_top_of.as_ref().zip(below) {
        text.say(&format!("On top of {name}: {label}"));
    }
    text.facts("By", task.as_ref().map(by).unwrap_or_default());
    let areas = text::areas(touched);
    let all = (areas.len() > 1).then(|| format!("{} in all", count(touched.len(), "file")));
    text.facts("Touched", areas.into_iter().chain(all));
    let read = scene.repo.read();
    let line = |oid: &crate::model::Oid| {
        let commit = read.commit(*oid)?;
        Ok(format!("{} {}", oid.short(), excerpt(commit.subject(), 100)))
    };
    text.facts("Commits", item.commits.iter().map(line).collect::<Result<Vec<_>>>()?);
    let tree = read.commit(item.tip)?.tree;
    let green = check::green(&notes::find(scene.repo, refs::CHECK_NOTES, tree)?.unwrap_or_default());
    text.facts("Checks", green.into_iter().map(|check| format!("{check}  passed on this very tree")));
    text.facts("Handed over", task.iter().flat_map(|task| task.handoffs.iter().flat_map(handed)));
    text.facts("Verdicts", verdict::load(scene.repo, item)?.iter().map(verdict_words));
    text.facts("Know this best", reviewers.iter().cloned());
    Ok(text)
}

/// Who did it, and why it went there.
fn by(task: &Task) -> Vec<String> {
    let mut lines = vec![format!("session {}{}", task.session, agent(task))];
    lines.extend(task.route.as_ref().and_then(route));
    lines
}

/// Between whom a task went, and what was said of it.
fn handed(handoff: &Handoff) -> Vec<String> {
    let head = format!("from {} to {}, {}", handoff.from, handoff.to, handoff.time.date());
    let said = handoff.said.iter().flat_map(|said| said.lines()).map(|line| format!("  {line}"));
    std::iter::once(head).chain(said).collect()
}

/// The agent's name: of a program not where it lies.
fn agent(task: &Task) -> String {
    let first = task.agent.as_deref().and_then(|agent| agent.split_whitespace().next());
    let name = first.and_then(|word| word.rsplit('/').find(|part| !part.is_empty()));
    name.map(|name| format!(", by {name}")).unwrap_or_default()
}

/// `routed by 0.87 = 0.15 × context 0.62 + …, next frontend 0.20`.
fn route(route: &Route) -> Option<String> {
    let mut candidates = route.candidates.iter();
    let first = candidates.next()?;
    let counts = first.terms.iter().filter(|term| (term.value * term.weight).abs() >= 0.005);
    let terms: Vec<String> =
        counts.map(|term| format!("{:.2} × {} {:.2}", term.weight, term.name, term.value)).collect();
    let terms = if terms.is_empty() { String::new() } else { format!(" = {}", terms.join(" + ")) };
    let next = candidates.next().map(|next| format!(", next {} {:.2}", next.label(), next.score));
    Some(format!("routed by {:.2}{terms}{}", first.score, next.unwrap_or_default()))
}

fn verdict_words(held: &verdict::Held) -> String {
    let verdict = &held.verdict;
    // Who signs with an address does not want to be mailed for it.
    let who = verdict.by.split(" <").next().unwrap_or_default();
    let said = excerpt(&verdict.text, 200);
    let said = if said.is_empty() { said } else { format!(": {said}") };
    format!("{} {who} {}{said}", verdict.viewpoint.word(), verdict.decision.word())
}
