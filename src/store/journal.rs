//! What is being done to directories right now, so that whoever comes after a
//! killed process can set it right.
//!
//! An entry is written, durably, before the first side effect, and goes with
//! the last one. Its process keeps it locked; the kernel unlocks it when the
//! process dies, however it dies.
//!
//! **Invariant:** an entry that can be locked is nobody's: its work is either
//! taken back or brought to its end, and which of the two follows from refs.

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::record;
use crate::error::{Error, IoContext, Result};
use crate::git::Repo;
use crate::model::{Name, Oid, Session};

/// How files begin that are no entry yet.
pub const NEW: &str = "new-";

/// What somebody set out to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "intent")]
pub enum Intent {
    /// Make a session: branch and worktree, then its record.
    AddSession {
        /// The record to be.
        session: Box<Session>,
    },
    /// Take a session away: its directory to the trash, then its record.
    RemoveSession {
        /// The session.
        session: Name,
        /// Its name in the trash.
        id: String,
    },
    /// Move a session's worktree, which goes back if nothing comes of it.
    MoveWorktree {
        /// The session.
        session: Name,
        /// Where it goes back to.
        back_to: Oid,
        /// It does not move before this task is no longer at work.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        behind: Option<Name>,
        /// It stays where it is once this task is at work there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Name>,
    },
    /// Let git work in a session's worktree, where only its locks may be left.
    Commit {
        /// The session.
        session: Name,
    },
    /// Use a worktree and throw it away.
    Throwaway {
        /// Its directory.
        worktree: PathBuf,
    },
    /// Move a branch in the worktree that has it checked out, not a session's.
    MoveBranch {
        /// The branch, short.
        branch: String,
        /// Where it is.
        from: Oid,
        /// Where it goes.
        to: Oid,
    },
    /// Undo an operation: its directories, then its refs.
    Undo {
        /// The operation.
        operation: Oid,
    },
    /// Have shards run on other machines, over a remote.
    Away {
        /// The remote's name.
        remote: String,
        /// Its address.
        url: String,
        /// What the refs begin with that are there for it.
        run: String,
        /// The program that ends a submission, with its arguments; empty where
        /// all end with the process.
        cancel: Vec<String>,
        /// The file with what was noted of each submission, a line each.
        ids: PathBuf,
    },
    /// Delete for good: a ref first, where there is one, then what it stood for.
    Delete {
        /// The ref; while it is there, nothing is deleted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pin: Option<String>,
        /// Files and folders.
        paths: Vec<PathBuf>,
    },
}

#[derive(Serialize, Deserialize)]
struct Line {
    version: u32,
    #[serde(flatten)]
    intent: Intent,
}

/// An entry of a living process. Dropped without [`Entry::end`], it is set
/// right by the next command.
#[derive(Debug)]
#[must_use]
pub struct Entry {
    file: PathBuf,
    _lock: File,
}

/// Writes down what is set out to do.
pub fn begin(repo: &Repo, intent: &Intent) -> Result<Entry> {
    let (git, folder) = (repo.git_program(), make_folder(repo)?);
    repo.reach("journal to be written")?;
    let named = tempfile::Builder::new().prefix(NEW).tempfile_in(&folder);
    let mut new = named.doing("could not write in", &folder)?;
    let line = record::line(&Line { version: record::VERSION, intent: intent.clone() })?;
    let lock = new.as_file_mut();
    lock.try_lock().map_err(std::io::Error::from).doing("could not lock a file in", &folder)?;
    lock.write_all(line.as_bytes()).and_then(|()| git.sync(lock)).doing("could not write in", &folder)?;
    let name = new.path().file_name().expect("it was made with a name").to_string_lossy().into_owned();
    let file = folder.join(name.replacen(NEW, &format!("{}-", word(intent)), 1));
    let lock = new.persist(&file).map_err(|error| error.error).doing("could not write", &file)?;
    File::open(&folder).and_then(|folder| git.sync(&folder)).doing("could not write in", &folder)?;
    repo.reach("journal written")?;
    Ok(Entry { file, _lock: lock })
}

impl Entry {
    /// Lets go of it for another process to bring to its end: the file.
    pub fn hand_over(self) -> PathBuf {
        self.file
    }

    /// All of it is done.
    pub fn end(self) -> Result<()> {
        std::fs::remove_file(&self.file).doing("could not remove", &self.file)
    }
}

/// The entries whose process died, now held by this one. One that can't be
/// read is an error.
pub fn dead(repo: &Repo) -> Result<Vec<(Entry, Intent)>> {
    let mut found = Vec::new();
    let mut files: Vec<PathBuf> =
        folder(repo).read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    for file in files {
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(NEW)) {
            continue;
        }
        found.extend(take_over(&file)?);
    }
    Ok(found)
}

/// An entry whose process died or handed it over; none where it has ended, or
/// somebody is at it.
pub fn take_over(file: &Path) -> Result<Option<(Entry, Intent)>> {
    let Some(entry) = adopt(file) else { return Ok(None) };
    let text = std::fs::read_to_string(file).doing("could not read", file)?;
    Ok(Some((entry, parse(&text).map_err(|error| unreadable(file, error))?)))
}

/// What living processes have set out to do.
pub fn living(repo: &Repo) -> Vec<Intent> {
    let files = folder(repo).read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let held = files.filter(|file| {
        let is_held = |file: File| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        File::open(file).is_ok_and(is_held)
    });
    held.filter_map(|file| parse(&std::fs::read_to_string(file).ok()?).ok()).collect()
}

/// Reads an entry.
///
/// # Errors
/// What is wrong with it, for people.
pub fn parse(text: &str) -> std::result::Result<Intent, String> {
    let line: Option<Line> = record::parse_line(text);
    match line {
        Some(line) if line.version == record::VERSION => Ok(line.intent),
        Some(line) => Err(format!("version {} is not known here", line.version)),
        None => Err("it holds no entry of the journal".to_owned()),
    }
}

fn unreadable(file: &Path, why: String) -> Error {
    Error::unusable(format!("could not read `{}`", file.display()))
        .because(why)
        .hint("a newer git-orch may have written it; else look at it, then remove it")
}

/// Takes an entry over whose process is dead; `None` while it lives, or once
/// it has ended.
fn adopt(file: &Path) -> Option<Entry> {
    let lock = File::options().read(true).write(true).open(file).ok()?;
    lock.try_lock().ok()?;
    let is_there = file.symlink_metadata().is_ok();
    is_there.then(|| Entry { file: file.to_owned(), _lock: lock })
}

/// Where the entries lie.
pub fn folder(repo: &Repo) -> PathBuf {
    repo.orch_path().join("journal")
}

fn make_folder(repo: &Repo) -> Result<PathBuf> {
    repo.orch_dir()?;
    let folder = folder(repo);
    std::fs::create_dir_all(&folder).doing("could not make", &folder)?;
    Ok(folder)
}

fn word(intent: &Intent) -> &'static str {
    match intent {
        Intent::AddSession { .. } => "add-session",
        Intent::RemoveSession { .. } => "remove-session",
        Intent::MoveWorktree { .. } => "move",
        Intent::Commit { .. } => "commit",
        Intent::Throwaway { .. } => "throwaway",
        Intent::MoveBranch { .. } => "move-branch",
        Intent::Undo { .. } => "undo",
        Intent::Away { .. } => "away",
        Intent::Delete { .. } => "delete",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_and_others_are_refused() {
        let intent = Intent::RemoveSession { session: "backend".parse().unwrap(), id: "b-1".to_owned() };
        let line = record::line(&Line { version: 1, intent: intent.clone() }).unwrap();
        assert_eq!(parse(&line), Ok(intent));
        assert_eq!(parse(&line.replace(":1,", ":2,")), Err("version 2 is not known here".to_owned()));
        assert!(parse(&line[1..]).is_err());
    }
}
