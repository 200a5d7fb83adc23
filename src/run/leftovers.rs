//! Files that stay in a worktree although all that git knows of went back:
//! they were ignored until the run's own `.gitignore` was gone, or belong to a
//! repository inside.
//!
//! **Invariant:** they are moved, never copied into git: what was ignored may
//! be secret.

use std::path::PathBuf;

use super::Scene;
use super::prepare::Ready;
use crate::error::{IoContext, Result};
use crate::git::porcelain;
use crate::model::Event;
use crate::model::wording::count;
use crate::session::trash;
use crate::store::record;

/// Moves them to the trash beside the sessions, so that the session is free.
pub fn to_trash(scene: Scene<'_>, ready: &Ready) -> Result<()> {
    let command = scene.repo.git_in(&ready.place, ["ls-files", "--others", "--exclude-standard", "-z"]);
    let left = porcelain::paths(&command.run()?);
    if left.is_empty() {
        return Ok(());
    }
    let folder = folder(scene, ready)?;
    for path in &left {
        let (from, to) = (ready.session.worktree.join(path.as_path()), folder.join(path.as_path()));
        let parent = to.parent().unwrap_or(&folder);
        std::fs::create_dir_all(parent).doing("could not make", parent)?;
        std::fs::rename(&from, &to).doing("could not move to the trash", &from)?;
    }
    let text = format!("{} that it had ignored went to {}", count(left.len(), "file"), folder.display());
    (scene.events)(Event::Note(text));
    Ok(())
}

/// A folder in the trash that is not there yet, and a mark that it is ours.
fn folder(scene: Scene<'_>, ready: &Ready) -> Result<PathBuf> {
    let session = &ready.session;
    let (trash, task) = (trash::folder(session), &ready.task.value.name);
    let stem = format!("{}-{task}-{}", session.name, scene.now.0);
    let id = trash::free_id(scene.repo, &trash, &stem)?;
    let files = trash::Files {
        version: record::VERSION,
        session: session.name.clone(),
        task: task.clone(),
        folder: trash.clone(),
        time: scene.now,
    };
    trash::mark(scene.repo, &id, &files)?;
    Ok(trash.join(id))
}
