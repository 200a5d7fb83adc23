//! A fan-out's name and record: exactly one process gets each name.

use std::path::PathBuf;

use super::flow::Order;
use super::plan::PlannedShard;
use crate::error::{Error, IoContext, Result};
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock};
use crate::model::{Event, Fanout, Name, Oid, Shard, ShardState, TaskState};
use crate::run::Scene;
use crate::run::claim::refuse_review_branch;
use crate::session::TaskLock;
use crate::store::{self, Stored};

/// A fan-out that this process carries out.
#[derive(Debug)]
pub(super) struct Claimed {
    /// The record.
    pub(super) fanout: Stored<Fanout>,
    /// What the record follows, where the name was used before.
    before: Option<Oid>,
    /// Where its logs go.
    pub(super) logs: PathBuf,
    /// Tells others that this process lives.
    _lock: TaskLock,
}

/// Makes the record of a new fan-out. A name whose result is gone or that was
/// never finished is used again; a taken one gets `-2`.
///
/// # Errors
/// Refused while the result of the same work on the same input is open.
pub(super) fn claim(scene: Scene<'_>, order: &Order, input_tree: Oid) -> Result<Claimed> {
    let repo = scene.repo;
    let lock = RepoLock::take(repo, "fanout", scene.events)?;
    refuse_review_branch(repo)?;
    let fanout = begun(order, input_tree, scene);
    refuse_twin(repo, order, &fanout)?;
    let (name, held, before) = free_name(repo, &order.job)?;
    let fanout = Fanout { name, ..fanout };
    let logs = logs(repo, &fanout.name)?;
    if logs.exists() {
        std::fs::remove_dir_all(&logs).doing("could not remove", &logs)?;
    }
    std::fs::create_dir_all(&logs).doing("could not make", &logs)?;
    let change = store::fanouts::prepare(repo, &fanout, before, None, scene.now)?;
    let tip = change.new.expect("a new record points somewhere");
    let mut changes = unpinned(repo, &fanout.name)?;
    changes.push(change);
    refs::apply(repo, &lock, &changes, "fanout")?;
    Ok(Claimed { fanout: Stored { value: fanout, tip }, before, logs, _lock: held })
}

/// Takes back a claim that nothing came of, its logs too.
pub(super) fn withdraw(scene: Scene<'_>, claimed: &Claimed) -> Result<()> {
    let repo = scene.repo;
    let lock = RepoLock::take(repo, "fanout, withdrawn", scene.events)?;
    let name = &claimed.fanout.value.name;
    let record = store::fanouts::record_ref(name);
    let mut changes = unpinned(repo, name)?;
    changes.push(match claimed.before {
        Some(before) => RefChange::update(record, before, claimed.fanout.tip),
        None => RefChange::delete(record, claimed.fanout.tip),
    });
    refs::apply(repo, &lock, &changes, "fanout, withdrawn")?;
    std::fs::remove_dir_all(&claimed.logs).doing("could not remove", &claimed.logs)
}

/// Ends fan-outs whose process died. A result that was made already stays.
pub fn settle(scene: Scene<'_>) -> Result<()> {
    let repo = scene.repo;
    for Stored { value, tip } in store::fanouts::load(repo)? {
        if value.state != TaskState::Running {
            continue;
        }
        let Ok(_dead) = TaskLock::try_take(repo, &value.name)? else { continue };
        let branch = refs::review_branch(&value.name);
        let made = repo.read().find_ref(&refs::branch(&branch))?;
        let state = if made.is_some() { TaskState::Review } else { TaskState::Failed };
        let branch = made.map(|_| branch);
        let ended = Fanout { state, branch, ended: Some(scene.now), ..value };
        let lock = RepoLock::take(repo, "recover", scene.events)?;
        if store::fanouts::find(repo, &ended.name)?.is_none_or(|found| found.tip != tip) {
            continue;
        }
        let mut changes = unpinned(repo, &ended.name)?;
        changes.push(store::fanouts::prepare(repo, &ended, Some(tip), made, scene.now)?);
        refs::apply(repo, &lock, &changes, "recover")?;
        (scene.events)(Event::Note(format!("fan-out {} had died", ended.name)));
    }
    Ok(())
}

/// Where a fan-out's logs lie.
pub(super) fn logs(repo: &Repo, name: &Name) -> Result<PathBuf> {
    Ok(repo.orch_dir()?.join("fanout").join(name.as_str()))
}

/// The ref that keeps what a shard made until the record does.
pub(super) fn pin(name: &Name, n: usize) -> String {
    format!("{}fanout/{name}/{n}", refs::KEEP)
}

/// The changes that let go of everything kept for a fan-out.
pub(super) fn unpinned(repo: &Repo, name: &Name) -> Result<Vec<RefChange>> {
    let kept = repo.read().refs(&format!("{}fanout/{name}/", refs::KEEP))?;
    Ok(kept.into_iter().map(|(name, oid)| RefChange::delete(name, oid)).collect())
}

fn begun(order: &Order, input_tree: Oid, scene: Scene<'_>) -> Fanout {
    let shard = |(index, planned): (usize, &PlannedShard)| Shard {
        n: index + 1,
        paths: planned.files.clone(),
        state: ShardState::Skipped,
        exit_code: None,
        changed: 0,
        commit: None,
        seconds: 0.0,
        retries: 0,
        owner: planned.owner.clone(),
    };
    Fanout {
        version: store::record::VERSION,
        name: order.job.clone(),
        job: order.job.clone(),
        command: order.command.clone(),
        engine: "local".to_owned(),
        base_oid: order.commit,
        base: order.base.clone(),
        input_tree,
        tree: None,
        branch: None,
        shards: order.shards.iter().enumerate().map(shard).collect(),
        escaped: Vec::new(),
        altered: Vec::new(),
        check: None,
        state: TaskState::Running,
        landed: None,
        started: scene.now,
        ended: None,
    }
}

/// Whether the result of a fan-out still waits.
fn is_open(repo: &Repo, fanout: &Fanout) -> Result<bool> {
    match &fanout.branch {
        Some(branch) => Ok(repo.read().find_ref(&refs::branch(branch))?.is_some()),
        None => Ok(false),
    }
}

fn refuse_twin(repo: &Repo, order: &Order, new: &Fanout) -> Result<()> {
    if order.again {
        return Ok(());
    }
    let paths = |fanout: &Fanout| fanout.shards.iter().map(|shard| shard.paths.clone()).collect::<Vec<_>>();
    for Stored { value: old, .. } in store::fanouts::load(repo)? {
        let same = (&old.job, &old.command, old.input_tree) == (&new.job, &new.command, new.input_tree);
        if same && paths(&old) == paths(new) && is_open(repo, &old)? {
            let name = &old.name;
            return Err(Error::refused(format!("the same work on the same files is open already: `{name}`"))
                .hint(format!("look at it: `git orch review {name}`; or do it once more: `--again`")));
        }
    }
    Ok(())
}

/// The first name that no task, branch or living fan-out has, held; and the
/// record that it follows.
fn free_name(repo: &Repo, job: &Name) -> Result<(Name, TaskLock, Option<Oid>)> {
    for number in 1.. {
        let name = if number == 1 { job.clone() } else { job.numbered(number) };
        let branch = refs::branch(&refs::review_branch(&name));
        let has = |full: &str| repo.read().find_ref(full).map(|found| found.is_some());
        if has(&branch)? || has(&store::tasks::record_ref(&name))? {
            continue;
        }
        if let Ok(held) = TaskLock::try_take(repo, &name)? {
            let before = store::fanouts::find(repo, &name)?.map(|stored| stored.tip);
            return Ok((name, held, before));
        }
    }
    unreachable!("numbers do not run out")
}
