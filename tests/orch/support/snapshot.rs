//! The state of a repository, to be compared with itself later.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use git2::Repository;

/// Where git-orch keeps its own refs; all others are the user's.
const OWN_REFS: [&str; 4] = ["refs/heads/orch/", "refs/heads/review/", "refs/notes/orch/", "refs/orch/"];

/// Files of `.git` that belong to the user.
const OWN_FILES: [&str; 7] =
    ["HEAD", "config", "config.worktree", "hooks", "info", "logs/HEAD", "logs/refs/stash"];

/// Things by their names, with what they are.
#[derive(Default)]
pub(crate) struct Snapshot(BTreeMap<String, Vec<u8>>);

impl Snapshot {
    /// Working tree, index, HEAD, the user's refs, stash, configuration and hooks, the home directory.
    pub(crate) fn of_checkout(top: &Path, repository: &Repository) -> Self {
        let mut snapshot = Self::default();
        snapshot.add_files(top, &top.join("home"));
        // What a user trusts is remembered here.
        snapshot.0.retain(|name, _| !name.starts_with("file home/.local"));
        snapshot.add_files(top, &top.join("shop"));
        for file in OWN_FILES {
            snapshot.add_files(top, &repository.path().join(file));
        }
        snapshot.add_index(repository);
        snapshot.add_refs(repository);
        snapshot.0.retain(|name, _| !OWN_REFS.iter().any(|own| name.starts_with(&format!("ref {own}"))));
        snapshot
    }

    /// The same with git-orch's own refs and every file beside the repository.
    pub(crate) fn of_everything(top: &Path, repository: &Repository) -> Self {
        let mut snapshot = Self::of_checkout(top, repository);
        snapshot.add_files(top, top);
        snapshot.add_files(top, &repository.path().join("worktrees"));
        snapshot.add_refs(repository);
        // The log also tells of what was begun and taken back.
        snapshot.0.remove("ref refs/orch/op");
        snapshot
    }

    /// Fails with what `done` changed.
    #[track_caller]
    pub(crate) fn expect_same(&self, after: &Self, done: &str) {
        let mut changes = Vec::new();
        for name in self.0.keys().chain(after.0.keys()) {
            let change = match (self.0.get(name), after.0.get(name)) {
                (Some(_), None) => "is gone",
                (None, Some(_)) => "is new",
                (Some(before), Some(after)) if before != after => "changed",
                _ => continue,
            };
            changes.push(format!("{name} {change}"));
        }
        changes.sort();
        changes.dedup();
        assert!(changes.is_empty(), "`{done}` was to leave this alone:\n{}\n", changes.join("\n"));
    }

    /// A file or everything below a directory, links and modes too; `.git` and links are not entered.
    fn add_files(&mut self, top: &Path, path: &Path) {
        let Ok(metadata) = path.symlink_metadata() else { return };
        if metadata.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                let entry = entry.unwrap();
                if entry.file_name() != ".git" {
                    self.add_files(top, &entry.path());
                }
            }
        }
        let mut content = format!("{:o} ", metadata.permissions().mode()).into_bytes();
        if metadata.is_symlink() {
            content.extend(fs::read_link(path).unwrap().into_os_string().into_encoded_bytes());
        } else if metadata.is_file() {
            content.extend(fs::read(path).unwrap());
        }
        self.0.insert(format!("file {}", path.strip_prefix(top).unwrap().display()), content);
    }

    /// What is staged; the times that `git status` refreshes do not count.
    fn add_index(&mut self, repository: &Repository) {
        let mut index = repository.index().unwrap();
        index.read(true).unwrap();
        for entry in index.iter() {
            let stage = entry.flags >> 12 & 3;
            let name = format!("index {} {stage}", String::from_utf8_lossy(&entry.path));
            self.0.insert(
                name,
                format!("{:o} {} {:o}", entry.mode, entry.id, entry.flags_extended).into_bytes(),
            );
        }
    }

    /// Every ref and where it points.
    fn add_refs(&mut self, repository: &Repository) {
        for reference in repository.references().unwrap() {
            let reference = reference.unwrap();
            let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
            let target = reference.target().map(|oid| oid.to_string());
            let target = target.or_else(|| reference.symbolic_target().ok().flatten().map(str::to_owned));
            self.0.insert(format!("ref {name}"), target.unwrap_or_default().into_bytes());
        }
    }
}
