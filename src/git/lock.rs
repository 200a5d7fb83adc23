//! The repository lock: one structural change at a time.
//!
//! The kernel releases it when its holder dies, so it is never stale. Its file
//! names the holder, and the ref transaction that the holder has begun: whoever
//! takes the lock next brings that to its end.
//!
//! **Invariant:** every ref write takes a `&RepoLock`.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use super::pending;
use super::refs::RefChange;
use super::repo::Repo;
use crate::error::{Error, IoContext, Result};
use crate::model::time::Stopwatch;
use crate::model::{Event, Events};

/// How long to wait for another holder.
const PATIENCE: Duration = Duration::from_secs(30);

/// Held while it lives.
#[derive(Debug)]
pub struct RepoLock {
    file: File,
    path: PathBuf,
    signature: String,
}

impl RepoLock {
    /// Takes the lock of the repository; `what` tells others why.
    ///
    /// # Errors
    /// Refused when another holder keeps it for 30 seconds.
    pub fn take(repo: &Repo, what: &str, events: Events<'_>) -> Result<Self> {
        repo.git_program().require_version()?;
        let folder = repo.orch_dir()?;
        let path = folder.join("lock");
        let mut file = open(&path)?;
        let watch = Stopwatch::start();
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => {
                    return Err(
                        Error::unusable(format!("could not lock `{}`", path.display())).because(error)
                    );
                }
                Err(TryLockError::WouldBlock) => {}
            }
            let holder = holder(&mut file);
            if watch.elapsed() > PATIENCE {
                return Err(Error::refused(format!("the repository is held by {holder}"))
                    .hint("wait for it to end, or end it"));
            }
            if !told && watch.elapsed() > Duration::from_millis(500) {
                events(Event::Waiting(holder));
                told = true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut text = String::new();
        // What can't be read announces nothing.
        let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
        let lock = Self { file, path, signature: signature(what) };
        let announced = text.split_once('\n').map_or("", |(_, rest)| rest);
        pending::complete(repo, &pending::parse(announced))?;
        lock.announce(&[])?;
        Ok(lock)
    }

    /// Writes down, durably, the ref transaction that is begun; an empty one
    /// says that it has ended.
    pub(super) fn announce(&self, changes: &[RefChange]) -> Result<()> {
        let text = format!("{}{}", self.signature, pending::to_text(changes));
        let write = || {
            let mut file = &self.file;
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(text.as_bytes())?;
            if changes.is_empty() { Ok(()) } else { file.sync_data() }
        };
        write().doing("could not write", &self.path)
    }
}

/// Removes a lock file that a killed git left, where nobody but git-orch may
/// have it; one that goes by itself is waited for. Whether there was one.
pub fn clear(file: &std::path::Path) -> Result<bool> {
    let watch = Stopwatch::start();
    let mut any = false;
    while file.exists() {
        any = true;
        if watch.elapsed() > Duration::from_secs(1) {
            std::fs::remove_file(file).doing("could not remove", file)?;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(any)
}

/// Opens (or makes) a lock file that children do not inherit.
pub fn open(path: &std::path::Path) -> Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path).doing("could not open", path)
}

/// Writes into a held lock file who holds it.
pub fn sign(file: &mut File, what: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(signature(what).as_bytes())
}

fn signature(what: &str) -> String {
    format!("process {} ({what})\n", std::process::id())
}

/// Who holds a lock file, as it signed.
pub fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    let line = text.lines().next().filter(|_| read.is_ok());
    line.map_or_else(|| "another process".to_owned(), str::to_owned)
}
