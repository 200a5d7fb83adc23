//! Puts the accepted changes of all shards together.
//!
//! **Invariant:** of what is put together, no path is edited by two shards, and
//! no edited path needs another to be a folder.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crate::git::Edit;
use crate::model::path::ancestors;
use crate::model::{RepoPath, Status};

/// Two shards that changed what can't both be kept as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The shard that came later, and its path.
    pub one: (usize, RepoPath),
    /// The other shard and its path.
    pub other: (usize, RepoPath),
    /// What is wrong with the two paths.
    pub kind: ClashKind,
}

/// Why two paths can't both be kept as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClashKind {
    /// They are the same.
    Same,
    /// One is a file, the other needs it to be a folder.
    Folder,
    /// A new one differs from the other by case alone.
    Case,
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((one, path), (other, second)) = (&self.one, &self.other);
        write!(f, "shard {one} changed `{path}` and shard {other} changed `{second}`")
    }
}

impl std::error::Error for Clash {}

/// What shards changed, put together.
#[derive(Debug, Default)]
pub struct Assembled<'a> {
    /// The edits of all shards that fit beside one another, by path.
    pub edits: Vec<&'a Edit>,
    /// Each shard that does not fit beside those before it.
    pub clashes: Vec<Clash>,
}

/// Puts the edits of shards together; a shard that does not fit beside those
/// before it is left out, whole.
pub fn assemble<'a>(shards: impl IntoIterator<Item = (usize, &'a [Edit])>) -> Assembled<'a> {
    let mut taken = Taken::default();
    let mut clashes = Vec::new();
    for (shard, edits) in shards {
        match edits.iter().find_map(|edit| taken.clash(shard, edit)) {
            Some(clash) => clashes.push(clash),
            None => edits.iter().for_each(|edit| taken.insert(shard, edit)),
        }
    }
    Assembled { edits: taken.by_path.into_values().map(|(_, edit)| edit).collect(), clashes }
}

type ByShard<'a> = (usize, &'a Edit);

/// What fits so far.
#[derive(Default)]
struct Taken<'a> {
    by_path: BTreeMap<&'a [u8], ByShard<'a>>,
    /// The paths that stay, by how they read without case.
    folded: HashMap<RepoPath, ByShard<'a>>,
}

impl<'a> Taken<'a> {
    fn insert(&mut self, shard: usize, edit: &'a Edit) {
        self.by_path.insert(edit.change.path.as_bytes(), (shard, edit));
        if stays(edit) {
            self.folded.insert(edit.change.path.folded(), (shard, edit));
        }
    }

    fn clash(&self, shard: usize, edit: &Edit) -> Option<Clash> {
        let path = edit.change.path.as_bytes();
        let found = |kind| {
            move |(other, second): ByShard<'a>| Clash {
                one: (shard, edit.change.path.clone()),
                other: (other, second.change.path.clone()),
                kind,
            }
        };
        if let Some(same) = self.by_path.get(path) {
            return Some(found(ClashKind::Same)(*same));
        }
        if !stays(edit) {
            return None;
        }
        let above = ancestors(path).filter_map(|folder| self.by_path.get(folder).copied());
        let below = [path, b"/"].concat();
        let below = self.by_path.range(&below[..]..).take_while(|(other, _)| other.starts_with(&below));
        let folder = above.chain(below.map(|(_, other)| *other)).find(|(_, other)| stays(other));
        folder.map(found(ClashKind::Folder)).or_else(|| self.twin(edit).map(found(ClashKind::Case)))
    }

    /// Paths that differ by case alone and were both there before are the
    /// repository's own business; making one is not.
    fn twin(&self, edit: &Edit) -> Option<ByShard<'a>> {
        let added = |edit: &Edit| edit.change.status == Status::Added;
        self.folded.get(&edit.change.path.folded()).copied().filter(|(_, other)| added(other) || added(edit))
    }
}

fn stays(edit: &Edit) -> bool {
    edit.change.status != Status::Deleted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Change;

    fn edit(letter: u8, path: &str) -> Edit {
        let status = Status::from_letter(letter).unwrap();
        Edit { change: Change { status, path: RepoPath::from(path) }, now: None }
    }

    #[test]
    fn disjoint_changes_come_back_in_the_order_of_paths() {
        let (two, one) = ([edit(b'M', "b/x"), edit(b'D', "b/y")], [edit(b'M', "c"), edit(b'T', "a")]);
        let assembled = assemble([(2, &two[..]), (1, &one[..])]);
        let paths: Vec<String> = assembled.edits.iter().map(|edit| edit.change.path.quoted()).collect();
        assert_eq!(
            (paths, assembled.clashes),
            (["a", "b/x", "b/y", "c"].map(str::to_owned).to_vec(), vec![])
        );
    }

    #[test]
    fn what_is_not_disjoint_is_not_put_together() {
        for (one, other, clash) in [
            (edit(b'M', "a"), edit(b'M', "a"), Some(ClashKind::Same)),
            (edit(b'D', "a"), edit(b'D', "a"), Some(ClashKind::Same)),
            (edit(b'M', "a"), edit(b'A', "a/b"), Some(ClashKind::Folder)),
            (edit(b'D', "a"), edit(b'A', "a/b"), None),
            (edit(b'M', "ab"), edit(b'M', "a/b"), None),
            (edit(b'M', "a-"), edit(b'M', "a/b"), None),
            (edit(b'A', "Read"), edit(b'M', "read"), Some(ClashKind::Case)),
            (edit(b'M', "Read"), edit(b'M', "read"), None),
            (edit(b'D', "Read"), edit(b'A', "read"), None),
        ] {
            for (one, other) in [(&one, &other), (&other, &one)] {
                let (one, other) = (std::slice::from_ref(one), std::slice::from_ref(other));
                let assembled = assemble([(1, one), (2, other)]);
                let found = assembled.clashes.first().map(|clash| clash.kind);
                assert_eq!(found, clash, "{one:?} and {other:?}");
            }
        }
    }

    #[test]
    fn a_shard_that_does_not_fit_is_left_out_whole_and_named() {
        let (one, two, three) =
            ([edit(b'M', "a")], [edit(b'M', "b"), edit(b'M', "a")], [edit(b'M', "b"), edit(b'A', "c")]);
        let assembled = assemble([(1, &one[..]), (2, &two[..]), (3, &three[..])]);
        let told: Vec<String> = assembled.clashes.iter().map(Clash::to_string).collect();
        assert_eq!(told, ["shard 2 changed `a` and shard 1 changed `a`"]);
        assert_eq!(assembled.edits, [&one[0], &three[0], &three[1]]);
    }
}
