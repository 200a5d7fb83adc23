//! Deleting for good, so that a kill in the middle is brought to its end.

use std::path::PathBuf;

use crate::error::Result;
use crate::git::Repo;
use crate::session::gone;
use crate::store::journal::{self, Entry, Intent};

/// Deletes files and folders that no ref stands for, whatever becomes of the
/// others; how each went.
pub fn delete(repo: &Repo, paths: &[PathBuf]) -> Result<Vec<Result<()>>> {
    let entry = journal::begin(repo, &Intent::Delete { pin: None, paths: paths.to_vec() })?;
    let went = paths.iter().map(|path| gone::delete(path)).collect();
    end(entry, paths)?;
    Ok(went)
}

/// Ends a deletion, unless something is left of it that only the journal knows.
pub fn end(entry: Entry, paths: &[PathBuf]) -> Result<()> {
    if paths.iter().any(|path| gone::is_aside(path)) { Ok(()) } else { entry.end() }
}

/// Deletes what is left of them, unless the ref that stands for them is there:
/// then nothing was begun.
pub fn settle(repo: &Repo, pin: Option<&str>, paths: &[PathBuf]) -> Result<()> {
    if let Some(pin) = pin
        && repo.read().find_ref(pin)?.is_some()
    {
        return Ok(());
    }
    paths.iter().try_for_each(|path| gone::delete(path))
}
