//! A result that does not fit its base goes to whoever can make it fit, with what
//! both sides are for.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use serde::Serialize;

use super::item::{Item, resolver};
use super::land;
use super::outcome::Outcome;
use super::queue::Queue;
use crate::error::Result;
use crate::git::{Repo, RepoLock, refs};
use crate::model::wording::{excerpt, list, tick};
use crate::model::{Name, Oid, RepoPath, Target, TargetSource, TaskState};
use crate::run::claim::{self, Order};
use crate::run::{Scene, routing, worker};
use crate::session::base::Base;
use crate::store;
use crate::store::tasks::With;

/// How many commits of the base are told of.
const LISTED: usize = 10;

/// A result that conflicts with its base.
#[derive(Debug, Serialize)]
pub struct Conflict {
    /// The result.
    pub name: Name,
    /// The base's branch.
    pub base: String,
    /// The base's tip.
    pub from: Oid,
    /// Where.
    pub conflicts: Vec<RepoPath>,
    /// Who resolves it; absent for a fan-out, which nobody can be sent to make again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Name>,
    /// The task in which that is done, where it is not the result's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Name>,
}

/// Sends a result to be resolved: back to its own session, or as a task to the
/// one that owns these files.
pub(super) fn hand_back(
    queue: &Queue<'_>,
    base: &Base,
    item: &Item,
    paths: Vec<RepoPath>,
) -> Result<Outcome> {
    let (name, from) = (item.name.clone(), base.oid);
    let mut conflict =
        Conflict { name, base: base.branch.clone(), from, conflicts: paths, session: None, task: None };
    let Some(own) = &item.session else { return Ok(Outcome::Conflict(conflict)) };
    if let Some(task) = resolver(&store::tasks::load(queue.scene.repo)?, &item.name) {
        let task = store::tasks::require(queue.scene.repo, task.as_str())?.value;
        conflict.session = Some(task.session);
        conflict.task = Some(task.name);
        return Ok(Outcome::Conflict(conflict));
    }
    let owner = owner(queue, item, &conflict.conflicts)?.filter(|owner| owner != own);
    let other = if owner.is_some() { &item.branch } else { &item.base };
    let words = words(queue.scene.repo, (item, other), &conflict)?;
    if let Some(owner) = owner {
        conflict.task = Some(ask_owner(queue, item, &conflict, (&owner, words))?);
        conflict.session = Some(owner);
    } else {
        ask_for_changes(queue.scene, item, words, "conflicts with its base")?;
        conflict.session = Some(own.clone());
    }
    Ok(Outcome::Conflict(conflict))
}

/// The session that knows these files best; `None` where that is not clear.
fn owner(queue: &Queue<'_>, item: &Item, paths: &[RepoPath]) -> Result<Option<Name>> {
    let Queue { scene, settings, .. } = *queue;
    let survey = routing::survey(scene.repo, settings, scene.now)?;
    let route = routing::decide(scene.repo, &survey, (&item.text, paths), scene.events)?;
    Ok(route.choice.filter(|_| !route.unsure))
}

/// What both sides are for, and what to merge.
fn words(repo: &Repo, (item, other): (&Item, &str), conflict: &Conflict) -> Result<String> {
    let base = &conflict.base;
    let files = list(conflict.conflicts.iter().map(tick));
    let mut text = format!("`{}` conflicts with {base} in {files}.\n", item.name);
    let _ = writeln!(
        text,
        "Merge {other} (`git merge {other}`) and resolve it so that both keep what they are for."
    );
    let _ = writeln!(text, "`{}` is for: {}", item.name, item.text);
    let _ = writeln!(text, "What {base} got at these files since:");
    for line in since(repo, item, conflict)? {
        let _ = writeln!(text, "- {line}");
    }
    Ok(text)
}

/// What the base got at the files in question since the result began, with the
/// words of the tasks behind it.
fn since(repo: &Repo, item: &Item, conflict: &Conflict) -> Result<Vec<String>> {
    let fork = repo.read().merge_base(conflict.from, item.tip)?.unwrap_or(item.base_oid);
    let range = [conflict.from.to_string(), format!("^{fork}"), "--".to_owned()];
    let limit = format!("--max-count={LISTED}");
    let paths = conflict.conflicts.iter().map(|path| OsStr::from_bytes(path.as_bytes()).to_owned());
    let command = repo.git(["rev-list", "--no-merges", &limit]).args(range).args(paths);
    let output = command.env("GIT_LITERAL_PATHSPECS", "1").run()?;
    let tasks = store::tasks::load(repo)?;
    let mut lines = Vec::new();
    for oid in String::from_utf8_lossy(&output).lines().filter_map(|line| line.parse::<Oid>().ok()) {
        let commit = repo.read().commit(oid)?;
        let behind = tasks.iter().map(|task| &task.value).find(|task| {
            task.all_commits().any(|made| made == oid)
                || task.landed.as_ref().is_some_and(|landed| landed.to == oid)
        });
        let of = behind
            .map(|task| format!(" (task `{}` of {}: {})", task.name, task.session, excerpt(&task.text, 200)));
        lines.push(format!("{} {}{}", oid.short(), excerpt(commit.subject(), 100), of.unwrap_or_default()));
    }
    Ok(lines)
}

/// Makes the task in which another session resolves it.
fn ask_owner(
    queue: &Queue<'_>,
    item: &Item,
    conflict: &Conflict,
    (owner, words): (&Name, String),
) -> Result<Name> {
    let Queue { scene, settings, .. } = *queue;
    let session = store::sessions::require(scene.repo, owner.as_str())?.value;
    let agent = session.agent.clone().or_else(|| settings.agent().map(str::to_owned));
    let target = |path: &RepoPath| Target { path: path.clone(), source: TargetSource::Given, score: 1.0 };
    let order = Order {
        text: format!("resolve {}", item.name),
        targets: conflict.conflicts.iter().map(target).collect(),
        route: None,
        agent: agent.filter(|agent| !worker::is_person(agent)),
        session,
        after: None,
        needs: item.needs.clone(),
        again: true,
        resolves: Some((item.name.clone(), words)),
    };
    let claimed = claim::claim(scene.repo, order, scene.events, scene.now)?;
    Ok(claimed.task.value.name)
}

/// A result goes back to its session, with what to do.
pub(super) fn ask_for_changes(scene: Scene<'_>, item: &Item, words: String, why: &str) -> Result<()> {
    let lock = RepoLock::take(scene.repo, "merge", scene.events)?;
    // Whoever called it off or judged it meanwhile is right.
    if !land::is_as_checked(scene.repo, item)? {
        return Ok(());
    }
    let Some(mut task) = store::tasks::find(scene.repo, &item.name)? else { return Ok(()) };
    task.value.state = TaskState::Changes;
    task.value.requested = Some(words);
    task.value.updated = scene.now;
    let with = With { old: Some(task.tip), ..With::default() };
    let record = store::tasks::prepare(scene.repo, &mut task.value, with, why)?;
    refs::apply(scene.repo, &lock, &[record], "merge")
}
