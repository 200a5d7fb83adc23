//! Results that reached their base without the record knowing: by a merge or
//! a squash of the user's own, or by ours that died before it wrote the record.

use crate::error::Result;
use crate::git::{Repo, landed, refs};
use crate::model::Oid;
use crate::model::task::Landed;
use crate::review::{Item, item, land, restack};
use crate::run::Scene;
use crate::session::LandLock;

/// The waiting results that the base holds already.
pub fn find(scene: Scene<'_>) -> Result<Vec<Item>> {
    let mut found = Vec::new();
    for item in item::load(scene.repo)? {
        let base = scene.repo.read().find_ref(&refs::branch(&item.base))?;
        let Some(base) = base else { continue };
        if has_landed(scene.repo, &item, base)? {
            found.push(item);
        }
    }
    Ok(found)
}

/// Whether the base has the very commits of a result, or its change as other
/// commits. A result that changes nothing of its own waits for a person.
fn has_landed(repo: &Repo, item: &Item, base: Oid) -> Result<bool> {
    if let Some(pinned) = land::pinned(repo, item)?
        && repo.read().merge_base(base, pinned)? == Some(pinned)
    {
        return Ok(true);
    }
    let fork = repo.read().merge_base(base, item.tip)?;
    if item.tip == item.base_oid || fork == Some(item.tip) {
        return Ok(item.tip != item.base_oid);
    }
    if landed::is_applied(repo, item.base_oid, item.tip, base)? {
        return Ok(true);
    }
    let is_empty = repo.read().commit(item.base_oid)?.tree == repo.read().commit(item.tip)?.tree;
    // All below it landed with it, or it merged its base in.
    match fork.filter(|fork| *fork != item.base_oid && !is_empty) {
        Some(fork) => landed::is_applied(repo, fork, item.tip, base),
        None => Ok(false),
    }
}

/// Marks them as landed, unless somebody is landing: that one does it, and
/// knows more.
pub fn settle(scene: Scene<'_>) -> Result<()> {
    let Ok(turn) = LandLock::try_take(scene.repo, "what has landed")? else { return Ok(()) };
    for item in find(scene)? {
        let base = scene.repo.read().find_ref(&refs::branch(&item.base))?.unwrap_or(item.tip);
        land::settle(
            scene,
            &item,
            Landed { from: item.base_oid, to: base, time: scene.now, checked: false },
        )?;
    }
    restack::settle(scene)?;
    land::drop_leftovers(scene, &turn)
}
