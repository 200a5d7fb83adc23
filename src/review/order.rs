//! In which order results land: each behind what it builds on or has to come
//! after, those that conflict with few others first, so that most land.

use std::collections::BTreeSet;

use super::item::Item;
use crate::error::Result;
use crate::git::Repo;
use crate::git::merge::{self, Merged};
use crate::model::{Name, RepoPath};
use crate::store;

/// Puts results into the order in which they land.
pub fn order(repo: &Repo, items: Vec<Item>) -> Result<Vec<Item>> {
    let clashes = predicted(repo, &items)?;
    let mut behind = Vec::new();
    for item in &items {
        let task = store::tasks::find(repo, &item.name)?;
        behind.push(item.on_top_of.iter().cloned().chain(task.and_then(|task| task.value.after)).collect());
    }
    let numbers = arranged(&items.iter().map(|item| &item.name).collect::<Vec<_>>(), &behind, &clashes);
    Ok(numbers.into_iter().map(|number| items[number].clone()).collect())
}

/// The pairs of results that do not fit together.
fn predicted(repo: &Repo, items: &[Item]) -> Result<Vec<(usize, usize)>> {
    let mut touched: Vec<BTreeSet<RepoPath>> = Vec::new();
    for item in items {
        let (before, after) = (repo.read().commit(item.base_oid)?.tree, repo.read().commit(item.tip)?.tree);
        touched.push(repo.read().changes(Some(before), after)?.into_iter().map(|one| one.path).collect());
    }
    let mut clashes = Vec::new();
    for one in 0..items.len() {
        for other in one + 1..items.len() {
            let is_stack = repo.read().merge_base(items[one].tip, items[other].tip)?;
            let is_stack = is_stack.is_some_and(|base| [items[one].tip, items[other].tip].contains(&base));
            if is_stack || touched[one].is_disjoint(&touched[other]) {
                continue;
            }
            if matches!(merge::combine(repo, items[one].tip, items[other].tip)?, Merged::Conflict(_)) {
                clashes.push((one, other));
            }
        }
    }
    Ok(clashes)
}

/// The numbers of results, in order: among those that can come next, the one
/// with the fewest conflicts with what is left, and the earlier one of two.
fn arranged(names: &[&Name], behind: &[Vec<Name>], clashes: &[(usize, usize)]) -> Vec<usize> {
    let mut left: Vec<usize> = (0..names.len()).collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let waits = |number: &usize| left.iter().any(|other| behind[*number].contains(names[*other]));
        let degree = |number: usize| {
            let others = clashes.iter().filter_map(|(one, other)| match number {
                _ if number == *one => Some(other),
                _ if number == *other => Some(one),
                _ => None,
            });
            others.filter(|other| left.contains(other)).count()
        };
        let ready = left.iter().copied().filter(|number| !waits(number));
        // Where each waits for another, nobody is right: the first goes first.
        let next = ready.min_by_key(|number| (degree(*number), *number)).unwrap_or(left[0]);
        left.retain(|number| *number != next);
        ordered.push(next);
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_to_come_before_does_and_few_conflicts_come_first() {
        let names: Vec<Name> = ["a", "b", "c", "d"].iter().map(|name| name.parse().unwrap()).collect();
        let names: Vec<&Name> = names.iter().collect();
        let after = |pairs: &[(usize, usize)]| {
            let mut behind = vec![Vec::new(); names.len()];
            pairs.iter().for_each(|(one, other)| behind[*one].push(names[*other].clone()));
            behind
        };
        assert_eq!(arranged(&names, &after(&[]), &[]), [0, 1, 2, 3]);
        assert_eq!(arranged(&names, &after(&[(0, 3)]), &[]), [1, 2, 3, 0]);
        // a conflicts with all others, which fit together.
        assert_eq!(arranged(&names, &after(&[]), &[(0, 1), (0, 2), (0, 3)]), [1, 2, 0, 3]);
        assert_eq!(arranged(&names, &after(&[(0, 1), (1, 0)]), &[]), [2, 3, 0, 1]);
    }
}
