//! A fan-out's name and record: exactly one process gets each name.

use std::path::PathBuf;

use super::cache::Past;
use super::closing::{close, record_end};
use super::flow::Order;
use super::plan::PlannedShard;
use super::quarantine;
use super::remote::On;
use crate::error::{Error, IoContext, Result};
use crate::git::refs::{self, RefChange};
use crate::git::{Head, Repo, RepoLock, worktree};
use crate::model::wording::count;
use crate::model::{Event, Fanout, Name, Oid, Shard, TaskState};
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
    /// The result that this one takes the place of.
    pub(super) result: Option<Oid>,
    /// What shards came to before.
    pub(super) past: Past,
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
    let taken = match &order.resumes {
        Some(name) => taken_up(repo, name)?,
        None => {
            refuse_twin(repo, order, &fanout)?;
            free_name(repo, &order.job)?
        }
    };
    let past = if order.again { Past::default() } else { Past::load(repo)? };
    let Taken { name, lock: held, before, result } = taken;
    let fanout = Fanout { name, ..fanout };
    let logs = logs(repo, &fanout.name)?;
    if logs.exists() {
        std::fs::remove_dir_all(&logs).doing("could not remove", &logs)?;
    }
    std::fs::create_dir_all(&logs).doing("could not make", &logs)?;
    let change = store::fanouts::prepare(repo, &fanout, before, Vec::new(), scene.now)?;
    let tip = change.new.expect("a new record points somewhere");
    let mut changes = unpinned(repo, &fanout.name)?;
    if let Some(last) = store::fanouts::find(repo, &fanout.name)? {
        // Its record goes on below this one, with what they hold.
        changes.extend(quarantine::take_away(scene, &last.value)?);
    }
    changes.push(change);
    refs::apply(repo, &lock, &changes, "fanout")?;
    Ok(Claimed { fanout: Stored { value: fanout, tip }, before, result, past, logs, _lock: held })
}

/// Ends a fan-out that comes to no result: what its shards had done stays on
/// its record; where they had done nothing, the claim is taken back, its logs
/// too. How many had come to an end.
pub(super) fn break_off(scene: Scene<'_>, claimed: &Claimed) -> Result<usize> {
    let repo = scene.repo;
    if let Some(done) = close(scene, &claimed.fanout, &claimed.logs)? {
        return Ok(done);
    }
    let lock = RepoLock::take(repo, "fanout, withdrawn", scene.events)?;
    let name = &claimed.fanout.value.name;
    let record = store::fanouts::record_ref(name);
    let mut changes = unpinned(repo, name)?;
    changes.push(match claimed.before {
        Some(before) => RefChange::update(record, before, claimed.fanout.tip),
        None => RefChange::delete(record, claimed.fanout.tip),
    });
    refs::apply(repo, &lock, &changes, "fanout, withdrawn")?;
    std::fs::remove_dir_all(&claimed.logs).doing("could not remove", &claimed.logs)?;
    Ok(0)
}

/// Ends fan-outs whose process died. A result that was made already stays.
pub fn settle(scene: Scene<'_>) -> Result<()> {
    let repo = scene.repo;
    for stored in store::fanouts::load(repo)? {
        let name = stored.value.name.clone();
        if stored.value.state != TaskState::Running {
            continue;
        }
        let Ok(_dead) = TaskLock::try_take(repo, &name)? else { continue };
        if store::fanouts::find(repo, &name)?.is_none_or(|found| found.tip != stored.tip) {
            continue;
        }
        let done = match close(scene, &stored, &logs(repo, &name)?)? {
            Some(done) => done,
            None => {
                record_end(scene, stored.value, stored.tip, None)?;
                0
            }
        };
        let done = if done == 0 { String::new() } else { format!(", {} done", count(done, "shard")) };
        (scene.events)(Event::Note(format!("fan-out {name} had died{done}")));
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
    let shard = |(index, planned): (usize, &PlannedShard)| {
        Shard::new(index + 1, planned.files.clone(), planned.owner.clone())
    };
    Fanout {
        version: store::record::VERSION,
        name: order.job.clone(),
        job: order.job.clone(),
        command: order.command.clone(),
        engine: order.away.as_ref().map_or(On::Local, |away| away.on.clone()).to_string(),
        base_oid: order.commit,
        base: order.base.clone(),
        input_tree,
        tree: None,
        branch: None,
        shards: order.shards.iter().enumerate().map(shard).collect(),
        escaped: Vec::new(),
        altered: Vec::new(),
        elsewhere: Vec::new(),
        check: None,
        from: order.from.clone(),
        rounds: Vec::new(),
        remaining: Vec::new(),
        foreign: Vec::new(),
        state: TaskState::Running,
        published: None,
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
        let work = |fanout: &Fanout| (fanout.job.clone(), fanout.command.clone(), fanout.from.clone());
        let same = (work(&old), old.input_tree) == (work(new), new.input_tree);
        // Which files a checker names shows when it runs.
        if same && (new.from.is_some() || paths(&old) == paths(new)) && is_open(repo, &old)? {
            let name = &old.name;
            return Err(Error::refused(format!("the same work on the same files is open already: `{name}`"))
                .hint(format!("look at it: `git orch review {name}`; or do it once more: `--again`")));
        }
    }
    Ok(())
}

/// A name, held.
struct Taken {
    name: Name,
    lock: TaskLock,
    /// The record that is there under this name.
    before: Option<Oid>,
    /// The result that is open under it.
    result: Option<Oid>,
}

/// The first name that no task, branch or living fan-out has.
fn free_name(repo: &Repo, job: &Name) -> Result<Taken> {
    for number in 1.. {
        let name = if number == 1 { job.clone() } else { job.numbered(number) };
        let branch = refs::branch(&refs::review_branch(&name));
        let has = |full: &str| repo.read().find_ref(full).map(|found| found.is_some());
        if has(&branch)? || has(&store::tasks::record_ref(&name))? {
            continue;
        }
        if let Ok(lock) = TaskLock::try_take(repo, &name)? {
            let before = store::fanouts::find(repo, &name)?.map(|stored| stored.tip);
            return Ok(Taken { name, lock, before, result: None });
        }
    }
    unreachable!("numbers do not run out")
}

/// The name of a fan-out that is gone on with.
fn taken_up(repo: &Repo, name: &Name) -> Result<Taken> {
    let lock = TaskLock::try_take(repo, name)?
        .map_err(|_| Error::refused(format!("the fan-out `{name}` is running")))?;
    let Stored { value, tip } = store::fanouts::find(repo, name)?
        .ok_or_else(|| Error::refused(format!("the fan-out `{name}` is gone")))?;
    let branch = refs::review_branch(name);
    let result = repo.read().find_ref(&refs::branch(&branch))?;
    if let Some(result) = result {
        let is_its_own =
            value.branch.is_some() && repo.read().commit(result)?.tree == value.tree.unwrap_or(result);
        let hint = format!("`git orch fanout {} --again` makes another result", value.job);
        if !is_its_own {
            return Err(
                Error::refused(format!("`{branch}` is not what the fan-out made any more")).hint(hint)
            );
        }
        let mut all = worktree::list(repo)?.into_iter();
        let is_here =
            |one: &worktree::Worktree| matches!(&one.head, Some(Head::Branch(name, _)) if *name == branch);
        if let Some(one) = all.find(is_here) {
            let at = one.path.display();
            return Err(Error::refused(format!("`{branch}` is checked out in `{at}`")).hint(hint));
        }
    }
    Ok(Taken { name: name.clone(), lock, before: Some(tip), result })
}
