//! Sessions whose maker died before their worktree had all its files.

use crate::error::Result;
use crate::git::worktree;
use crate::run::Scene;
use crate::session::{SessionLock, workplace};
use crate::store;

/// Writes the files that are missing.
pub fn settle(scene: Scene<'_>) -> Result<()> {
    for session in store::sessions::load(scene.repo)? {
        let session = session.value;
        if !worktree::is_unfilled(&workplace::place(scene.repo, &session)) {
            continue;
        }
        // Whoever holds it may be filling it right now.
        let Ok(_held) = SessionLock::take(scene.repo, &session.name, "recover") else { continue };
        let Ok(place) = workplace::require(scene.repo, &session) else { continue };
        if worktree::is_unfilled(&place) {
            worktree::refill(scene.repo, &place)?;
        }
    }
    Ok(())
}
