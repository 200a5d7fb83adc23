//! The ways back of an undo: worktrees to and out of the trash, branches in
//! their worktrees, then all refs at once.
//!
//! **Invariant:** each way can be gone again from its start by whoever comes
//! after a kill.

use std::collections::{BTreeMap, BTreeSet};

use super::undo::{Plan, Start, is_base, sessions};
use crate::error::{Error, Result};
use crate::git::moved::{self, Direction};
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock, notes, snapshot, worktree};
use crate::model::operation::Moved;
use crate::model::{Effect, Name, Oid, Session, SessionState};
use crate::run::Scene;
use crate::session::{moving, remove, trash, workplace};
use crate::store;
use crate::store::journal::{self, Intent};

/// The way back of one worktree.
pub(super) enum Way {
    /// Into the trash, under this name.
    Away(Session, String),
    /// Out of the trash.
    Back(Session, String),
    /// Its branch to another commit, without what it holds uncommitted now,
    /// with what it held then.
    Branch(Session, Moved, Uncommitted),
    /// A branch that somebody has checked out, not a session's.
    Checkout(worktree::Worktree, Moved),
}

/// What a session's worktree holds uncommitted, now and then.
#[derive(Clone, Copy, Default)]
pub(super) struct Uncommitted {
    now: Option<Oid>,
    then: Option<Oid>,
}

impl Way {
    pub(super) fn is_begun(&self, repo: &Repo) -> bool {
        match self {
            Self::Away(session, _) => !session.worktree.is_dir(),
            Self::Back(session, _) => {
                session.worktree.is_dir() || worktree::entry(repo, &session.worktree_id).is_dir()
            }
            Self::Branch(_, moved, _) | Self::Checkout(_, moved) => {
                repo.read().find_ref(&moved.name).is_ok_and(|at| at == moved.old)
            }
        }
    }
}

/// The ways back of all worktrees that an operation changed, each looked at.
pub(super) fn ways(scene: Scene<'_>, plan: &Plan) -> Result<Vec<Way>> {
    let repo = scene.repo;
    let mut ways = Vec::new();
    let mut elsewhere: BTreeSet<Name> = BTreeSet::new();
    for effect in &plan.operation.effects {
        match effect {
            Effect::Made { session } => {
                let session = find_session(repo, plan, session)?;
                elsewhere.insert(session.name.clone());
                let id = format!("{}-{}", session.name, plan.operation.id.short());
                ways.push(Way::Away(session, id));
            }
            Effect::Restored { session, id } => {
                elsewhere.insert(session.clone());
                ways.push(Way::Away(find_session(repo, plan, session)?, id.clone()));
            }
            Effect::Trashed { session, id } => {
                let session = find_session(repo, plan, session)?;
                trash::require(repo, &session, id)?;
                elsewhere.insert(session.name.clone());
                ways.push(Way::Back(session, id.clone()));
            }
            Effect::Held { .. } | Effect::Holds { .. } | Effect::Ref { .. } | Effect::Emptied { .. } => {}
        }
    }
    for session in sessions(plan).difference(&elsewhere) {
        ways.extend(branch_way(repo, plan, session)?);
    }
    for one in plan.refs.iter().filter(|one| is_base(&one.name)) {
        ways.extend(checkout_way(repo, one)?);
    }
    Ok(ways)
}

/// A session by its record, or by the one that comes back.
fn find_session(repo: &Repo, plan: &Plan, name: &Name) -> Result<Session> {
    let record = format!("{}{name}", refs::SESSIONS);
    let back = plan.refs.iter().find(|one| one.name == record).and_then(|one| one.old);
    let found = match (store::sessions::find(repo, name)?, back) {
        (Some(found), _) => Some(found),
        (None, Some(back)) => Some(store::sessions::at(repo, back)?),
        (None, None) => None,
    };
    found.map(|found| found.value).ok_or_else(|| Error::refused(format!("the session `{name}` is gone")))
}

fn branch_way(repo: &Repo, plan: &Plan, name: &Name) -> Result<Option<Way>> {
    let branch = refs::branch(&refs::session_branch(name));
    let mut uncommitted = Uncommitted::default();
    for effect in &plan.operation.effects {
        match effect {
            Effect::Held { session, work } if session == name => uncommitted.then = Some(*work),
            Effect::Holds { session, work } if session == name => uncommitted.now = Some(*work),
            _ => {}
        }
    }
    let moved = plan.refs.iter().find(|one| one.name == branch).cloned();
    let Some(session) = store::sessions::find(repo, name)?.map(|found| found.value) else { return Ok(None) };
    let same = moved.is_none() && uncommitted.now.is_none() && uncommitted.then.is_none();
    if same || session.state == SessionState::Archived {
        return Ok(None);
    }
    let tip = workplace::tip(repo, &session)?;
    let moved = moved.unwrap_or(Moved { name: branch, old: Some(tip), new: Some(tip) });
    let resumed = plan.start == Start::Resumed;
    let clean = || workplace::require_clean(repo, &session).is_ok();
    if !resumed || !is_back(repo, &session, &moved, uncommitted)? && !clean() {
        require_holds(repo, &session, uncommitted.now)?;
    }
    Ok(Some(Way::Branch(session, moved, uncommitted)))
}

/// Whether a worktree is where the undo takes it already.
fn is_back(repo: &Repo, session: &Session, moved: &Moved, uncommitted: Uncommitted) -> Result<bool> {
    let Some(old) = moved.old else { return Ok(false) };
    let on_it = repo.read().find_ref(&moved.name)? == Some(old);
    Ok(on_it && holds(repo, session, uncommitted.then.unwrap_or(old))?)
}

/// Whether a worktree's files are those of a commit.
fn holds(repo: &Repo, session: &Session, work: Oid) -> Result<bool> {
    let place = workplace::require(repo, session)?;
    Ok(snapshot::tree(repo, &place)? == repo.read().commit(work)?.tree)
}

/// Refuses a worktree that does not hold exactly this, uncommitted.
fn require_holds(repo: &Repo, session: &Session, work: Option<Oid>) -> Result<()> {
    let Some(work) = work else { return workplace::require_clean(repo, session).map(drop) };
    if holds(repo, session, work)? {
        return Ok(());
    }
    Err(Error::refused(format!("what session `{}` holds was changed since", session.name))
        .hint(format!("commit it in `{}`, or finish the work there", session.worktree.display())))
}

fn checkout_way(repo: &Repo, one: &Moved) -> Result<Option<Way>> {
    let branch = &one.name["refs/heads/".len()..];
    let (Some(holder), Some(from), Some(to)) = (moved::holder(repo, branch)?, one.new, one.old) else {
        return Ok(None);
    };
    moved::require_clear(repo, &holder, branch, from, to)?;
    Ok(Some(Way::Checkout(holder, one.clone())))
}

/// Goes all ways, then moves the refs: the commit point.
pub(super) fn go(scene: Scene<'_>, plan: &Plan, ways: &[Way]) -> Result<()> {
    let mut done: BTreeMap<&str, &Moved> = BTreeMap::new();
    let (mut effects, mut pins) = (Vec::new(), Vec::new());
    for way in ways {
        match way {
            Way::Away(session, id) => {
                pins.extend(away(scene, session, id)?);
                effects.push(Effect::Trashed { session: session.name.clone(), id: id.clone() });
            }
            Way::Back(session, id) => {
                let lock = RepoLock::take(scene.repo, "undo", scene.events)?;
                trash::take(scene.repo, &lock, session, id)?;
                effects.push(Effect::Restored { session: session.name.clone(), id: id.clone() });
            }
            Way::Branch(session, moved, uncommitted) => {
                branch_back(scene, session, moved, *uncommitted)?;
                let session = &session.name;
                effects.extend(uncommitted.now.map(|work| Effect::Held { session: session.clone(), work }));
                effects.extend(uncommitted.then.map(|work| Effect::Holds { session: session.clone(), work }));
                done.insert(&moved.name, moved);
            }
            Way::Checkout(holder, moved) => {
                checkout_back(scene, holder, moved)?;
                done.insert(&moved.name, moved);
            }
        }
    }
    let moved = |one: &Moved| Effect::Ref { name: one.name.clone(), old: one.new, new: one.old };
    effects.extend(done.values().filter(|one| one.old != one.new).map(|one| moved(one)));
    let lock = RepoLock::take(scene.repo, "undo", scene.events)?;
    let mut changes = Vec::new();
    for one in plan.refs.iter().filter(|one| !done.contains_key(one.name.as_str())) {
        if plan.start == Start::Fresh || scene.repo.read().find_ref(&one.name)? == one.new {
            changes.push(back(one));
        }
    }
    // What is kept in the trash is kept once.
    pins.retain(|pin: &RefChange| !changes.iter().any(|change: &RefChange| change.name == pin.name));
    changes.extend(pins);
    for one in &plan.notes {
        changes.extend(notes::revert(scene.repo, &one.name, one.old, one.new, scene.now)?);
    }
    refs::apply_with(scene.repo, &lock, &changes, &effects, "undo")
}

fn back(one: &Moved) -> RefChange {
    match (one.old, one.new) {
        (Some(old), Some(new)) => RefChange::update(&one.name, old, new),
        (Some(old), None) => RefChange::create(&one.name, old),
        (None, Some(new)) => RefChange::delete(&one.name, new),
        (None, None) => unreachable!("it would not have moved"),
    }
}

/// Takes a session's worktree to the trash; the ref that keeps its work.
fn away(scene: Scene<'_>, session: &Session, id: &str) -> Result<Option<RefChange>> {
    let repo = scene.repo;
    let pin = format!("{}{id}", refs::TRASH);
    let tip = repo.read().find_ref(&refs::branch(&session.branch))?;
    let kept = tip.map(|tip| remove::work(repo, session, tip, scene.now).unwrap_or(tip));
    let lock = RepoLock::take(repo, "undo", scene.events)?;
    // A task may have come to it since the undo was planned.
    remove::check(session, &store::tasks::load(repo)?)?;
    trash::put(repo, &lock, session, id)?;
    let known = repo.read().find_ref(&pin)?.is_some();
    Ok(kept.filter(|_| !known).map(|kept| RefChange::create(pin, kept)))
}

/// Takes a session's branch back in its worktree, and what was uncommitted
/// there then.
fn branch_back(scene: Scene<'_>, session: &Session, moved: &Moved, uncommitted: Uncommitted) -> Result<()> {
    let (Some(to), Some(from)) = (moved.old, moved.new) else { return Ok(()) };
    let repo = scene.repo;
    if is_back(repo, session, moved, uncommitted)? {
        return Ok(());
    }
    let place = workplace::require(repo, session)?;
    let entry = moving::begin(repo, &session.name, from)?;
    // What was begun before may have put it into the trash already.
    if let Some(now) = uncommitted.now
        && holds(repo, session, now)?
    {
        worktree::adopt(repo, &place, now)?;
    }
    worktree::switch(repo, &place, &session.branch, uncommitted.then.unwrap_or(to))?;
    if uncommitted.then.is_some() {
        worktree::uncommit(repo, &place, to)?;
    }
    entry.end()
}

/// Takes a base back where somebody has it checked out.
fn checkout_back(scene: Scene<'_>, holder: &worktree::Worktree, moved: &Moved) -> Result<()> {
    let (Some(to), Some(from)) = (moved.old, moved.new) else { return Ok(()) };
    let repo = scene.repo;
    let branch = moved.name["refs/heads/".len()..].to_owned();
    let lock = RepoLock::take(repo, "undo", scene.events)?;
    let entry = journal::begin(repo, &Intent::MoveBranch { branch: branch.clone(), from, to })?;
    let gone = moved::go(repo, &lock, holder, (&branch, Direction::Back), (from, to));
    entry.end().and(gone)
}
