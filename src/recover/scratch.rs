//! Scratch folders that killed processes left under git-orch's own folder.

use std::time::Duration;

use crate::error::Result;
use crate::git::{Repo, snapshot};

/// No snapshot takes so long.
const OLD: Duration = Duration::from_secs(3_600);

/// Removes the old ones.
pub fn sweep(repo: &Repo) -> Result<()> {
    for entry in repo.orch_path().read_dir().into_iter().flatten().flatten() {
        let scratch = entry.file_name().to_string_lossy().starts_with(snapshot::SCRATCH);
        let age = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
        if scratch && age.is_some_and(|age| age > OLD) {
            // What can't be removed now will be tried again by the next command.
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
    Ok(())
}
