//! Where a repository says that it uses a formatter.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::model::{PathSet, RepoPath};

use super::super::shard::within;
use super::table::{Mark, Row};
use super::{Sources, is_vendored, manifest};

/// A folder in which a formatter is used, and the file that says so.
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) directory: RepoPath,
    file: RepoPath,
}

impl Evidence {
    /// `from package.json`, for people.
    pub(super) fn why(&self) -> String {
        format!("from {}", self.file)
    }
}

/// The tracked files by their last component.
pub(super) struct Index<'a> {
    by_name: BTreeMap<&'a [u8], Vec<&'a RepoPath>>,
    sources: Sources<'a>,
}

impl<'a> Index<'a> {
    pub(super) fn new(sources: Sources<'a>) -> Self {
        let mut by_name: BTreeMap<&[u8], Vec<&RepoPath>> = BTreeMap::new();
        for file in sources.files.iter().filter(|file| !is_vendored(file)) {
            by_name.entry(file.file_name()).or_default().push(file);
        }
        Self { by_name, sources }
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &'a RepoPath> {
        self.by_name.get(name.as_bytes()).into_iter().flatten().copied()
    }

    fn prefixed(&self, prefix: &str) -> impl Iterator<Item = &'a RepoPath> {
        let start = (Bound::Included(prefix.as_bytes()), Bound::Unbounded);
        self.by_name
            .range::<[u8], _>(start)
            .take_while(move |(name, _)| name.starts_with(prefix.as_bytes()))
            .flat_map(|(_, files)| files.iter().copied())
    }

    fn holds(&self, file: &RepoPath, test: impl Fn(&[u8]) -> bool) -> bool {
        (self.sources.read)(file).is_some_and(|bytes| test(&bytes))
    }

    /// The files that bear a mark.
    fn marked(&self, mark: &Mark) -> Vec<&'a RepoPath> {
        match mark {
            Mark::Named(name) => self.named(name).collect(),
            Mark::Prefixed(prefix) => self.prefixed(prefix).collect(),
            Mark::Table(name, keys) => self
                .named(name)
                .filter(|file| self.holds(file, |bytes| manifest::has_table(bytes, keys)))
                .collect(),
            Mark::NodePackage(package) => self
                .named("package.json")
                .filter(|file| self.holds(file, |bytes| manifest::uses_node_package(bytes, package)))
                .collect(),
            Mark::Word(name, words) => self
                .named(name)
                .filter(|file| self.holds(file, |bytes| manifest::has_key(bytes, words)))
                .collect(),
            Mark::Hook(id) => self
                .named(".pre-commit-config.yaml")
                .filter(|file| file.parent().as_bytes().is_empty())
                .filter(|file| self.holds(file, |bytes| manifest::has_hook(bytes, id)))
                .collect(),
        }
    }
}

/// The outermost folders in which the repository uses a row's formatter; none
/// lies in another.
pub(super) fn find_all(row: &Row, index: &Index<'_>) -> Vec<Evidence> {
    let mut found: Vec<(RepoPath, &RepoPath)> = Vec::new();
    for mark in row.marks {
        found.extend(index.marked(mark).into_iter().map(|file| (file.parent(), file)));
    }
    // Stable: of two files in one folder the one of the earlier mark stays first.
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let mut kept: Vec<Evidence> = Vec::new();
    for (directory, file) in found {
        if !kept.iter().any(|outer| within(directory.as_bytes(), outer.directory.as_bytes())) {
            kept.push(Evidence { directory, file: file.clone() });
        }
    }
    kept
}

/// Whether settings of a row's formatter take others from elsewhere, in the
/// words that formatters have for it: `extend`, `extends`.
pub(super) fn names_another_file(row: &Row, evidence: &Evidence, sources: Sources<'_>) -> bool {
    let index = Index::new(sources);
    let settings =
        row.marks.iter().filter(|mark| !matches!(mark, Mark::Hook(_))).flat_map(|mark| match mark {
            Mark::Table(name, _) => index.named(name).collect(),
            mark => index.marked(mark),
        });
    let near = |file: &&RepoPath| within(file.as_bytes(), evidence.directory.as_bytes());
    settings.into_iter().filter(near).any(|file| index.holds(file, manifest::extends))
}

/// Where a row's formatter looks for its settings, by the names of files.
pub(super) fn settings(row: &Row) -> PathSet {
    let pattern = |mark: &Mark| match mark {
        Mark::Named(name) | Mark::Table(name, _) | Mark::Word(name, _) => format!("**/{name}"),
        Mark::Prefixed(prefix) => format!("**/{prefix}*"),
        Mark::NodePackage(_) => "**/package.json".to_owned(),
        Mark::Hook(_) => ".pre-commit-config.yaml".to_owned(),
    };
    let patterns: Vec<String> = row.marks.iter().map(pattern).collect();
    PathSet::parse(&patterns).expect("names of the table are no bad patterns")
}
