//! The repository lock: one structural change at a time.
//!
//! The kernel releases it when its holder dies, so it is never stale. Its file
//! names the holder, and the ref transaction that the holder has begun: whoever
//! takes the lock next brings that to its end.
//!
//! **Invariant:** every ref write takes a `&RepoLock`.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::fence::Fence;
use super::process::Git;
use super::refs::RefChange;
use super::repo::Repo;
use super::{pending, worktree};
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
    git: Arc<Git>,
    _fence: Fence,
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
        let fence = repo.fence(events);
        let watch = Stopwatch::start();
        let mut told = false;
        repo.reach("lock to be taken")?;
        while repo.is_locked_for_real() {
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
        let announced = announced(&mut file);
        let lock = Self {
            file,
            path,
            signature: signature(what),
            git: Arc::clone(repo.git_program()),
            _fence: fence,
        };
        if repo.is_locked_for_real() {
            pending::complete(repo, &announced)?;
        }
        lock.announce(&[])?;
        Ok(lock)
    }

    /// Brings the ref transaction of a dead holder to its end, if there is one.
    pub fn settle(repo: &Repo, events: Events<'_>) -> Result<()> {
        if Self::is_left_pending(repo) { Self::take(repo, "recover", events).map(drop) } else { Ok(()) }
    }

    /// Whether a dead holder had begun a ref transaction.
    pub fn is_left_pending(repo: &Repo) -> bool {
        let file = File::open(repo.orch_path().join("lock"));
        file.is_ok_and(|mut file| !announced(&mut file).is_empty() && file.try_lock_shared().is_ok())
    }

    /// Removes old lock files of refs that only git-orch writes, and whose writer
    /// has the repository locked: no living git is behind them, whatever else is at
    /// work.
    pub fn sweep(repo: &Repo, events: Events<'_>) -> Result<()> {
        let mut old = Vec::new();
        for own in ["refs/orch", "refs/notes/orch"] {
            find_old(&repo.place().common_dir.join(own), &mut old);
        }
        if old.is_empty() {
            return Ok(());
        }
        let _lock = Self::take(repo, "old locks", events)?;
        for file in old {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).doing("could not remove", &file);
                }
                _ => {}
            }
        }
        Ok(())
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
            if changes.is_empty() { Ok(()) } else { self.git.sync(file) }
        };
        write().doing("could not write", &self.path)
    }
}

/// The transaction that a lock's file announces; what can't be read announces
/// nothing.
fn announced(file: &mut File) -> Vec<RefChange> {
    let mut text = String::new();
    let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
    pending::parse(text.split_once('\n').map_or("", |(_, rest)| rest))
}

/// How long a lock file may stay until its git counts as killed.
const DOUBT: Duration = Duration::from_secs(1);

/// How long it is waited for while some git is at work in the repository.
const LONG_DOUBT: Duration = Duration::from_secs(10);

/// Removes a lock file of git's that a killed child of ours may have left;
/// one that goes by itself is waited for. Whether there was one.
///
/// For where something tells that a child was killed. One that stays while
/// another git is at work is left to that.
pub fn clear(repo: &Repo, file: &Path) -> Result<bool> {
    let watch = Stopwatch::start();
    let mut any = false;
    while file.symlink_metadata().is_ok() {
        any = true;
        if watch.elapsed() > DOUBT && !is_git_at_work(repo) {
            match std::fs::remove_file(file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).doing("could not remove", file);
                }
                _ => break,
            }
        }
        if watch.elapsed() > LONG_DOUBT {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(any)
}

/// The lock files below a folder that are older than any transaction.
fn find_old(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_dir() {
            find_old(&path, found);
        } else if path.extension() == Some("lock".as_ref()) {
            let age = meta.modified().ok().and_then(|at| at.elapsed().ok());
            found.extend(age.is_some_and(|age| age > LONG_DOUBT).then_some(path));
        }
    }
}

/// Whether some git runs in one of the repository's folders; nobody knows
/// where the system does not tell.
fn is_git_at_work(repo: &Repo) -> bool {
    let Ok(processes) = Path::new("/proc").read_dir() else { return true };
    let mut folders = vec![repo.place().common_dir.clone(), repo.main_folder().to_owned()];
    folders.extend(worktree::list(repo).unwrap_or_default().into_iter().map(|one| one.path));
    let folders: Vec<PathBuf> = folders.iter().filter_map(|folder| folder.canonicalize().ok()).collect();
    processes.flatten().any(|process| {
        let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
        let is_git = name.trim_end() == "git" || name.starts_with("git-") && name.trim_end() != "git-orch";
        let cwd = || std::fs::read_link(process.path().join("cwd")).unwrap_or_default();
        is_git && folders.iter().any(|folder| cwd().starts_with(folder))
    })
}

/// Opens (or makes) a lock file that children do not inherit.
pub fn open(path: &Path) -> Result<File> {
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
