//! Setting right what a killed process left, and noticing what was landed by
//! other means; taking back what a command did; deleting what nobody needs.

pub mod dead;
pub mod delete;
pub mod gc;
pub mod keeps;
pub mod landed;
pub mod links;
pub mod reason;
pub mod scratch;
pub mod trash;
pub mod undo;
mod way;

use crate::error::Result;
use crate::fanout::claim;
use crate::git::{RepoLock, moved, operation, worktree};
use crate::model::{Event, operation::RECOVERY};
use crate::review::viewpoint;
use crate::run::{Scene, strays, throwaway};
use crate::session::{SessionLock, add, gone, lock, moving, remove, workplace};
use crate::store;
use crate::store::journal::{self, Entry, Intent};

/// Everything that the next command sets right by itself.
pub fn settle(scene: Scene<'_>) -> Result<()> {
    operation::begin(scene.repo, RECOVERY, scene.now);
    RepoLock::settle(scene.repo, scene.events)?;
    scene.repo.settle_fence(scene.events);
    RepoLock::sweep(scene.repo, scene.events)?;
    // Whoever looked at a result did so in a throwaway: before that goes, its command ends.
    viewpoint::record::settle(scene)?;
    let dead = journal::dead(scene.repo)?;
    let (undos, rest): (Vec<_>, Vec<_>) =
        dead.into_iter().partition(|(_, intent)| matches!(intent, Intent::Undo { .. }));
    let (moves, others) =
        rest.into_iter().partition(|(_, intent)| matches!(intent, Intent::MoveWorktree { .. }));
    settle_all(scene, others)?;
    dead::settle(scene)?;
    settle_all(scene, moves)?;
    settle_all(scene, undos)?;
    claim::settle(scene)?;
    keeps::settle(scene.repo, scene.events)?;
    landed::settle(scene)?;
    lock::sweep(scene.repo, scene.events)?;
    scratch::sweep(scene.repo)?;
    strays::gather(scene)
}

fn settle_all(scene: Scene<'_>, entries: Vec<(Entry, Intent)>) -> Result<()> {
    for (entry, intent) in entries {
        if set_right(scene, &intent)? {
            entry.end()?;
        }
    }
    Ok(())
}

/// Takes back, or brings to its end, what a dead process set out to do;
/// whether that is done with.
fn set_right(scene: Scene<'_>, intent: &Intent) -> Result<bool> {
    let Scene { repo, events, now, .. } = scene;
    match intent {
        Intent::AddSession { session } => return add::settle(repo, session, events),
        Intent::RemoveSession { session, id } => {
            let Ok(_held) = SessionLock::take(repo, session, RECOVERY) else { return Ok(false) };
            remove::settle(repo, session, id, events, now)?;
        }
        Intent::MoveWorktree { session, back_to, behind, until } => {
            let Ok(_held) = SessionLock::take(repo, session, RECOVERY) else { return Ok(false) };
            // It has not left yet, or is where it was to go.
            if moving::is_at_work(repo, behind.as_ref().or(until.as_ref()))? {
                return Ok(true);
            }
            if let Err(error) = moving::settle(repo, session, *back_to, events, now) {
                let text = format!("session {session} was left half-way, and can't be set right: {error}");
                events(Event::Warning(text));
                return Ok(false);
            }
        }
        Intent::Commit { session } => {
            let Ok(_held) = SessionLock::take(repo, session, RECOVERY) else { return Ok(false) };
            if let Some(session) = store::sessions::find(repo, session)? {
                let session = session.value;
                worktree::unlock(repo, &workplace::place(repo, &session), &session.branch)?;
            }
        }
        Intent::Throwaway { worktree } => {
            if let Err(error) = throwaway::take_away(repo, worktree, events) {
                events(Event::Warning(format!("a throwaway is still there: {error}")));
                return Ok(false);
            }
        }
        Intent::MoveBranch { branch, from, to } => {
            let lock = RepoLock::take(repo, RECOVERY, events)?;
            for path in moved::settle(repo, &lock, branch, (*from, *to), moved::Git::MayHaveDied)? {
                let text =
                    format!("{} was changed since {branch} was left half-way: look at it", path.quoted());
                events(Event::Warning(text));
            }
        }
        Intent::Undo { operation } => return undo::settle(scene, *operation),
        // That needs the network: who uses it anyhow sees to it.
        Intent::Away { .. } => return Ok(false),
        Intent::Delete { pin, paths } => {
            if let Err(error) = delete::settle(repo, pin.as_deref(), paths) {
                events(Event::Warning(format!("what was being deleted is still there: {error}")));
                // Under its own name it is found again.
                return Ok(!paths.iter().any(|path| gone::is_aside(path)));
            }
        }
    }
    Ok(true)
}
