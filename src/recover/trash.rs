//! What is in the trash: worktrees of removed sessions, work that recovery
//! came upon, files that a run left. What else has its work, how it is deleted
//! for good, how it is brought back.
//!
//! **Invariant:** git-orch's own is what has a ref, a record of git's or a
//! mark; nothing else in the folders of trash is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::reason::{Holders, Reason};
use super::{delete, undo};
use crate::error::{Error, Result};
use crate::git::refs::{self, RefChange};
use crate::git::{Place, Repo, RepoLock, operation, snapshot, worktree};
use crate::model::wording::unknown;
use crate::model::{Effect, Name, Oid, Operation, SessionState, Time};
use crate::run::Scene;
use crate::session::{gone, trash};
use crate::store;
use crate::store::journal::{self, Intent};

/// One thing in the trash.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Its name there.
    pub id: String,
    /// The session it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Name>,
    /// The task that left it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Name>,
    /// Since when it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// Its files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The commit that keeps its work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oid: Option<Oid>,
    /// The size of its files.
    pub bytes: u64,
    /// What else has its work, or why it has to stay.
    pub reason: Reason,
    /// Why it can't be judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip)]
    paths: Vec<PathBuf>,
}

impl Entry {
    /// The ref that keeps its work.
    pub fn pin(&self) -> Option<String> {
        self.oid.map(|_| pin(&self.id))
    }
}

/// What is in the trash.
#[derive(Debug)]
pub struct Trash {
    /// What git-orch put there, oldest first.
    pub entries: Vec<Entry>,
    /// What somebody else put into its folders.
    pub foreign: Vec<PathBuf>,
}

fn pin(id: &str) -> String {
    format!("{}{id}", refs::TRASH)
}

/// Looks at the trash.
pub fn load(scene: Scene<'_>, log: &[Operation], holders: &Holders<'_>) -> Result<Trash> {
    let repo = scene.repo;
    let pins: BTreeMap<String, Oid> = repo.read().refs(refs::TRASH)?.into_iter().collect();
    let pinned = pins.keys().map(|name| name[refs::TRASH.len()..].to_owned());
    let kept = names(&trash::entries(repo)).filter(|name| !gone::is_name_aside(name.as_ref()));
    let ids: BTreeSet<String> = pinned.chain(kept).collect();
    let sessions = store::sessions::load_all(repo)?.into_iter().map(|session| session.value.name);
    let sight = Sight {
        repo,
        holders,
        told: told(log),
        sessions: sessions.collect(),
        folders: folders(scene, &ids)?,
        lived_in: gone::lived_in(),
    };
    let mut entries: Vec<Entry> = ids.iter().map(|id| sight.entry(id, pins.get(&pin(id)).copied())).collect();
    entries.sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
    let of_others = |folder: &PathBuf| {
        names(folder).filter(|name| !ids.contains(name)).map(|name| folder.join(name)).collect::<Vec<_>>()
    };
    Ok(Trash { entries, foreign: sight.folders.iter().flat_map(of_others).collect() })
}

/// By what an entry is looked at.
struct Sight<'a> {
    repo: &'a Repo,
    holders: &'a Holders<'a>,
    told: BTreeMap<String, (Option<Name>, Time)>,
    sessions: Vec<Name>,
    folders: BTreeSet<PathBuf>,
    lived_in: Vec<PathBuf>,
}

impl Sight<'_> {
    fn entry(&self, id: &str, oid: Option<Oid>) -> Entry {
        let mark = trash::find_mark(self.repo, id);
        let is_there = |path: &PathBuf| path.symlink_metadata().is_ok();
        let folder = self.folders.iter().map(|folder| folder.join(id)).find(is_there);
        let record = trash::entries(self.repo).join(id);
        let paths: Vec<PathBuf> = folder.iter().cloned().chain([record]).filter(is_there).collect();
        let told = self.told.get(id);
        let since = told.map(|told| told.1).or(mark.as_ref().map(|mark| mark.time));
        let session = mark.as_ref().map(|mark| mark.session.clone());
        let session = session.or_else(|| told.and_then(|told| told.0.clone()));
        let judged = self.judge(id, oid, folder.as_deref(), &paths);
        Entry {
            id: id.to_owned(),
            session: session.or_else(|| self.named_after(id)),
            since: since.or_else(|| paths.first().and_then(|path| moved_at(path))),
            task: mark.map(|mark| mark.task),
            oid,
            bytes: paths.iter().map(|path| worktree::size(path)).sum(),
            reason: *judged.as_ref().unwrap_or(&Reason::Unjudged),
            error: judged.err().map(|error| error.to_string()),
            folder,
            paths,
        }
    }

    /// The session that a name begins with.
    fn named_after(&self, id: &str) -> Option<Name> {
        let fits = |name: &&Name| id.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('-'));
        self.sessions.iter().filter(fits).max_by_key(|name| name.as_str().len()).cloned()
    }

    /// Why something in the trash can go, or stays; its age aside.
    fn judge(&self, id: &str, oid: Option<Oid>, folder: Option<&Path>, paths: &[PathBuf]) -> Result<Reason> {
        let is_lived_in = |path: &PathBuf| {
            let path = path.canonicalize();
            path.is_ok_and(|path| self.lived_in.iter().any(|folder| folder.starts_with(&path)))
        };
        if paths.iter().any(is_lived_in) {
            return Ok(Reason::Live);
        }
        // Submodules have their commits with what git knew of the worktree.
        let modules = trash::entries(self.repo).join(id).join("modules");
        if modules.is_dir() || paths.iter().any(|path| worktree::holds_repository(path)) {
            return Ok(Reason::Repository);
        }
        let Some(oid) = oid else { return Ok(Reason::FilesOnly) };
        let reason = self.holders.judge(oid)?;
        let is_as_kept = |folder| is_as_kept(self.repo, id, folder, oid);
        let is_more = reason.is_spare() && !folder.map_or(Ok(true), is_as_kept)?;
        Ok(if is_more { Reason::Dirty } else { reason })
    }
}

/// Whether a worktree in the trash holds nothing that its commit has not:
/// nobody wrote there since, and git could read all of it when it went there.
fn is_as_kept(repo: &Repo, id: &str, folder: &Path, oid: Oid) -> Result<bool> {
    let common_dir = repo.place().common_dir.clone();
    let place =
        Place { git_dir: trash::entries(repo).join(id), common_dir, work_tree: Some(folder.to_owned()) };
    Ok(snapshot::tree(repo, &place)? == repo.read().commit(oid)?.tree)
}

/// Every folder that holds trash.
fn folders(scene: Scene<'_>, ids: &BTreeSet<String>) -> Result<BTreeSet<PathBuf>> {
    let mut folders = BTreeSet::from([scene.throwaways.with_file_name(trash::FOLDER)]);
    for session in store::sessions::load_all(scene.repo)? {
        folders.insert(trash::folder(&session.value));
    }
    for id in ids {
        folders.extend(trash::find_mark(scene.repo, id).map(|mark| mark.folder));
        // Git's own note of where the worktree was.
        let note = std::fs::read_to_string(trash::entries(scene.repo).join(id).join("gitdir"));
        let worktree = note.ok().and_then(|text| Path::new(text.trim_end()).parent().map(Path::to_owned));
        let beside =
            worktree.filter(|path| path.is_absolute()).and_then(|path| path.parent().map(Path::to_owned));
        folders.extend(beside.map(|beside| beside.join(trash::FOLDER)));
    }
    Ok(folders)
}

/// What lies in a folder, in order.
fn names(folder: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let names: BTreeSet<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.into_iter()
}

/// What the log tells of names in the trash: the session, and since when.
fn told(log: &[Operation]) -> BTreeMap<String, (Option<Name>, Time)> {
    let mut told: BTreeMap<String, (Option<Name>, Time)> = BTreeMap::new();
    for operation in log.iter().rev() {
        for effect in &operation.effects {
            match effect {
                Effect::Trashed { session, id } => {
                    told.insert(id.clone(), (Some(session.clone()), operation.time));
                }
                Effect::Ref { name, old: None, .. } => {
                    if let Some(id) = name.strip_prefix(refs::TRASH) {
                        told.entry(id.to_owned()).or_insert((None, operation.time)).1 = operation.time;
                    }
                }
                _ => {}
            }
        }
    }
    told
}

/// When something was last renamed, as far as the file system tells.
fn moved_at(path: &Path) -> Option<Time> {
    path.symlink_metadata().ok().map(|meta| Time(meta.ctime()))
}

/// The names in the trash that an operation put there, or took from it.
pub fn mentioned(operation: &Operation) -> impl Iterator<Item = &str> {
    operation.effects.iter().filter_map(|effect| match effect {
        Effect::Trashed { id, .. } | Effect::Restored { id, .. } => Some(id.as_str()),
        Effect::Ref { name, .. } => name.strip_prefix(refs::TRASH),
        _ => None,
    })
}

/// Refuses to undo what was deleted for good.
///
/// # Errors
/// Refused, naming what is gone and who deleted it.
pub fn require_undeleted(log: &[Operation], operation: &Operation) -> Result<()> {
    let mut older = log.iter().skip_while(|one| one.id != operation.id).skip(1);
    if operation.emptied(None) {
        let error = Error::refused(format!("what `{}` deleted is gone for good", operation.what));
        let is_whole =
            |one: &Operation| !mentioned(one).any(|id| log.iter().any(|other| other.emptied(Some(id))));
        let before = older.find(|one| undo::is_fresh(one) && is_whole(one));
        return Err(match before {
            Some(one) => error.hint(format!("what came before: `git orch undo {}`", one.id.short())),
            None => error,
        });
    }
    let newer: Vec<&Operation> = log.iter().take_while(|one| one.id != operation.id).collect();
    for id in mentioned(operation) {
        if let Some(by) = newer.iter().find(|one| one.emptied(Some(id))) {
            let error = Error::refused(format!("`{id}` is gone from the trash: `{}` deleted it", by.what));
            let kept = operation.moved().into_iter().find(|one| one.name == pin(id)).and_then(|one| one.new);
            return Err(match kept {
                Some(oid) => {
                    error.hint(format!("its commits, while git has them: `git branch NAME {}`", oid.short()))
                }
                None => error,
            });
        }
    }
    Ok(())
}

/// Deletes something for good: its ref, then its files.
pub fn empty(scene: Scene<'_>, entry: &Entry) -> Result<()> {
    let repo = scene.repo;
    let intent = Intent::Delete { pin: entry.pin(), paths: entry.paths.clone() };
    let begun = journal::begin(repo, &intent)?;
    {
        let lock = RepoLock::take(repo, "trash empty", scene.events)?;
        let gone: Vec<RefChange> =
            entry.oid.map(|oid| RefChange::delete(pin(&entry.id), oid)).into_iter().collect();
        refs::apply_with(repo, &lock, &gone, &[Effect::Emptied { id: entry.id.clone() }], "trash empty")?;
    }
    let gone = delete::settle(repo, None, &entry.paths);
    delete::end(begun, &entry.paths)?;
    gone
}

/// What `trash restore` would do.
#[derive(Debug)]
pub enum Way {
    /// Undo the operation that put it there.
    Undo(Box<undo::Plan>),
    /// Make a branch at its commit.
    Branch(String, Oid),
    /// Nothing: it is done.
    Done,
}

/// How something comes back from the trash.
///
/// # Errors
/// Usage for an unknown name; refused where the session's name is taken, or
/// where there is no session to bring back.
pub fn way_back(
    repo: &Repo,
    trash: &Trash,
    log: &[Operation],
    id: &str,
    branch: Option<&str>,
) -> Result<Way> {
    let entry = trash.entries.iter().find(|entry| entry.id == id);
    let by = log.iter().find(|one| puts(one, id));
    let Some(entry) = entry else {
        if by.is_some_and(|by| by.undone_by.is_some()) && branch.is_none() {
            return Ok(Way::Done);
        }
        return Err(unknown_id(trash, id));
    };
    if let Some(branch) = branch {
        return branch_way(repo, entry, branch);
    }
    let as_branch = format!("have its work as a branch: `git orch trash restore {id} --branch NAME`");
    let Some(by) = by.filter(|by| by.undone_by.is_none()) else {
        let error = Error::refused(format!("`{id}` is no removed session"));
        return Err(match (&entry.oid, &entry.folder) {
            (Some(_), _) => error.hint(as_branch),
            (None, Some(folder)) => {
                error.hint(format!("its files are in `{}`: take what is needed", folder.display()))
            }
            (None, None) => error,
        });
    };
    if let Some(name) = &entry.session
        && let Some(found) = store::sessions::find(repo, name)?
        && found.value.state != SessionState::Archived
    {
        return Err(Error::refused(format!("there is a session `{name}` again"))
            .hint(format!("remove that one first: `git orch remove-session {name}`"))
            .hint(as_branch));
    }
    let plan = undo::plan(repo, log, by.clone()).map_err(|error| error.hint(as_branch))?;
    Ok(Way::Undo(Box::new(plan)))
}

/// Whether an operation put a session's worktree there.
fn puts(operation: &Operation, wanted: &str) -> bool {
    operation.effects.iter().any(|effect| matches!(effect, Effect::Trashed { id, .. } if id == wanted))
}

fn branch_way(repo: &Repo, entry: &Entry, branch: &str) -> Result<Way> {
    let full = refs::branch(branch);
    let is_ours = [refs::SESSION_BRANCHES, refs::REVIEW_BRANCHES].iter().any(|own| branch.starts_with(own));
    let is_name = !branch.starts_with('-') && repo.git(["check-ref-format", &full]).spawn()?.code == 0;
    if is_ours || !is_name {
        let why = if is_ours { "is a name of git-orch's own" } else { "is no name for a branch" };
        return Err(Error::usage(format!("`{branch}` {why}")));
    }
    let Some(oid) = entry.oid else {
        return Err(Error::refused(format!("`{}` has no commits", entry.id)));
    };
    match repo.read().find_ref(&full)? {
        None => Ok(Way::Branch(branch.to_owned(), oid)),
        Some(at) if at == oid => Ok(Way::Done),
        Some(_) => {
            Err(Error::refused(format!("there is a branch `{branch}` already")).hint("choose another name"))
        }
    }
}

/// Makes the branch.
pub fn make_branch(scene: Scene<'_>, branch: &str, oid: Oid) -> Result<()> {
    let lock = RepoLock::take(scene.repo, "trash restore", scene.events)?;
    refs::apply(scene.repo, &lock, &[RefChange::create(refs::branch(branch), oid)], "trash restore")
}

/// The entries of these names; those that were deleted before are passed over.
///
/// # Errors
/// Usage for a name that never was in the trash.
pub fn choose<'a>(trash: &'a Trash, log: &[Operation], ids: &[String]) -> Result<Vec<&'a Entry>> {
    let mut chosen = Vec::new();
    for id in ids {
        match trash.entries.iter().find(|entry| entry.id == *id) {
            Some(entry) => chosen.push(entry),
            None if log.iter().any(|one| one.emptied(Some(id))) => {}
            None => return Err(unknown_id(trash, id)),
        }
    }
    Ok(chosen)
}

fn unknown_id(trash: &Trash, id: &str) -> Error {
    let known = trash.entries.iter().map(|entry| entry.id.as_str());
    Error::usage(unknown("entry of the trash", id, known)).hint("`git orch trash` lists them")
}

/// The log as it is now, and the trash by it.
pub fn look(scene: Scene<'_>) -> Result<(Vec<Operation>, Trash)> {
    let log = operation::log(scene.repo)?;
    let trash = load(scene, &log, &Holders::load(scene.repo)?)?;
    Ok((log, trash))
}
