//! Which tasks can be worked on at once.
//!
//! Two tasks that touch no file in common merge cleanly, renames aside. Most
//! that share a file do too: so what is shared puts tasks in an order, or is
//! warned of, and forbids nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::RepoPath;

/// Two tasks that are expected to touch the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The earlier task.
    pub one: usize,
    /// The later one.
    pub other: usize,
    /// What both touch, by path; of a folder and what lies in it, the latter.
    pub shared: Vec<RepoPath>,
}

/// The pairs of tasks that share something, in order; a folder is all that lies in it.
pub fn overlaps(tasks: &[Vec<RepoPath>]) -> Vec<Overlap> {
    let mut holders: BTreeMap<&[u8], BTreeSet<usize>> = BTreeMap::new();
    for (task, paths) in tasks.iter().enumerate() {
        for path in paths {
            holders.entry(path.as_bytes()).or_default().insert(task);
        }
    }
    let mut shared: BTreeMap<(usize, usize), BTreeSet<&RepoPath>> = BTreeMap::new();
    for (task, paths) in tasks.iter().enumerate() {
        for path in paths {
            let own = std::iter::once(path.as_bytes()).chain(path.ancestors());
            for other in own.filter_map(|place| holders.get(place)).flatten().filter(|other| **other != task)
            {
                shared.entry((task.min(*other), task.max(*other))).or_default().insert(path);
            }
        }
    }
    let overlap = |((one, other), paths): ((usize, usize), BTreeSet<&RepoPath>)| Overlap {
        one,
        other,
        shared: paths.into_iter().cloned().collect(),
    };
    shared.into_iter().map(overlap).collect()
}

/// When each task can begin: those of one number at once, each behind all
/// earlier tasks that it shares something with.
pub fn waves(tasks: usize, overlaps: &[Overlap]) -> Vec<usize> {
    let mut waves = vec![0; tasks];
    for task in 0..tasks {
        let before = overlaps.iter().filter(|overlap| overlap.other == task);
        waves[task] = before.map(|overlap| waves[overlap.one] + 1).max().unwrap_or(0);
    }
    waves
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tasks(all: &[&[&str]]) -> Vec<Vec<RepoPath>> {
        all.iter().map(|paths| paths.iter().map(|path| RepoPath::from(*path)).collect()).collect()
    }

    #[test]
    fn tasks_that_share_a_file_come_one_after_the_other() {
        let tasks = tasks(&[&["src/a", "src/b"], &["web/x"], &["src/b"], &["src"], &["web/y", "src/c"]]);
        let overlaps = overlaps(&tasks);
        let told: Vec<(usize, usize, String)> = overlaps
            .iter()
            .map(|one| {
                (one.one, one.other, one.shared.iter().map(RepoPath::quoted).collect::<Vec<_>>().join(" "))
            })
            .collect();
        let expected = [(0, 2, "src/b"), (0, 3, "src/a src/b"), (2, 3, "src/b"), (3, 4, "src/c")];
        assert_eq!(told, expected.map(|(one, other, shared)| (one, other, shared.to_owned())));
        assert_eq!(waves(tasks.len(), &overlaps), [0, 0, 1, 2, 3]);
        assert!(waves(0, &[]).is_empty());
    }

    proptest! {
        #[test]
        fn no_two_of_one_wave_share_anything(
            picks in proptest::collection::vec(
                proptest::sample::subsequence(vec!["a", "a/b", "a/c", "d", "e/f", "e/g", "e"], 0..4), 0..7,
            ),
        ) {
            let tasks: Vec<Vec<RepoPath>> =
                picks.iter().map(|paths| paths.iter().map(|path| RepoPath::from(*path)).collect()).collect();
            let overlaps = overlaps(&tasks);
            let waves = waves(tasks.len(), &overlaps);
            for one in 0..tasks.len() {
                for other in one + 1..tasks.len() {
                    let meet = |a: &RepoPath, b: &RepoPath| {
                        a == b || a.ancestors().any(|folder| !folder.is_empty() && folder == b.as_bytes())
                    };
                    let shares =
                        tasks[one].iter().any(|a| tasks[other].iter().any(|b| meet(a, b) || meet(b, a)));
                    assert_eq!(overlaps.iter().any(|o| (o.one, o.other) == (one, other)), shares);
                    assert!(!shares || waves[one] < waves[other]);
                }
            }
        }
    }
}
