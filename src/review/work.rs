//! Open work: what sessions hold that has not landed, committed or not, and
//! the results that wait.

use std::collections::BTreeSet;

use serde::Serialize;

use super::item::{self, Item};
use crate::error::Result;
use crate::git::{Aside, Repo, refs, snapshot, worktree};
use crate::model::{Event, Events, Name, Oid, RepoPath, Session};
use crate::session::workplace;
use crate::store;

/// What a piece of open work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// What a session has in its worktree and on its branch.
    Session,
    /// A result that waits.
    Result,
}

/// A piece of open work.
#[derive(Clone, Debug, Serialize)]
pub struct Work {
    /// The session, or the result.
    pub name: Name,
    /// Which of the two.
    pub kind: Sort,
    /// Whose result it is; absent for a session's work and for a fan-out's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Name>,
    /// The branch it goes back to.
    pub base: String,
    /// Where that is now.
    pub base_oid: Oid,
    /// Its last commit.
    pub tip: Oid,
    /// Its uncommitted files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uncommitted: Vec<RepoPath>,
    /// All of it as one commit; the tip where nothing is uncommitted.
    #[serde(skip)]
    pub whole: Oid,
    /// Results that it holds, or that it is built on.
    #[serde(skip)]
    pub(super) holds: BTreeSet<Name>,
}

/// All open work, sessions first; a session whose result waits and that went on
/// with nothing else is told as that result.
pub fn open(repo: &Repo, aside: &Aside, items: &[Item], events: Events<'_>) -> Result<Vec<Work>> {
    let sessions: Vec<Session> =
        store::sessions::load(repo)?.into_iter().map(|stored| stored.value).collect();
    let heads = worktree::list(repo)?;
    let head = |session: &Session| {
        let own = heads.iter().find(|one| one.id.as_deref() == Some(&session.worktree_id));
        own.and_then(|one| one.head.as_ref()).and_then(|head| head.oid())
    };
    let mut begun = Vec::new();
    for session in &sessions {
        let branch = repo.read().find_ref(&refs::branch(&session.branch))?;
        let base = repo.read().find_ref(&refs::branch(&session.base))?;
        if let (Some(tip), Some(base)) = (head(session).or(branch), base) {
            begun.push((session, tip, base));
        }
    }
    let mut found = Vec::new();
    let looked = in_parallel(&begun, |(session, tip, _)| look(repo, aside, (session, *tip)));
    for ((session, tip, base), looked) in begun.into_iter().zip(looked) {
        let (uncommitted, whole) = told(looked, events).unwrap_or((Vec::new(), tip));
        let mut work = of_session(session, (tip, base), uncommitted, whole);
        work.holds = held(repo, &work, items)?;
        let is_landed = repo.read().merge_base(work.tip, work.base_oid)? == Some(work.tip);
        let is_result = items.iter().any(|item| item.tip == work.tip || item.recorded.contains(&work.tip));
        if !work.uncommitted.is_empty() || !(is_landed || is_result) {
            found.push(work);
        }
    }
    for item in items {
        found.extend(of_item(repo, item, items)?);
    }
    Ok(found)
}

/// Of a worktree that can't be looked into the commits are left.
fn told<T>(looked: Result<T>, events: Events<'_>) -> Option<T> {
    let tell = |error| events(Event::Warning(format!("{error}; only its commits are compared")));
    looked.map_err(tell).ok()
}

/// Runs over a list with as many threads as there are processors.
fn in_parallel<T: Sync, R: Send>(list: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let size = list.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let parts = list.chunks(size).map(|part| scope.spawn(|| part.iter().map(&run).collect::<Vec<R>>()));
        let parts: Vec<_> = parts.collect();
        parts.into_iter().flat_map(|part| part.join().expect("nothing in it panics")).collect()
    })
}

/// The uncommitted files of a session, and all it has as one commit.
fn look(repo: &Repo, aside: &Aside, (session, tip): (&Session, Oid)) -> Result<(Vec<RepoPath>, Oid)> {
    let place = workplace::require(repo, session)?;
    // Asking first what is uncommitted would read a fresh worktree's files twice.
    let Some(whole) = snapshot::look(repo, &place, tip, aside)? else { return Ok((Vec::new(), tip)) };
    let trees = (repo.read().commit(tip)?.tree, repo.read().commit(whole)?.tree);
    let changes = repo.read().changes(Some(trees.0), trees.1)?;
    Ok((changes.into_iter().map(|change| change.path).collect(), whole))
}

fn of_session(
    session: &Session,
    (tip, base_oid): (Oid, Oid),
    uncommitted: Vec<RepoPath>,
    whole: Oid,
) -> Work {
    Work {
        name: session.name.clone(),
        kind: Sort::Session,
        session: None,
        base: session.base.clone(),
        base_oid,
        tip,
        uncommitted,
        whole,
        holds: BTreeSet::new(),
    }
}

/// A result as open work; `None` where its base is gone.
pub(super) fn of_item(repo: &Repo, item: &Item, all: &[Item]) -> Result<Option<Work>> {
    let base = repo.read().find_ref(&refs::branch(&item.base))?;
    Ok(base.map(|base_oid| Work {
        name: item.name.clone(),
        kind: Sort::Result,
        session: item.session.clone(),
        base: item.base.clone(),
        base_oid,
        tip: item.tip,
        uncommitted: Vec::new(),
        whole: item.tip,
        holds: below(item, all),
    }))
}

/// The results that one builds on, itself too.
fn below(item: &Item, all: &[Item]) -> BTreeSet<Name> {
    let mut held = BTreeSet::new();
    let mut next = Some(item.name.clone());
    while let Some(name) = next.filter(|name| held.insert(name.clone())) {
        next = all.iter().find(|other| other.name == name).and_then(|other| other.on_top_of.clone());
    }
    held
}

/// The results of a session that its work holds, or that took the place of what it holds.
fn held(repo: &Repo, work: &Work, items: &[Item]) -> Result<BTreeSet<Name>> {
    let mut held = BTreeSet::new();
    for item in items.iter().filter(|item| item.session.as_ref() == Some(&work.name)) {
        let is_below = repo.read().merge_base(item.tip, work.tip)? == Some(item.tip);
        if is_below || item.recorded.contains(&work.tip) {
            held.extend(below(item, items));
        }
    }
    Ok(held)
}

impl Work {
    /// Whether it is meant by one of these names: its own, or that of the
    /// session whose result it is; by none of them all is meant.
    pub fn is_meant(&self, names: &[String]) -> bool {
        let own = [Some(&self.name), self.session.as_ref()];
        names.is_empty() || own.into_iter().flatten().any(|own| names.iter().any(|name| name == own.as_str()))
    }

    /// Whether one of the two holds the other, or builds on it.
    pub fn holds(&self, other: &Self) -> bool {
        (other.kind == Sort::Result && self.holds.contains(&other.name))
            || (self.kind == Sort::Result && other.holds.contains(&self.name))
    }

    /// The paths it changed since it left its base.
    pub fn changed(&self, repo: &Repo) -> Result<BTreeSet<RepoPath>> {
        let Some(fork) = repo.read().merge_base(self.base_oid, self.whole)? else {
            return Ok(BTreeSet::new());
        };
        let trees = (repo.read().commit(fork)?.tree, repo.read().commit(self.whole)?.tree);
        let changes = repo.read().changes(Some(trees.0), trees.1)?;
        Ok(changes.into_iter().map(|change| change.path).collect())
    }
}

/// Everything that waits, and all open work.
pub fn load(repo: &Repo, aside: &Aside, events: Events<'_>) -> Result<(Vec<Item>, Vec<Work>)> {
    let items = item::load(repo)?;
    let works = open(repo, aside, &items, events)?;
    Ok((items, works))
}
