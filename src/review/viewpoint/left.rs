//! What a look left in its throwaway: a tester's tests, a documenter's words.

use super::look::Order;
use crate::error::Result;
use crate::git::{Repo, commit, refs, trailer};
use crate::model::Oid;
use crate::model::wording::excerpt;
use crate::review::Item;
use crate::run::Scene;
use crate::run::throwaway::Throwaway;

/// What was added, on top of the tip that was looked at.
#[derive(Clone, Debug)]
pub struct Left {
    /// The tip of it.
    pub tip: Oid,
    /// Its commits, oldest first.
    pub commits: Vec<Oid>,
}

/// Takes it as commits: those that were made, and one of what is uncommitted.
/// Where the result's own commits were rewritten, what the files hold counts.
///
/// # Errors
/// Refused when what ran there bent the throwaway to another repository.
pub fn take(scene: Scene<'_>, throwaway: &Throwaway<'_>, order: &Order<'_>) -> Result<Option<Left>> {
    let (repo, place, tip) = (scene.repo, throwaway.place(), order.item.tip);
    let tree = throwaway.capture()?;
    if repo.read().commit(tip)?.tree == tree {
        return Ok(None);
    }
    let head = commit::find_tip(repo, place)?;
    let descends = |head: &Oid| repo.read().merge_base(tip, *head).is_ok_and(|base| base == Some(tip));
    let from = head.filter(descends).unwrap_or(tip);
    // No branch that it went to moves with this.
    repo.git_in(place, ["update-ref", "--no-deref", "HEAD"]).args([from.to_string()]).run()?;
    let made = match repo.read().commit(from)?.tree == tree {
        true => from,
        false => commit::everything(repo, place, from, &message(order), scene.habits)?,
    };
    let base = repo.read().find_ref(&refs::branch(&order.item.base))?;
    let mut hidden: Vec<Oid> = std::iter::once(tip).chain(base).collect();
    // What other sessions did stays theirs, wherever it was merged from.
    for branches in [refs::SESSION_BRANCHES, refs::REVIEW_BRANCHES] {
        hidden.extend(repo.read().refs(&refs::branch(branches))?.into_iter().map(|(_, at)| at));
    }
    Ok(Some(Left { tip: made, commits: repo.read().commits_between(&hidden, made)? }))
}

fn message(order: &Order<'_>) -> String {
    let item = order.item;
    let subject = format!("{}: {}", order.viewpoint.word(), excerpt(&item.text, 60));
    trailer::sign_as(&subject, order.session(), &item.name, order.viewpoint)
}

/// How many files differ from the result's; none where that can't be told.
pub fn changed(repo: &Repo, throwaway: &Throwaway<'_>, item: &Item) -> usize {
    let changes = || {
        let after = throwaway.capture()?;
        repo.read().changes(Some(repo.read().commit(item.tip)?.tree), after)
    };
    changes().map_or(0, |changes| changes.len())
}
