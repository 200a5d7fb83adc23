//! Where a shard may make new files: in its own folder, as far as no other
//! shard's is nearer.
//!
//! **Invariant:** no path is on the ground of two shards, so that no two can
//! make the same file.

use std::collections::{BTreeMap, BTreeSet};

use super::shard::{self, By, within};
use crate::model::RepoPath;
use crate::model::wording::tick;

/// The folder of a shard, without those in it that are not its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ground {
    /// The folder.
    pub folder: RepoPath,
    /// Folders in it that are another's, as they read without case.
    others: BTreeSet<Vec<u8>>,
    reach: Reach,
}

/// What of its folder a shard has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// Itself, and folders that are yet to be made.
    Folder,
    /// All of it, down to packages in it.
    Package,
}

impl Ground {
    /// Whether a new file there is this shard's.
    pub fn has(&self, path: &RepoPath) -> bool {
        let is_others = || path.folded().places().any(|place| self.others.contains(place));
        within(path.as_bytes(), self.folder.as_bytes()) && *path != self.folder && !is_others()
    }

    /// Where that is, for whoever does the shard.
    pub fn told(&self) -> String {
        let folder = match self.folder.as_bytes() {
            b"" => "the top folder".to_owned(),
            _ => tick(&self.folder),
        };
        match self.reach {
            Reach::Folder => format!("{folder}, or in new folders in it"),
            Reach::Package if self.others.is_empty() => folder,
            Reach::Package => format!("{folder}, but not in packages in it"),
        }
    }
}

/// The ground of each of these shards, where they are folders or packages. One
/// that had to be cut, as it is too large, is nobody's.
pub fn of(shards: &[Vec<RepoPath>], by: By, tracked: &[RepoPath]) -> Vec<Option<Ground>> {
    let grounds: Vec<Option<Ground>> = match by {
        By::Directory => {
            let below = folders_below(tracked);
            let ground = |files: &Vec<RepoPath>| {
                let folder = files.first()?.parent();
                let others = below.get(folder.as_bytes()).cloned().unwrap_or_default();
                Some(Ground { folder, others, reach: Reach::Folder })
            };
            shards.iter().map(ground).collect()
        }
        By::Package => {
            let packages = shard::packages(tracked);
            let ground = |files: &Vec<RepoPath>| {
                let folder = shard::nearest_package(files.first()?, &packages);
                let inside =
                    |other: &&RepoPath| **other != folder && within(other.as_bytes(), folder.as_bytes());
                let others = packages.iter().filter(inside).map(|other| other.folded().as_bytes().to_vec());
                Some(Ground { others: others.collect(), folder, reach: Reach::Package })
            };
            shards.iter().map(ground).collect()
        }
        _ => vec![None; shards.len()],
    };
    let mut shards_of: BTreeMap<RepoPath, usize> = BTreeMap::new();
    for ground in grounds.iter().flatten() {
        *shards_of.entry(ground.folder.clone()).or_default() += 1;
    }
    grounds.into_iter().map(|ground| ground.filter(|ground| shards_of[&ground.folder] == 1)).collect()
}

/// The folders that are there directly in each folder, as they read without case.
fn folders_below(tracked: &[RepoPath]) -> BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>> {
    let mut below: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>> = BTreeMap::new();
    let mut last = None;
    for folder in tracked.iter().map(RepoPath::parent) {
        if last.as_ref() == Some(&folder) {
            continue;
        }
        for (inner, outer) in folder.places().zip(folder.ancestors()) {
            let inner = RepoPath::from_bytes(inner).folded().as_bytes().to_vec();
            below.entry(outer.to_vec()).or_default().insert(inner);
        }
        last = Some(folder);
    }
    below
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::shard::{Facts, split};
    use super::*;

    fn paths(paths: &[&str]) -> Vec<RepoPath> {
        paths.iter().map(|path| RepoPath::from(*path)).collect()
    }

    fn grounds(files: &[RepoPath], by: By, tracked: &[RepoPath]) -> Vec<Option<Ground>> {
        of(&split(files, by, Facts::names(tracked)), by, tracked)
    }

    /// Which folder's shard may make a file.
    fn whose(grounds: &[Option<Ground>], path: &str) -> String {
        let path = RepoPath::from(path);
        let has = |ground: &&Ground| ground.has(&path);
        grounds.iter().flatten().find(has).map_or("nobody".to_owned(), |ground| ground.folder.quoted())
    }

    #[test]
    fn a_folder_and_new_folders_in_it_are_its_shards() {
        let tracked = paths(&["a/1", "a/b/2", "a/gen/3", "top"]);
        let files = paths(&["a/1", "a/b/2", "top"]);
        let grounds = grounds(&files, By::Directory, &tracked);
        for (path, owner) in [
            ("a/new", "a"),
            ("a/new/deep/er", "a"),
            ("a/b/new", "a/b"),
            ("a/b/c/new", "a/b"),
            ("a/gen/new", "nobody"),
            ("a/gen/x/new", "nobody"),
            ("a/b", "nobody"),
            ("a/B/new", "nobody"),
            ("a-/new", ""),
            ("a", "nobody"),
            ("new/x", ""),
        ] {
            assert_eq!(whose(&grounds, path), owner, "{path}");
        }
    }

    #[test]
    fn a_package_reaches_down_to_the_next() {
        let tracked = paths(&["x/Cargo.toml", "x/src/a.rs", "x/y/Cargo.toml", "x/y/b.rs", "top"]);
        let grounds = grounds(&tracked, By::Package, &tracked);
        for (path, owner) in [
            ("x/tests/new.rs", "x"),
            ("x/src/new.rs", "x"),
            ("x/y/tests/new.rs", "x/y"),
            ("x/Y/new.rs", "nobody"),
            ("x/y", "nobody"),
            ("x", "nobody"),
            ("doc/new", ""),
        ] {
            assert_eq!(whose(&grounds, path), owner, "{path}");
        }
        let told: Vec<String> = grounds.iter().flatten().map(Ground::told).collect();
        assert_eq!(
            told,
            ["the top folder, but not in packages in it", "`x`, but not in packages in it", "`x/y`"]
        );
    }

    #[test]
    fn what_is_no_folder_or_had_to_be_cut_has_no_ground() {
        let tracked = paths(&["a/1", "a/2"]);
        for by in [By::File, By::Count(2), By::About(1), By::Bytes, By::Parts(1), By::Owner, By::List] {
            assert!(grounds(&tracked, by, &tracked).iter().all(Option::is_none), "{by:?}");
        }
        let long = "n".repeat(200);
        let many: Vec<RepoPath> =
            (0..2_000).map(|index| RepoPath::from(format!("{long}/{index:05}").as_str())).collect();
        assert_eq!(grounds(&many, By::Directory, &many), [None, None, None, None]);
    }

    fn any_paths() -> impl Strategy<Value = Vec<RepoPath>> {
        let name = prop_oneof![Just("Cargo.toml".to_owned()), "[abAB]{1,2}"];
        let path = proptest::collection::vec(name, 1..5).prop_map(|parts| parts.join("/"));
        proptest::collection::vec(path.prop_map(|path| RepoPath::from(path.as_str())), 0..12)
    }

    proptest! {
        #[test]
        fn no_two_shards_can_make_the_same_file(
            files in any_paths(), more in any_paths(), new in any_paths(),
            by in prop_oneof![Just(By::Directory), Just(By::Package)],
        ) {
            let mut tracked = [&files[..], &more].concat();
            tracked.sort();
            tracked.dedup();
            let grounds = grounds(&files, by, &tracked);
            for path in &new {
                let owners = grounds.iter().flatten().filter(|ground| ground.has(path)).count();
                prop_assert!(owners <= 1, "{path:?}");
            }
        }
    }
}
