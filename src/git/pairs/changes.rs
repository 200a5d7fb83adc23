//! What two tips changed since they parted, and whether that can meet.
//!
//! **Invariant:** apart is only what shares no path, puts no file where the
//! other has a folder, and renames nothing that the other has a part in.

use std::collections::{HashMap, HashSet};

use crate::git::read::{Edit, EntryKind};
use crate::model::path::ancestors;
use crate::model::touch::Status;
use crate::model::{Oid, RepoPath};

/// What one tip changed.
pub(super) struct Changes {
    edits: HashMap<RepoPath, Edit>,
    /// The folders above all of that, without the top.
    folders: HashSet<Vec<u8>>,
    /// Those above what was deleted.
    emptied: HashSet<Vec<u8>>,
    added: Vec<RepoPath>,
    /// Whether something may have been renamed: deleted here and added there.
    may_rename: bool,
    /// Whether it changed what attributes files have.
    pub(super) has_attributes: bool,
}

/// How two changes meet.
pub(super) enum Meeting {
    /// Nowhere.
    Apart,
    /// In files that both modified.
    Paths(Vec<Both>),
    /// In more than that.
    Entangled,
}

/// A file that both modified, and what it became.
pub(super) struct Both {
    pub(super) path: RepoPath,
    pub(super) ours: Oid,
    pub(super) theirs: Oid,
}

impl Changes {
    pub(super) fn of(edits: Vec<Edit>) -> Self {
        let above = |path: &RepoPath| -> Vec<Vec<u8>> {
            path.ancestors().filter(|folder| !folder.is_empty()).map(<[u8]>::to_vec).collect()
        };
        let of = |status: Status| edits.iter().filter(move |edit| edit.change.status == status);
        let added: Vec<RepoPath> = of(Status::Added).map(|edit| edit.change.path.clone()).collect();
        let emptied: HashSet<_> = of(Status::Deleted).flat_map(|edit| above(&edit.change.path)).collect();
        let may_rename = !added.is_empty() && of(Status::Deleted).next().is_some();
        let folders = edits.iter().flat_map(|edit| above(&edit.change.path)).collect();
        let has_attributes = edits.iter().any(|edit| edit.change.path.file_name() == b".gitattributes");
        let edits = edits.into_iter().map(|edit| (edit.change.path.clone(), edit)).collect();
        Self { edits, folders, emptied, added, may_rename, has_attributes }
    }

    pub(super) fn meets(&self, other: &Self) -> Meeting {
        if self.renames_around(other) || other.renames_around(self) {
            return Meeting::Entangled;
        }
        let is_swapped = other.edits.len() < self.edits.len();
        let (few, many) = if is_swapped { (other, self) } else { (self, other) };
        let mut shared = Vec::new();
        for (path, edit) in &few.edits {
            let below_a_file = ancestors(path.as_bytes())
                .filter(|folder| !folder.is_empty())
                .any(|folder| many.edits.contains_key(&RepoPath::from_bytes(folder)));
            if below_a_file || many.folders.contains(path.as_bytes()) {
                return Meeting::Entangled;
            }
            let Some(twin) = many.edits.get(path) else { continue };
            let (ours, theirs) = if is_swapped { (twin, edit) } else { (edit, twin) };
            match both(ours, theirs) {
                Fit::Equal if !self.may_rename && !other.may_rename => {}
                Fit::Equal if ours.change.status == Status::Modified => {}
                Fit::Files(both) => shared.push(both),
                _ => return Meeting::Entangled,
            }
        }
        if shared.is_empty() { Meeting::Apart } else { Meeting::Paths(shared) }
    }

    /// Whether it may have renamed a folder that the other adds to. What else a
    /// rename concerns is a path of both.
    fn renames_around(&self, other: &Self) -> bool {
        let is_below = |path: &RepoPath| path.ancestors().any(|folder| self.emptied.contains(folder));
        self.may_rename && other.added.iter().any(is_below)
    }
}

/// How two changes of one path fit.
enum Fit {
    Equal,
    Files(Both),
    Not,
}

fn both(ours: &Edit, theirs: &Edit) -> Fit {
    if ours.now == theirs.now {
        return Fit::Equal;
    }
    let is_file = |kind| matches!(kind, EntryKind::File | EntryKind::Executable);
    match (ours.now, theirs.now) {
        (Some((one, ours_now)), Some((other, theirs_now)))
            if ours.change.status == Status::Modified
                && theirs.change.status == Status::Modified
                && is_file(one)
                && is_file(other) =>
        {
            Fit::Files(Both { path: ours.change.path.clone(), ours: ours_now, theirs: theirs_now })
        }
        _ => Fit::Not,
    }
}
