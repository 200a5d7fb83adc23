//! Whether a shard kept to its own files and its own ground.
//!
//! **Invariant:** one change outside these, and none is accepted; what is there
//! and not its own is neither changed nor covered up by anything new.

use std::collections::BTreeSet;

use super::ground::Ground;
use super::tracked::Tracked;
use crate::git::{Edit, EntryKind};
use crate::model::{RepoPath, Status};

/// What a shard's changes amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It changed nothing.
    Unchanged,
    /// It changed files of its own and made these, and nothing else.
    Done(Vec<RepoPath>),
    /// It changed, added or removed these paths, which are not its own.
    Escaped(Vec<RepoPath>),
}

/// Compares what a shard changed with what it was given, and with all that is
/// there: its worktree may have held only some of it.
pub fn verify(own: &[RepoPath], ground: Option<&Ground>, tracked: &Tracked, edits: &[Edit]) -> Verified {
    let own: BTreeSet<&RepoPath> = own.iter().collect();
    let others = edits.iter().filter(|edit| !own.contains(&edit.change.path));
    let (new, mut escaped): (Vec<&Edit>, Vec<&Edit>) =
        others.partition(|edit| ground.is_some_and(|ground| is_new(ground, edit)));
    if let Some(ground) = ground.filter(|_| !new.is_empty()) {
        let standing = standing(ground, tracked, edits);
        escaped.extend(new.iter().filter(|edit| is_in_the_way(&standing, &edit.change.path)));
    }
    let paths = |edits: Vec<&Edit>| -> Vec<RepoPath> {
        let paths: BTreeSet<&RepoPath> = edits.iter().map(|edit| &edit.change.path).collect();
        paths.into_iter().cloned().collect()
    };
    match (escaped.is_empty(), edits.is_empty()) {
        (false, _) => Verified::Escaped(paths(escaped)),
        (true, true) => Verified::Unchanged,
        (true, false) => Verified::Done(paths(new)),
    }
}

/// Whether it is a file that a shard made on its ground.
fn is_new(ground: &Ground, edit: &Edit) -> bool {
    let is_module = edit.now.is_some_and(|(kind, _)| kind == EntryKind::Submodule);
    edit.change.status == Status::Added && !is_module && ground.has(&edit.change.path)
}

/// What is there on a ground and stays, as it reads without case.
fn standing(ground: &Ground, tracked: &Tracked, edits: &[Edit]) -> BTreeSet<RepoPath> {
    let deleted = edits.iter().filter(|edit| edit.change.status == Status::Deleted);
    let deleted: BTreeSet<&RepoPath> = deleted.map(|edit| &edit.change.path).collect();
    tracked.within(&ground.folder).filter(|path| !deleted.contains(path)).map(RepoPath::folded).collect()
}

/// Whether a new file has the place of one that stays, or either needs the
/// other to be a folder.
fn is_in_the_way(standing: &BTreeSet<RepoPath>, new: &RepoPath) -> bool {
    let new = new.folded();
    let above = || new.places().any(|place| standing.contains(&RepoPath::from_bytes(place)));
    let below = RepoPath::from_bytes([new.as_bytes(), b"/"].concat());
    let first = || standing.range(&below..).next();
    above() || first().is_some_and(|path| path.as_bytes().starts_with(below.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::super::ground;
    use super::super::shard::By;
    use super::*;
    use crate::model::Change;

    fn paths(paths: &[&str]) -> Vec<RepoPath> {
        paths.iter().map(|path| RepoPath::from(*path)).collect()
    }

    /// `A path`, `M path`, `D path`, a line each.
    fn edits(text: &str) -> Vec<Edit> {
        let edit = |line: &str| {
            let (letter, path) = line.split_once(' ').unwrap();
            let status = Status::from_letter(letter.as_bytes()[0]).unwrap();
            Edit { change: Change { status, path: RepoPath::from(path) }, now: None }
        };
        text.split(", ").filter(|line| !line.is_empty()).map(edit).collect()
    }

    fn told(verified: &Verified) -> String {
        let few = |paths: &[RepoPath]| paths.iter().map(RepoPath::quoted).collect::<Vec<_>>().join(" ");
        match verified {
            Verified::Unchanged => "unchanged".to_owned(),
            Verified::Done(new) => format!("done {}", few(new)),
            Verified::Escaped(paths) => format!("escaped {}", few(paths)),
        }
    }

    #[test]
    fn a_shard_may_change_its_own_files_only() {
        let own = paths(&["src/a.rs", "src/b.rs"]);
        let tracked = Tracked::new(paths(&["src/a.rs", "src/b.rs", "src/c.rs", "z"]), &[]);
        for (changes, expected) in [
            ("M src/a.rs, D src/b.rs", "done "),
            ("M src/a.rs, M src/c.rs", "escaped src/c.rs"),
            ("A src/a.rs.orig", "escaped src/a.rs.orig"),
            ("A src/A.rs", "escaped src/A.rs"),
            ("D src/a.rs, A src/a.rs/mod.rs", "escaped src/a.rs/mod.rs"),
            ("D z, D b", "escaped b z"),
            ("", "unchanged"),
        ] {
            assert_eq!(told(&verify(&own, None, &tracked, &edits(changes))), expected, "{changes}");
        }
    }

    #[test]
    fn a_shard_that_has_a_folder_may_make_files_there_beside_what_is_there() {
        let tracked = paths(&["a/1", "a/2", "a/Read", "a/in/3", "a/in/4", "b/5", "package.json"]);
        let modules = paths(&["a/module"]);
        // Of the package that is the top, two files are this shard's.
        let own = paths(&["a/1", "a/in/3"]);
        let ground = ground::of(std::slice::from_ref(&own), By::Package, &tracked).remove(0);
        let ground = ground.as_ref();
        let tracked = Tracked::new(tracked, &[]).beside(&modules);
        for (changes, expected) in [
            ("M a/1, A a/new, A c/new/er", "done a/new c/new/er"),
            ("A a/new", "done a/new"),
            ("A a/new, M b/5", "escaped b/5"),
            ("A a/new, D a/2", "escaped a/2"),
            // A sparse worktree did not hold these.
            ("A a/2", "escaped a/2"),
            ("A a/new, A a/2/x", "escaped a/2/x"),
            ("A a/in", "escaped a/in"),
            ("A b", "escaped b"),
            ("A a/module", "escaped a/module"),
            ("A a/module/x", "escaped a/module/x"),
            // What a file system without case has no room for.
            ("A a/read", "escaped a/read"),
            ("A A/1", "escaped A/1"),
            ("A a/IN", "escaped a/IN"),
            // Its own files make room.
            ("D a/1, A A/1", "done A/1"),
            ("D a/1, A a/1/x", "done a/1/x"),
            ("D a/in/3, A a/in", "escaped a/in"),
        ] {
            assert_eq!(told(&verify(&own, ground, &tracked, &edits(changes))), expected, "{changes}");
        }
        let module = Edit {
            now: Some((EntryKind::Submodule, "0123456789012345678901234567890123456789".parse().unwrap())),
            ..edits("A a/new").remove(0)
        };
        assert_eq!(told(&verify(&own, ground, &tracked, &[module])), "escaped a/new");
    }
}
