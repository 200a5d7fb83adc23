//! Landing one result: combined in memory, checked as it will be, then the
//! base moved from exactly the commit that was checked.
//!
//! **Invariant:** moving the base is the commit point; records follow it, and
//! the next command completes them from the commits if we die between.

use std::collections::BTreeMap;

use serde::Serialize;

use super::check::{self, Candidate, Checked};
use super::gate::Gate;
use super::item::{self, Item};
use super::verdict;
use crate::config::trust::Trust;
use crate::error::{Error, Result};
use crate::git::merge::{self, Merged};
use crate::git::moved::{self, Direction};
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock, commit, trailer};
use crate::model::task::Landed;
use crate::model::wording::{few, tick};
use crate::model::{Effect, Event, Name, Oid, TaskState, Time};
use crate::run::{Scene, end, prepare};
use crate::session::{LandLock, SessionLock, base};
use crate::store;
use crate::store::journal::{self, Intent};
use crate::store::tasks::With;

/// How often a base that moves under us is followed.
const ATTEMPTS: usize = 5;
/// What the names of pinned candidates begin with, below [`refs::KEEP`].
const PIN: &str = "merge-";

/// What landing a result would do; a value that `--dry-run` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The result.
    pub name: Name,
    /// The base's branch.
    pub base: String,
    /// The base's tip.
    pub from: Oid,
    /// The combined tree.
    pub tree: Oid,
    /// The result's tip, where it lies straight ahead of the base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fast_forward: Option<Oid>,
}

/// How landing went.
#[derive(Clone, Debug, Serialize)]
pub struct Landing {
    /// The result.
    pub name: Name,
    /// The base's branch.
    pub base: String,
    /// The base's tip before.
    pub from: Oid,
    /// The base's tip after; absent when a check failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Oid>,
    /// What the checks said.
    pub check: Checked,
}

/// What a dry run takes as landed already.
#[derive(Debug, Default)]
pub struct Ahead {
    names: Vec<Name>,
    tips: BTreeMap<String, Oid>,
}

impl Ahead {
    /// Takes this plan as carried out too.
    pub fn add(&mut self, scene: Scene<'_>, item: &Item, plan: &Plan) -> Result<()> {
        self.tips.insert(plan.base.clone(), combined(scene, item, plan)?);
        self.names.push(plan.name.clone());
        Ok(())
    }
}

/// Combines a result with its base in memory.
///
/// # Errors
/// Refused when it does not wait, builds on what has not landed, or conflicts.
pub fn plan(scene: Scene<'_>, item: &Item, ahead: &Ahead) -> Result<Plan> {
    let repo = scene.repo;
    let name = &item.name;
    match item.state {
        TaskState::Review => {}
        TaskState::Changes => {
            return Err(Error::refused(format!("changes were asked of `{name}`"))
                .hint(format!("let them be made: `git orch retry {name}`; or approve it as it is")));
        }
        state => {
            return Err(Error::refused(format!("`{name}` does not wait to land: it is {}", state.word())));
        }
    }
    if let Some(below) = &item.on_top_of
        && let Some(below) = store::tasks::find(repo, below)?
        && below.value.state != TaskState::Merged
        && !ahead.names.contains(&below.value.name)
    {
        let below = below.value.name;
        return Err(Error::refused(format!("`{name}` builds on `{below}`, which has not landed"))
            .hint(format!("land both: `git orch merge {below} {name}`")));
    }
    let mut base = base::require(repo, &item.base)?;
    base.oid = ahead.tips.get(&base.branch).copied().unwrap_or(base.oid);
    if repo.read().merge_base(base.oid, item.tip)? == Some(base.oid) {
        let tree = repo.read().commit(item.tip)?.tree;
        return Ok(Plan {
            name: name.clone(),
            base: base.branch,
            from: base.oid,
            tree,
            fast_forward: Some(item.tip),
        });
    }
    match merge::combine(repo, base.oid, item.tip)? {
        Merged::Clean(tree) => {
            Ok(Plan { name: name.clone(), base: base.branch, from: base.oid, tree, fast_forward: None })
        }
        Merged::Conflict(paths) => {
            let (files, base) = (few(paths.iter().map(tick)), base.branch);
            let hint = match item.session {
                Some(_) => format!(
                    "ask its session to follow: `git orch review {name} --request-changes -m 'merge {base} and resolve'`"
                ),
                None => format!("call it off, `git orch cancel {name}`, and fan out again"),
            };
            Err(Error::refused(format!("`{name}` conflicts with `{base}` in {files}")).hint(hint))
        }
    }
}

/// Lands a result, or says which check it failed.
///
/// # Errors
/// Refused by the gate, by uncommitted work in the way, or by a base that
/// does not stand still.
pub fn land(scene: Scene<'_>, item: &Item, trust: &Trust) -> Result<Landing> {
    let what = format!("merge {}", item.name);
    let _turn = LandLock::wait(scene.repo, &what, scene.interrupt, scene.events)?;
    // Whoever had the turn before may have landed it, or sent it back.
    let item = &item::require(scene.repo, item.name.as_str())?;
    let mut attempt = 1;
    loop {
        let fence = scene.repo.fence(scene.events);
        let plan = plan(scene, item, &Ahead::default())?;
        let gate = super::gate::read(scene.repo, plan.from)?;
        gate.require_trust(trust)?;
        pass_gate(scene, item, &gate)?;
        let candidate = candidate(scene, item, &plan)?;
        drop(fence);
        let check = check::run(scene, &candidate, &gate.checks)?;
        if let Checked::Failed { check: failed, tail, .. } = &check {
            ask_for_changes(scene, item, failed, tail)?;
            drop_keep(scene, item)?;
            return Ok(Landing { name: plan.name, base: plan.base, from: plan.from, to: None, check });
        }
        match move_base(scene, &plan, candidate.commit) {
            Ok(()) => {
                let (to, checked) = (candidate.commit, check != Checked::Unconfigured);
                let time = Time::now().max(scene.now);
                let landed = Landed { from: plan.from, to, time, checked };
                // The base has moved: what fails now, the next command does from the commits.
                if let Err(error) = settle(scene, item, landed) {
                    let text = format!(
                        "{} has landed, its record follows with the next command: {error}",
                        item.name
                    );
                    (scene.events)(Event::Warning(text));
                }
                let to = Some(to);
                return Ok(Landing { name: plan.name, base: plan.base, from: plan.from, to, check });
            }
            Err(error) => {
                let now = scene.repo.read().find_ref(&refs::branch(&plan.base))?;
                if now == Some(plan.from) || attempt == ATTEMPTS {
                    drop_keep(scene, item)?;
                    let message = format!("cannot land `{}`: {}", item.name, error.message);
                    return Err(Error { message, ..error });
                }
                attempt += 1;
            }
        }
    }
}

/// Moves the base from the commit that was tested to the result.
///
/// # Errors
/// Refused when the base moved meanwhile, or when uncommitted or ignored files
/// in its checkout stand in the way.
fn move_base(scene: Scene<'_>, plan: &Plan, to: Oid) -> Result<()> {
    let Plan { name, base, from, .. } = plan;
    let repo = scene.repo;
    let lock = RepoLock::take(repo, &format!("merge {name}"), scene.events)?;
    let full = refs::branch(base);
    if repo.read().find_ref(&full)? != Some(*from) {
        return Err(Error::refused(format!("`{base}` moved meanwhile")).hint("run the command again"));
    }
    let Some(holder) = moved::holder(repo, base)? else {
        return refs::apply(repo, &lock, &[RefChange::update(full, to, *from)], "merge");
    };
    moved::require_clear(repo, &holder, base, *from, to)?;
    let entry = journal::begin(repo, &Intent::MoveBranch { branch: base.clone(), from: *from, to })?;
    if let Err(error) = moved::go(repo, &lock, &holder, (base, Direction::Forward), (*from, to)) {
        return entry.end().and(Err(error));
    }
    let effect = Effect::Ref { name: full, old: Some(*from), new: Some(to) };
    // The base has moved, whatever becomes of the log: the next command tells it there.
    if refs::apply_with(repo, &lock, &[], &[effect], "merge").is_ok() {
        entry.end()?;
    }
    Ok(())
}

fn pass_gate(scene: Scene<'_>, item: &Item, gate: &Gate) -> Result<()> {
    let repo = scene.repo;
    let (before, after) = (repo.read().commit(item.base_oid)?.tree, repo.read().commit(item.tip)?.tree);
    let touched = repo.read().changes(Some(before), after)?;
    gate.require_approvals(item, &touched, &verdict::load(repo, item)?)
}

/// The commit that will be the base's tip, pinned so that no `git gc` takes it;
/// made again where one has taken of it before.
fn candidate(scene: Scene<'_>, item: &Item, plan: &Plan) -> Result<Candidate> {
    let repo = scene.repo;
    let lock = RepoLock::take(repo, "merge", scene.events)?;
    for _ in 0..ATTEMPTS {
        let made = combined(scene, item, plan).and_then(|commit| pin(repo, &lock, item, commit));
        let tip = made.as_ref().map_or(plan.tree, |tip| *tip);
        if refs::is_whole(repo, tip, &[plan.from, item.tip])? {
            return made.map(|commit| Candidate { name: item.name.clone(), commit, tree: plan.tree });
        }
        merge::combine(repo, plan.from, item.tip)?;
    }
    Err(Error::unusable(format!("git clears away what `{}` becomes", item.name))
        .hint("let `git gc` end, then run the command again"))
}

/// The commit that will be the base's tip.
fn combined(scene: Scene<'_>, item: &Item, plan: &Plan) -> Result<Oid> {
    if let Some(tip) = plan.fast_forward {
        return Ok(tip);
    }
    let title = format!("Merge {}: {}", item.branch, crate::model::wording::excerpt(&item.text, 50));
    let message = trailer::sign(&title, item.session.as_ref(), &item.name);
    commit::tree(scene.repo, plan.tree, &[plan.from, item.tip], &message)
}

fn pin(repo: &Repo, lock: &RepoLock, item: &Item, commit: Oid) -> Result<Oid> {
    let keep = keep_ref(item);
    let pin = RefChange::set(keep.clone(), commit, repo.read().find_ref(&keep)?);
    refs::apply(repo, lock, &[pin], "merge").map(|()| commit)
}

/// A result that fails its check goes back to its session, with what was printed.
fn ask_for_changes(scene: Scene<'_>, item: &Item, check: &str, tail: &str) -> Result<()> {
    let Some(mut task) = store::tasks::find(scene.repo, &item.name)? else { return Ok(()) };
    task.value.state = TaskState::Changes;
    task.value.requested = Some(format!("The check `{check}` fails on top of {}:\n{tail}", item.base));
    task.value.updated = scene.now;
    let with = With { old: Some(task.tip), ..With::default() };
    let lock = RepoLock::take(scene.repo, "merge", scene.events)?;
    let record = store::tasks::prepare(scene.repo, &task.value, with, "fails its check")?;
    refs::apply(scene.repo, &lock, &[record], "merge")
}

fn keep_ref(item: &Item) -> String {
    format!("{}{PIN}{}", refs::KEEP, item.name)
}

fn drop_keep(scene: Scene<'_>, item: &Item) -> Result<()> {
    let keep = keep_ref(item);
    let Some(at) = scene.repo.read().find_ref(&keep)? else { return Ok(()) };
    let lock = RepoLock::take(scene.repo, "merge", scene.events)?;
    refs::apply(scene.repo, &lock, &[RefChange::delete(keep, at)], "merge")
}

/// Lets go of what killed merges pinned; only for who has the turn to land.
pub fn drop_leftovers(scene: Scene<'_>, _turn: &LandLock) -> Result<()> {
    let pins = scene.repo.read().refs(refs::KEEP)?;
    let pins = pins.into_iter().filter(|(name, _)| name[refs::KEEP.len()..].starts_with(PIN));
    let changes: Vec<RefChange> = pins.map(|(name, at)| RefChange::delete(name, at)).collect();
    if changes.is_empty() {
        return Ok(());
    }
    let lock = RepoLock::take(scene.repo, "merge, leftovers", scene.events)?;
    refs::apply(scene.repo, &lock, &changes, "merge, leftovers")
}

/// Marks a result as landed, by `merge` or by somebody's own git: takes its
/// branch away, frees its session.
pub fn settle(scene: Scene<'_>, item: &Item, landed: Landed) -> Result<()> {
    let repo = scene.repo;
    let now = landed.time;
    let mut changes = Vec::new();
    if let Some(mut task) = store::tasks::find(repo, &item.name)? {
        task.value.state = TaskState::Merged;
        task.value.landed = Some(landed);
        task.value.updated = now;
        changes.extend(end::review_branch_gone(scene, &task.value)?);
        let with = With { old: Some(task.tip), keeps: vec![item.tip], brief: None };
        changes.push(store::tasks::prepare(repo, &task.value, with, "merged")?);
    } else if let Some(mut fanout) = store::fanouts::find(repo, &item.name)? {
        fanout.value.state = TaskState::Merged;
        fanout.value.landed = Some(landed);
        changes.extend(end::branch_gone(scene, &item.branch)?);
        changes.push(store::fanouts::prepare(repo, &fanout.value, Some(fanout.tip), vec![item.tip], now)?);
    }
    let keep = keep_ref(item);
    changes.extend(repo.read().find_ref(&keep)?.map(|at| RefChange::delete(keep, at)));
    let lock = RepoLock::take(repo, "merge", scene.events)?;
    refs::apply(repo, &lock, &changes, "merge")?;
    drop(lock);
    free_session(scene, item)
}

/// An idle, clean session whose work has wholly landed starts from base again.
fn free_session(scene: Scene<'_>, item: &Item) -> Result<()> {
    let Some(name) = &item.session else { return Ok(()) };
    let Some(session) = store::sessions::find(scene.repo, name)? else { return Ok(()) };
    let Ok(_held) = SessionLock::take(scene.repo, name, "merge") else { return Ok(()) };
    if crate::session::workplace::require_clean(scene.repo, &session.value).is_err() {
        return Ok(());
    }
    let busy = store::tasks::load(scene.repo)?.iter().any(|task| {
        task.value.session == *name && matches!(task.value.state, TaskState::Running | TaskState::Input)
    });
    if busy { Ok(()) } else { prepare::refresh(scene, &session.value).map(drop) }
}
