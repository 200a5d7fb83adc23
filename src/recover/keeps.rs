//! Objects that a process which died kept from git's own clearing up.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock};
use crate::model::{Events, Name};
use crate::session::TaskLock;

/// Lets go of what no living process keeps for a fan-out.
pub fn settle(repo: &Repo, events: Events<'_>) -> Result<()> {
    if repo.read().refs(refs::KEEP)?.is_empty() {
        return Ok(());
    }
    let lock = RepoLock::take(repo, "recover", events)?;
    let mut kept: BTreeMap<Name, Vec<RefChange>> = BTreeMap::new();
    for (name, oid) in repo.read().refs(refs::KEEP)? {
        if let Some(owner) = owner(&name) {
            kept.entry(owner).or_default().push(RefChange::delete(name, oid));
        }
    }
    for (owner, changes) in kept {
        if let Ok(_dead) = TaskLock::try_take(repo, &owner)? {
            refs::apply(repo, &lock, &changes, "recover")?;
        }
    }
    Ok(())
}

/// `fanout/NAME/3` below the prefix.
pub(super) fn owner(name: &str) -> Option<Name> {
    name.strip_prefix(refs::KEEP)?.strip_prefix("fanout/")?.split('/').next()?.parse().ok()
}
