//! The end of a fan-out that came to no result: what its shards had done stays
//! on its record, where the next finds it.
//!
//! **Invariant:** each shard's commit has its files as that shard left them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::claim::{self, unpinned};
use super::{carry, joblog};
use crate::error::{Error, Result};
use crate::git::refs;
use crate::git::{RepoLock, splice};
use crate::model::{Fanout, Name, Oid, Shard, ShardState, TaskState, Time};
use crate::run::Scene;
use crate::session::TaskLock;
use crate::store::{self, Stored};

/// Ends a fan-out by what its shards had done; how many, or `None` where none had.
pub(super) fn close(scene: Scene<'_>, stored: &Stored<Fanout>, logs: &Path) -> Result<Option<usize>> {
    let (repo, begun) = (scene.repo, &stored.value);
    let lines = joblog::read(logs);
    let done = lines.iter().filter(|line| line.shard.state.is_well()).count();
    if done == 0 {
        return Ok(None);
    }
    let _fence = repo.fence(scene.events);
    let (fanout, tip) = with_lines(scene, begun, lines)?;
    record_end(scene, fanout, stored.tip, tip)?;
    Ok(Some(done))
}

/// What a shard had done when nobody waited for it any more.
#[derive(Debug)]
pub(super) struct Posted {
    pub(super) line: joblog::Line,
    /// The last that its command printed.
    pub(super) printed: Option<Vec<u8>>,
}

/// Puts onto the record of a fan-out whose process died what shards came to
/// behind its back; how many are new to it. Of another under its name nothing
/// changes.
///
/// # Errors
/// Refused while it is not settled that it died.
pub(super) fn add(scene: Scene<'_>, (name, started): (&Name, Time), posted: Vec<Posted>) -> Result<usize> {
    let repo = scene.repo;
    let is_it = |stored: &Stored<Fanout>| stored.value.started == started;
    if store::fanouts::find(repo, name)?.is_none_or(|stored| !is_it(&stored)) {
        return Ok(0);
    }
    let busy = || Error::refused(format!("another process has the fan-out `{name}`"));
    let _held = TaskLock::try_take(repo, name)?.map_err(|_| busy())?;
    let Some(stored) = store::fanouts::find(repo, name)?.filter(is_it) else { return Ok(0) };
    let fanout = &stored.value;
    match fanout.state {
        TaskState::Failed | TaskState::Review => {}
        TaskState::Running => return Err(busy()),
        _ => return Ok(0),
    }
    let of = |n: usize| fanout.shards.iter().find(|known| known.n == n);
    let is_open = |known: &Shard| matches!(known.state, ShardState::Skipped | ShardState::Failed);
    let is_new = |shard: &Shard| of(shard.n).is_none_or(|known| is_open(known) && known.paths == shard.paths);
    let (mut lines, logs) = (Vec::new(), claim::logs(repo, name)?);
    for Posted { line, printed } in posted.into_iter().filter(|one| is_new(&one.line.shard)) {
        // What it did counts without its log, too.
        drop(printed.map(|printed| std::fs::write(carry::log(&logs, line.shard.n), printed)));
        lines.push(line);
    }
    if lines.is_empty() {
        return Ok(0);
    }
    let added = lines.len();
    let _fence = repo.fence(scene.events);
    let (fanout, made) = with_lines(scene, fanout, lines)?;
    record_end(scene, fanout, stored.tip, made)?;
    Ok(added)
}

/// A fan-out with what shards came to; the commit that has what they had done.
fn with_lines(scene: Scene<'_>, fanout: &Fanout, lines: Vec<joblog::Line>) -> Result<(Fanout, Option<Oid>)> {
    let (made, tip) = gather(scene, fanout, &lines)?;
    let mut fanout = fanout.clone();
    for line in lines {
        let commit = if line.tree.is_some() { made.get(&line.shard.n).copied() } else { line.shard.commit };
        let shard = Shard { commit, ..line.shard };
        match fanout.shards.iter_mut().find(|known| known.n == shard.n) {
            Some(known) => *known = shard,
            // Which shards there are shows in the course of it, where a checker says so.
            None => fanout.shards.push(shard),
        }
    }
    Ok((fanout, tip))
}

/// Commits what shards had done, for each of them where it is, and the last,
/// below which all are. Those of one round have no file in common and are in
/// one; what the next round did to the same file goes on top of it.
fn gather(
    scene: Scene<'_>,
    begun: &Fanout,
    lines: &[joblog::Line],
) -> Result<(BTreeMap<usize, Oid>, Option<Oid>)> {
    let (mut made, mut tip) = (BTreeMap::new(), None);
    let mut tree = begun.input_tree;
    for round in rounds(lines) {
        let before = tree;
        for (shard, from) in &round {
            tree = splice::take(scene.repo, Some(tree), *from, &shard.written())?;
        }
        if tree != before {
            let message = format!("fanout {}: what its shards had done", begun.name);
            let parent = tip.unwrap_or(begun.base_oid);
            tip = Some(scene.repo.write().write_record(tree, &[parent], &message, scene.now)?);
        }
        made.extend(round.iter().filter_map(|(shard, _)| Some((shard.n, tip?))));
    }
    Ok((made, tip))
}

/// The shards that changed anything, as they ended, parted where one has a
/// file that one before it has, too.
fn rounds(lines: &[joblog::Line]) -> Vec<Vec<(&Shard, Oid)>> {
    let mut rounds: Vec<Vec<(&Shard, Oid)>> = Vec::new();
    let mut taken = BTreeSet::new();
    for line in lines {
        let Some(tree) = line.tree else { continue };
        let paths = line.shard.written();
        if rounds.is_empty() || paths.iter().any(|path| taken.contains(path)) {
            rounds.push(Vec::new());
            taken.clear();
        }
        taken.extend(paths);
        rounds.last_mut().expect("one was begun").push((&line.shard, tree));
    }
    rounds
}

/// Records that a fan-out is over; a result that is open under its name stays.
pub(super) fn record_end(scene: Scene<'_>, fanout: Fanout, before: Oid, made: Option<Oid>) -> Result<()> {
    let repo = scene.repo;
    let branch = refs::review_branch(&fanout.name);
    let result = repo.read().find_ref(&refs::branch(&branch))?;
    // What was amended since, nothing is known of.
    let tree = match fanout.state {
        TaskState::Review => fanout.tree,
        _ => result.map(|result| repo.read().commit(result)).transpose()?.map(|commit| commit.tree),
    };
    let ended = Fanout {
        state: if result.is_some() { TaskState::Review } else { TaskState::Failed },
        tree,
        branch: result.map(|_| branch),
        ended: Some(scene.now),
        ..fanout
    };
    let lock = RepoLock::take(repo, "fanout, broken off", scene.events)?;
    let left = ended.shards.iter().filter(|shard| shard.state.is_bad()).filter_map(|shard| shard.commit);
    let keeps: Vec<Oid> = result.into_iter().chain(made).chain(left).collect();
    let mut changes = unpinned(repo, &ended.name)?;
    changes.push(store::fanouts::prepare(repo, &ended, Some(before), keeps, scene.now)?);
    refs::apply(repo, &lock, &changes, "fanout, broken off")
}
