//! Taking back what a command did: refs, records, worktrees.
//!
//! An undo is an operation itself, so undoing it brings back what it took.
//!
//! **Invariant:** only what is still as the operation left it goes back: what
//! was changed since refuses. Directories first, then all refs in one
//! transaction, which is the commit point; both can be done again from the
//! start by whoever comes after a kill.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Kind, Result};
use crate::git::moved::{self, Direction};
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock, notes, operation, snapshot, worktree};
use crate::model::operation::Moved;
use crate::model::{Effect, Event, Name, Oid, Operation, Session, SessionState, TaskState};
use crate::run::Scene;
use crate::session::{LandLock, SessionLock, TaskLock, moving, remove, trash, workplace};
use crate::store;
use crate::store::journal::{self, Intent};

/// What undoing an operation takes; a value that `--dry-run` prints.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The operation.
    pub operation: Operation,
    /// Refs that go back.
    pub refs: Vec<Moved>,
    /// Notes that go back one by one: others were written since.
    pub notes: Vec<Moved>,
    start: Start,
}

/// The operation to undo: the one that is named by the start of its id, else
/// the newest that was neither undone, nor is an undo or a recovery.
///
/// # Errors
/// Usage for an unknown or ambiguous id; refused where there is nothing to undo.
pub fn choose(log: &[Operation], typed: Option<&str>) -> Result<Operation> {
    let Some(typed) = typed else {
        let newest = log.iter().find(|one| is_fresh(one) || one.emptied(None));
        return newest.cloned().ok_or_else(|| Error::refused("there is nothing to undo"));
    };
    let meant: Vec<&Operation> =
        log.iter().filter(|one| typed.len() >= 4 && one.id.to_string().starts_with(typed)).collect();
    match meant.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Error::usage(format!("no operation `{typed}`"))
            .hint("`git orch log --ops` lists them; four digits are enough")),
        _ => Err(Error::usage(format!("`{typed}` is the start of several operations"))
            .hint("give more of its digits: `git orch log --ops --json` has them all")),
    }
}

/// Whether an operation is one that people would take back.
pub fn is_fresh(one: &Operation) -> bool {
    one.undoes.is_none()
        && one.undone_by.is_none()
        && !one.is_recovery()
        && !one.emptied(None)
        && !one.moved().is_empty()
}

/// Looks whether an operation can be undone.
///
/// # Errors
/// Refused, naming what was changed since, or who is at work.
pub fn plan(repo: &Repo, log: &[Operation], operation: Operation) -> Result<Plan> {
    look(repo, log, operation, Start::Fresh)
}

/// Whether some of it may have gone back already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Fresh,
    Resumed,
}

fn look(repo: &Repo, log: &[Operation], operation: Operation, start: Start) -> Result<Plan> {
    if let Some(by) = operation.undone_by {
        return Err(Error::refused(format!("`{}` is undone already", operation.id.short()))
            .hint(format!("bring it back: `git orch undo {}`", by.short())));
    }
    if operation.is_recovery() {
        return Err(Error::refused("what set right a killed command is not undone")
            .hint("`git orch log --ops` lists what can be"));
    }
    super::trash::require_undeleted(log, &operation)?;
    let (mut refs, mut notes) = (Vec::new(), Vec::new());
    for one in operation.moved() {
        let at = repo.read().find_ref(&one.name)?;
        if at == one.new || start == Start::Resumed && at == one.old {
            refs.push(one);
        } else if one.name.starts_with("refs/notes/") {
            notes.push(one);
        } else {
            return Err(changed_since(log, &operation, &one, at));
        }
    }
    let plan = Plan { operation, refs, notes, start };
    if plan.refs.is_empty() && plan.notes.is_empty() {
        return Err(Error::refused(format!("`{}` changed nothing", plan.operation.id.short())));
    }
    require_base_is_ours(repo, &plan)?;
    require_idle(repo, &plan)?;
    Ok(plan)
}

fn changed_since(log: &[Operation], operation: &Operation, one: &Moved, at: Option<Oid>) -> Error {
    let what = format!("`{}` was changed since `{}`", one.name, operation.id.short());
    let touches = |other: &&Operation| {
        other.undone_by.is_none()
            && other.moved().iter().any(|moved| moved.name == one.name && moved.new == at)
    };
    let newer = log.iter().take_while(|other| other.id != operation.id).find(touches);
    match newer {
        Some(by) if !by.is_recovery() => Error::refused(format!("{what}, by `{}`", by.what))
            .hint(format!("undo that first: `git orch undo {}`", by.id.short())),
        _ => Error::refused(what).hint("`git orch log --ops` shows what happened"),
    }
}

/// Whether a ref is a branch that is not git-orch's own: a base.
fn is_base(name: &str) -> bool {
    let short = name.strip_prefix("refs/heads/");
    short.is_some_and(|short| {
        !short.starts_with(refs::SESSION_BRANCHES) && !short.starts_with(refs::REVIEW_BRANCHES)
    })
}

/// A base that others have already is not moved back.
fn require_base_is_ours(repo: &Repo, plan: &Plan) -> Result<()> {
    for one in plan.refs.iter().filter(|one| is_base(&one.name)) {
        let Some(landed) = one.new else { continue };
        for (remote, tip) in repo.read().refs("refs/remotes/")? {
            if repo.read().merge_base(landed, tip)? == Some(landed) {
                let short = &one.name["refs/heads/".len()..];
                let merge = if repo.read().commit(landed)?.parents.len() > 1 { "-m 1 " } else { "" };
                return Err(Error::refused(format!("`{remote}` has what landed on `{short}` already"))
                    .hint(format!("take it back with a commit: `git revert {merge}{}`", landed.short())));
            }
        }
    }
    Ok(())
}

/// Refuses while somebody works on what goes back, or would lose their place.
fn require_idle(repo: &Repo, plan: &Plan) -> Result<()> {
    let tasks = store::tasks::load(repo)?;
    let own: BTreeSet<Name> = named(&plan.refs, refs::TASKS).collect();
    for name in own.iter().chain(&named(&plan.refs, refs::FANOUTS).collect::<BTreeSet<_>>()) {
        if let Some(process) = TaskLock::holder(repo, name) {
            return Err(Error::refused(format!("`{name}` is being worked on, by process {process}")).hint(
                format!("wait for it: `git orch wait {name}`, or call it off: `git orch cancel {name}`"),
            ));
        }
    }
    let goes = made(plan);
    let moves: BTreeSet<Name> = named(&plan.refs, &refs::branch(refs::SESSION_BRANCHES)).collect();
    for task in tasks.iter().map(|task| &task.value).filter(|task| !own.contains(&task.name)) {
        let at_work = matches!(task.state, TaskState::Running | TaskState::Input);
        if goes.contains(&task.session) && task.state.is_open() || moves.contains(&task.session) && at_work {
            let (session, task, state) = (&task.session, &task.name, task.state.word());
            return Err(Error::refused(format!("session `{session}` has the task `{task}` ({state})"))
                .hint(format!("finish it, or call it off: `git orch cancel {task}`")));
        }
    }
    Ok(())
}

/// The sessions that an operation made.
fn made(plan: &Plan) -> BTreeSet<Name> {
    let made = |effect: &Effect| match effect {
        Effect::Made { session } => Some(session.clone()),
        _ => None,
    };
    plan.operation.effects.iter().filter_map(made).collect()
}

/// The names of the refs below a prefix.
fn named<'a>(refs: &'a [Moved], prefix: &'a str) -> impl Iterator<Item = Name> + 'a {
    refs.iter().filter_map(move |one| one.name.strip_prefix(prefix)?.parse().ok())
}

/// Takes an operation back.
///
/// # Errors
/// Refused where a worktree is held or not clean.
pub fn carry_out(scene: Scene<'_>, plan: &Plan) -> Result<()> {
    let repo = scene.repo;
    let _turn = LandLock::wait(repo, "undo", scene.interrupt, scene.events)?;
    let sessions = sessions(plan);
    let held: Result<Vec<SessionLock>> =
        sessions.iter().map(|name| SessionLock::take(repo, name, "undo")).collect();
    let _held = held?;
    // Who had the turn before may have moved what goes back.
    let plan = &self::plan(repo, &operation::log(repo)?, plan.operation.clone())?;
    let ways = ways(scene, plan)?;
    let entry = journal::begin(repo, &Intent::Undo { operation: plan.operation.id })?;
    begin(scene, plan.operation.id);
    let done = go(scene, plan, &ways);
    if done.is_ok() || ways.iter().all(|way| !way.is_begun(repo)) {
        entry.end()?;
    }
    done
}

fn begin(scene: Scene<'_>, id: Oid) {
    operation::begin(scene.repo, &format!("undo {}", id.short()), scene.now);
    operation::undoes(scene.repo, id);
}

/// Brings an undo to its end whose process died; whether it is done with: what
/// was changed since can't go back any more.
pub fn settle(scene: Scene<'_>, id: Oid) -> Result<bool> {
    let log = operation::log(scene.repo)?;
    let Some(operation) = log.iter().find(|one| one.id == id && one.undone_by.is_none()) else {
        return Ok(true);
    };
    let plan = look(scene.repo, &log, operation.clone(), Start::Resumed);
    let undone = plan.and_then(|plan| {
        begin(scene, id);
        go(scene, &plan, &ways(scene, &plan)?)
    });
    operation::begin(scene.repo, crate::model::operation::RECOVERY, scene.now);
    if let Err(error) = undone {
        let text = format!("the undo of {} was left half-way: {error}", id.short());
        (scene.events)(Event::Warning(text));
        return Ok(error.kind == Kind::Refused);
    }
    Ok(true)
}

/// Every session whose worktree or branch goes back.
fn sessions(plan: &Plan) -> BTreeSet<Name> {
    let of_effect = |effect: &Effect| match effect {
        Effect::Ref { .. } | Effect::Emptied { .. } => None,
        Effect::Made { session }
        | Effect::Trashed { session, .. }
        | Effect::Restored { session, .. }
        | Effect::Held { session, .. }
        | Effect::Holds { session, .. } => Some(session.clone()),
    };
    let effects = plan.operation.effects.iter().filter_map(of_effect);
    let branches = named(&plan.refs, "refs/heads/orch/");
    effects.chain(branches).chain(named(&plan.refs, refs::SESSIONS)).collect()
}

/// The way back of one worktree.
enum Way {
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

#[derive(Clone, Copy, Default)]
struct Uncommitted {
    now: Option<Oid>,
    then: Option<Oid>,
}

impl Way {
    fn is_begun(&self, repo: &Repo) -> bool {
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
fn ways(scene: Scene<'_>, plan: &Plan) -> Result<Vec<Way>> {
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

fn go(scene: Scene<'_>, plan: &Plan, ways: &[Way]) -> Result<()> {
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
