//! The operation log: what every command changed, as a chain of commits.
//!
//! `git log -p refs/orch/op` reads it. A step is written in the transaction
//! that makes its changes, and keeps reachable what they left behind.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::lock::RepoLock;
use super::refs::{self, RefChange};
use super::repo::Repo;
use super::written::wait_for_clearing;
use crate::error::{Error, Result};
use crate::model::{Effect, Oid, Operation, Step, Time};

/// The message of the commit that a log begins with.
const ROOT: &str = "git-orch operations";

/// What the present process does.
#[derive(Debug, Default)]
pub(super) struct Doing(Mutex<Present>);

#[derive(Clone, Debug, Default)]
struct Present {
    what: Option<String>,
    time: Option<Time>,
    undoes: Option<Oid>,
    first: Option<Oid>,
}

impl Doing {
    fn present(&self) -> Present {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, present: Present) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = present;
    }
}

/// Begins an operation: what changes from now on belongs to it.
pub fn begin(repo: &Repo, what: &str, time: Time) {
    let (what, time) = (Some(what.to_owned()), Some(time));
    repo.doing().set(Present { what, time, undoes: None, first: None });
}

/// Does something that belongs to an operation of its own, amid the present one.
pub fn aside<T>(repo: &Repo, what: &str, time: Time, work: impl FnOnce() -> T) -> T {
    let present = repo.doing().present();
    begin(repo, what, time);
    let done = work();
    repo.doing().set(present);
    done
}

/// Tells that the present operation undoes another.
pub fn undoes(repo: &Repo, operation: Oid) {
    repo.doing().set(Present { undoes: Some(operation), ..repo.doing().present() });
}

/// The id of the present operation, once it changed something.
pub fn present(repo: &Repo) -> Option<Oid> {
    repo.doing().present().first
}

/// The present operation's verb.
#[cfg(feature = "faults")]
pub(super) fn word(repo: &Repo) -> String {
    let what = repo.doing().present().what.unwrap_or_default();
    let word = what.split(' ').find(|word| !word.starts_with('-'));
    word.unwrap_or("reading").to_owned()
}

/// The change that writes the next step; `None` where there is nothing to tell.
pub(super) fn step(
    repo: &Repo,
    changes: &[RefChange],
    effects: &[Effect],
    why: &str,
) -> Result<Option<RefChange>> {
    let told = |change: &&RefChange| !change.name.starts_with(refs::KEEP) && change.new != change.expected();
    let moved = changes.iter().filter(told).map(|change| Effect::Ref {
        name: change.name.clone(),
        old: change.expected(),
        new: change.new,
    });
    let effects: Vec<Effect> = effects.iter().cloned().chain(moved).collect();
    if effects.is_empty() {
        return Ok(None);
    }
    let present = repo.doing().present();
    let tip = repo.read().find_ref(refs::OPERATIONS)?;
    let before = tip.map_or_else(|| root(repo), Ok)?;
    let parents: Vec<Oid> = [before].into_iter().chain(left_behind(&effects)).collect();
    let step = Step {
        operation: present.first,
        what: present.what.unwrap_or_else(|| why.to_owned()),
        undoes: present.undoes,
        effects,
    };
    let tree = repo.write().write_tree(&[])?;
    let time = present.time.unwrap_or_else(Time::now);
    let commit = repo.write().write_record(tree, &parents, &step.to_message(), time)?;
    Ok(Some(RefChange::set(refs::OPERATIONS, commit, tip)))
}

/// The present operation has this step now.
pub(super) fn stepped(repo: &Repo, step: Option<Oid>) {
    let present = repo.doing().present();
    repo.doing().set(Present { first: present.first.or(step), ..present });
}

/// Commits that nothing else may hold once the effects are there.
fn left_behind(effects: &[Effect]) -> Vec<Oid> {
    let mut oids: Vec<Oid> = effects
        .iter()
        .flat_map(|effect| match effect {
            Effect::Ref { old, new, .. } => [*old, *new],
            Effect::Held { work, .. } | Effect::Holds { work, .. } => [Some(*work), None],
            _ => [None, None],
        })
        .flatten()
        .collect();
    oids.sort_unstable();
    oids.dedup();
    oids
}

/// All operations, newest first.
pub fn log(repo: &Repo) -> Result<Vec<Operation>> {
    wait_for_clearing(repo);
    Ok(Operation::all(steps(repo)?.into_iter().flatten().collect()))
}

/// Writes the log anew without these operations; the others have the ids that
/// they had. Git's own clearing up may take what only these kept.
///
/// # Errors
/// Unusable where a step of the log can't be read.
pub fn cut(repo: &Repo, lock: &RepoLock, gone: &BTreeSet<Oid>) -> Result<()> {
    let Some(tip) = repo.read().find_ref(refs::OPERATIONS)? else { return Ok(()) };
    let tree = repo.write().write_tree(&[])?;
    let mut parent = root(repo)?;
    for step in steps(repo)?.into_iter().rev() {
        let (oid, time, step) = step.ok_or_else(|| {
            Error::unusable(format!("could not read a step of `{}`", refs::OPERATIONS))
                .hint("a newer git-orch wrote it: use that one")
        })?;
        let id = step.operation.unwrap_or(oid);
        if !gone.contains(&id) {
            let parents: Vec<Oid> = [parent].into_iter().chain(left_behind(&step.effects)).collect();
            let message = Step { operation: Some(id), ..step }.to_message();
            parent = repo.write().write_record(tree, &parents, &message, time)?;
        }
    }
    refs::apply_unlogged(repo, lock, &[RefChange::update(refs::OPERATIONS, parent, tip)], "cut the log")
}

/// Where a log begins: behind it, the first parents are not steps any more.
fn root(repo: &Repo) -> Result<Oid> {
    repo.write().write_record(repo.write().write_tree(&[])?, &[], ROOT, Time(0))
}

/// A commit of the log.
type Logged = (Oid, Time, Step);

/// All steps, newest first; `None` for one that can't be read.
fn steps(repo: &Repo) -> Result<Vec<Option<Logged>>> {
    if repo.read().find_ref(refs::OPERATIONS)?.is_none() {
        return Ok(Vec::new());
    }
    let args =
        ["log", "--no-show-signature", "--first-parent", "-z", "--format=%H %ct%n%B", refs::OPERATIONS, "--"];
    let text = repo.git(args).run()?;
    let texts = text.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let message =
        |text: &Cow<'_, str>| text.split_once('\n').map(|(_, message)| message.trim_end().to_owned());
    Ok(texts.take_while(|text| message(text).as_deref() != Some(ROOT)).map(|text| parse(&text)).collect())
}

fn parse(text: &str) -> Option<Logged> {
    let (head, message) = text.split_once('\n')?;
    let (oid, seconds) = head.split_once(' ')?;
    Some((oid.parse().ok()?, Time(seconds.parse().ok()?), Step::parse(message)?))
}
