//! Branches for what shards did that is not in the result, though their
//! commands ended well: somebody has to look at it. The reason is the commit's
//! message.
//!
//! What a failed shard left is half done, and done again sooner than looked
//! at: that is on the record alone. So is everything where very many shards are
//! left out, which says something of the command, not of the shards.
//!
//! **Invariant:** a branch is made and deleted in the transaction of its record,
//! which holds the commit too; one that somebody has moved stays.

use crate::error::Result;
use crate::git::Repo;
use crate::git::refs::{self, RefChange};
use crate::model::{Fanout, Shard, ShardState};
use crate::run::{Scene, end};

/// So many branches are still looked at, one by one.
const MOST: usize = 20;

/// Names the branches of what is left out of a fan-out, and makes them. A name
/// that is taken is left to whoever has it.
pub(super) fn make(repo: &Repo, fanout: &mut Fanout) -> Result<Vec<RefChange>> {
    let is_whole = |shard: &Shard| {
        matches!(shard.state, ShardState::Escaped | ShardState::Clashed | ShardState::Evicted)
    };
    if fanout.shards.iter().filter(|shard| is_whole(shard)).count() > MOST {
        return Ok(Vec::new());
    }
    let mut changes = Vec::new();
    for shard in fanout.shards.iter_mut().filter(|shard| is_whole(shard)) {
        let branch = refs::quarantine_branch(&fanout.name, shard.n);
        let full = refs::branch(&branch);
        if let Some(commit) = shard.commit
            && repo.read().find_ref(&full)?.is_none()
        {
            changes.push(RefChange::create(full, commit));
            shard.quarantine = Some(branch);
        }
    }
    Ok(changes)
}

/// Takes them away, but for those that were moved or are checked out.
pub(super) fn take_away(scene: Scene<'_>, fanout: &Fanout) -> Result<Vec<RefChange>> {
    let mut changes = Vec::new();
    for shard in &fanout.shards {
        if let Some(branch) = &shard.quarantine
            && scene.repo.read().find_ref(&refs::branch(branch))? == shard.commit
        {
            changes.extend(end::branch_gone(scene, branch)?);
        }
    }
    Ok(changes)
}
