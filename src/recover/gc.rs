//! What git-orch keeps and nobody needs any more: looked at, and deleted.
//!
//! **Invariant:** only what is known to be git-orch's own, to be in nobody's
//! use and to hold no work that is nowhere else; the rest is told and stays.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::delete;
use super::reason::{Holders, Reason};
use super::trash::{self, Entry};
use crate::error::Result;
use crate::git::refs::{self, RefChange};
use crate::git::{Head, Repo, RepoLock, operation, worktree};
use crate::history;
use crate::model::wording::count;
use crate::model::{Name, Oid, Operation, TaskState, Time};
use crate::run::throwaway::{self, Owner};
use crate::run::{Scene, end};
use crate::session::{TaskLock, trash as places};
use crate::store;
use crate::store::journal::{self, Intent};

/// How long things are kept that may be wanted back.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// What is in the trash.
    pub trash: Duration,
    /// Operations, to be undone.
    pub operations: Duration,
    /// Logs and briefs of tasks that are over.
    pub logs: Duration,
}

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An entry of the trash.
    Trash,
    /// A result branch.
    Branch,
    /// A ref that keeps what is in the making.
    Keep,
    /// A throwaway worktree.
    Throwaway,
    /// Logs and brief of a task or fan-out.
    Logs,
    /// A cache file.
    Cache,
    /// A part of the operation log.
    Operations,
    /// Something in a folder of sessions.
    Folder,
}

impl Kind {
    /// The word that people see.
    pub fn word(self) -> &'static str {
        match self {
            Self::Trash => "trash",
            Self::Branch => "branch",
            Self::Keep => "keep",
            Self::Throwaway => "throwaway",
            Self::Logs => "logs",
            Self::Cache => "cache",
            Self::Operations => "operations",
            Self::Folder => "folder",
        }
    }
}

/// One thing that could go, or could be thought to.
#[derive(Debug, Serialize)]
pub struct Item {
    /// What it is.
    pub kind: Kind,
    /// Where: a path, a ref, or how much of the log.
    pub at: String,
    /// The size of its files.
    pub bytes: u64,
    /// Since when it is as it is, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Whether it goes.
    pub delete: bool,
    /// Why.
    pub reason: Reason,
    #[serde(skip)]
    what: What,
}

/// How something is deleted.
#[derive(Debug)]
enum What {
    Entry(Box<Entry>),
    Branch(String, Oid),
    Throwaway(PathBuf),
    Logs(Name, PathBuf),
    File(PathBuf),
    /// These of the log.
    Operations(BTreeSet<Oid>),
    Nothing,
}

impl Item {
    fn new(kind: Kind, at: impl Into<String>, reason: Reason, what: What) -> Self {
        let (at, delete) = (at.into(), reason.is_spare());
        Self { kind, at, bytes: 0, since: None, delete, reason, what }
    }

    fn at_path(kind: Kind, path: &Path, reason: Reason, what: What) -> Self {
        Self { bytes: worktree::size(path), ..Self::new(kind, path.display().to_string(), reason, what) }
    }

    /// The same, which has to be this old to go.
    fn aged(mut self, since: Option<Time>, keep: Duration, now: Time) -> Self {
        self.since = since;
        if self.delete && !since.is_some_and(|since| is_old(since, keep, now)) {
            (self.delete, self.reason) = (false, Reason::Young);
        }
        self
    }
}

/// Whether something is as old as that.
pub fn is_old(since: Time, keep: Duration, now: Time) -> bool {
    now.since(since).unsigned_abs() >= keep.as_secs()
}

/// Looks at everything that could go.
pub fn look(scene: Scene<'_>, keep: Keep) -> Result<Vec<Item>> {
    let log = operation::log(scene.repo)?;
    let holders = Holders::load(scene.repo)?;
    let trash = trash::load(scene, &log, &holders)?;
    let mut items = Vec::new();
    for entry in &trash.entries {
        let at = entry.folder.as_ref().map(|folder| folder.display().to_string()).or(entry.pin());
        let at = at.unwrap_or_else(|| entry.id.clone());
        let item = Item::new(Kind::Trash, at, entry.reason, What::Entry(Box::new(entry.clone())));
        items.push(Item { bytes: entry.bytes, ..item }.aged(entry.since, keep.trash, scene.now));
    }
    let going: BTreeSet<&str> =
        items.iter().filter(|item| item.delete).filter_map(|item| item.id()).collect();
    let staying =
        trash.entries.iter().map(|entry| entry.id.as_str()).filter(|id| !going.contains(id)).collect();
    let operations = operations(&log, &staying, keep.operations, scene.now);
    items.extend(
        trash.foreign.iter().map(|path| Item::at_path(Kind::Trash, path, Reason::Foreign, What::Nothing)),
    );
    items.extend(folders(scene)?);
    items.extend(branches(scene, &holders)?);
    items.extend(keeps(scene.repo)?);
    items.extend(throwaways(scene)?);
    items.extend(logs(scene, keep.logs)?);
    items.extend(caches(scene)?);
    items.extend(operations);
    Ok(items)
}

impl Item {
    fn id(&self) -> Option<&str> {
        match &self.what {
            What::Entry(entry) => Some(&entry.id),
            _ => None,
        }
    }
}

/// What lies beside the sessions and is none.
fn folders(scene: Scene<'_>) -> Result<Vec<Item>> {
    let Some(beside) = scene.throwaways.parent() else { return Ok(Vec::new()) };
    // In a folder of another name, most of what lies there is nobody's business.
    if beside.file_name() != Some(format!("{}.orch", scene.repo.name()).as_ref()) {
        return Ok(Vec::new());
    }
    let sessions = store::sessions::load(scene.repo)?;
    let ours = [scene.throwaways.to_owned(), beside.join(places::FOLDER)];
    let mut paths: Vec<PathBuf> =
        beside.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        !ours.contains(path) && !sessions.iter().any(|session| session.value.worktree == *path)
    });
    paths.sort();
    Ok(paths.iter().map(|path| Item::at_path(Kind::Folder, path, Reason::Foreign, What::Nothing)).collect())
}

/// Result branches whose task is over, or that have none.
fn branches(scene: Scene<'_>, holders: &Holders<'_>) -> Result<Vec<Item>> {
    let prefix = refs::branch(refs::REVIEW_BRANCHES);
    let worktrees = worktree::list(scene.repo)?;
    let mut items = Vec::new();
    for (full, oid) in scene.repo.read().refs(&prefix)? {
        let short = &full["refs/heads/".len()..];
        let known =
            full[prefix.len()..].parse().ok().map(|name| task(scene.repo, &name)).transpose()?.flatten();
        let (reason, since) = match known {
            Some((state, _)) if !state.is_over() => continue,
            None => (Reason::Foreign, None),
            Some((_, since)) => {
                let is_held =
                    worktrees.iter().any(|one| one.head.as_ref().and_then(Head::branch) == Some(short));
                (if is_held { Reason::Live } else { holders.reason(oid) }, since)
            }
        };
        let item = Item::new(Kind::Branch, short, reason, What::Branch(short.to_owned(), oid));
        items.push(Item { since, ..item });
    }
    Ok(items)
}

/// The state of a task or fan-out, and since when.
fn task(repo: &Repo, name: &Name) -> Result<Option<(TaskState, Option<Time>)>> {
    if let Some(task) = store::tasks::find(repo, name)? {
        return Ok(Some((task.value.state, Some(task.value.updated))));
    }
    let fanout = store::fanouts::find(repo, name)?;
    Ok(fanout.map(|fanout| (fanout.value.state, fanout.value.ended)))
}

/// What recovery left: those of living processes, and of others.
fn keeps(repo: &Repo) -> Result<Vec<Item>> {
    let ours = |name: &str| {
        let rest = &name[refs::KEEP.len()..];
        rest.starts_with("merge-") || super::keeps::owner(name).is_some()
    };
    let reason = |name: &str| if ours(name) { Reason::Live } else { Reason::Foreign };
    let refs = repo.read().refs(refs::KEEP)?;
    Ok(refs.iter().map(|(name, _)| Item::new(Kind::Keep, name, reason(name), What::Nothing)).collect())
}

fn throwaways(scene: Scene<'_>) -> Result<Vec<Item>> {
    let item = |(path, owner): (PathBuf, Owner)| {
        let reason = match owner {
            Owner::Living => Reason::Live,
            Owner::Dead => Reason::Dead,
            Owner::Other => Reason::Foreign,
        };
        Item::at_path(Kind::Throwaway, &path.clone(), reason, What::Throwaway(path))
    };
    Ok(throwaway::left(scene.repo, scene.throwaways)?.into_iter().map(item).collect())
}

/// Logs and briefs of tasks and fan-outs that are over, or forgotten.
fn logs(scene: Scene<'_>, keep: Duration) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for kind in ["task", "check", "fanout"] {
        let folder = scene.repo.orch_path().join(kind);
        let mut paths: Vec<PathBuf> =
            folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.is_dir());
        paths.sort();
        for path in paths {
            let name = path.file_name().and_then(|name| name.to_str()?.parse::<Name>().ok());
            let Some(name) = name else { continue };
            let (state, since) = task(scene.repo, &name)?.unwrap_or((TaskState::Cancelled, modified(&path)));
            if !state.is_over() {
                continue;
            }
            let is_held = TaskLock::holder(scene.repo, &name).is_some();
            let reason = if is_held { Reason::Live } else { Reason::Over };
            let what = What::Logs(name, path.clone());
            items.push(Item::at_path(Kind::Logs, &path, reason, what).aged(since, keep, scene.now));
        }
    }
    Ok(items)
}

fn modified(path: &Path) -> Option<Time> {
    use std::os::unix::fs::MetadataExt as _;
    path.symlink_metadata().ok().map(|meta| Time(meta.mtime()))
}

fn caches(scene: Scene<'_>) -> Result<Vec<Item>> {
    let files = history::damaged(&scene.repo.orch_path().join(history::FOLDER));
    Ok(files
        .into_iter()
        .map(|path| Item::at_path(Kind::Cache, &path.clone(), Reason::Damaged, What::File(path)))
        .collect())
}

/// Old operations: those that go, and those by which something comes back from
/// the trash.
fn operations(log: &[Operation], staying: &BTreeSet<&str>, keep: Duration, now: Time) -> Vec<Item> {
    let old = log.iter().filter(|one| is_old(one.time, keep, now));
    let is_needed = |one: &&Operation| trash::mentioned(one).any(|id| staying.contains(id));
    let (needed, going): (Vec<&Operation>, Vec<&Operation>) = old.partition(is_needed);
    let told = |some: &[&Operation], reason, what| {
        let at = count(some.len(), "operation");
        let item = Item::new(Kind::Operations, at, reason, what);
        some.last().map(|oldest| Item { since: Some(oldest.time), ..item })
    };
    let ids = going.iter().map(|one| one.id).collect();
    let going = told(&going, Reason::Old, What::Operations(ids));
    going.into_iter().chain(told(&needed, Reason::Undo, What::Nothing)).collect()
}

/// Deletes what goes.
pub fn apply(scene: Scene<'_>, items: &[Item]) -> Result<()> {
    let repo = scene.repo;
    let mut branches = Vec::new();
    let mut files = Vec::new();
    let mut cut = None;
    let mut held = Vec::new();
    for item in items.iter().filter(|item| item.delete) {
        match &item.what {
            What::Entry(entry) => trash::empty(scene, entry)?,
            What::Branch(branch, oid) => branches.push((branch, *oid)),
            What::Throwaway(path) => {
                let entry = journal::begin(repo, &Intent::Throwaway { worktree: path.clone() })?;
                throwaway::take_away(repo, path, scene.events)?;
                entry.end()?;
            }
            What::Logs(name, path) => {
                // Who retries the task has its lock, and writes there.
                if let Ok(lock) = TaskLock::try_take(repo, name)? {
                    held.push(lock);
                    files.push(path.clone());
                }
            }
            What::File(path) => files.push(path.clone()),
            What::Operations(kept) => cut = Some(kept),
            What::Nothing => {}
        }
    }
    if !files.is_empty() {
        delete::delete(repo, &files)?;
    }
    drop(held);
    let lock = RepoLock::take(repo, "gc", scene.events)?;
    refs::apply(repo, &lock, &branches_gone(scene, &branches)?, "gc")?;
    cut.map_or(Ok(()), |gone| operation::cut(repo, &lock, gone))
}

/// Branches that are where they were, and that nobody has checked out.
fn branches_gone(scene: Scene<'_>, branches: &[(&String, Oid)]) -> Result<Vec<RefChange>> {
    let mut changes = Vec::new();
    for (branch, oid) in branches {
        let change = end::branch_gone(scene, branch)?;
        changes.extend(change.filter(|change| change.expected() == Some(*oid)));
    }
    Ok(changes)
}
