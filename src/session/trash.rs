//! Where the worktrees of removed sessions lie, whole: the directory beside
//! the other sessions, what git knew of it (HEAD, index, logs) in git-orch's
//! own folder.
//!
//! **Invariant:** things come and go by rename; nothing is copied or deleted.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, IoContext, Result};
use crate::git::{Repo, RepoLock, refs, worktree};
use crate::model::{Name, Session, Time};
use crate::store::record;

/// The name of the folder beside the sessions.
pub const FOLDER: &str = ".trash";

/// The folder beside a session that holds what was removed.
pub fn folder(session: &Session) -> PathBuf {
    session.worktree.parent().expect("a worktree lies in a folder").join(FOLDER)
}

/// The folder that holds what git knew of removed worktrees.
pub fn entries(repo: &Repo) -> PathBuf {
    repo.orch_path().join("trash")
}

/// What is remembered of files in the trash that are no session: what a run
/// left that went nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// Version of this format; 1.
    pub version: u32,
    /// The session they were in.
    pub session: Name,
    /// The task whose run left them.
    pub task: Name,
    /// The folder of trash that has them.
    pub folder: PathBuf,
    /// Since when.
    pub time: Time,
}

/// Remembers where files come from, before they are moved.
pub fn mark(repo: &Repo, id: &str, files: &Files) -> Result<()> {
    repo.orch_dir()?;
    make(&entries(repo))?;
    let file = entries(repo).join(id);
    std::fs::write(&file, record::line(files)?).doing("could not write", &file)
}

/// What is remembered of files in the trash.
pub fn find_mark(repo: &Repo, id: &str) -> Option<Files> {
    let text = std::fs::read_to_string(entries(repo).join(id)).ok()?;
    record::parse_line(&text).filter(|files: &Files| files.version == record::VERSION)
}

/// A name that nothing in the trash has: the same session can be removed twice
/// in one second.
pub fn free_id(repo: &Repo, folder: &Path, stem: &str) -> Result<String> {
    let mut id = stem.to_owned();
    for number in 2.. {
        let is_there = |folder: &Path| folder.join(&id).symlink_metadata().is_ok();
        let pin = format!("{}{id}", refs::TRASH);
        if !is_there(folder) && !is_there(&entries(repo)) && repo.read().find_ref(&pin)?.is_none() {
            break;
        }
        id = format!("{stem}-{number}");
    }
    Ok(id)
}

/// Moves a session's worktree to the trash; where its directory is then, if it
/// was there. What is in the trash already stays.
pub fn put(repo: &Repo, lock: &RepoLock, session: &Session, id: &str) -> Result<Option<PathBuf>> {
    let target = folder(session).join(id);
    if session.worktree.is_dir() {
        make(&folder(session))?;
        rename(&session.worktree, &target)?;
        repo.reach("files in the trash")?;
    }
    let entry = worktree::entry(repo, &session.worktree_id);
    if entry.is_dir() {
        repo.orch_dir()?;
        make(&entries(repo))?;
        worktree::take_out(repo, lock, &session.worktree_id, &entries(repo).join(id))?;
    }
    Ok(target.is_dir().then_some(target))
}

/// Brings a worktree back from the trash; what is back already stays.
///
/// # Errors
/// Refused where something else took its place; unusable where the trash does
/// not have it any more.
pub fn take(repo: &Repo, lock: &RepoLock, session: &Session, id: &str) -> Result<()> {
    let (from, entry) = (folder(session).join(id), entries(repo).join(id));
    if entry.is_dir() {
        worktree::bring_back(repo, lock, &entry, &session.worktree_id)?;
    }
    if from.is_dir() {
        if session.worktree.symlink_metadata().is_ok() {
            return Err(Error::refused(format!("`{}` is there already", session.worktree.display()))
                .hint("move it away, then run the command again"));
        }
        make(session.worktree.parent().unwrap_or(&session.worktree))?;
        rename(&from, &session.worktree)?;
        repo.reach("files back from the trash")?;
    }
    Ok(())
}

/// Refuses where a worktree can't come back from the trash.
///
/// # Errors
/// Refused or unusable, saying what is in the way.
pub fn require(repo: &Repo, session: &Session, id: &str) -> Result<()> {
    let (from, to) = (folder(session).join(id), &session.worktree);
    if !from.is_dir() && !to.is_dir() {
        let error = Error::refused(format!("the trash does not have `{id}` any more"));
        let pin = format!("{}{id}", refs::TRASH);
        let hint = format!("its commits are still there: `git log {pin}`");
        return Err(if repo.read().find_ref(&pin)?.is_some() { error.hint(hint) } else { error });
    }
    if from.is_dir() && to.symlink_metadata().is_ok() {
        return Err(Error::refused(format!("`{}` is there already", to.display())).hint("move it away"));
    }
    let (kept, entry) = (entries(repo).join(id), worktree::entry(repo, &session.worktree_id));
    if kept.is_dir() && entry.is_dir() {
        return Err(Error::refused(format!("git has another worktree called `{}`", session.worktree_id)));
    }
    Ok(())
}

fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).doing("could not make", folder)
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).doing(&format!("could not move to `{}`", to.display()), from)
}
