//! Whether a base has what a tip has, however it came there.
//!
//! A squash leaves no trace in the graph, so changes are compared: first what
//! is cheap to know, then patch ids of the few commits that could be it.
//!
//! **Invariant:** a doubt is a no: what was edited on its way, or taken back
//! since, has not landed.

mod standing;

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use serde::Serialize;

use super::merge::{self, Merged};
use super::patch;
use super::repo::Repo;
use crate::error::Result;
use crate::model::{Oid, RepoPath};

/// How a base has what a tip has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// The tip itself is in it.
    Merged,
    /// Its change is, as one commit or commit by commit.
    SquashMerged,
    /// Both have the same files.
    IdenticalTree,
    /// Merging it would change nothing.
    NothingToAdd,
}

/// How many own commits are looked for one by one.
const OWN: usize = 100;
/// How many commits of the base, of those at the paths in question, are looked at.
const LOOKED_AT: usize = 1_000;
/// How many of them at once: their whole text is held then.
const AT_ONCE: usize = 50;

/// How `base` has what `tip` has; `None` where it has not.
pub fn landed(repo: &Repo, tip: Oid, base: Oid) -> Result<Option<How>> {
    let fork = repo.read().merge_base(base, tip)?;
    if fork == Some(tip) {
        return Ok(Some(How::Merged));
    }
    let base_tree = tree(repo, base)?;
    if tree(repo, tip)? == base_tree {
        return Ok(Some(How::IdenticalTree));
    }
    let Some(fork) = fork else { return Ok(None) };
    if is_applied(repo, fork, tip, base)? {
        return Ok(Some(How::SquashMerged));
    }
    Ok(adds_nothing(repo, base, tip)?.then_some(How::NothingToAdd))
}

/// Whether what lies between two commits was applied to `base`, as one commit,
/// commit by commit or as part of one commit, and is still there. Nothing is
/// never applied.
pub fn is_applied(repo: &Repo, from: Oid, tip: Oid, base: Oid) -> Result<bool> {
    let Some(fork) = repo.read().merge_base(base, tip)? else { return Ok(false) };
    let changed = paths(repo, Some(from), tip)?;
    if changed.is_empty() || !changed.is_subset(&paths(repo, Some(fork), base)?) {
        return Ok(false);
    }
    let adds_nothing = adds_nothing(repo, base, tip)?;
    if is_known(repo, (from, tip), base, changed)? {
        return Ok(adds_nothing || standing::is_standing(repo, (from, tip), base)?);
    }
    Ok(adds_nothing && came_at_once(repo, (from, tip), (fork, base))?)
}

/// Whether the base has the very patch between two commits, whole or commit by commit.
fn is_known(repo: &Repo, (from, tip): (Oid, Oid), base: Oid, changed: BTreeSet<RepoPath>) -> Result<bool> {
    let own = repo.read().commits_between(&[from, base], tip)?;
    let mut telling: BTreeSet<RepoPath> = changed.into_iter().take(1).collect();
    let mut singles = Vec::new();
    if own.len() <= OWN && is_straight(repo, &own)? {
        singles = own;
        for commit in &singles {
            telling.extend(
                paths(repo, repo.read().commit(*commit)?.parents.first().copied(), *commit)?.pop_first(),
            );
        }
    }
    let suspects = suspects(repo, tip, base, &telling)?;
    if suspects.is_empty() {
        return Ok(false);
    }
    let whole = patch::between(repo, from, tip)?;
    let mut missing: HashSet<Oid> =
        patch::of_commits(repo, &singles)?.into_iter().map(|(patch, _)| patch).collect();
    for some in suspects.chunks(AT_ONCE) {
        for (patch, _) in patch::of_commits(repo, some)? {
            let was_last = missing.remove(&patch) && missing.is_empty();
            if was_last || Some(patch) == whole {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether merging a tip would change nothing.
fn adds_nothing(repo: &Repo, base: Oid, tip: Oid) -> Result<bool> {
    Ok(merge::combine(repo, base, tip)? == Merged::Clean(tree(repo, base)?))
}

/// Whether one step of the base brought all of it: just before, all was still
/// to come, just after, nothing. So it came beside other changes, or to files
/// that were renamed meanwhile; what came together by and by is a coincidence.
fn came_at_once(repo: &Repo, (from, tip): (Oid, Oid), (fork, base): (Oid, Oid)) -> Result<bool> {
    let range = [base.to_string(), format!("^{fork}")];
    let text = repo.git(["rev-list", "--first-parent"]).args(range).run()?;
    let steps: Vec<Oid> =
        String::from_utf8_lossy(&text).lines().filter_map(|line| line.parse().ok()).collect();
    // The newest has it all, what is before the oldest has not.
    let (mut with, mut without) = (0, steps.len());
    while without - with > 1 {
        let middle = with + (without - with) / 2;
        if adds_nothing(repo, steps[middle], tip)? { with = middle } else { without = middle }
    }
    let Some(step) = steps.get(with) else { return Ok(false) };
    let Some(before) = repo.read().commit(*step)?.parents.first().copied() else { return Ok(false) };
    let Merged::Clean(merged) = merge::combine(repo, before, tip)? else { return Ok(false) };
    let to_come = sizes(repo, tree(repo, before)?, merged)?;
    Ok(to_come == sizes(repo, tree(repo, from)?, tree(repo, tip)?)?)
}

/// How many lines each file gains and loses between two trees, whatever it is called.
fn sizes(repo: &Repo, from: Oid, to: Oid) -> Result<Vec<String>> {
    let args = ["diff-tree", "-r", "--numstat", "-M", "--no-ext-diff", "--no-textconv"];
    let text = repo.git(args).args([from.to_string(), to.to_string()]).run()?;
    let size = |line: &str| line.rsplitn(2, '\t').last().map(str::to_owned);
    let mut sizes: Vec<String> = String::from_utf8_lossy(&text).lines().filter_map(size).collect();
    sizes.sort();
    Ok(sizes)
}

/// The commits of the base that changed one of these paths and are not the
/// tip's too, newest first.
fn suspects(repo: &Repo, tip: Oid, base: Oid, paths: &BTreeSet<RepoPath>) -> Result<Vec<Oid>> {
    let range = [base.to_string(), format!("^{tip}"), "--".to_owned()];
    let limit = format!("--max-count={LOOKED_AT}");
    let command = repo.git(["rev-list", "--no-merges", "--full-history", &limit]).args(range);
    let paths = paths.iter().map(|path| OsStr::from_bytes(path.as_bytes()));
    let text = command.args(paths).env("GIT_LITERAL_PATHSPECS", "1").run()?;
    Ok(String::from_utf8_lossy(&text).lines().filter_map(|line| line.parse().ok()).collect())
}

/// Whether no merge is among them: what a merge decided is in no patch.
fn is_straight(repo: &Repo, commits: &[Oid]) -> Result<bool> {
    for commit in commits {
        if repo.read().commit(*commit)?.parents.len() > 1 {
            return Ok(false);
        }
    }
    Ok(true)
}

fn paths(repo: &Repo, from: Option<Oid>, to: Oid) -> Result<BTreeSet<RepoPath>> {
    let from = from.map(|from| tree(repo, from)).transpose()?;
    Ok(repo.read().changes(from, tree(repo, to)?)?.into_iter().map(|change| change.path).collect())
}

fn tree(repo: &Repo, commit: Oid) -> Result<Oid> {
    Ok(repo.read().commit(commit)?.tree)
}
