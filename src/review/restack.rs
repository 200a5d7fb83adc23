//! Results that were built on others, put on what became of those.
//!
//! What lands as a merge is in the base as it was, and nothing moves. What lands
//! in another form, or was changed in its place, has results on top of it that
//! began somewhere else: their own commits are made anew where they belong.
//!
//! **Invariant:** a session's branch is not moved here: it follows when it is
//! idle and clean.

use super::land;
use crate::error::{Error, Result};
use crate::git::merge::{self, Merged};
use crate::git::refs::{self, RefChange};
use crate::git::replay::{self, Replayed};
use crate::git::{RepoLock, commit, worktree};
use crate::model::wording::{few, tick};
use crate::model::{Event, Name, Oid, RepoPath, Task, TaskState};
use crate::run::{Scene, finish, touches};
use crate::session::LandLock;
use crate::store::tasks::With;
use crate::store::{self, Stored};

/// Where a result on top of another one belongs.
struct Onto {
    /// The commit.
    oid: Oid,
    /// Whether it is in the base.
    is_base: bool,
}

/// Puts every result where it belongs by now, unless somebody is landing: that
/// one does it.
pub fn follow(scene: Scene<'_>) -> Result<()> {
    let Ok(_turn) = LandLock::try_take(scene.repo, "restack")? else { return Ok(()) };
    settle(scene).map(drop)
}

/// Puts every result where it belongs by now; whether any was made anew. Only
/// for who has the turn to land.
pub fn settle(scene: Scene<'_>) -> Result<bool> {
    let mut any = false;
    // From below: what was put anew has others on top of it.
    loop {
        let tasks = store::tasks::load(scene.repo)?;
        let mut done = true;
        for task in tasks.iter().filter(|task| task.value.state.is_pending()) {
            let Some(onto) = belongs(scene, &tasks, &task.value)? else { continue };
            if !put(scene, task, &onto)? {
                continue;
            }
            any = true;
            done = false;
            break;
        }
        if done {
            return Ok(any);
        }
    }
}

/// Where a result belongs; `None` where it is there already.
fn belongs(scene: Scene<'_>, tasks: &[Stored<Task>], task: &Task) -> Result<Option<Onto>> {
    let Some(name) = &task.on_top_of else { return Ok(None) };
    let Some(below) = tasks.iter().map(|other| &other.value).find(|other| other.name == *name) else {
        return Ok(None);
    };
    match (&below.landed, below.tip) {
        (Some(landed), _) if below.state == TaskState::Merged => {
            Ok(Some(Onto { oid: landed.to, is_base: true }))
        }
        (None, Some(tip)) if below.state.is_pending() && below.superseded.contains(&task.base_oid) => {
            let is_there = scene.repo.read().merge_base(tip, task.base_oid)? == Some(tip);
            Ok((!is_there).then_some(Onto { oid: tip, is_base: false }))
        }
        _ => Ok(None),
    }
}

/// Puts one result there; whether that was done.
fn put(scene: Scene<'_>, task: &Stored<Task>, onto: &Onto) -> Result<bool> {
    let repo = scene.repo;
    let mut next = task.value.clone();
    next.updated = scene.now.max(next.updated);
    let is_behind = |one: Oid, two: Oid| Ok::<_, Error>(repo.read().merge_base(one, two)? == Some(one));
    if onto.is_base {
        next.on_top_of = None;
        if is_behind(next.base_oid, onto.oid)? {
            return record(scene, task, next, "what is below has landed").map(|()| true);
        }
    }
    let Some(branch) = next.review_branch.clone() else { return Ok(false) };
    let Some(tip) = repo.read().find_ref(&refs::branch(&branch))?.or(next.tip) else { return Ok(false) };
    if is_behind(onto.oid, tip)? {
        next.base_oid = onto.oid;
        next.commits = finish::own_commits(repo, &next, tip)?;
        return record(scene, task, next, "has what is below already").map(|()| true);
    }
    let is_held = worktree::list(repo)?
        .iter()
        .any(|one| one.head.as_ref().and_then(crate::git::Head::branch) == Some(branch.as_str()));
    if is_held {
        return Ok(false);
    }
    let _fence = repo.fence(scene.events);
    match anew(scene, &next, tip, onto.oid)? {
        Anew::Commits(commits) => moved(scene, task, next, (tip, onto.oid, commits)),
        Anew::Conflict(paths) => conflicts(scene, task, next, &paths),
    }
}

/// Sends a result back that does not fit what became of the one below it; once.
fn conflicts(scene: Scene<'_>, task: &Stored<Task>, mut next: Task, paths: &[RepoPath]) -> Result<bool> {
    let files = few(paths.iter().map(tick));
    let other = next.on_top_of.as_ref().map_or_else(|| next.base.clone(), refs::review_branch);
    next.state = TaskState::Changes;
    next.requested = Some(format!(
        "What this was built on is another commit by now, and it conflicts with that in {files}.\n\
         Merge {other} into this branch (`git merge {other}`) and resolve it."
    ));
    if next.state == task.value.state && next.requested == task.value.requested {
        return Ok(false);
    }
    let text = format!("{} conflicts in {files} with what it was built on", next.name);
    record(scene, task, next, "conflicts with what is below")?;
    (scene.events)(Event::Warning(text));
    Ok(true)
}

enum Anew {
    /// Each commit and what it became.
    Commits(Vec<(Oid, Oid)>),
    Conflict(Vec<RepoPath>),
}

/// A result's own commits on top of another one; where a merge is among them,
/// themselves with a merge of that on top.
fn anew(scene: Scene<'_>, task: &Task, tip: Oid, onto: Oid) -> Result<Anew> {
    let repo = scene.repo;
    let own = repo.read().commits_between(&[task.base_oid], tip)?;
    match replay::replay(repo, &own, onto)? {
        Replayed::Clean(commits) => Ok(Anew::Commits(commits)),
        Replayed::Conflict(paths) => Ok(Anew::Conflict(paths)),
        Replayed::Merge(_) => match merge::combine_since(repo, task.base_oid, onto, tip)? {
            Merged::Conflict(paths) => Ok(Anew::Conflict(paths)),
            Merged::Clean(tree) => {
                let message = format!("Merge {} into {}\n", task.base, refs::review_branch(&task.name));
                let made = commit::tree(repo, tree, &[tip, onto], &message)?;
                Ok(Anew::Commits(own.iter().map(|oid| (*oid, *oid)).chain([(made, made)]).collect()))
            }
        },
    }
}

fn moved(
    scene: Scene<'_>,
    task: &Stored<Task>,
    mut next: Task,
    (tip, onto, commits): (Oid, Oid, Vec<(Oid, Oid)>),
) -> Result<bool> {
    let repo = scene.repo;
    let made = commits.last().map_or(onto, |(_, made)| *made);
    let (before, after) = (repo.read().commit(onto)?.tree, repo.read().commit(made)?.tree);
    next.superseded.push(tip);
    next.base_oid = onto;
    next.touched = repo.read().changes(Some(before), after)?;
    take_over(&mut next, &commits);
    next.tip = Some(made);
    let lock = RepoLock::take(repo, "restack", scene.events)?;
    if !refs::is_whole(repo, made, &[tip, onto])? {
        return Ok(false);
    }
    touches::note(repo, &lock, &next, next.updated)?;
    let full = refs::branch(next.review_branch.as_deref().unwrap_or_default());
    let branch = RefChange::set(full.clone(), made, repo.read().find_ref(&full)?);
    let with = With { old: Some(task.tip), keeps: vec![made, tip], ..With::default() };
    let record = store::tasks::prepare(repo, &mut next, with, "restacked")?;
    refs::apply(repo, &lock, &[branch, record], "restack")?;
    drop(lock);
    let on =
        next.on_top_of.as_ref().map_or_else(|| format!("{} {}", next.base, onto.short()), Name::to_string);
    (scene.events)(Event::Note(format!("{} is restacked on {on}", next.name)));
    land::free_session(scene, &next.session)?;
    Ok(true)
}

/// Who made a commit made what became of it: what other sessions made
/// stays theirs, all else is the task's own.
fn take_over(task: &mut Task, commits: &[(Oid, Oid)]) {
    let mut own = commits.to_vec();
    let before = task.handoffs.iter_mut().map(|handoff| &mut handoff.commits);
    for others in before.chain(task.viewpoints.iter_mut().map(|look| &mut look.commits)) {
        let (theirs, rest): (Vec<_>, Vec<_>) = own.into_iter().partition(|(old, _)| others.contains(old));
        own = rest;
        *others = theirs.into_iter().map(|(_, made)| made).collect();
    }
    task.commits = own.into_iter().map(|(_, made)| made).collect();
}

fn record(scene: Scene<'_>, task: &Stored<Task>, mut next: Task, why: &str) -> Result<()> {
    let lock = RepoLock::take(scene.repo, "restack", scene.events)?;
    let with = With { old: Some(task.tip), ..With::default() };
    let record = store::tasks::prepare(scene.repo, &mut next, with, why)?;
    refs::apply(scene.repo, &lock, &[record], "restack")
}
