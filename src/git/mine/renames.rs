//! Which deletion and addition of a commit are one file with a new name.
//!
//! Contents are not compared, that would cost more than all the rest: a file
//! is taken for the same where its contents are, or else where it is the only
//! one of its name on both sides, as when a folder is moved and mended.

use std::collections::HashMap;
use std::hash::Hash;

use crate::model::{Oid, RepoPath};

/// A file that was added or deleted, with its contents.
pub(super) type Side = (RepoPath, Oid);

/// The pairs, from where to where, by the new name.
pub(super) fn find(deleted: &[Side], added: &[Side]) -> Vec<(RepoPath, RepoPath)> {
    if deleted.is_empty() || added.is_empty() {
        return Vec::new();
    }
    let mut left = Left { deleted: vec![true; deleted.len()], added: vec![true; added.len()] };
    let mut pairs = Vec::new();
    let mut pair = |found: Vec<(usize, usize)>, left: &mut Left| {
        for (from, to) in found {
            (left.deleted[from], left.added[to]) = (false, false);
            pairs.push((deleted[from].0.clone(), added[to].0.clone()));
        }
    };
    let name = |side: &Side| side.0.file_name().to_vec();
    pair(left.alike((deleted, added), Alike::InOrder, |side| (side.1, name(side))), &mut left);
    pair(left.alike((deleted, added), Alike::InOrder, |side| side.1), &mut left);
    pair(left.alike((deleted, added), Alike::Alone, name), &mut left);
    pairs.sort_by(|one, two| one.1.cmp(&two.1));
    pairs
}

/// What has no pair yet.
struct Left {
    deleted: Vec<bool>,
    added: Vec<bool>,
}

/// When files of one key are a pair.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alike {
    /// The first on one side with the first on the other, and so on.
    InOrder,
    /// Only where there is one on each side.
    Alone,
}

impl Left {
    fn alike<K: Eq + Hash>(
        &self,
        (deleted, added): (&[Side], &[Side]),
        how: Alike,
        key: impl Fn(&Side) -> K,
    ) -> Vec<(usize, usize)> {
        let mut by_key: HashMap<K, (Vec<usize>, Vec<usize>)> = HashMap::new();
        for (index, side) in deleted.iter().enumerate().filter(|(index, _)| self.deleted[*index]) {
            by_key.entry(key(side)).or_default().0.push(index);
        }
        for (index, side) in added.iter().enumerate().filter(|(index, _)| self.added[*index]) {
            if let Some(pair) = by_key.get_mut(&key(side)) {
                pair.1.push(index);
            }
        }
        let fits = |(from, to): &(Vec<usize>, Vec<usize>)| {
            how == Alike::InOrder || (from.len() == 1 && to.len() == 1)
        };
        by_key.into_values().filter(fits).flat_map(|(from, to)| from.into_iter().zip(to)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides(files: &[(&str, u8)]) -> Vec<Side> {
        files
            .iter()
            .map(|(path, byte)| (RepoPath::from(*path), Oid::from_bytes(&[*byte; 20]).unwrap()))
            .collect()
    }

    #[test]
    fn a_file_is_the_same_by_its_contents_or_by_a_name_of_its_own() {
        for (deleted, added, expected) in [
            (&[("a", 1)][..], &[("b", 1)][..], &[("a", "b")][..]),
            (&[("a", 1)], &[("b", 2)], &[]),
            (&[("x/a", 1)], &[("y/a", 2)], &[("x/a", "y/a")]),
            (&[("x/a", 1), ("z/a", 3)], &[("y/a", 2)], &[]),
            (&[("x/a", 1), ("x/b", 1)], &[("y/b", 1), ("y/c", 1)], &[("x/b", "y/b"), ("x/a", "y/c")]),
            (&[("x/a", 1), ("x/mod", 2)], &[("y/mod", 1), ("y/z", 2)], &[("x/a", "y/mod"), ("x/mod", "y/z")]),
            (&[("x/a", 1)], &[("y/a", 2), ("z/b", 1)], &[("x/a", "z/b")]),
            (&[], &[("a", 1)], &[]),
        ] {
            let path = |path: &str| RepoPath::from(path);
            let expected: Vec<_> = expected.iter().map(|(from, to)| (path(from), path(to))).collect();
            assert_eq!(find(&sides(deleted), &sides(added)), expected, "{deleted:?} {added:?}");
        }
    }
}
