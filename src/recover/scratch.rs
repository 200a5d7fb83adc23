//! Scratch files and folders that killed processes left under git-orch's own
//! folder.

use std::path::Path;
use std::time::Duration;

use crate::error::Result;
use crate::git::{Repo, aside, fence, snapshot};
use crate::review::forge::patches;
use crate::run::transcript;
use crate::store::journal;

/// No snapshot takes so long.
const OLD: Duration = Duration::from_secs(3_600);

/// Removes the old ones.
pub fn sweep(repo: &Repo) -> Result<()> {
    sweep_in(&repo.orch_path(), snapshot::SCRATCH);
    sweep_in(&repo.orch_path(), fence::SCRATCH);
    sweep_in(&repo.orch_path(), patches::SCRATCH);
    sweep_in(&repo.orch_path(), transcript::SCRATCH);
    sweep_in(&journal::folder(repo), journal::NEW);
    sweep_in(Path::new(aside::MEMORY), aside::MEMORY_SCRATCH);
    Ok(())
}

fn sweep_in(folder: &Path, prefix: &str) {
    for entry in folder.read_dir().into_iter().flatten().flatten() {
        let scratch = entry.file_name().to_string_lossy().starts_with(prefix);
        let age = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
        if scratch && age.is_some_and(|age| age > OLD) {
            let path = entry.path();
            // What can't be removed now will be tried again by the next command.
            drop(if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) });
        }
    }
}
