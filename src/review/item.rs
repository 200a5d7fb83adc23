//! What can be reviewed and landed: a task's result or a fan-out's.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::git::Repo;
use crate::git::refs;
use crate::model::wording::{excerpt, unknown};
use crate::model::{Alteration, Elsewhere, Fanout, Name, Oid, Published, Task, TaskState, Time, Viewpoint};
use crate::run::finish::result_commits;
use crate::store::{self, Stored};

/// A result that waits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Item {
    /// Name of its task or fan-out.
    pub name: Name,
    /// What was asked for.
    pub text: String,
    /// Where it is in its life.
    pub state: TaskState,
    /// Who did it; absent for a fan-out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Name>,
    /// The branch it merges back to.
    pub base: String,
    /// The commit it started from.
    pub base_oid: Oid,
    /// Its branch.
    pub branch: String,
    /// Its tip.
    pub tip: Oid,
    /// Its own commits, oldest first.
    pub commits: Vec<Oid>,
    /// The unmerged task it was built on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_top_of: Option<Name>,
    /// The task that it comes after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Name>,
    /// The open task that makes it fit its base, where that was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<Name>,
    /// The viewpoints whose approval was asked for with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<Viewpoint>,
    /// What its runs changed of what git executes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub altered: Vec<Alteration>,
    /// What came into other worktrees while its runs went on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<Elsewhere>,
    /// What the check of a fan-out's job said of it, where it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_check: Option<String>,
    /// The request on a forge that publishes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
    /// The tips that its record has: its own, and those that it took the place of.
    #[serde(skip)]
    pub recorded: Vec<Oid>,
    /// Since when it waits.
    pub since: Time,
}

/// Everything that waits, oldest first, each behind the one it builds on.
pub fn load(repo: &Repo) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    let tasks = store::tasks::load(repo)?;
    for task in &tasks {
        items.extend(of_task(repo, &task.value)?.filter(|item| item.state.is_pending()));
    }
    items.iter_mut().for_each(|item| item.resolved_by = resolver(&tasks, &item.name));
    for fanout in store::fanouts::load(repo)? {
        items.extend(of_fanout(repo, &fanout.value)?.filter(|item| item.state.is_pending()));
    }
    items.sort_by_key(|item| item.since);
    Ok(from_below(items))
}

/// The open task that resolves a result's conflict with its base.
pub fn resolver(tasks: &[Stored<Task>], name: &Name) -> Option<Name> {
    let resolves = |task: &&Stored<Task>| task.value.resolves.as_ref() == Some(name);
    let mut open = tasks.iter().filter(resolves).filter(|task| !task.value.state.is_over());
    open.next().map(|task| task.value.name.clone())
}

/// Everything that was put up on a forge, each behind the one it builds on.
pub fn load_published(repo: &Repo) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for task in store::tasks::load(repo)?.into_iter().filter(|task| task.value.published.is_some()) {
        items.extend(of_task(repo, &task.value)?);
    }
    for fanout in store::fanouts::load(repo)?.into_iter().filter(|one| one.value.published.is_some()) {
        items.extend(of_fanout(repo, &fanout.value)?);
    }
    items.sort_by_key(|item| item.since);
    Ok(from_below(items))
}

/// Puts each result behind the one it builds on: a verdict makes the lower one
/// the younger.
fn from_below(mut waiting: Vec<Item>) -> Vec<Item> {
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let waits = |below: &Name| waiting.iter().any(|other| other.name == *below);
        let next = waiting.iter().position(|item| !item.on_top_of.as_ref().is_some_and(waits));
        ordered.push(waiting.remove(next.unwrap_or(0)));
    }
    ordered
}

/// One result, waiting or not.
///
/// # Errors
/// Usage for an unknown name; refused where there is no result yet.
pub fn require(repo: &Repo, typed: &str) -> Result<Item> {
    let typed = typed.strip_prefix(refs::REVIEW_BRANCHES).unwrap_or(typed);
    if let Some(item) = find(repo, typed)? {
        return item.ok_or_else(|| {
            Error::refused(format!("`{typed}` has no result"))
                .hint(format!("`git orch show {typed}` tells why"))
        });
    }
    if let Some(error) = quarantined(repo, typed)? {
        return Err(error);
    }
    let mut known = Vec::new();
    for prefix in [refs::TASKS, refs::FANOUTS] {
        known.extend(repo.read().refs(prefix)?.into_iter().map(|(name, _)| name[prefix.len()..].to_owned()));
    }
    let error = Error::usage(unknown("task", typed, known.iter().map(String::as_str)));
    Err(error.hint("`git orch review` lists what waits"))
}

/// Why a branch that holds what a shard did is no result.
fn quarantined(repo: &Repo, typed: &str) -> Result<Option<Error>> {
    let branch = format!("{}{typed}", refs::REVIEW_BRANCHES);
    let fanouts = store::fanouts::load(repo)?.into_iter().map(|stored| stored.value);
    let of = fanouts.into_iter().find(|fanout| fanout.quarantined().any(|other| other == branch));
    Ok(of.map(|fanout| {
        Error::refused(format!("`{branch}` is what a shard of `{}` did, and not in its result", fanout.name))
            .hint(format!(
                "look at it: `git diff {}...{branch}`; take it with git itself: `git cherry-pick {branch}`",
                fanout.base_oid.short()
            ))
    }))
}

fn find(repo: &Repo, typed: &str) -> Result<Option<Option<Item>>> {
    let Ok(name) = typed.parse() else { return Ok(None) };
    if let Some(Stored { value, .. }) = store::tasks::find(repo, &name)? {
        return of_task(repo, &value).map(Some);
    }
    match store::fanouts::find(repo, &name)? {
        Some(Stored { value, .. }) => of_fanout(repo, &value).map(Some),
        None => Ok(None),
    }
}

/// The branch wins over the record: a person may have amended it.
fn tip(repo: &Repo, branch: &str, recorded: Option<Oid>) -> Result<Option<Oid>> {
    Ok(repo.read().find_ref(&refs::branch(branch))?.or(recorded))
}

fn of_task(repo: &Repo, task: &Task) -> Result<Option<Item>> {
    let Some(branch) = task.review_branch.clone() else { return Ok(None) };
    let Some(tip) = tip(repo, &branch, task.tip)? else { return Ok(None) };
    let amended = Some(tip) != task.tip;
    let as_made = !amended && task.viewpoints.is_empty() && task.handoffs.is_empty();
    let commits = if as_made { task.commits.clone() } else { result_commits(repo, task, tip)? };
    let base_oid = start(repo, &task.base, task.base_oid, tip)?;
    Ok(Some(Item {
        name: task.name.clone(),
        text: task.text.clone(),
        state: task.state,
        session: Some(task.session.clone()),
        base: task.base.clone(),
        base_oid,
        branch,
        tip,
        commits,
        on_top_of: task.on_top_of.clone(),
        after: task.after.clone(),
        resolved_by: None,
        needs: task.needs.clone(),
        altered: task.altered.clone(),
        elsewhere: task.elsewhere.clone(),
        failed_check: None,
        published: task.published.clone(),
        recorded: task.tip.iter().chain(&task.superseded).copied().collect(),
        since: task.updated,
    }))
}

/// Where a result starts: whoever rebased it, or merged its base in, made that
/// its start.
fn start(repo: &Repo, base: &str, recorded: Oid, tip: Oid) -> Result<Oid> {
    let read = repo.read();
    let Some(base) = read.find_ref(&refs::branch(base))? else { return Ok(recorded) };
    match read.merge_base(base, tip)? {
        Some(fork) if fork != tip && read.merge_base(recorded, fork)? == Some(recorded) => Ok(fork),
        _ => Ok(recorded),
    }
}

fn of_fanout(repo: &Repo, fanout: &Fanout) -> Result<Option<Item>> {
    let Some(branch) = fanout.branch.clone() else { return Ok(None) };
    let Some(tip) = tip(repo, &branch, None)? else { return Ok(None) };
    // What was amended since, the check did not see.
    let is_as_made = Some(repo.read().commit(tip)?.tree) == fanout.tree;
    Ok(Some(Item {
        name: fanout.name.clone(),
        text: format!("{}: {}", fanout.job, excerpt(&fanout.command, 60)),
        state: fanout.state,
        session: None,
        base: fanout.base.clone(),
        base_oid: fanout.base_oid,
        branch,
        tip,
        commits: repo.read().commits_between(&[fanout.base_oid], tip)?,
        on_top_of: None,
        after: None,
        resolved_by: None,
        needs: Vec::new(),
        altered: fanout.altered.clone(),
        elsewhere: fanout.elsewhere.clone(),
        failed_check: fanout.failed_check().filter(|_| is_as_made).map(str::to_owned),
        published: fanout.published.clone(),
        recorded: Vec::new(),
        since: fanout.ended.unwrap_or(fanout.started),
    }))
}
