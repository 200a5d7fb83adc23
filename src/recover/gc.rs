//! What git-orch keeps and nobody needs any more: looked at, and deleted.
//!
//! **Invariant:** only what is known to be git-orch's own, to be in nobody's
//! use and to hold no work that is nowhere else; the rest is told and stays.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::delete;
use super::reason::{Holders, Reason};
use super::trash::{self, Entry};
use crate::error::{Error, Result};
use crate::git::refs;
use crate::git::{Head, Repo, RepoLock, operation, worktree};
use crate::history;
use crate::model::wording::count;
use crate::model::{Fanout, Name, Oid, Operation, TaskState, Time};
use crate::run::throwaway::{self, Owner};
use crate::run::{Scene, end, transcript};
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
    /// Conversations of agents, after their last run.
    pub conversations: Duration,
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
    /// A conversation of an agent.
    Conversation,
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
            Self::Conversation => "conversation",
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
    /// Why it can't be judged, or could not be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
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
        Self { kind, at, bytes: 0, since: None, delete, reason, error: None, what }
    }

    fn at_path(kind: Kind, path: &Path, reason: Reason, what: What) -> Self {
        Self { bytes: worktree::size(path), ..Self::new(kind, path.display().to_string(), reason, what) }
    }

    /// It turned out to be in use.
    fn stays(&mut self) {
        (self.delete, self.reason) = (false, Reason::Live);
    }

    /// It should have gone.
    fn failed(&mut self, error: &Error) {
        (self.delete, self.error) = (false, Some(error.to_string()));
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
        let error = entry.error.clone();
        items.push(Item { bytes: entry.bytes, error, ..item }.aged(entry.since, keep.trash, scene.now));
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
    items.extend(conversations(scene, keep.conversations)?);
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

    fn file(&self) -> Option<&PathBuf> {
        match &self.what {
            What::Logs(_, path) | What::File(path) => Some(path),
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
    let quarantined = quarantined(scene.repo)?;
    let mut items = Vec::new();
    for (full, oid) in scene.repo.read().refs(&prefix)? {
        let short = &full["refs/heads/".len()..];
        let named = full[prefix.len()..].parse().ok().map(|name| task(scene.repo, &name)).transpose()?;
        let known = named.flatten().or(quarantined.get(short).copied());
        let (judged, since) = match known {
            Some((state, _)) if !state.is_over() => continue,
            None => (Ok(Reason::Foreign), None),
            Some((_, since)) => {
                let is_held =
                    worktrees.iter().any(|one| one.head.as_ref().and_then(Head::branch) == Some(short));
                (if is_held { Ok(Reason::Live) } else { holders.judge(oid) }, since)
            }
        };
        let reason = *judged.as_ref().unwrap_or(&Reason::Unjudged);
        let error = judged.err().map(|error| error.to_string());
        let item = Item::new(Kind::Branch, short, reason, What::Branch(short.to_owned(), oid));
        items.push(Item { since, error, ..item });
    }
    Ok(items)
}

/// The branches of what shards did that is in no result, each with the state of
/// its fan-out, and since when.
fn quarantined(repo: &Repo) -> Result<BTreeMap<String, (TaskState, Option<Time>)>> {
    let fanouts = store::fanouts::load(repo)?.into_iter().map(|stored| stored.value);
    let of = |fanout: Fanout| {
        let branches: Vec<String> = fanout.quarantined().map(str::to_owned).collect();
        branches.into_iter().map(move |branch| (branch, (fanout.state, fanout.ended)))
    };
    Ok(fanouts.flat_map(of).collect())
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

/// What is kept of conversations, each as old as its last run.
fn conversations(scene: Scene<'_>, keep: Duration) -> Result<Vec<Item>> {
    let kept = transcript::all(scene.repo);
    // Records are many, and most repositories have no conversations.
    let tasks = if kept.is_empty() { Vec::new() } else { store::tasks::load(scene.repo)? };
    let item = |(_, id, path): (Name, String, PathBuf)| {
        let runs = || tasks.iter().flat_map(|task| task.value.runs.iter().map(move |run| (&task.value, run)));
        let own = || runs().filter(|(_, run)| run.conversation.as_ref() == Some(&id));
        let last = own().map(|(_, run)| run.ended.unwrap_or(run.started)).max().or_else(|| modified(&path));
        let is_open = own().any(|(task, _)| !task.state.is_over());
        let reason = if is_open { Reason::Live } else { Reason::Old };
        let what = What::File(path.clone());
        Item::at_path(Kind::Conversation, &path, reason, what).aged(last, keep, scene.now)
    };
    Ok(kept.into_iter().map(item).collect())
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

/// Deletes what goes. What could not be deleted says why, and keeps nothing
/// else from going.
///
/// # Errors
/// Refused where another process has the repository.
pub fn apply(scene: Scene<'_>, items: &mut [Item]) -> Result<()> {
    for item in going(items) {
        let done = match &item.what {
            What::Entry(entry) => trash::empty(scene, entry),
            What::Throwaway(path) => delete_throwaway(scene, path),
            _ => Ok(()),
        };
        done.unwrap_or_else(|error| item.failed(&error));
    }
    delete_files(scene.repo, items)?;
    let lock = RepoLock::take(scene.repo, "gc", scene.events)?;
    delete_branches(scene, &lock, items)?;
    cut_operations(scene.repo, &lock, items);
    Ok(())
}

fn going(items: &mut [Item]) -> impl Iterator<Item = &mut Item> {
    items.iter_mut().filter(|item| item.delete)
}

fn delete_throwaway(scene: Scene<'_>, path: &Path) -> Result<()> {
    let entry = journal::begin(scene.repo, &Intent::Throwaway { worktree: path.to_owned() })?;
    throwaway::take_away(scene.repo, path, scene.events)?;
    entry.end()
}

/// How many tasks are locked at once, whose logs are deleted.
const AT_ONCE: usize = 64;

fn delete_files(repo: &Repo, items: &mut [Item]) -> Result<()> {
    let is_file = |item: &&mut Item| matches!(item.what, What::Logs(..) | What::File(_));
    let mut files: Vec<&mut Item> = going(items).filter(is_file).collect();
    for some in files.chunks_mut(AT_ONCE) {
        let mut held = BTreeMap::new();
        for item in some.iter_mut() {
            let What::Logs(name, _) = &item.what else { continue };
            if held.contains_key(name) {
                continue;
            }
            // Who retries the task has its lock, and writes there.
            match TaskLock::try_take(repo, name)? {
                Ok(lock) => drop(held.insert(name.clone(), lock)),
                Err(_) => item.stays(),
            }
        }
        let mut some: Vec<&mut &mut Item> = some.iter_mut().filter(|item| item.delete).collect();
        let paths: Vec<PathBuf> = some.iter().filter_map(|item| item.file().cloned()).collect();
        for (item, went) in some.iter_mut().zip(delete::delete(repo, &paths)?) {
            went.unwrap_or_else(|error| item.failed(&error));
        }
    }
    Ok(())
}

/// Deletes the branches that are where they were, and that nobody has checked out.
fn delete_branches(scene: Scene<'_>, lock: &RepoLock, items: &mut [Item]) -> Result<()> {
    let mut changes = Vec::new();
    let mut branches = Vec::new();
    for item in going(items) {
        let What::Branch(branch, oid) = &item.what else { continue };
        let change = end::branch_gone(scene, branch)?;
        match change.filter(|change| change.expected() == Some(*oid)) {
            Some(change) => changes.push(change),
            None => item.stays(),
        }
        branches.push(item);
    }
    if let Err(error) = refs::apply(scene.repo, lock, &changes, "gc") {
        branches.into_iter().filter(|item| item.delete).for_each(|item| item.failed(&error));
    }
    Ok(())
}

/// Operations by which something comes back that is still in the trash stay.
fn cut_operations(repo: &Repo, lock: &RepoLock, items: &mut [Item]) {
    let is_still_there =
        |item: &Item| matches!(item.what, What::Entry(_)) && item.error.is_some() && item.reason.is_spare();
    let is_needed = items.iter().any(is_still_there);
    for item in going(items) {
        let What::Operations(gone) = &item.what else { continue };
        if is_needed {
            (item.delete, item.reason) = (false, Reason::Undo);
        } else if let Err(error) = operation::cut(repo, lock, gone) {
            item.failed(&error);
        }
    }
}
