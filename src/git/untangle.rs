//! Whether two commits of a history could have been made at the same time.
//!
//! The later one is made again on its own parent without the earlier one: a
//! merge in memory takes the earlier one out, another brings the later one in.

use std::path::Path;

use crate::error::{Error, Result};
use crate::model::Oid;

/// Before every other place for objects.
const FIRST: i32 = 1_000;

/// Untangles pairs of commits of one repository.
pub struct Untangler {
    repository: git2::Repository,
}

impl std::fmt::Debug for Untangler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Untangler({})", self.repository.path().display())
    }
}

impl Untangler {
    /// Opens the repository whose git directory is `git_dir`.
    ///
    /// # Errors
    /// Unusable where git2 can't read it.
    pub fn open(git_dir: &Path) -> Result<Self> {
        let fail = |error: git2::Error| {
            Error::unusable("pairs of commits can't be tried in this repository")
                .because(error.message().to_owned())
        };
        let repository = git2::Repository::open(git_dir).map_err(fail)?;
        // What is merged is written to memory: nobody needs it afterwards.
        repository.odb().and_then(|odb| odb.add_new_mempack_backend(FIRST).map(drop)).map_err(fail)?;
        Ok(Self { repository })
    }

    /// Whether the two conflict; `None` where the earlier one can't be taken
    /// out from below the later one, or either is no plain commit.
    pub fn conflict(&self, earlier: Oid, later: Oid) -> Option<bool> {
        let commit = |oid: Oid| {
            let oid = git2::Oid::from_bytes(oid.as_bytes()).ok()?;
            self.repository.find_commit(oid).ok().filter(|commit| commit.parent_count() == 1)
        };
        let (earlier, later) = (commit(earlier)?, commit(later)?);
        let below = later.parent(0).ok()?.tree().ok()?;
        let before = earlier.parent(0).ok()?.tree().ok()?;
        let without = self.merged(&earlier.tree().ok()?, &below, &before)??;
        let both = self.merged(&below, &without, &later.tree().ok()?)?;
        Some(both.is_none())
    }

    /// What a merge gives, `None` inside for a conflict.
    fn merged(
        &self,
        base: &git2::Tree<'_>,
        ours: &git2::Tree<'_>,
        theirs: &git2::Tree<'_>,
    ) -> Option<Option<git2::Tree<'_>>> {
        let mut index = self.repository.merge_trees(base, ours, theirs, None).ok()?;
        if index.has_conflicts() {
            return Some(None);
        }
        let tree = index.write_tree_to(&self.repository).ok()?;
        self.repository.find_tree(tree).ok().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::mine::testing::{Scratch, commit, file};

    #[test]
    fn pairs_that_could_not_have_been_made_at_once_are_told() {
        let scratch = Scratch::new();
        let lines = |first: u32, last: u32| {
            format!("M 100644 inline a\ndata <<END\n{first}\n2\n3\n4\n5\n6\n7\n{last}\nEND\n")
        };
        let stream = [
            commit(1, &[], &[lines(1, 8), file("b", 1)].concat()),
            commit(2, &[1], &lines(11, 8)),
            commit(3, &[2], &file("b", 2)),
            commit(4, &[3], &lines(11, 88)),
            commit(5, &[4], &lines(111, 88)),
        ];
        scratch.import(&stream.concat());
        let objects = || scratch.git(&["count-objects", "-v"], b"");
        let before = objects();
        let untangler = Untangler::open(&scratch.git_dir()).unwrap();
        let at = |back: u32| scratch.oid(&format!("main~{back}"));
        for (earlier, later, conflict) in
            [(3, 2, Some(false)), (3, 1, Some(false)), (3, 0, Some(true)), (2, 0, Some(false)), (4, 0, None)]
        {
            assert_eq!(untangler.conflict(at(earlier), at(later)), conflict, "{earlier} {later}");
        }
        assert_eq!(objects(), before);
    }
}
