//! Who works in a session, whether the process behind a task lives, and who
//! lands results.
//!
//! All are files that the kernel unlocks when their holder dies.

use std::fs::{File, TryLockError};
use std::path::PathBuf;

use crate::agent::Interrupt;
use crate::error::{Error, IoContext, Result};
use crate::git::{Repo, lock};
use crate::model::{Event, Events, Name};

/// Held while something changes a session's worktree.
#[derive(Debug)]
pub struct SessionLock {
    _file: File,
}

/// Held by the process that carries a task out.
#[derive(Debug)]
pub struct TaskLock {
    _file: File,
}

/// Held while a result lands: one at a time, each on top of the last.
#[derive(Debug)]
pub struct LandLock {
    _file: File,
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
        Ok(try_lock(&path, what)?.map(|file| Self { _file: file }))
    }
}

impl TaskLock {
    /// Takes a task; `Err` names the process that has it.
    pub fn try_take(repo: &Repo, name: &Name) -> Result<std::result::Result<Self, String>> {
        let path = folder(repo)?.join(format!("task-{name}.lock"));
        Ok(try_lock(&path, &format!("task {name}"))?.map(|file| Self { _file: file }))
    }

    /// The process that carries the task out, where one lives.
    pub fn holder(repo: &Repo, name: &Name) -> Option<u32> {
        let path = repo.orch_path().join("run").join(format!("task-{name}.lock"));
        let mut file = File::options().read(true).write(true).open(path).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {}
            _ => return None,
        }
        lock::holder(&mut file).split(' ').nth(1)?.parse().ok()
    }
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
        let path = folder(repo)?.join("land.lock");
        Ok(try_lock(&path, what)?.map(|file| Self { _file: file }))
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

fn try_lock(path: &std::path::Path, what: &str) -> Result<std::result::Result<File, String>> {
    let mut file = lock::open(path)?;
    match file.try_lock() {
        Ok(()) => {
            lock::sign(&mut file, what).doing("could not write", path)?;
            Ok(Ok(file))
        }
        Err(TryLockError::WouldBlock) => Ok(Err(lock::holder(&mut file))),
        Err(TryLockError::Error(error)) => Err(error).doing("could not lock", path),
    }
}
