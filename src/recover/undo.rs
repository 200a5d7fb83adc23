//! Taking back what a command did: refs, records, worktrees.
//!
//! An undo is an operation itself, so undoing it brings back what it took.
//!
//! **Invariant:** only what is still as the operation left it goes back: what
//! was changed since refuses. Directories first, then all refs in one
//! transaction, which is the commit point; both can be done again from the
//! start by whoever comes after a kill.

use std::collections::BTreeSet;

use super::way::{go, ways};
use crate::error::{Error, Kind, Result};
use crate::git::{Repo, operation, refs};
use crate::model::operation::Moved;
use crate::model::{Effect, Event, Name, Oid, Operation, TaskState};
use crate::run::Scene;
use crate::session::{LandLock, SessionLock, TaskLock};
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
    pub(super) start: Start,
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
pub(super) enum Start {
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
        } else if let (true, Some(landed), Some(_)) = (is_base(&one.name), one.new, at) {
            let short = &one.name["refs/heads/".len()..];
            return Err(Error::refused(format!("`{short}` has moved on since")).hint(revert(repo, landed)?));
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
pub(super) fn is_base(name: &str) -> bool {
    let short = name.strip_prefix("refs/heads/");
    short.is_some_and(|short| {
        !short.starts_with(refs::SESSION_BRANCHES) && !short.starts_with(refs::REVIEW_BRANCHES)
    })
}

/// How a landing is taken back that has to stay.
fn revert(repo: &Repo, landed: Oid) -> Result<String> {
    let merge = if repo.read().commit(landed)?.parents.len() > 1 { "-m 1 " } else { "" };
    Ok(format!("take it back with a commit: `git revert {merge}{}`", landed.short()))
}

/// A base that others have already is not moved back.
fn require_base_is_ours(repo: &Repo, plan: &Plan) -> Result<()> {
    for one in plan.refs.iter().filter(|one| is_base(&one.name)) {
        let Some(landed) = one.new else { continue };
        for (remote, tip) in repo.read().refs("refs/remotes/")? {
            if repo.read().merge_base(landed, tip)? == Some(landed) {
                let short = &one.name["refs/heads/".len()..];
                return Err(Error::refused(format!("`{remote}` has what landed on `{short}` already"))
                    .hint(revert(repo, landed)?));
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
pub(super) fn sessions(plan: &Plan) -> BTreeSet<Name> {
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
