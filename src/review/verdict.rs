//! What people and sessions said of a result, as notes on its tip commit.
//!
//! A verdict carries to another tip with an equal tree or an equal patch,
//! and is shown as carried; anything else voids it.

use serde::Serialize;

use super::item::Item;
use crate::error::{Error, Result};
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock, notes, patch};
use crate::model::{Decision, Events, Oid, TaskState, Time, Verdict, Viewpoint};
use crate::store::tasks::With;
use crate::store::{self, record};

/// A verdict that holds for a tip.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The commit it was given on, where that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carried_from: Option<Oid>,
}

/// What is said of a result now.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// From which viewpoint.
    pub viewpoint: Viewpoint,
    /// What.
    pub decision: Decision,
    /// In words.
    pub text: String,
    /// Who.
    pub by: String,
}

/// The verdicts that hold for a result, oldest first.
pub fn load(repo: &Repo, item: &Item) -> Result<Vec<Held>> {
    let all = notes::list(repo, refs::VERDICT_NOTES)?;
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let tree = repo.read().commit(item.tip)?.tree;
    let patch = patch::between(repo, item.base_oid, item.tip)?;
    let mut held = Vec::new();
    for (commit, blob) in all {
        for verdict in parse(&repo.read().blob(blob)?) {
            let here = commit == item.tip;
            let carries = verdict.tree == tree || (patch.is_some() && verdict.patch == patch);
            if here || carries {
                held.push(Held { verdict, carried_from: (!here).then_some(commit) });
            }
        }
    }
    held.sort_by(|one, two| one.verdict.cmp(&two.verdict));
    Ok(held)
}

/// The last word from a viewpoint.
pub fn last(held: &[Held], viewpoint: Viewpoint) -> Option<&Held> {
    held.iter()
        .rev()
        .find(|held| held.verdict.viewpoint == viewpoint && held.verdict.decision != Decision::Abstain)
}

/// The verdicts in a note; lines that are none are passed over.
pub fn parse(note: &[u8]) -> Vec<Verdict> {
    String::from_utf8_lossy(note).lines().filter_map(record::parse_line).collect()
}

/// Notes a judgement on a result's tip; a task of which changes are asked
/// goes to state changes, one that is approved comes back from it.
///
/// # Errors
/// Refused where the result does not wait for judgement.
pub fn give(repo: &Repo, item: &Item, judgement: Judgement, events: Events<'_>, now: Time) -> Result<()> {
    if !item.state.is_pending() {
        return Err(Error::refused(format!(
            "`{}` does not wait for judgement: it is {}",
            item.name,
            item.state.word()
        )));
    }
    let verdict = Verdict {
        time: now,
        by: judgement.by,
        viewpoint: judgement.viewpoint,
        decision: judgement.decision,
        text: judgement.text,
        tree: repo.read().commit(item.tip)?.tree,
        patch: patch::between(repo, item.base_oid, item.tip)?,
    };
    let old = notes::find(repo, refs::VERDICT_NOTES, item.tip)?.unwrap_or_default();
    let mut lines: Vec<String> = String::from_utf8_lossy(&old).lines().map(str::to_owned).collect();
    lines.push(record::line(&verdict)?);
    lines.sort();
    lines.dedup();
    let text = lines.join("\n") + "\n";
    let lock = RepoLock::take(repo, &format!("review {}", item.name), events)?;
    notes::set(repo, &lock, refs::VERDICT_NOTES, &[(item.tip, text.into_bytes())], now)?;
    let changes = state_change(repo, item, &verdict)?;
    refs::apply(repo, &lock, &changes.into_iter().collect::<Vec<_>>(), "review")
}

fn state_change(repo: &Repo, item: &Item, verdict: &Verdict) -> Result<Option<RefChange>> {
    let Some(mut task) = store::tasks::find(repo, &item.name)? else { return Ok(None) };
    let state = match verdict.decision {
        Decision::Approve => TaskState::Review,
        Decision::Change => TaskState::Changes,
        Decision::Abstain => return Ok(None),
    };
    task.value.requested = (state == TaskState::Changes).then(|| verdict.text.clone());
    task.value.state = state;
    task.value.updated = verdict.time;
    let with = With { old: Some(task.tip), ..With::default() };
    store::tasks::prepare(repo, &task.value, with, state.word()).map(Some)
}
