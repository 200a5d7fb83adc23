//! Who works in a session, whether the process behind a task lives, and who
//! lands results.
//!
//! All are files that the kernel unlocks when their holder dies. Who lets go of
//! one removes it, but for the last: what lies there is held, or was by one that
//! died.
//!
//! **Invariant:** a file is removed while it is locked, and by one process
//! alone; who locks a file makes sure that it is still the one that lies there.

use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::agent::Interrupt;
use crate::error::{Error, IoContext, Result};
use crate::git::{Repo, RepoLock, lock};
use crate::model::{Event, Events, Name};

/// The one lock whose file stays: there is only one, and on a full disk no
/// other could be made.
const LAND: &str = "land.lock";

/// Held while something changes a session's worktree.
#[derive(Debug)]
pub struct SessionLock {
    _held: Held,
}

/// Held by the process that carries a task out.
#[derive(Debug)]
pub struct TaskLock {
    _held: Held,
}

/// Held while a result lands: one at a time, each on top of the last.
#[derive(Debug)]
pub struct LandLock {
    _held: Held,
}

/// Held while a result is put up on a forge, or its request is looked at there.
#[derive(Debug)]
pub struct PublishLock {
    _held: Held,
}

impl PublishLock {
    /// Takes the turn to publish a result, waiting for whoever has it.
    ///
    /// # Errors
    /// Interrupted while waiting.
    pub fn wait(repo: &Repo, name: &Name, interrupt: &Interrupt, events: Events<'_>) -> Result<Self> {
        let path = folder(repo)?.join(format!("publish-{name}.lock"));
        let take = || try_lock(&path, &format!("review {name} --pr"));
        wait(take, |holder| events(Event::Waiting(holder)), interrupt).map(|held| Self { _held: held })
    }
}

impl SessionLock {
    /// Takes a session for `what`, waiting for whoever has it.
    ///
    /// # Errors
    /// Interrupted while waiting.
    pub fn wait(
        repo: &Repo,
        name: &Name,
        what: &str,
        interrupt: &Interrupt,
        events: Events<'_>,
    ) -> Result<Self> {
        let told = |holder| events(Event::Waiting(format!("session {name}: {holder}")));
        wait(|| Self::try_take(repo, name, what), told, interrupt)
    }

    /// Takes a session for `what`, or refuses when somebody has it.
    ///
    /// # Errors
    /// Refused, naming the holder.
    pub fn take(repo: &Repo, name: &Name, what: &str) -> Result<Self> {
        Self::try_take(repo, name, what)?.map_err(|holder| {
            Error::refused(format!("session `{name}` is held by {holder}"))
                .hint("wait for it: `git orch tasks` shows what runs")
        })
    }

    fn try_take(repo: &Repo, name: &Name, what: &str) -> Result<std::result::Result<Self, String>> {
        let path = folder(repo)?.join(format!("session-{name}.lock"));
        Ok(try_lock(&path, what)?.map(|held| Self { _held: held }))
    }
}

impl TaskLock {
    /// Takes a task; `Err` names the process that has it.
    pub fn try_take(repo: &Repo, name: &Name) -> Result<std::result::Result<Self, String>> {
        let path = folder(repo)?.join(format!("task-{name}.lock"));
        Ok(try_lock(&path, &format!("task {name}"))?.map(|held| Self { _held: held }))
    }

    /// The process that carries the task out, where one lives.
    pub fn holder(repo: &Repo, name: &Name) -> Option<u32> {
        holder_of(&repo.orch_path().join("run").join(format!("task-{name}.lock")))
    }

    /// All tasks that living processes carry out, and which.
    pub fn holders(repo: &Repo) -> Vec<(Name, u32)> {
        let locks = ending_in(&repo.orch_path().join("run"), "lock");
        let held = locks.filter_map(|path| {
            let name = path.file_stem()?.to_str()?.strip_prefix("task-")?.parse().ok()?;
            Some((name, holder_of(&path)?))
        });
        held.collect()
    }
}

/// The living process that holds a lock.
pub(super) fn holder_of(path: &Path) -> Option<u32> {
    let mut file = File::options().read(true).write(true).open(path).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {}
        _ => return None,
    }
    lock::holder(&mut file).split(' ').nth(1)?.parse().ok()
}

impl LandLock {
    /// Takes the turn to land, waiting for whoever has it.
    ///
    /// # Errors
    /// Interrupted while waiting.
    pub fn wait(repo: &Repo, what: &str, interrupt: &Interrupt, events: Events<'_>) -> Result<Self> {
        wait(|| Self::try_take(repo, what), |holder| events(Event::Waiting(holder)), interrupt)
    }

    /// Takes the turn to land; `Err` names the process that has it.
    pub fn try_take(repo: &Repo, what: &str) -> Result<std::result::Result<Self, String>> {
        let path = folder(repo)?.join(LAND);
        Ok(try_lock(&path, what)?.map(|held| Self { _held: held.lasting() }))
    }
}

/// Takes a lock as soon as its holder lets go of it; `tell` hears once who that is.
fn wait<T>(
    take: impl Fn() -> Result<std::result::Result<T, String>>,
    tell: impl Fn(String),
    interrupt: &Interrupt,
) -> Result<T> {
    let mut told = false;
    loop {
        match take()? {
            Ok(held) => return Ok(held),
            Err(holder) if !told => {
                tell(holder);
                told = true;
            }
            Err(_) => {}
        }
        interrupt.check()?;
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// Where locks, and requests to holders, lie.
pub fn folder(repo: &Repo) -> Result<PathBuf> {
    let folder = repo.orch_dir()?.join("run");
    std::fs::create_dir_all(&folder).doing("could not make", &folder)?;
    Ok(folder)
}

/// A locked file, which goes with this value.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) file: File,
    goes: Option<PathBuf>,
}

impl Held {
    /// The same, whose file stays.
    fn lasting(mut self) -> Self {
        self.goes = None;
        self
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // One that can't be removed is free all the same.
        drop(self.goes.as_ref().map(|path| remove(&self.file, path)));
    }
}

/// Removes a file that is locked, unless another one took its place.
fn remove(locked: &File, path: &Path) -> std::io::Result<()> {
    if is_at(locked, path) { std::fs::remove_file(path) } else { Ok(()) }
}

/// Whether an open file is the one that lies there.
fn is_at(file: &File, path: &Path) -> bool {
    let id = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
    let (open, there) = (file.metadata().map(id), path.symlink_metadata().map(id));
    open.ok().zip(there.ok()).is_some_and(|(open, there)| open == there)
}

/// How often a lock is tried that somebody may only be looking at.
const ATTEMPTS: u32 = 6;

/// Takes a lock; `Err` names who has it.
pub(super) fn try_lock(path: &Path, what: &str) -> Result<std::result::Result<Held, String>> {
    let mut attempt = 1;
    loop {
        let mut file = lock::open(path)?;
        match file.try_lock() {
            Ok(()) => {
                // Its holder may have removed it since it was opened.
                let Some(mut held) = held(file, path) else { continue };
                lock::sign(&mut held.file, what).doing("could not write", path)?;
                return Ok(Ok(held));
            }
            Err(TryLockError::WouldBlock) if attempt < ATTEMPTS => {
                attempt += 1;
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(TryLockError::WouldBlock) => return Ok(Err(lock::holder(&mut file))),
            Err(TryLockError::Error(error)) => return Err(error).doing("could not lock", path),
        }
    }
}

/// A file that is locked, where it is still the one that all others would lock.
fn held(locked: File, path: &Path) -> Option<Held> {
    is_at(&locked, path).then(|| Held { file: locked, goes: Some(path.to_owned()) })
}

/// Removes what processes that died had locked, and what was asked of such.
pub fn sweep(repo: &Repo, events: Events<'_>) -> Result<()> {
    let folder = repo.orch_path().join("run");
    if left(&folder).next().is_some() {
        // Two that remove the same file could take a third one's in its place.
        let _lock = RepoLock::take(repo, "recover", events)?;
        left(&folder).for_each(|(file, path)| drop(remove(&file, &path)));
    }
    // A later run of the same task is not meant.
    let is_heard = |request: &PathBuf| request.with_extension("lock").exists();
    let requests = ending_in(&folder, "cancel").filter(|request| !is_heard(request));
    requests.for_each(|request| drop(std::fs::remove_file(request)));
    Ok(())
}

/// The files in a folder with this ending.
pub(super) fn ending_in(folder: &Path, wanted: &'static str) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(move |path| path.extension().is_some_and(|ending| ending == wanted))
}

/// The locks in a folder that nobody holds, locked for all who would.
fn left(folder: &Path) -> impl Iterator<Item = (File, PathBuf)> + use<> {
    let locks = ending_in(folder, "lock").filter(|path| !path.ends_with(LAND));
    locks.filter_map(|path| {
        let file = File::open(&path).ok()?;
        // Shared, so that nobody takes us for a holder who only looks for one.
        file.try_lock_shared().is_ok().then_some((file, path))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_lock_that_was_removed_is_nobodys() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("task-x.lock");
        let first = try_lock(&path, "first").unwrap().unwrap();
        let late = lock::open(&path).unwrap();
        assert_eq!(
            try_lock(&path, "second").unwrap().unwrap_err(),
            format!("process {} (first)", std::process::id())
        );
        drop(first);
        // A child that another test starts has the lock too until it is a program.
        late.lock().unwrap();
        assert!(held(late.try_clone().unwrap(), &path).is_none());
        let _second = try_lock(&path, "second").unwrap().unwrap();
        assert!(held(late.try_clone().unwrap(), &path).is_none());
        remove(&late, &path).unwrap();
        assert!(path.exists(), "it is another's now");
        assert_eq!(left(top.path()).count(), 0);
    }

    #[test]
    fn a_lock_has_one_holder_whatever_is_removed_beside_it() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("task-x.lock");
        let [inside, most, taken] = [0; 3].map(AtomicUsize::new);
        let is_done = || taken.load(Ordering::SeqCst) >= 500;
        let alone = || {
            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            (0..20).for_each(|_| std::thread::yield_now());
            inside.fetch_sub(1, Ordering::SeqCst);
            taken.fetch_add(1, Ordering::SeqCst)
        };
        let hold = || {
            while !is_done() {
                let Ok(_held) = try_lock(&path, "test").unwrap() else { continue };
                alone();
            }
        };
        // One that is killed while it holds the lock leaves the file.
        let die = || {
            while !is_done() {
                let file = lock::open(&path).unwrap();
                if file.try_lock().is_ok() && is_at(&file, &path) {
                    alone();
                }
            }
        };
        let sweep = || {
            while !is_done() {
                left(top.path()).for_each(|(file, path)| drop(remove(&file, &path)));
            }
        };
        std::thread::scope(|scope| {
            (0..4).for_each(|_| drop(scope.spawn(hold)));
            scope.spawn(die);
            scope.spawn(sweep);
        });
        assert_eq!(most.into_inner(), 1);
        // A child that another test starts has a lock too until it is a program.
        ending_in(top.path(), "lock").for_each(|path| File::open(path).unwrap().lock().unwrap());
        left(top.path()).for_each(|(file, path)| drop(remove(&file, &path)));
        assert_eq!(top.path().read_dir().unwrap().count(), 0);
    }
}
