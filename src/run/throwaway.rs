//! Throwaway worktrees: made for one purpose, owned by a guard, gone with it.
//!
//! They lie beside the sessions, not inside git's directory, so that tools
//! which search upwards for their settings find the same as in a checkout.
//!
//! **Invariant:** the journal has it before it is made and until it is gone;
//! the files of a large one are deleted by a process that outlives ours.

use std::ffi::OsStr;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::claim::uid;
use super::overlay;
use crate::agent::process;
use crate::error::{Error, IoContext, Result};
use crate::git::worktree::{self, Start};
use crate::git::{Place, Repo, RepoLock, checkout};
use crate::model::{Event, Events, Oid};
use crate::session::{gone, workplace};
use crate::store::journal::{self, Entry, Intent};

/// The folder of throwaways, where a session's worktree would have its name;
/// no session can be called so.
const FOLDER: &str = ".throwaway";
/// Why git itself should not prune them.
const REASON: &str = "git-orch throwaway";
/// The hidden command that deletes what a throwaway was.
pub const CLEAR: &str = "__clear";
/// How often that asks for the journal's entry.
const ATTEMPTS: usize = 100;
/// With more tracked files than this nobody should wait for their deletion.
const LARGE: usize = 2_000;

/// Where throwaways go, by the template of session worktrees.
pub fn folder(repo: &Repo, template: &str) -> PathBuf {
    if template.contains("{session}") {
        workplace::beside(repo, template, FOLDER)
    } else {
        workplace::beside(repo, template, "").join(FOLDER)
    }
}

/// A worktree that goes with this value.
pub struct Throwaway<'a> {
    repo: &'a Repo,
    events: Events<'a>,
    place: Place,
    id: String,
    path: PathBuf,
    entry: Option<Entry>,
    is_laid: bool,
}

impl std::fmt::Debug for Throwaway<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Throwaway({})", self.path.display())
    }
}

impl<'a> Throwaway<'a> {
    /// Makes one in `folder`, its HEAD detached at `commit`, without files.
    ///
    /// # Errors
    /// Unusable where the folder can't be written; nothing is left then.
    pub fn make(repo: &'a Repo, folder: &Path, commit: Oid, events: Events<'a>) -> Result<Self> {
        let lock = RepoLock::take(repo, "a throwaway worktree", events)?;
        make_folder(folder)?;
        let path = folder.join(format!("t-{}", uid()?));
        let entry = journal::begin(repo, &Intent::Throwaway { worktree: path.clone() })?;
        match add(repo, &lock, &path, commit) {
            Ok(id) => {
                let place = worktree::place(repo, &path, Some(&id));
                Ok(Self { repo, events, place, id, path, entry: Some(entry), is_laid: false })
            }
            Err(error) => {
                drop(lock);
                // What failed first is what matters.
                drop(take_away(repo, &path, events).and_then(|()| entry.end()));
                Err(error)
            }
        }
    }

    /// Makes one beside another, with the files that this has: laid over it.
    ///
    /// # Errors
    /// Unusable where the kernel does not have it so; nothing is left then.
    pub fn over(below: &Self, commit: Oid) -> Result<Self> {
        let folder = below.path.parent().expect("it lies in a folder");
        let mut new = Self::make(below.repo, folder, commit, below.events)?;
        let link = new.path.join(".git");
        let own = std::fs::read(&link).doing("could not read", &link)?;
        below.repo.reach("a throwaway to be laid over another")?;
        overlay::lay(&below.path, &new.path, &beside(&new.path, LAYERS))?;
        new.is_laid = true;
        std::fs::write(&link, own).doing("could not write", &link)?;
        // The files are the same to git: what it knows of those below holds.
        let [from, to] = [&below.place, &new.place].map(|place| place.git_dir.join("index"));
        if from.exists() {
            std::fs::copy(&from, &to).doing("could not copy", &from)?;
        }
        Ok(new)
    }

    /// Where git works for it.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A folder beside it for what shall not be in it; gone with it at the latest.
    pub fn beside(&self) -> PathBuf {
        beside(&self.path, HOME)
    }

    /// Makes its files those of `tree` and no others.
    ///
    /// # Errors
    /// Unusable when something was left that can't be removed: then this
    /// throwaway is spent.
    pub fn set(&self, tree: Oid) -> Result<()> {
        checkout::wipe(self.repo, &self.place)?;
        checkout::set(self.repo, &self.place, tree)
    }

    /// Makes its files those of `tree`, and leaves those that are in none:
    /// what a build has made before is used by the next.
    ///
    /// # Errors
    /// Refused when what ran in it bent it to another repository.
    pub fn turn(&self, tree: Oid) -> Result<()> {
        self.require_intact()?;
        checkout::set(self.repo, &self.place, tree)
    }

    /// Its files as a tree.
    ///
    /// # Errors
    /// Refused when what ran in it bent it to another repository.
    pub fn capture(&self) -> Result<Oid> {
        self.require_intact()?;
        checkout::capture(self.repo, &self.place)
    }

    fn take_away(&mut self) -> Result<()> {
        let Some(entry) = self.entry.take() else { return Ok(()) };
        if self.is_laid {
            overlay::lift(&self.path)?;
        }
        if checkout::files(&self.place).is_some_and(|files| files > LARGE) && !self.is_laid {
            clear_beside(&self.path)?;
            put_aside(self.repo, &self.path, self.events)?;
            let file = entry.hand_over();
            let words: [&OsStr; 4] =
                ["-C".as_ref(), self.repo.main_folder().as_ref(), CLEAR.as_ref(), file.as_ref()];
            return process::leave_behind(&words).or_else(|_| clear(self.repo, &file, self.events));
        }
        take_away(self.repo, &self.path, self.events)?;
        entry.end()
    }

    fn require_intact(&self) -> Result<()> {
        match worktree::is_intact(self.repo, self.path(), &self.id) {
            true => Ok(()),
            false => Err(Error::refused("the command rewrote git's own files of its worktree")),
        }
    }
}

impl Drop for Throwaway<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.take_away() {
            let path = self.path().display();
            (self.events)(Event::Warning(format!("could not remove the throwaway `{path}` ({error})")));
        }
    }
}

/// What the folder beside a throwaway ends with that is a home.
const HOME: &str = ".home";
/// The same for what is changed in one that is laid over another.
const LAYERS: &str = ".layers";

fn beside(worktree: &Path, end: &str) -> PathBuf {
    let mut name = worktree.file_name().unwrap_or_default().to_owned();
    name.push(end);
    worktree.with_file_name(name)
}

fn make_folder(folder: &Path) -> Result<()> {
    if let Some(above) = folder.parent() {
        std::fs::create_dir_all(above).doing("could not make", above)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let is_folder = folder.symlink_metadata().is_ok_and(|meta| meta.is_dir());
            let refusal = || Error::unusable(format!("`{}` is no folder", folder.display()));
            if is_folder { Ok(()) } else { Err(refusal().hint("move it away")) }
        }
        made => made.doing("could not make", folder),
    }
}

fn add(repo: &Repo, lock: &RepoLock, path: &Path, commit: Oid) -> Result<String> {
    DirBuilder::new().mode(0o700).create(path).doing("could not make", path)?;
    worktree::add(repo, lock, path, &Start::Detached(commit), Some(REASON))
}

/// Takes one away, also what a killed process left of it: renames it aside,
/// takes the entry out of git, then deletes.
pub fn take_away(repo: &Repo, worktree: &Path, events: Events<'_>) -> Result<()> {
    clear_beside(worktree)?;
    gone::clear(&put_aside(repo, worktree, events)?)?;
    remove_if_empty(repo, worktree, events)
}

fn clear_beside(worktree: &Path) -> Result<()> {
    [HOME, LAYERS].iter().try_for_each(|end| gone::clear(&beside(worktree, end)))
}

fn put_aside(repo: &Repo, worktree: &Path, events: Events<'_>) -> Result<PathBuf> {
    let lock = RepoLock::take(repo, "removing a throwaway", events)?;
    let aside = gone::put_aside(worktree)?;
    worktree::forget(repo, &lock, worktree)?;
    Ok(aside)
}

/// Brings to its end what a journal's entry tells of a throwaway, unless
/// somebody is at it.
pub fn clear(repo: &Repo, entry: &Path, events: Events<'_>) -> Result<()> {
    for _ in 0..ATTEMPTS {
        match journal::take_over(entry)? {
            Some((entry, Intent::Throwaway { worktree })) => {
                take_away(repo, &worktree, events)?;
                return entry.end();
            }
            Some(_) => return Ok(()),
            // Whoever only looks has it for a moment, too.
            None if entry.exists() => std::thread::sleep(Duration::from_millis(20)),
            None => return Ok(()),
        }
    }
    Ok(())
}

/// Whose something in the folder of throwaways is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A living process.
    Living,
    /// A process that died.
    Dead,
    /// Not git-orch.
    Other,
}

/// What lies in the folder of throwaways, and what git still knows of some
/// that are gone from it.
pub fn left(repo: &Repo, folder: &Path) -> Result<Vec<(PathBuf, Owner)>> {
    let living = journal::living(repo);
    let is_used = |path: &Path| {
        living.iter().any(|one| matches!(one, Intent::Throwaway { worktree } if worktree == path))
    };
    let mut ours: Vec<PathBuf> = Vec::new();
    for one in worktree::list(repo)? {
        let reason = one.id.as_deref().and_then(|id| worktree::lock_reason(repo, id));
        if reason.as_deref() == Some(REASON) {
            ours.push(one.path);
        }
    }
    let entries = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    // What is being deleted is in the journal.
    let is_whole = |path: &PathBuf| !path.file_name().is_some_and(gone::is_name_aside);
    let mut all: Vec<PathBuf> = entries.filter(is_whole).chain(ours.iter().cloned()).collect();
    // What lies beside one goes with it.
    let beside: Vec<PathBuf> =
        all.iter().flat_map(|path| [HOME, LAYERS].map(|end| beside(path, end))).collect();
    all.retain(|path| !beside.contains(path));
    all.sort();
    all.dedup();
    let owner = |path: &PathBuf| match (is_used(path), ours.contains(path)) {
        (true, _) => Owner::Living,
        (false, true) => Owner::Dead,
        (false, false) => Owner::Other,
    };
    Ok(all.into_iter().map(|path| (path.clone(), owner(&path))).collect())
}

/// The folder of throwaways, and the one above, go with the last of them.
fn remove_if_empty(repo: &Repo, worktree: &Path, events: Events<'_>) -> Result<()> {
    let Some(folder) = worktree.parent() else { return Ok(()) };
    let is_empty = |folder: &Path| folder.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    if is_empty(folder) {
        let _lock = RepoLock::take(repo, "removing a throwaway", events)?;
        // Somebody may have put something there since.
        let removed = std::fs::remove_dir(folder);
        if let (Ok(()), Some(above)) = (removed, folder.parent())
            && above.file_name() == Some(OsStr::new(&format!("{}.orch", repo.name())))
            && is_empty(above)
        {
            drop(std::fs::remove_dir(above));
        }
    }
    Ok(())
}
