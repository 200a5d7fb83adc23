//! What shards changed, as one tree and as commits on what they started from.
//!
//! **Invariant:** the tree is the same, whether it comes as one commit or as
//! one for each shard.

use std::collections::BTreeMap;

use super::assemble::{Clash, ClashKind, assemble};
use super::carry::{self, Ended, Site};
use super::{claim, pool};
use crate::error::{Error, Result};
use crate::git::merge::{self, Merged};
use crate::git::refs::{self, RefChange};
use crate::git::splice::{self, Put};
use crate::git::{Edit, Repo, RepoLock, commit, trailer};
use crate::model::wording::{count, few, tick};
use crate::model::{Oid, RepoPath, ShardState, Time};

/// What all shards started from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    /// The commit.
    pub commit: Oid,
    /// Its tree.
    pub tree: Oid,
}

/// The edits of shards, put together.
#[derive(Debug)]
pub struct Together {
    /// The one tree.
    pub tree: Oid,
    /// What is in it, in the order in which it was put there: a shard, and the
    /// tree that a content merge made where it overlapped with those before.
    pub steps: Vec<(usize, Option<Oid>)>,
    /// The shards that are not in it, and why.
    pub misfits: Vec<(usize, String)>,
}

/// How a result comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Commits {
    /// As one commit.
    #[default]
    One,
    /// As a commit for each shard that changed anything.
    Shard,
}

/// Puts the edits of shards together: disjoint ones all at once, then each that
/// overlaps by a content merge, which is git's to judge.
///
/// A path with a merge driver needs no merge of its own where one shard alone
/// changed it: git takes the only change without asking the driver, too. Where
/// two did, the driver that the user's settings have for it runs, as it would
/// with `git merge`; what is in a tree can name one and define none.
pub fn put_together(repo: &Repo, origin: Origin, shards: &[(usize, &[Edit])], now: Time) -> Result<Together> {
    let assembled = assemble(shards.iter().copied());
    let edits: BTreeMap<usize, &[Edit]> = shards.iter().copied().collect();
    let is_spliced = |n: &usize| !assembled.clashes.iter().any(|clash| clash.one.0 == *n);
    let mut together = Together {
        tree: splice::put(repo, Some(origin.tree), puts(assembled.edits.iter().copied()))?,
        steps: shards.iter().map(|(n, _)| *n).filter(is_spliced).map(|n| (n, None)).collect(),
        misfits: Vec::new(),
    };
    for clash in &assembled.clashes {
        let n = clash.one.0;
        match merged(repo, origin, together.tree, (clash, edits[&n]), now)? {
            Ok(tree) => {
                together.tree = tree;
                together.steps.push((n, Some(tree)));
            }
            Err(why) => together.misfits.push((n, why)),
        }
    }
    Ok(together)
}

fn puts<'a>(edits: impl IntoIterator<Item = &'a Edit>) -> Vec<Put<'a>> {
    edits.into_iter().map(|edit| (edit.change.path.as_bytes(), edit.now)).collect()
}

/// The tree with what an overlapping shard changed, or why there is none.
fn merged(
    repo: &Repo,
    origin: Origin,
    so_far: Oid,
    (clash, edits): (&Clash, &[Edit]),
    now: Time,
) -> Result<std::result::Result<Oid, String>> {
    // Git sees two files there, and a file system without case has room for one.
    if clash.kind == ClashKind::Case {
        let (_, path) = &clash.one;
        return Ok(Err(format!("{} differs from {} by case alone", tick(path), tick(&clash.other.1))));
    }
    let theirs = splice::put(repo, Some(origin.tree), puts(edits))?;
    let commit = |tree| repo.write().write_record(tree, &[origin.commit], "a part of a fan-out", now);
    Ok(match merge::combine(repo, commit(so_far)?, commit(theirs)?)? {
        Merged::Clean(tree) => Ok(tree),
        Merged::Conflict(paths) => {
            // Git gives a file a name of its own that is in the way of a folder.
            let mut own: Vec<&RepoPath> = edits.iter().map(|edit| &edit.change.path).collect();
            own.retain(|path| paths.contains(path));
            let paths = if own.is_empty() { vec![&clash.one.1] } else { own };
            Err(format!("conflicts with other shards in {}", few(paths.into_iter().map(tick))))
        }
    })
}

/// How often a result is made again that git clears parts of away.
const ATTEMPTS: usize = 5;

/// A result that is kept until the record has it.
pub(super) struct Made {
    pub(super) tree: Oid,
    /// The last of its commits; none where nothing was changed.
    pub(super) tip: Option<Oid>,
}

/// Makes the result of all accepted shards; those that do not fit are set aside.
pub(super) fn make(site: &Site<'_>, ended: &mut [Ended]) -> Result<Made> {
    let repo = site.scene.repo;
    let keep = claim::pin(site.name, 0);
    let _fence = repo.fence(site.scene.events);
    for attempt in 1.. {
        let together = accepted(site, ended)?;
        if together.tree == site.input {
            return Ok(Made { tree: together.tree, tip: None });
        }
        let commits = match commits(site, &together, ended) {
            Err(error) if attempt == ATTEMPTS => return Err(error),
            Err(_) => continue,
            Ok(commits) => commits,
        };
        let tip = commits.last().map(|(_, commit)| *commit);
        let Some(tip) = tip else { return Err(Error::bug("a result without a commit")) };
        repo.reach("result committed")?;
        let lock = RepoLock::take(repo, "fanout, its result", site.scene.events)?;
        let pin = RefChange::set(keep.clone(), tip, repo.read().find_ref(&keep)?);
        let pinned = refs::apply(repo, &lock, &[pin], "fanout, its result");
        drop(lock);
        if attempt == ATTEMPTS || pinned.is_ok() && refs::is_whole(repo, tip, &[site.order.commit])? {
            for (n, commit) in commits {
                ended
                    .iter_mut()
                    .filter(|one| one.shard.n == n)
                    .for_each(|one| one.shard.commit = Some(commit));
            }
            return Ok(Made { tree: together.tree, tip: Some(tip) });
        }
        site.scene.interrupt.check()?;
    }
    unreachable!("the last attempt returns")
}

/// The accepted shards put together; those that do not fit are so no more.
fn accepted(site: &Site<'_>, ended: &mut [Ended]) -> Result<Together> {
    let shards: Vec<(usize, &[Edit])> =
        ended.iter().filter_map(|one| Some((one.shard.n, one.accepted.as_deref()?))).collect();
    let together = put_together(site.scene.repo, site.origin(), &shards, site.scene.now)?;
    for (n, why) in &together.misfits {
        for one in ended.iter_mut().filter(|one| one.shard.n == *n) {
            carry::leave_out(site, one, ShardState::Clashed, why)?;
            pool::tell(site, Some(one), site.order.shards.len());
        }
    }
    Ok(together)
}

/// The commits of a result, each with the shard it is of; of all, in the end.
fn commits(site: &Site<'_>, together: &Together, ended: &[Ended]) -> Result<Vec<(usize, Oid)>> {
    match site.order.commits {
        Commits::One => {
            let message = trailer::sign(&text(site, ended), None, site.name);
            let tip = commit::tree(site.scene.repo, together.tree, &[site.order.commit], &message)?;
            Ok(together.steps.iter().map(|(n, _)| (*n, tip)).collect())
        }
        Commits::Shard => chain(site, together, ended),
    }
}

fn chain(site: &Site<'_>, together: &Together, ended: &[Ended]) -> Result<Vec<(usize, Oid)>> {
    let edits: BTreeMap<usize, &[Edit]> =
        ended.iter().filter_map(|one| Some((one.shard.n, one.accepted.as_deref()?))).collect();
    let mut tree = site.input;
    let (mut shards, mut links) = (Vec::new(), Vec::new());
    for (n, merged) in &together.steps {
        let next = match merged {
            Some(merged) => *merged,
            None => splice::put(site.scene.repo, Some(tree), puts(edits[n]))?,
        };
        // A shard can have done what another did, too.
        if next != tree {
            let (job, label) = (&site.order.job, &site.planned(*n).label);
            let text = format!("{job}: {label}\n\nRun: {}\n", site.order.command);
            links.push((next, trailer::sign(&text, None, site.name)));
            shards.push(*n);
        }
        tree = next;
    }
    if tree != together.tree {
        return Err(Error::bug("the commits of the shards do not make the tree of all"));
    }
    let made = commit::chain(site.scene.repo, site.order.commit, &links)?;
    Ok(shards.into_iter().zip(made).collect())
}

/// What the one commit says.
fn text(site: &Site<'_>, ended: &[Ended]) -> String {
    let files: usize = ended.iter().filter_map(|one| one.accepted.as_ref()).map(Vec::len).sum();
    let mut text = format!("{}: change {}\n\n", site.order.job, count(files, "file"));
    text.push_str(&format!("Run in {} at once: {}\n", count(ended.len(), "shard"), site.order.command));
    for one in ended.iter().filter(|one| one.shard.state.is_bad()) {
        let label = &site.planned(one.shard.n).label;
        text.push_str(&format!("Not in it: {label} ({})\n", one.shard.state.word()));
    }
    text
}

#[cfg(test)]
mod tests;
