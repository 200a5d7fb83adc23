//! Every tracked file, findable by its folder: what a sparse worktree holds is
//! found without a look at all of them.

use std::collections::{BTreeSet, HashMap};

use super::plan::{Contents, PlannedShard};
use crate::model::{PathSet, RepoPath};

/// Every tracked file, and where they are.
#[derive(Clone, Debug, Default)]
pub struct Tracked {
    files: Vec<RepoPath>,
    by_folder: HashMap<RepoPath, Vec<usize>>,
    /// The files that match what shards need, by their patterns.
    needed: HashMap<Vec<String>, Vec<usize>>,
}

impl Tracked {
    /// Sorts files by their folders, and finds what these shards need of them.
    pub fn new(mut files: Vec<RepoPath>, shards: &[PlannedShard]) -> Self {
        files.sort();
        let mut tracked = Self { files, ..Self::default() };
        for (number, file) in tracked.files.iter().enumerate() {
            tracked.by_folder.entry(file.parent()).or_default().push(number);
        }
        for shard in shards {
            if let Contents::Sparse(needs) = &shard.contents
                && !tracked.needed.contains_key(needs.patterns())
            {
                tracked.needed.insert(needs.patterns().to_vec(), tracked.matching(needs));
            }
        }
        tracked
    }

    fn matching(&self, needs: &PathSet) -> Vec<usize> {
        (0..self.files.len()).filter(|number| needs.contains(&self.files[*number])).collect()
    }

    /// Whether any file's path begins so.
    pub fn has_any(&self, prefix: &[u8]) -> bool {
        let first = self.files.partition_point(|file| file.as_bytes() < prefix);
        self.files.get(first).is_some_and(|file| file.as_bytes().starts_with(prefix))
    }

    /// What the worktree of a shard holds: its own files, the files directly in
    /// the folders above them, and what it needs; `None` means all.
    pub fn held(&self, shard: &PlannedShard) -> Option<Vec<RepoPath>> {
        let Contents::Sparse(needs) = &shard.contents else { return None };
        let above: BTreeSet<RepoPath> =
            shard.files.iter().flat_map(RepoPath::ancestors).map(RepoPath::from_bytes).collect();
        let around = above.iter().filter_map(|folder| self.by_folder.get(folder));
        let numbers = around.chain(self.needed.get(needs.patterns())).flatten();
        let files: BTreeSet<&RepoPath> = numbers.map(|number| &self.files[*number]).collect();
        Some(files.into_iter().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparse_worktree_holds_what_lies_above_the_files() {
        let tracked =
            [".editorconfig", "a/b/c/x.ts", "a/b/y.ts", "a/.prettierrc", "a/d/z.ts", "lib/conf.js", "w"];
        let needs = PathSet::parse(&["lib/*.js".to_owned()]).unwrap();
        let mut shard = PlannedShard {
            label: String::new(),
            files: vec![RepoPath::from("a/b/c/x.ts")],
            directory: RepoPath::default(),
            argv: Vec::new(),
            contents: Contents::Sparse(needs),
            share: Vec::new(),
            owner: None,
            handed: None,
        };
        let files = tracked.map(RepoPath::from).to_vec();
        let tracked = Tracked::new(files, std::slice::from_ref(&shard));
        let mut held = [".editorconfig", "a/b/c/x.ts", "a/b/y.ts", "a/.prettierrc", "lib/conf.js", "w"]
            .map(RepoPath::from);
        held.sort();
        assert_eq!(tracked.held(&shard), Some(held.to_vec()));
        shard.contents = Contents::Full;
        assert_eq!(tracked.held(&shard), None);
    }

    #[test]
    fn files_are_found_by_how_they_begin() {
        let files = ["node_modules/x", "nodes", "a"].map(RepoPath::from).to_vec();
        let tracked = Tracked::new(files, &[]);
        for (prefix, found) in [("node_modules", true), ("node", true), ("nodet", false), ("zz", false)] {
            assert_eq!(tracked.has_any(prefix.as_bytes()), found, "{prefix}");
        }
    }
}
