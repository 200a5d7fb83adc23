//! What a repository's own files have git execute: settings, hooks and
//! attributes, read so that two moments can be compared.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::executing::{self, Fate};
use super::repo::{Backend, Repo};
use crate::model::Alteration;

/// Names, as `config core.fsmonitor` or `hooks/pre-commit`, and what they hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programs(BTreeMap<String, String>);

/// Reads the present state.
pub fn load(repo: &Repo) -> Programs {
    let mut programs = Programs::default();
    for (folder, name) in git_dirs(&repo.place().common_dir, String::new()) {
        programs.add_settings(&folder.join("config"), &format!("{name}config"));
        programs.add_settings(&folder.join("config.worktree"), &format!("{name}config.worktree"));
        for worktree in entries(&folder.join("worktrees")) {
            let id = file_name(&worktree);
            programs.add_settings(
                &worktree.join("config.worktree"),
                &format!("{name}worktrees/{id}/config.worktree"),
            );
        }
        for hook in entries(&folder.join("hooks")) {
            let hook_name = file_name(&hook);
            if !hook_name.ends_with(".sample") {
                programs.add_file(&hook, format!("{name}hooks/{hook_name}"));
            }
        }
        programs.add_file(&folder.join("info/attributes"), format!("{name}info/attributes"));
    }
    programs
}

/// Settings of the repository itself that choose how git fetches, with their values.
/// Only git itself fetches by the way, so there are none where git2 reads.
pub fn of_fetching(repo: &Repo) -> BTreeMap<String, String> {
    if repo.backend() == Backend::Library { BTreeMap::new() } else { of_transport(repo) }
}

/// Settings of the repository itself that choose how git talks to remotes, with
/// their values.
pub fn of_transport(repo: &Repo) -> BTreeMap<String, String> {
    let is_about_fetching = |what: &String| {
        what.split_once(' ').is_some_and(|(_, setting)| executing::fate(setting) == Some(Fate::Fetch))
    };
    let mut programs = load(repo).0;
    programs.retain(|what, _| is_about_fetching(what));
    programs
}

impl Programs {
    /// What a name holds.
    pub fn value(&self, what: &str) -> Option<&str> {
        self.0.get(what).map(String::as_str)
    }

    /// How a later state differs.
    pub fn altered_in(&self, later: &Self) -> Vec<Alteration> {
        let mut names: Vec<&String> = self.0.keys().chain(later.0.keys()).collect();
        names.sort();
        names.dedup();
        let differs = |what: &&String| self.0.get(*what) != later.0.get(*what);
        let alteration = |what: &String| Alteration {
            what: what.clone(),
            before: self.0.get(what).cloned(),
            after: later.0.get(what).cloned(),
        };
        names.into_iter().filter(differs).map(alteration).collect()
    }

    fn add_settings(&mut self, file: &Path, name: &str) {
        if !file.exists() {
            return;
        }
        let read = git2::Config::open(file).and_then(|config| {
            config.entries(None)?.for_each(|entry| {
                let setting = String::from_utf8_lossy(entry.name_bytes()).into_owned();
                let value = if entry.has_value() { entry.value_bytes() } else { b"true" };
                let value = String::from_utf8_lossy(value);
                if executes(name, &setting, &value) {
                    let held = self.0.entry(format!("{name} {setting}")).or_default();
                    let parted = if held.is_empty() { "" } else { "; " };
                    held.push_str(&format!("{parted}{value}"));
                }
            })
        });
        if let Err(error) = read {
            self.0.insert(name.to_owned(), format!("unreadable: {}", error.message()));
        }
    }

    /// A file is told by its size and content, and by whether git would run it.
    fn add_file(&mut self, file: &Path, name: String) {
        use std::os::unix::fs::PermissionsExt as _;
        let Ok(meta) = file.metadata() else { return };
        if !meta.is_file() {
            return;
        }
        let bytes = std::fs::read(file).unwrap_or_default();
        let id = git2::Oid::hash_object(git2::ObjectType::Blob, &bytes).map(|oid| oid.to_string());
        let id = id.map_or_else(|_| "unreadable".to_owned(), |id| id[..12].to_owned());
        let runs = if meta.permissions().mode() & 0o111 == 0 { "" } else { ", executable" };
        self.0.insert(name, format!("{} bytes, blob {id}{runs}", bytes.len()));
    }
}

/// Whether a setting with this value may have git execute something else.
fn executes(file: &str, setting: &str, value: &str) -> bool {
    let switch = ["", "true", "false"].contains(&value.to_lowercase().as_str());
    let is_plain = match setting.rsplit('.').next() {
        Some("update") => !value.starts_with('!'),
        // Git itself writes it for each submodule.
        Some("worktree") => file.starts_with("modules/"),
        _ => false,
    };
    executing::fate(setting).is_some() && !switch && !is_plain
}

/// The repository and the submodules that it keeps inside.
fn git_dirs(folder: &Path, name: String) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = entries(&folder.join("modules"));
    while let Some(inside) = open.pop() {
        if inside.join("HEAD").is_file() {
            let below = inside.strip_prefix(folder).map(|path| format!("{name}{}/", path.display()));
            found.extend(git_dirs(&inside, below.unwrap_or_default()));
        } else if inside.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
            open.extend(entries(&inside));
        }
    }
    found.push((folder.to_owned(), name));
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
