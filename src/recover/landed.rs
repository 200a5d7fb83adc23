//! Results that reached their base without the record knowing: by a merge of
//! the user's own, or by ours that died before it wrote the record.

use crate::error::Result;
use crate::git::refs;
use crate::model::task::Landed;
use crate::review::{Item, item, land};
use crate::run::Scene;
use crate::session::LandLock;

/// The waiting results whose tip the base holds already.
pub fn find(scene: Scene<'_>) -> Result<Vec<Item>> {
    let mut found = Vec::new();
    for item in item::load(scene.repo)? {
        let base = scene.repo.read().find_ref(&refs::branch(&item.base))?;
        let Some(base) = base else { continue };
        if item.tip != item.base_oid && scene.repo.read().merge_base(base, item.tip)? == Some(item.tip) {
            found.push(item);
        }
    }
    Ok(found)
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
    land::drop_leftovers(scene, &turn)
}
