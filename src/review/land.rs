//! Moving a base from exactly the commit that was checked, and what follows.
//!
//! **Invariant:** moving the base is the commit point; records follow it, and
//! the next command completes them from the commits if we die between.

use super::item::{self, Item};
use super::line::Link;
use crate::error::{Error, Result};
use crate::git::moved::{self, Direction};
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock};
use crate::model::task::Landed;
use crate::model::{Effect, Name, Oid, TaskState};
use crate::run::{Scene, end, prepare};
use crate::session::{LandLock, SessionLock};
use crate::store;
use crate::store::journal::{self, Intent};
use crate::store::tasks::With;

/// What the names of pinned candidates begin with, below [`refs::KEEP`].
const PIN: &str = "merge-";

/// Moves the base from the commit that was tested to what these results become.
///
/// # Errors
/// Refused when the base or one of them moved meanwhile, or when uncommitted or
/// ignored files in the base's checkout stand in the way.
pub fn move_base(scene: Scene<'_>, base: &str, (from, to): (Oid, Oid), links: &[Link]) -> Result<()> {
    let repo = scene.repo;
    let lock = RepoLock::take(repo, "merge", scene.events)?;
    for Link { item, .. } in links {
        if !is_as_checked(repo, item)? {
            let message = format!("`{}` changed while it was checked", item.name);
            return Err(Error::refused(message).hint("run the command again"));
        }
    }
    let full = refs::branch(base);
    if repo.read().find_ref(&full)? != Some(from) {
        return Err(Error::refused(format!("`{base}` moved meanwhile")).hint("run the command again"));
    }
    let Some(holder) = moved::holder(repo, base)? else {
        return refs::apply(repo, &lock, &[RefChange::update(full, to, from)], "merge");
    };
    moved::require_clear(repo, &holder, base, from, to)?;
    let entry = journal::begin(repo, &Intent::MoveBranch { branch: base.to_owned(), from, to })?;
    if let Err(error) = moved::go(repo, &lock, &holder, (base, Direction::Forward), (from, to)) {
        return entry.end().and(Err(error));
    }
    let effect = Effect::Ref { name: full, old: Some(from), new: Some(to) };
    // The base has moved, whatever becomes of the log: the next command tells it there.
    if refs::apply_with(repo, &lock, &[], &[effect], "merge").is_ok() {
        entry.end()?;
    }
    Ok(())
}

/// Whether a result still waits as it was looked at: nobody called it off, sent
/// it back or added to it meanwhile.
pub fn is_as_checked(repo: &Repo, item: &Item) -> Result<bool> {
    let now = item::require(repo, item.name.as_str());
    Ok(now.is_ok_and(|now| now.state == TaskState::Review && now.tip == item.tip))
}

/// Pins what results become, each its own commit or all the same, so that no
/// `git gc` takes it and the next command knows what had landed; whether all that
/// it is made of is there.
pub fn pin(repo: &Repo, lock: &RepoLock, (links, tip): (&[Link], Option<Oid>), base: Oid) -> Result<bool> {
    let mut changes = Vec::new();
    for link in links {
        let (keep, to) = (keep_ref(&link.item), tip.unwrap_or(link.commit));
        let old = repo.read().find_ref(&keep)?;
        if old != Some(to) {
            changes.push(RefChange::set(keep, to, old));
        }
    }
    refs::apply(repo, lock, &changes, "merge")?;
    let known: Vec<Oid> = links.iter().map(|link| link.item.tip).chain([base]).collect();
    let Some(tip) = tip.or(links.last().map(|link| link.commit)) else { return Ok(true) };
    refs::is_whole(repo, tip, &known)
}

/// The commit that a result was to become, where a merge began to land it.
pub fn pinned(repo: &Repo, item: &Item) -> Result<Option<Oid>> {
    repo.read().find_ref(&keep_ref(item))
}

/// Lets go of what these were to become.
pub fn unpin(scene: Scene<'_>, links: &[Link]) -> Result<()> {
    let mut changes = Vec::new();
    for link in links {
        let keep = keep_ref(&link.item);
        changes.extend(scene.repo.read().find_ref(&keep)?.map(|at| RefChange::delete(keep, at)));
    }
    if changes.is_empty() {
        return Ok(());
    }
    let lock = RepoLock::take(scene.repo, "merge", scene.events)?;
    refs::apply(scene.repo, &lock, &changes, "merge")
}

fn keep_ref(item: &Item) -> String {
    format!("{}{PIN}{}", refs::KEEP, item.name)
}

/// Lets go of what killed merges pinned; only for who has the turn to land.
pub fn drop_leftovers(scene: Scene<'_>, _turn: &LandLock) -> Result<()> {
    let pins = scene.repo.read().refs(refs::KEEP)?;
    let pins = pins.into_iter().filter(|(name, _)| name[refs::KEEP.len()..].starts_with(PIN));
    let changes: Vec<RefChange> = pins.map(|(name, at)| RefChange::delete(name, at)).collect();
    if changes.is_empty() {
        return Ok(());
    }
    let lock = RepoLock::take(scene.repo, "merge, leftovers", scene.events)?;
    refs::apply(scene.repo, &lock, &changes, "merge, leftovers")
}

/// Marks a result as landed, by `merge` or by somebody's own git: takes its
/// branch away, frees its session.
pub fn settle(scene: Scene<'_>, item: &Item, landed: Landed) -> Result<()> {
    let repo = scene.repo;
    let now = landed.time;
    let lock = RepoLock::take(repo, "merge", scene.events)?;
    let mut changes = Vec::new();
    let mut resolves = None;
    if let Some(mut task) = store::tasks::find(repo, &item.name)? {
        let resolved = task.value.resolves.as_ref();
        resolves = resolved.and_then(|name| item::require(repo, name.as_str()).ok());
        task.value.state = TaskState::Merged;
        task.value.landed = Some(landed.clone());
        task.value.updated = now;
        changes.extend(branch_gone(scene, item)?);
        let with = With { old: Some(task.tip), keeps: vec![item.tip], ..With::default() };
        changes.push(store::tasks::prepare(repo, &mut task.value, with, "merged")?);
    } else if let Some(mut fanout) = store::fanouts::find(repo, &item.name)? {
        fanout.value.state = TaskState::Merged;
        fanout.value.landed = Some(landed.clone());
        changes.extend(branch_gone(scene, item)?);
        changes.push(store::fanouts::prepare(repo, &fanout.value, Some(fanout.tip), vec![item.tip], now)?);
    }
    let keep = keep_ref(item);
    changes.extend(repo.read().find_ref(&keep)?.map(|at| RefChange::delete(keep, at)));
    refs::apply(repo, &lock, &changes, "merge")?;
    drop(lock);
    if let Some(resolved) = resolves.filter(|other| other.state.is_pending())
        && repo.read().merge_base(item.tip, resolved.tip)? == Some(resolved.tip)
    {
        settle(scene, &resolved, landed)?;
    }
    item.session.as_ref().map_or(Ok(()), |session| free_session(scene, session))
}

/// Takes a result's branch away, unless it has more by now than what landed.
fn branch_gone(scene: Scene<'_>, item: &Item) -> Result<Option<RefChange>> {
    let gone = end::branch_gone(scene, &item.branch)?;
    Ok(gone.filter(|change| change.expected() == Some(item.tip)))
}

/// An idle, clean session whose work has wholly landed starts from base again,
/// or follows what took the place of its result.
pub fn free_session(scene: Scene<'_>, name: &Name) -> Result<()> {
    let Some(session) = store::sessions::find(scene.repo, name)? else { return Ok(()) };
    let Ok(_held) = SessionLock::take(scene.repo, name, "merge") else { return Ok(()) };
    if crate::session::workplace::require_clean(scene.repo, &session.value).is_err() {
        return Ok(());
    }
    let busy = store::tasks::load(scene.repo)?.iter().any(|task| {
        task.value.session == *name && matches!(task.value.state, TaskState::Running | TaskState::Input)
    });
    if busy { Ok(()) } else { prepare::refresh(scene, &session.value).map(drop) }
}
