//! The Cargo packages of a workspace, as `cargo fmt --all` takes them:
//! the root, the members and every package reached by a `path` dependency.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::model::RepoPath;
use crate::model::path::{PathSet, ancestors, is_glob};

use super::super::shard::within;
use super::manifest::Value;
use super::{Sources, manifest};

/// A package that is formatted as a whole, since its formatter follows its
/// source files by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its manifest.
    pub manifest: RepoPath,
    /// Its source files, without those of packages within it.
    pub files: Vec<RepoPath>,
}

impl Package {
    /// What people call it: its folder.
    pub fn label(&self) -> String {
        match self.manifest.parent() {
            folder if folder.as_bytes().is_empty() => ".".to_owned(),
            folder => folder.quoted(),
        }
    }
}

/// The packages of the workspace whose manifest is in `root`, with their
/// files among `files`.
pub(super) fn find_all(root: &RepoPath, files: &[RepoPath], sources: Sources<'_>) -> Vec<Package> {
    let manifests: BTreeMap<RepoPath, &RepoPath> = sources
        .files
        .iter()
        .filter(|file| file.file_name() == b"Cargo.toml" && within(file.as_bytes(), root.as_bytes()))
        .map(|file| (file.parent(), file))
        .collect();
    let read =
        |folder: &RepoPath| -> Option<Value> { manifest::toml(&(sources.read)(manifests.get(folder)?)?) };
    let mut own: BTreeMap<RepoPath, Vec<RepoPath>> =
        chosen(root, &manifests, &read).into_iter().map(|folder| (folder, Vec::new())).collect();
    for file in files {
        let nearest = ancestors(file.as_bytes())
            .map(RepoPath::from_bytes)
            .find(|folder| manifests.contains_key(folder));
        if let Some(files) = nearest.and_then(|folder| own.get_mut(&folder)) {
            files.push(file.clone());
        }
    }
    own.into_iter()
        .filter(|(_, files)| !files.is_empty())
        .map(|(folder, files)| Package { manifest: manifests[&folder].clone(), files })
        .collect()
}

/// The folders of the packages to format.
fn chosen(
    root: &RepoPath,
    manifests: &BTreeMap<RepoPath, &RepoPath>,
    read: &dyn Fn(&RepoPath) -> Option<Value>,
) -> BTreeSet<RepoPath> {
    let Some(workspace) = read(root) else { return BTreeSet::new() };
    let mut open: Vec<RepoPath> = vec![root.clone()];
    open.extend(members(root, &workspace, manifests));
    open.extend(paths_in(&workspace, &["workspace", "dependencies"], root));
    let mut seen = BTreeSet::new();
    let mut chosen = BTreeSet::new();
    while let Some(folder) = open.pop() {
        if !seen.insert(folder.clone()) {
            continue;
        }
        let Some(package) = read(&folder) else { continue };
        if package.get("package").is_some() {
            open.extend(path_dependencies(&package, &folder));
            chosen.insert(folder);
        }
    }
    chosen
}

fn members(root: &RepoPath, workspace: &Value, manifests: &BTreeMap<RepoPath, &RepoPath>) -> Vec<RepoPath> {
    let texts = |key: &str| -> Vec<RepoPath> {
        let list = manifest::at(workspace, &["workspace", key]).and_then(Value::as_array);
        let texts = list.into_iter().flatten().filter_map(Value::as_str);
        texts.filter_map(|text| RepoPath::resolve(root.as_path(), Path::new(text)).ok()).collect()
    };
    let excluded = texts("exclude");
    let mut found = Vec::new();
    for pattern in texts("members") {
        let text = pattern.quoted();
        let glob = is_glob(&text).then(|| PathSet::parse(&[text]).ok()).flatten();
        let matches = |folder: &&RepoPath| match &glob {
            Some(glob) => glob.contains(folder),
            None => **folder == pattern,
        };
        found.extend(manifests.keys().filter(matches).cloned());
    }
    found.retain(|folder| !excluded.iter().any(|out| within(folder.as_bytes(), out.as_bytes())));
    found
}

fn path_dependencies(package: &Value, folder: &RepoPath) -> Vec<RepoPath> {
    const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let mut found: Vec<RepoPath> = KINDS.iter().flat_map(|kind| paths_in(package, &[kind], folder)).collect();
    for target in package.get("target").and_then(Value::as_object).into_iter().flat_map(|all| all.values()) {
        found.extend(KINDS.iter().flat_map(|kind| paths_in(target, &[kind], folder)));
    }
    found
}

fn paths_in(value: &Value, keys: &[&str], folder: &RepoPath) -> Vec<RepoPath> {
    let table = manifest::at(value, keys).and_then(Value::as_object);
    table
        .into_iter()
        .flat_map(|table| table.values())
        .filter_map(|dependency| dependency.get("path")?.as_str())
        .filter_map(|path| RepoPath::resolve(folder.as_path(), Path::new(path)).ok())
        .collect()
}
