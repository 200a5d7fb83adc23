//! Puts the accepted changes of all shards together.
//!
//! **Invariant:** no path is edited by two shards, and no edited path needs
//! another to be a folder; otherwise there is no result.

use std::collections::BTreeMap;
use std::fmt;

use crate::model::path::ancestors;
use crate::model::{Change, RepoPath, Status};

/// One path of the result, taken from the tree of the shard that changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What happened to which path.
    pub change: Change,
    /// The number of the shard.
    pub shard: usize,
}

/// Two shards that changed what can't both be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// One shard and its path.
    pub one: (usize, RepoPath),
    /// The other shard and its path.
    pub other: (usize, RepoPath),
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((one, path), (other, second)) = (&self.one, &self.other);
        write!(f, "shard {one} changed `{path}` and shard {other} changed `{second}`")
    }
}

impl std::error::Error for Clash {}

/// The edits of all shards, by path.
pub fn assemble(shards: Vec<(usize, Vec<Change>)>) -> Result<Vec<Edit>, Clash> {
    let edits = shards
        .into_iter()
        .flat_map(|(shard, changes)| changes.into_iter().map(move |change| Edit { change, shard }));
    let mut by_path: BTreeMap<RepoPath, Edit> = BTreeMap::new();
    for edit in edits {
        if let Some(other) = by_path.get(&edit.change.path) {
            return Err(clash(other, &edit));
        }
        by_path.insert(edit.change.path.clone(), edit);
    }
    no_file_is_a_folder(&by_path)?;
    no_new_name_differs_by_case_alone(&by_path)?;
    Ok(by_path.into_values().collect())
}

fn clash(one: &Edit, other: &Edit) -> Clash {
    Clash { one: (one.shard, one.change.path.clone()), other: (other.shard, other.change.path.clone()) }
}

fn no_file_is_a_folder(edits: &BTreeMap<RepoPath, Edit>) -> Result<(), Clash> {
    for edit in edits.values().filter(|edit| edit.change.status != Status::Deleted) {
        for folder in ancestors(edit.change.path.as_bytes()) {
            match edits.get(&RepoPath::from_bytes(folder)) {
                Some(other) if other.change.status != Status::Deleted => return Err(clash(other, edit)),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Paths that differ by case alone and were both there before are the
/// repository's own business; making one is not.
fn no_new_name_differs_by_case_alone(edits: &BTreeMap<RepoPath, Edit>) -> Result<(), Clash> {
    let mut folded: BTreeMap<String, &Edit> = BTreeMap::new();
    for edit in edits.values().filter(|edit| edit.change.status != Status::Deleted) {
        let added = |edit: &Edit| edit.change.status == Status::Added;
        match folded.insert(edit.change.path.quoted().to_lowercase(), edit) {
            Some(other) if added(other) || added(edit) => return Err(clash(other, edit)),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(letter: u8, path: &str) -> Change {
        Change { status: Status::from_letter(letter).unwrap(), path: RepoPath::from(path) }
    }

    #[test]
    fn disjoint_changes_come_back_in_the_order_of_paths() {
        let edits = assemble(vec![
            (2, vec![change(b'M', "b/x"), change(b'D', "b/y")]),
            (1, vec![change(b'M', "c"), change(b'T', "a")]),
        ]);
        let edits: Vec<(String, usize)> =
            edits.unwrap().iter().map(|edit| (edit.change.path.quoted(), edit.shard)).collect();
        let expected = [("a", 1), ("b/x", 2), ("b/y", 2), ("c", 1)];
        assert_eq!(edits, expected.map(|(path, shard)| (path.to_owned(), shard)));
    }

    #[test]
    fn what_is_not_disjoint_has_no_result() {
        for (one, other, disjoint) in [
            (change(b'M', "a"), change(b'M', "a"), false),
            (change(b'M', "a"), change(b'A', "a/b"), false),
            (change(b'D', "a"), change(b'A', "a/b"), true),
            (change(b'M', "ab"), change(b'M', "a/b"), true),
            (change(b'A', "Read"), change(b'M', "read"), false),
            (change(b'M', "Read"), change(b'M', "read"), true),
            (change(b'D', "Read"), change(b'A', "read"), true),
        ] {
            let result = assemble(vec![(1, vec![one.clone()]), (2, vec![other.clone()])]);
            assert_eq!(result.is_ok(), disjoint, "{one:?} and {other:?}");
        }
        let clash = assemble(vec![(1, vec![change(b'M', "a")]), (2, vec![change(b'M', "a")])]);
        assert_eq!(clash.unwrap_err().to_string(), "shard 1 changed `a` and shard 2 changed `a`");
    }
}
