//! Every tracked file, findable by its folder: what a sparse worktree holds is
//! found without a look at all of them.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::plan::{Contents, PlannedShard};
use super::shard::within;
use crate::model::{PathSet, RepoPath};

/// Every tracked file, and where they are.
#[derive(Clone, Debug, Default)]
pub struct Tracked {
    files: Vec<RepoPath>,
    by_folder: HashMap<RepoPath, Vec<usize>>,
    /// The files that match what shards need, by their patterns.
    needed: HashMap<Vec<String>, Vec<usize>>,
    /// Of what kinds the shards' files are.
    kinds: HashSet<Vec<u8>>,
    /// Submodules, which no shard holds.
    modules: Vec<RepoPath>,
}

impl Tracked {
    /// Sorts files by their folders, and finds what these shards need of them.
    pub fn new(mut files: Vec<RepoPath>, shards: &[PlannedShard]) -> Self {
        files.sort();
        let kinds = shards.iter().flat_map(|shard| &shard.files).filter_map(kind);
        let mut tracked = Self { files, kinds: kinds.map(<[u8]>::to_vec).collect(), ..Self::default() };
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

    /// With the submodules that are there too.
    pub fn beside(self, modules: &[RepoPath]) -> Self {
        Self { modules: modules.to_vec(), ..self }
    }

    /// What is there in a folder, links and submodules too.
    pub fn within(&self, folder: &RepoPath) -> impl Iterator<Item = &RepoPath> {
        let first = self.files.partition_point(|file| file.as_bytes() < folder.as_bytes());
        let begins = |file: &&RepoPath| file.as_bytes().starts_with(folder.as_bytes());
        let files = self.files[first..].iter().take_while(begins);
        files.chain(&self.modules).filter(|path| within(path.as_bytes(), folder.as_bytes()))
    }

    fn matching(&self, needs: &PathSet) -> Vec<usize> {
        (0..self.files.len()).filter(|number| needs.contains(&self.files[*number])).collect()
    }

    /// Whether any file's path begins so.
    pub fn has_any(&self, prefix: &[u8]) -> bool {
        let first = self.files.partition_point(|file| file.as_bytes() < prefix);
        self.files.get(first).is_some_and(|file| file.as_bytes().starts_with(prefix))
    }

    /// What the worktree of a shard holds: its own files, what it needs, and of
    /// the files directly in the folders above those that may be settings: a dot
    /// hides them, or they are of another kind than any shard's, so that little
    /// changes from shard to shard. `None` means all.
    pub fn held(&self, shard: &PlannedShard) -> Option<Vec<RepoPath>> {
        let Contents::Sparse(needs) = &shard.contents else { return None };
        let above: BTreeSet<RepoPath> =
            shard.files.iter().flat_map(RepoPath::ancestors).map(RepoPath::from_bytes).collect();
        let file = |number: &usize| &self.files[*number];
        let around = above.iter().filter_map(|folder| self.by_folder.get(folder)).flatten().map(file);
        let settings = around.filter(|file| kind(file).is_none_or(|kind| !self.kinds.contains(kind)));
        let needed = self.needed.get(needs.patterns()).into_iter().flatten().map(file);
        let files: BTreeSet<&RepoPath> = settings.chain(needed).chain(&shard.files).collect();
        Some(files.into_iter().cloned().collect())
    }
}

/// What a name ends in behind its last dot; none where it begins with a dot.
fn kind(file: &RepoPath) -> Option<&[u8]> {
    let name = file.file_name();
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    (!name.starts_with(b".")).then_some(&name[dot + 1..])
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
            contents: Contents::Sparse(needs),
            ..PlannedShard::new(String::new(), vec![RepoPath::from("a/b/c/x.ts")])
        };
        let files = tracked.map(RepoPath::from).to_vec();
        let tracked = Tracked::new(files, std::slice::from_ref(&shard));
        let mut held =
            [".editorconfig", "a/b/c/x.ts", "a/.prettierrc", "lib/conf.js", "w"].map(RepoPath::from);
        held.sort();
        assert_eq!(tracked.held(&shard), Some(held.to_vec()));
        shard.contents = Contents::Full;
        assert_eq!(tracked.held(&shard), None);
    }

    #[test]
    fn what_is_of_the_same_kind_is_not_there_unless_it_is_needed() {
        let files = [".rc.ts", "Makefile", "a/x.ts", "conf.ts", "package.json", "y.ts", "z.ts"];
        for (own, needs, around) in [
            ("a/x.ts", &[][..], &[".rc.ts", "Makefile", "package.json"][..]),
            ("y.ts", &["conf.*"], &[".rc.ts", "Makefile", "conf.ts", "package.json"]),
            ("Makefile", &[], &[".rc.ts", "conf.ts", "package.json", "y.ts", "z.ts"]),
            (".rc.ts", &[], &["Makefile", "conf.ts", "package.json", "y.ts", "z.ts"]),
        ] {
            let needs: Vec<String> = needs.iter().map(|&one| one.to_owned()).collect();
            let shard = PlannedShard {
                contents: Contents::Sparse(PathSet::parse(&needs).unwrap()),
                ..PlannedShard::new(String::new(), vec![RepoPath::from(own)])
            };
            let tracked = Tracked::new(files.map(RepoPath::from).to_vec(), std::slice::from_ref(&shard));
            let mut held: Vec<RepoPath> =
                around.iter().chain([&own]).map(|one| RepoPath::from(*one)).collect();
            held.sort();
            assert_eq!(tracked.held(&shard), Some(held), "{own}");
        }
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
