//! What a place holds: what is the user's own, and what must never be lost.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use git2::{ObjectType, Oid, Repository};

use crate::place::Place;

/// Where git-orch keeps its own refs; all others are the user's.
const OWN_REFS: [&str; 4] = ["refs/heads/orch/", "refs/heads/review/", "refs/notes/orch/", "refs/orch/"];
/// Refs that hold no work: pins of what is being made, caches, the history of operations.
const NO_WORK: [&str; 3] = ["refs/orch/keep/", "refs/notes/", "refs/orch/op"];
/// Files of `.git` that belong to the user.
const OWN_FILES: [&str; 11] = [
    "HEAD",
    "config",
    "config.worktree",
    "hooks",
    "info",
    "logs/HEAD",
    "logs/refs/stash",
    "worktrees/mine/HEAD",
    "worktrees/mine/gitdir",
    "worktrees/mine/locked",
    "ORIG_HEAD",
];

/// Things by their names, with what they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Things(BTreeMap<String, Vec<u8>>);

impl Things {
    /// The user's own: checkout, index, HEAD, branches, stash, configuration,
    /// hooks, home, a worktree that no session has.
    pub(crate) fn of_user(place: &Place) -> Self {
        let (top, git) = (place.top(), place.shop().join(".git"));
        let mut things = Self::default();
        things.add_files(&top, &top.join("home"));
        // What a user trusts is remembered here.
        things.0.retain(|name, _| !name.starts_with("home/.local"));
        things.add_files(&top, &top.join("shop"));
        things.add_files(&top, &top.join("mine"));
        for file in OWN_FILES {
            things.add_files(&top, &git.join(file));
        }
        if let Ok(repository) = Repository::open(&git) {
            things.add_index(&git.join("index"));
            things.add_index(&git.join("worktrees/mine/index"));
            things.add_refs(&repository, |name| !OWN_REFS.iter().any(|own| name.starts_with(own)));
        }
        things
    }

    /// What git-orch remembers, but for caches and locks.
    pub(crate) fn of_orch(place: &Place) -> Self {
        let git = place.shop().join(".git");
        let mut things = Self::default();
        things.add_files(&git, &git.join("orch"));
        let cache =
            |name: &str| name == "orch/lock" || name.ends_with(".lock") || name.starts_with("orch/history");
        things.0.retain(|name, _| !cache(name));
        if let Ok(repository) = Repository::open(&git) {
            things.add_refs(&repository, |_| true);
        }
        things
    }

    /// What differs in the other ones, a line each.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let names: std::collections::BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let change = |name: &&String| match (self.0.get(*name), other.0.get(*name)) {
            (Some(_), None) => Some(format!("{name} is gone")),
            (None, Some(_)) => Some(format!("{name} is new")),
            (one, two) if one != two => Some(format!("{name} changed")),
            _ => None,
        };
        names.iter().filter_map(change).collect()
    }

    /// Takes out what a name begins with.
    pub(crate) fn without(mut self, starts: &[&str]) -> Self {
        self.0.retain(|name, _| !starts.iter().any(|start| name.starts_with(start)));
        self
    }

    /// A file or everything below a folder, links and modes too; `.git` and links are not entered.
    fn add_files(&mut self, top: &Path, path: &Path) {
        walk(path, &mut |path| {
            let metadata = path.symlink_metadata().unwrap();
            let mut content = format!("{:o} ", metadata.permissions().mode()).into_bytes();
            content.extend(content_of(path));
            self.0.insert(path.strip_prefix(top).unwrap().display().to_string(), content);
        });
    }

    /// What is staged; the times that `git status` refreshes do not count.
    fn add_index(&mut self, file: &Path) {
        let Ok(index) = git2::Index::open(file) else { return };
        for entry in index.iter() {
            let stage = entry.flags >> 12 & 3;
            let name =
                format!("index {} {stage} in {}", String::from_utf8_lossy(&entry.path), file.display());
            self.0.insert(name, format!("{:o} {}", entry.mode, entry.id).into_bytes());
        }
    }

    fn add_refs(&mut self, repository: &Repository, wanted: impl Fn(&str) -> bool) {
        for (name, target) in refs(repository).into_iter().filter(|(name, _)| wanted(name)) {
            self.0.insert(format!("ref {name}"), target.into_bytes());
        }
    }
}

/// What must not get lost: commits and contents of files, with where they were.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holdings(BTreeMap<Oid, String>);

impl Holdings {
    /// What is there now.
    pub(crate) fn of(place: &Place) -> Self {
        let mut held = BTreeMap::new();
        let git = place.shop().join(".git");
        if let Ok(repository) = Repository::open(&git) {
            for (name, target) in refs(&repository) {
                let id = Oid::from_str(&target);
                if let (Ok(id), false) = (id, NO_WORK.iter().any(|start| name.starts_with(start))) {
                    held.insert(id, name);
                }
            }
            for entry in fs::read_dir(git.join("worktrees")).into_iter().flatten().flatten() {
                let text = |file: &str| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
                let id = Oid::from_str(text("HEAD").trim()).ok().filter(|id| !id.is_zero());
                let (name, at) = (entry.file_name().to_string_lossy().into_owned(), text("gitdir"));
                // Of one that is half deleted only its name tells what it was.
                let is_throwaway = at.contains("/.throwaway/") || at.is_empty() && name.starts_with("t-");
                if let (Some(id), false) = (id, is_throwaway) {
                    held.insert(id, format!("HEAD of {name}"));
                }
            }
        }
        contents(place, &mut |id, path| {
            held.entry(id).or_insert_with(|| path.display().to_string());
        });
        Self(held)
    }

    /// Those of these that are neither in a file nor reachable any more.
    pub(crate) fn lost(&self, place: &Place) -> Vec<String> {
        let mut found: HashSet<Oid> = HashSet::new();
        contents(place, &mut |id, _| {
            found.insert(id);
        });
        let reachable = place.script("git rev-list --objects --all");
        if !reachable.is_success() {
            return vec![format!("all that only refs hold: git can't list it, {}", reachable.told())];
        }
        let ids = reachable.stdout.lines().filter_map(|line| line.split(' ').next());
        found.extend(ids.filter_map(|id| Oid::from_str(id).ok()));
        self.0
            .iter()
            .filter(|(id, _)| !found.contains(*id))
            .map(|(id, name)| format!("{name} {id}"))
            .collect()
    }

    /// Adds what is held elsewhere too.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// Every ref, and the object or ref that it points at.
fn refs(repository: &Repository) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for reference in repository.references().into_iter().flatten().flatten() {
        let name = String::from_utf8_lossy(reference.name_bytes()).into_owned();
        let target = reference.target().map(|id| id.to_string());
        let symbolic = || reference.symbolic_target().ok().flatten().map(str::to_owned);
        found.push((name, target.or_else(symbolic).unwrap_or_default()));
    }
    found
}

/// The contents of all files outside `.git` and throwaways, but for empty ones.
fn contents(place: &Place, tell: &mut impl FnMut(Oid, &Path)) {
    let top = place.top();
    for folder in ["shop", "mine", "shop.orch"] {
        walk(&top.join(folder), &mut |path| {
            let content = content_of(path);
            let throwaway = path.starts_with(top.join("shop.orch/.throwaway"));
            if !content.is_empty() && !throwaway {
                let id = Oid::hash_object(ObjectType::Blob, &content).unwrap();
                tell(id, path.strip_prefix(&top).unwrap());
            }
        });
    }
}

/// A file's bytes, a link's target, nothing of a folder.
fn content_of(path: &Path) -> Vec<u8> {
    if path.is_symlink() {
        return fs::read_link(path).unwrap().into_os_string().into_encoded_bytes();
    }
    if path.is_file() { fs::read(path).unwrap() } else { Vec::new() }
}

/// A path and all below it; `.git` and links are not entered.
fn walk(path: &Path, visit: &mut impl FnMut(&Path)) {
    let Ok(metadata) = path.symlink_metadata() else { return };
    if metadata.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            if entry.file_name() != ".git" {
                walk(&entry.path(), visit);
            }
        }
    }
    visit(path);
}
