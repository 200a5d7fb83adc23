//! Whether a shard kept to its own files.
//!
//! **Invariant:** one change outside the shard's files, and none is accepted.

use std::collections::BTreeSet;

use crate::git::Edit;
use crate::model::RepoPath;

/// What a shard's changes amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It changed nothing.
    Unchanged,
    /// It changed files of its own, and nothing else.
    Done,
    /// It changed, added or removed these paths, which are not its own.
    Escaped(Vec<RepoPath>),
}

/// Compares what a shard changed with what it was given. A new file is an
/// escape: it is in no shard's list.
pub fn verify(own: &[RepoPath], edits: &[Edit]) -> Verified {
    let own: BTreeSet<&RepoPath> = own.iter().collect();
    let paths = edits.iter().map(|edit| &edit.change.path);
    let escaped: BTreeSet<&RepoPath> = paths.filter(|path| !own.contains(path)).collect();
    if !escaped.is_empty() {
        Verified::Escaped(escaped.into_iter().cloned().collect())
    } else if edits.is_empty() {
        Verified::Unchanged
    } else {
        Verified::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Change, Status};

    #[test]
    fn a_shard_may_change_its_own_files_only() {
        let own = ["src/a.rs", "src/b.rs"].map(RepoPath::from);
        let change =
            |status, path: &str| Edit { change: Change { status, path: RepoPath::from(path) }, now: None };
        let (modified, added, deleted) = (Status::Modified, Status::Added, Status::Deleted);
        for (changes, escaped) in [
            (vec![change(modified, "src/a.rs"), change(deleted, "src/b.rs")], &[][..]),
            (vec![change(modified, "src/a.rs"), change(modified, "src/c.rs")], &["src/c.rs"]),
            (vec![change(added, "src/a.rs.orig")], &["src/a.rs.orig"]),
            (vec![change(added, "src/A.rs")], &["src/A.rs"]),
            (vec![change(deleted, "src/a.rs"), change(added, "src/a.rs/mod.rs")], &["src/a.rs/mod.rs"]),
            (vec![change(deleted, "z"), change(deleted, "b")], &["b", "z"]),
        ] {
            let expected = match escaped {
                [] => Verified::Done,
                paths => Verified::Escaped(paths.iter().map(|path| RepoPath::from(*path)).collect()),
            };
            assert_eq!(verify(&own, &changes), expected);
        }
        assert_eq!(verify(&own, &[]), Verified::Unchanged);
    }
}
