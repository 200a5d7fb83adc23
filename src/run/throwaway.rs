//! Throwaway worktrees: made for one purpose, owned by a guard, gone with it.
//!
//! They lie beside the sessions, not inside git's directory, so that tools
//! which search upwards for their settings find the same as in a checkout.
//!
//! Each has a mark below `<common dir>/orch/throwaway/` that its process
//! keeps locked. The kernel unlocks it when the process dies, however it
//! dies, and the next command takes the worktree away.
//!
//! **Invariant:** the mark is there before the worktree and goes after it.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File};
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, IoContext, Result};
use crate::git::worktree::{self, Start};
use crate::git::{Place, Repo, RepoLock, checkout};
use crate::model::{Event, Events, Oid};
use crate::session::workplace;

/// The folder of throwaways, where a session's worktree would have its name;
/// no session can be called so.
const FOLDER: &str = ".throwaway";
/// Why git itself should not prune them.
const REASON: &str = "git-orch throwaway";

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
    mark: Mark,
}

/// The promise to take a worktree away, kept in a locked file.
struct Mark {
    file: PathBuf,
    worktree: PathBuf,
    _lock: File,
}

impl std::fmt::Debug for Throwaway<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Throwaway({})", self.mark.worktree.display())
    }
}

impl<'a> Throwaway<'a> {
    /// Makes one in `folder`, its HEAD detached at `commit`, without files.
    ///
    /// # Errors
    /// Unusable where the folder can't be written; nothing is left then.
    pub fn make(repo: &'a Repo, folder: &Path, commit: Oid, events: Events<'a>) -> Result<Self> {
        let lock = RepoLock::take(repo, "a throwaway worktree", events)?;
        let mark = Mark::make(repo, folder)?;
        match add(repo, &lock, &mark.worktree, commit) {
            Ok(id) => {
                let place = worktree::place(repo, &mark.worktree, Some(&id));
                Ok(Self { repo, events, place, id, mark })
            }
            Err(error) => {
                drop(lock);
                // What failed first is what matters.
                drop(take_away(repo, &mark, events));
                Err(error)
            }
        }
    }

    /// Where git works for it.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.mark.worktree
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

    /// Its files as a tree.
    ///
    /// # Errors
    /// Refused when what ran in it bent it to another repository.
    pub fn capture(&self) -> Result<Oid> {
        if !worktree::is_intact(self.repo, self.path(), &self.id) {
            return Err(Error::refused("the command rewrote git's own files of its worktree"));
        }
        checkout::capture(self.repo, &self.place)
    }
}

impl Drop for Throwaway<'_> {
    fn drop(&mut self) {
        if let Err(error) = take_away(self.repo, &self.mark, self.events) {
            let path = self.path().display();
            (self.events)(Event::Warning(format!("could not remove the throwaway `{path}` ({error})")));
        }
    }
}

impl Mark {
    /// Under the repository lock, so that nobody takes it for a dead one.
    fn make(repo: &Repo, folder: &Path) -> Result<Self> {
        let marks = marks(repo)?;
        make_folder(folder)?;
        let named = tempfile::Builder::new().prefix("t-").rand_bytes(8).tempfile_in(&marks);
        let (mut lock, file) = named
            .and_then(|named| named.keep().map_err(|error| error.error))
            .doing("could not write in", &marks)?;
        let worktree = folder.join(file.file_name().expect("it was made with a name"));
        lock.try_lock().map_err(std::io::Error::from).doing("could not lock", &file)?;
        lock.write_all(worktree.as_os_str().as_bytes()).doing("could not write", &file)?;
        Ok(Self { file, worktree, _lock: lock })
    }

    /// The mark in a file whose owner is dead.
    fn adopt(file: PathBuf) -> Option<Self> {
        let lock = File::options().read(true).write(true).open(&file).ok()?;
        lock.try_lock().ok()?;
        let worktree = PathBuf::from(std::ffi::OsString::from_vec(std::fs::read(&file).ok()?));
        Some(Self { file, worktree, _lock: lock })
    }

    /// Where the directory goes before it is deleted.
    fn aside(&self) -> PathBuf {
        let mut name = OsStr::new("gone-").to_owned();
        name.push(self.file.file_name().unwrap_or_default());
        self.worktree.with_file_name(name)
    }
}

/// Takes away what killed processes left; how many.
///
/// # Errors
/// Unusable where one can't be removed.
pub fn remove_leftovers(repo: &Repo, events: Events<'_>) -> Result<usize> {
    let files = || std::fs::read_dir(repo.orch_path().join("throwaway")).into_iter().flatten().flatten();
    if files().next().is_none() {
        return Ok(0);
    }
    let dead: Vec<Mark> = {
        let _lock = RepoLock::take(repo, "looking for leftovers", events)?;
        files().filter_map(|entry| Mark::adopt(entry.path())).collect()
    };
    for mark in &dead {
        take_away(repo, mark, events)?;
    }
    Ok(dead.len())
}

fn marks(repo: &Repo) -> Result<PathBuf> {
    let folder = repo.orch_dir()?.join("throwaway");
    std::fs::create_dir_all(&folder).doing("could not make", &folder)?;
    Ok(folder)
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

/// Renames aside, takes the entry out of git, then deletes.
fn take_away(repo: &Repo, mark: &Mark, events: Events<'_>) -> Result<()> {
    let aside = mark.aside();
    if !mark.worktree.as_os_str().is_empty() {
        let lock = RepoLock::take(repo, "removing a throwaway", events)?;
        if mark.worktree.symlink_metadata().is_ok() {
            std::fs::rename(&mark.worktree, &aside).doing("could not rename", &mark.worktree)?;
        }
        worktree::forget(repo, &lock, &mark.worktree)?;
        drop(lock);
        delete(&aside)?;
    }
    std::fs::remove_file(&mark.file).doing("could not remove", &mark.file)?;
    remove_if_empty(repo, &mark.worktree, events)
}

/// Deletes a folder; links in it are not followed.
fn delete(folder: &Path) -> Result<()> {
    if folder.symlink_metadata().is_err() {
        return Ok(());
    }
    if std::fs::remove_dir_all(folder).is_err() {
        // A folder without write permission keeps what is in it.
        loosen(folder);
        std::fs::remove_dir_all(folder).doing("could not remove", folder)?;
    }
    Ok(())
}

fn loosen(folder: &Path) {
    // What can't be loosened is reported by the removal that follows.
    drop(std::fs::set_permissions(folder, PermissionsExt::from_mode(0o700)));
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            loosen(&entry.path());
        }
    }
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
