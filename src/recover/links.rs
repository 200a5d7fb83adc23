//! Worktrees that lost the file by which git finds its way from them.

use crate::error::Result;
use crate::model::operation::RECOVERY;
use crate::run::Scene;
use crate::session::{SessionLock, workplace};
use crate::store;

/// Writes them again, where nobody is at work.
pub fn settle(scene: Scene<'_>) -> Result<()> {
    for session in store::sessions::load(scene.repo)? {
        let session = session.value;
        if let Ok(_held) = SessionLock::take(scene.repo, &session.name, RECOVERY) {
            workplace::link(scene.repo, &session, scene.events);
        }
    }
    Ok(())
}
