//! The end of a fan-out that came to no result: what its shards had done stays
//! on its record, where the next finds it.
//!
//! **Invariant:** each shard's commit has its files as that shard left them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::claim::unpinned;
use super::joblog;
use crate::error::Result;
use crate::git::refs;
use crate::git::{RepoLock, splice};
use crate::model::{Fanout, Name, Oid, Shard, TaskState, Time};
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

/// Puts onto the record of a fan-out that is over what shards came to behind
/// its back; how many are new to it. Of another under its name nothing changes.
pub(super) fn add(
    scene: Scene<'_>,
    (name, started): (&Name, Time),
    lines: Vec<joblog::Line>,
) -> Result<usize> {
    let repo = scene.repo;
    let Ok(_held) = TaskLock::try_take(repo, name)? else { return Ok(0) };
    let Some(stored) = store::fanouts::find(repo, name)? else { return Ok(0) };
    let fanout = &stored.value;
    let is_over = matches!(fanout.state, TaskState::Failed | TaskState::Review);
    let of = |n: usize| fanout.shards.iter().find(|known| known.n == n);
    let is_new = |line: &joblog::Line| {
        of(line.shard.n).is_none_or(|known| !known.state.is_well() && known.paths == line.shard.paths)
    };
    let lines: Vec<joblog::Line> = lines.into_iter().filter(is_new).collect();
    if fanout.started != started || !is_over || lines.is_empty() {
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
    let ended = Fanout {
        state: if result.is_some() { TaskState::Review } else { TaskState::Failed },
        tree: result.map(|result| repo.read().commit(result)).transpose()?.map(|commit| commit.tree),
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
