//! Which open work conflicts with which, and in which order results land best.
//!
//! **Invariant:** no worktree and no index is touched, and nothing is left in
//! the repository; what conflicts, git said of a merge in memory.

use std::collections::BTreeSet;

use serde::Serialize;

use super::item::Item;
use super::work::{self, Sort, Work};
use crate::error::Result;
use crate::git::pairs::{self, Clash, Pair};
use crate::git::{Aside, Repo};
use crate::model::{Events, Name, RepoPath, TaskState};

/// Who is part of a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Party {
    /// The session, the result or the branch.
    pub name: String,
    /// Which of them.
    pub kind: PartyKind,
}

/// What a part of a conflict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PartyKind {
    /// What a session holds.
    Session,
    /// A result that waits.
    Result,
    /// The branch that work goes back to.
    Base,
}

/// Two that can't both land as they are.
#[derive(Clone, Debug, Serialize)]
pub struct Conflict {
    /// The one.
    pub one: Party,
    /// The other.
    pub other: Party,
    /// Where.
    pub clashes: Vec<Clash>,
}

/// All that conflicts.
#[derive(Clone, Debug, Serialize)]
pub struct Radar {
    /// What was compared.
    pub work: Vec<Work>,
    /// What conflicts, in the order of the work.
    pub conflicts: Vec<Conflict>,
    /// The results that wait to land, in the order in which that goes best;
    /// only where all of them were compared.
    pub order: Vec<Name>,
}

/// Compares all open work, each with each and with its base; only pairs with
/// one of these names where there are any.
pub fn scan(repo: &Repo, only: &[String], events: Events<'_>) -> Result<Radar> {
    let _fence = repo.fence(events);
    let aside = Aside::make(repo)?;
    let (items, works) = work::load(repo, &aside, events)?;
    let found = of_works(repo, &aside, &works, only)?;
    let ready: Vec<Item> = items.into_iter().filter(|item| item.state == TaskState::Review).collect();
    let order = if only.is_empty() { landing_order(&ready, &between(&ready, &found)) } else { Vec::new() };
    let order = order.into_iter().map(|index| ready[index].name.clone()).collect();
    Ok(Radar { work: works, conflicts: found, order })
}

/// The same for work that is known already.
pub(super) fn of_works(repo: &Repo, aside: &Aside, works: &[Work], only: &[String]) -> Result<Vec<Conflict>> {
    let (mut parties, mut asked) = (Vec::new(), Vec::new());
    for (index, one) in works.iter().enumerate() {
        for (other_index, other) in works.iter().enumerate().skip(index + 1) {
            let is_asked = one.is_meant(only) || other.is_meant(only);
            if is_asked && one.base == other.base && !one.holds(other) {
                parties.push((index, Some(other_index)));
                asked.push(Pair { ours: one.whole, theirs: other.whole });
            }
        }
        parties.push((index, None));
        asked.push(Pair { ours: one.base_oid, theirs: one.whole });
    }
    let mut found: Vec<_> = parties.into_iter().zip(pairs::conflicts(repo, aside, &asked)?).collect();
    found.retain(|(_, clashes)| !clashes.is_empty());
    let of_base: BTreeSet<(usize, RepoPath)> = found
        .iter()
        .filter(|((_, other), _)| other.is_none())
        .flat_map(|((one, _), clashes)| clashes.iter().map(|clash| (*one, clash.path.clone())))
        .collect();
    let mut conflicts = Vec::new();
    for ((one, other), clashes) in found {
        let Some(other) = other else {
            if works[one].is_meant(only) {
                let base = Party { name: works[one].base.clone(), kind: PartyKind::Base };
                conflicts.push(turned(Conflict { one: party(&works[one]), other: base, clashes }));
            }
            continue;
        };
        let clashes = without_base(repo, (works, &of_base), (one, other), clashes)?;
        if !clashes.is_empty() {
            conflicts.push(Conflict { one: party(&works[one]), other: party(&works[other]), clashes });
        }
    }
    Ok(conflicts)
}

/// Leaves out what only the base brings into a pair: where one of the two
/// conflicts with the base already, and the other has nothing of its own.
fn without_base(
    repo: &Repo,
    (works, of_base): (&[Work], &BTreeSet<(usize, RepoPath)>),
    (one, other): (usize, usize),
    mut clashes: Vec<Clash>,
) -> Result<Vec<Clash>> {
    for (mine, theirs) in [(one, other), (other, one)] {
        if clashes.iter().any(|clash| of_base.contains(&(mine, clash.path.clone()))) {
            let own = works[theirs].changed(repo)?;
            clashes
                .retain(|clash| !of_base.contains(&(mine, clash.path.clone())) || own.contains(&clash.path));
        }
    }
    Ok(clashes)
}

/// With a base the work comes first, though it is merged into the base.
fn turned(mut conflict: Conflict) -> Conflict {
    if conflict.other.kind == PartyKind::Base {
        for clash in &mut conflict.clashes {
            std::mem::swap(&mut clash.ours, &mut clash.theirs);
            std::mem::swap(&mut clash.ours_is_gone, &mut clash.theirs_is_gone);
        }
    }
    conflict
}

pub(super) fn party(work: &Work) -> Party {
    let kind = match work.kind {
        Sort::Session => PartyKind::Session,
        Sort::Result => PartyKind::Result,
    };
    Party { name: work.name.to_string(), kind }
}

impl Party {
    /// Whether it is this result.
    pub fn is_result(&self, name: &Name) -> bool {
        self.kind == PartyKind::Result && self.name == name.as_str()
    }
}

/// Two of some results that conflict, by their positions; with itself where it
/// conflicts with its base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clashing {
    /// The earlier one.
    pub one: usize,
    /// The later one.
    pub other: usize,
    /// Where.
    pub paths: Vec<RepoPath>,
}

/// Which of these results conflict with one another, or with their base.
/// Those of one stack do not.
pub fn among(repo: &Repo, items: &[Item]) -> Result<Vec<Clashing>> {
    let aside = Aside::make(repo)?;
    let mut works = Vec::new();
    for item in items {
        works.extend(work::of_item(repo, item, items)?);
    }
    Ok(between(items, &of_works(repo, &aside, &works, &[])?))
}

fn between(items: &[Item], conflicts: &[Conflict]) -> Vec<Clashing> {
    let position = |party: &Party| items.iter().position(|item| party.is_result(&item.name));
    let clashing = |conflict: &Conflict| {
        let one = position(&conflict.one)?;
        let other = match conflict.other.kind {
            PartyKind::Base => one,
            _ => position(&conflict.other)?,
        };
        let paths = conflict.clashes.iter().map(|clash| clash.path.clone()).collect();
        Some(Clashing { one: one.min(other), other: one.max(other), paths })
    };
    conflicts.iter().filter_map(clashing).collect()
}

/// The order in which results land best: what conflicts with the fewest of
/// those that still wait comes first, what conflicts with its base last, each
/// behind those it builds on or comes after; among equals the order they were given in.
pub fn landing_order(items: &[Item], clashing: &[Clashing]) -> Vec<usize> {
    let mut waiting: BTreeSet<usize> = (0..items.len()).collect();
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let is_free = |index: &usize| {
            let Item { on_top_of, after, .. } = &items[*index];
            let comes_first = |other: &&usize| {
                let name = Some(&items[**other].name);
                on_top_of.as_ref() == name || after.as_ref() == name
            };
            !waiting.iter().any(|other| comes_first(&other))
        };
        let weight = |index: &usize| {
            let own = clashing.iter().filter(|pair| pair.one == *index || pair.other == *index);
            let is_stuck = own.clone().any(|pair| pair.one == pair.other);
            let count = own.filter(|pair| waiting.contains(&pair.one) && waiting.contains(&pair.other));
            (is_stuck, count.count(), *index)
        };
        let next = waiting.iter().copied().filter(is_free).min_by_key(weight);
        // Where they build on one another in a ring, the first is as good as any.
        let next = next.or_else(|| waiting.first().copied()).expect("some wait");
        waiting.remove(&next);
        order.push(next);
    }
    order
}
