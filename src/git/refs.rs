//! Every name that git-orch owns in a repository, and how refs are moved.
//!
//! **Invariant:** a ref is written by compare-and-swap only, through git's own
//! ref transactions, under the repository lock.

use super::lock::{self, RepoLock};
use super::repo::Repo;
use super::{operation, pending, written};
use crate::error::{Error, Result};
use crate::model::{Effect, Name, Oid};

/// The prefix of session branches, short.
pub const SESSION_BRANCHES: &str = "orch/";
/// The prefix of result branches, short.
pub const REVIEW_BRANCHES: &str = "review/";
/// Records of sessions.
pub const SESSIONS: &str = "refs/orch/session/";
/// Records of tasks.
pub const TASKS: &str = "refs/orch/task/";
/// Records of fan-outs.
pub const FANOUTS: &str = "refs/orch/fanout/";
/// Objects that are in use but not yet reachable from a record.
pub const KEEP: &str = "refs/orch/keep/";
/// The operation log: a commit a step.
pub const OPERATIONS: &str = "refs/orch/op";
/// What was removed.
pub const TRASH: &str = "refs/orch/trash/";
/// Touch notes, one ref a session.
pub const TOUCH_NOTES: &str = "refs/notes/orch/touch/";
/// Check results, on trees.
pub const CHECK_NOTES: &str = "refs/notes/orch/check";
/// Verdicts, on commits.
pub const VERDICT_NOTES: &str = "refs/notes/orch/verdict";
/// The trailer that names a session.
pub const SESSION_TRAILER: &str = "Orch-Session";
/// The trailer that names a task.
pub const TASK_TRAILER: &str = "Orch-Task";

/// The trailer that names the viewpoint from which something was added.
pub const VIEWPOINT_TRAILER: &str = "Orch-Viewpoint";

/// `refs/heads/` before a short branch name.
pub fn branch(short: &str) -> String {
    format!("refs/heads/{short}")
}

/// The short branch of a session.
pub fn session_branch(name: &Name) -> String {
    format!("{SESSION_BRANCHES}{name}")
}

/// The short result branch of a task or fan-out.
pub fn review_branch(name: &Name) -> String {
    format!("{REVIEW_BRANCHES}{name}")
}

/// The short branch of what a fan-out's shard did that is not in its result.
pub fn quarantine_branch(fanout: &Name, shard: usize) -> String {
    format!("{REVIEW_BRANCHES}{fanout}-shard-{shard}")
}

/// What a ref must be before it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It must not exist.
    Absent,
    /// It must point here.
    At(Oid),
}

/// One ref's change: where to, from where. No new place means deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefChange {
    /// The full name.
    pub name: String,
    /// Where it shall point; `None` deletes it.
    pub new: Option<Oid>,
    /// Where it must point now.
    pub old: Expect,
}

impl RefChange {
    /// Makes a ref that must not exist.
    pub fn create(name: impl Into<String>, new: Oid) -> Self {
        Self { name: name.into(), new: Some(new), old: Expect::Absent }
    }

    /// Moves a ref from one place to another.
    pub fn update(name: impl Into<String>, new: Oid, old: Oid) -> Self {
        Self { name: name.into(), new: Some(new), old: Expect::At(old) }
    }

    /// Deletes a ref that must point at `old`.
    pub fn delete(name: impl Into<String>, old: Oid) -> Self {
        Self { name: name.into(), new: None, old: Expect::At(old) }
    }

    /// Where the ref must be before.
    pub fn expected(&self) -> Option<Oid> {
        match self.old {
            Expect::Absent => None,
            Expect::At(oid) => Some(oid),
        }
    }

    /// Makes or moves a ref, as `old` was found.
    pub fn set(name: impl Into<String>, new: Oid, old: Option<Oid>) -> Self {
        Self { name: name.into(), new: Some(new), old: old.map_or(Expect::Absent, Expect::At) }
    }
}

/// How often a step is written anew when another process wrote one meanwhile.
const ATTEMPTS: usize = 8;

/// Carries changes out in one transaction; all or, on a miss, none.
///
/// # Errors
/// Refused when a ref is not where it was expected.
pub fn apply(repo: &Repo, lock: &RepoLock, changes: &[RefChange], why: &str) -> Result<()> {
    apply_with(repo, lock, changes, &[], why)
}

/// The same, with what else the operation log shall tell.
///
/// The log's own ref comes first in the transaction: it is the commit point.
pub fn apply_with(
    repo: &Repo,
    lock: &RepoLock,
    changes: &[RefChange],
    effects: &[Effect],
    why: &str,
) -> Result<()> {
    for attempt in 1.. {
        let step = operation::step(repo, changes, effects, why)?;
        let all: Vec<RefChange> = step.iter().chain(changes).cloned().collect();
        let Some(missed) = transact(repo, lock, &all, why)? else {
            operation::stepped(repo, step.and_then(|step| step.new));
            return Ok(());
        };
        if missed != OPERATIONS || attempt == ATTEMPTS {
            return Err(taken(repo, &missed)?);
        }
    }
    unreachable!("the last attempt returns")
}

/// The same for the log itself, which does not tell of its own changes.
pub(super) fn apply_unlogged(repo: &Repo, lock: &RepoLock, changes: &[RefChange], why: &str) -> Result<()> {
    transact(repo, lock, changes, why)?.map_or(Ok(()), |missed| Err(taken(repo, &missed)?))
}

fn taken(repo: &Repo, missed: &str) -> Result<Error> {
    let moved = match repo.read().find_ref(missed)? {
        None => "is gone",
        Some(_) => "was made or moved by another process",
    };
    Ok(Error::refused(format!("`{missed}` {moved}")).hint("run the command again"))
}

/// One transaction of git's own; the first ref that was not as expected.
fn transact(repo: &Repo, lock: &RepoLock, changes: &[RefChange], why: &str) -> Result<Option<String>> {
    if changes.is_empty() {
        return Ok(None);
    }
    let tips = || changes.iter().filter_map(|change| change.new);
    let write = || {
        let command = repo.git(["update-ref", "-z", "--stdin", "-m", &format!("git-orch: {why}")]);
        command.stdin(script(changes)).spawn()
    };
    repo.reach("refs to be written")?;
    lock.announce(changes)?;
    repo.reach("refs announced")?;
    let mut output = write()?;
    if output.code != 0 {
        if output.code < 0 {
            pending::unlock(repo, changes)?;
        }
        let lacked = written::restore(repo, tips())? | clear_locks(repo, changes)?;
        if pending::is_begun(repo, changes)? {
            pending::go_on(repo, changes)?;
        } else if lacked || output.code < 0 {
            output = write()?;
        }
    }
    if output.code == 0 || pending::is_done(repo, changes)? {
        // It is done, whatever becomes of the rest: what stays announced is found done.
        let ended = repo.reach("refs written").and_then(|()| lock.announce(&[]));
        let _ = ended.or_else(|_| lock.announce(&[]));
        return written::secure(repo, tips()).map(|()| None);
    }
    if !pending::is_begun(repo, changes)? {
        lock.announce(&[])?;
        for change in changes {
            if repo.read().find_ref(&change.name)? != change.expected() {
                return Ok(Some(change.name.clone()));
            }
        }
    }
    let names: Vec<&str> = changes.iter().map(|change| change.name.as_str()).collect();
    Err(Error::unusable(format!("could not write {}", crate::model::wording::list(names)))
        .because(output.complaint()))
}

/// Clears the locks that a killed git left on refs that only we write, and we
/// hold the repository; whether there were any.
fn clear_locks(repo: &Repo, changes: &[RefChange]) -> Result<bool> {
    let own = ["refs/orch/", "refs/notes/orch/", "refs/heads/orch/", "refs/heads/review/"];
    let ours = |change: &&RefChange| own.iter().any(|own| change.name.starts_with(own));
    let mut any = false;
    for change in changes.iter().filter(ours) {
        any |= lock::clear(repo, &repo.place().common_dir.join(format!("{}.lock", change.name)))?;
    }
    Ok(any)
}

/// Clears the locks that a killed git of ours left on a ref.
pub fn unlock(repo: &Repo, name: &str) -> Result<()> {
    let files = [format!("{name}.lock"), "packed-refs.lock".to_owned(), "packed-refs.new".to_owned()];
    files.iter().try_for_each(|file| lock::clear(repo, &repo.place().common_dir.join(file)).map(drop))
}

/// Whether everything that `tip` is made of is there, beside what `known` is
/// made of. A `git gc` that began before a ref was written does not see it.
pub fn is_whole(repo: &Repo, tip: Oid, known: &[Oid]) -> Result<bool> {
    let command = repo.git(["rev-list", "--objects", "--quiet"]).args([tip.to_string()]).args(["--not"]);
    Ok(command.args(known.iter().map(Oid::to_string)).spawn()?.code == 0)
}

/// The transaction as `git update-ref --stdin` takes it.
pub(super) fn script(changes: &[RefChange]) -> Vec<u8> {
    let mut text = String::from("start\0");
    for change in changes {
        let name = &change.name;
        text.push_str(&match (change.new, change.old) {
            (Some(new), Expect::Absent) => format!("create {name}\0{new}\0"),
            (Some(new), Expect::At(old)) => format!("update {name}\0{new}\0{old}\0"),
            (None, Expect::At(old)) => format!("delete {name}\0{old}\0"),
            (None, Expect::Absent) => continue,
        });
    }
    text.push_str("prepare\0commit\0");
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::mine::testing::{Scratch, commit};

    /// Three commits, two records at the first, and what a lock takes.
    fn scratch() -> (Scratch, Repo, [Oid; 3]) {
        let scratch = Scratch::new();
        scratch.import(&[commit(1, &[], ""), commit(2, &[1], ""), commit(3, &[2], "")].concat());
        let oids = ["main~2", "main~1", "main"].map(|revision| scratch.oid(revision));
        let repo = scratch.repo();
        let lock = RepoLock::take(&repo, "test", &|_| {}).unwrap();
        let made = ["refs/orch/a", "refs/orch/b"].map(|name| RefChange::create(name, oids[0]));
        apply(&repo, &lock, &made, "test").unwrap();
        (scratch, repo, oids)
    }

    #[test]
    fn what_misses_changes_nothing_though_another_ref_is_gone_already() {
        let (_scratch, repo, [one, two, three]) = scratch();
        let lock = RepoLock::take(&repo, "test", &|_| {}).unwrap();
        let log = repo.read().find_ref(OPERATIONS).unwrap();
        let changes = [
            RefChange::update("refs/orch/a", two, one),
            RefChange::update("refs/orch/b", two, three),
            RefChange::delete("refs/orch/gone", one),
        ];
        assert_eq!(apply(&repo, &lock, &changes, "test").unwrap_err().kind, crate::error::Kind::Refused);
        for name in ["refs/orch/a", "refs/orch/b"] {
            assert_eq!(repo.read().find_ref(name).unwrap(), Some(one), "{name}");
        }
        assert_eq!(repo.read().find_ref(OPERATIONS).unwrap(), log);
    }

    #[test]
    fn what_a_dead_holder_had_half_done_is_done_by_the_next() {
        let (scratch, repo, [one, two, _]) = scratch();
        let changes = [RefChange::update("refs/orch/a", two, one), RefChange::delete("refs/orch/b", one)];
        for (half_done, left) in [(false, [Some(one), Some(one)]), (true, [Some(two), None])] {
            let lock = RepoLock::take(&repo, "test", &|_| {}).unwrap();
            lock.announce(&changes).unwrap();
            if half_done {
                scratch.git(&["update-ref", "refs/orch/a", &two.to_string()], b"");
            }
            drop(lock);
            // A child that another test starts has the lock too until it is a program.
            let waited = (0..1_000).find(|_| {
                std::thread::sleep(std::time::Duration::from_millis(1));
                RepoLock::is_left_pending(&repo)
            });
            assert!(waited.is_some());
            RepoLock::settle(&repo, &|_| {}).unwrap();
            assert!(!RepoLock::is_left_pending(&repo));
            assert_eq!(["refs/orch/a", "refs/orch/b"].map(|name| repo.read().find_ref(name).unwrap()), left);
        }
    }
}
