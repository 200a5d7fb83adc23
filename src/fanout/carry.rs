//! One shard in its throwaway: its command run, what it left judged.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::cache::Past;
use super::claim::pin;
use super::flow::Order;
use super::hand;
use super::job::argument;
use super::plan::PlannedShard;
use super::result::Origin;
use super::verify::{Verified, verify};
use crate::agent::process::{self, End};
use crate::agent::{Interrupt, Invocation, command};
use crate::error::{Error, IoContext, Result};
use crate::git::refs::{self, RefChange};
use crate::git::{Edit, Fence, RepoLock, splice};
use crate::model::time::elapsed;
use crate::model::wording::{excerpt, few, tick};
use crate::model::{Name, Oid, RepoPath, Shard, ShardState, Time};
use crate::run::Scene;
use crate::run::throwaway::Throwaway;

/// What every shard of a fan-out needs.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) scene: Scene<'a>,
    pub(super) order: &'a Order,
    pub(super) name: &'a Name,
    /// The tree that all shards together start from.
    pub(super) input: Oid,
    pub(super) logs: &'a Path,
    /// What shards came to before.
    pub(super) past: &'a Past,
    /// How many shards of the fan-out were there before these.
    pub(super) before: usize,
}

impl Site<'_> {
    /// What all its shards start from.
    pub(super) fn origin(&self) -> Origin {
        Origin { commit: self.order.commit, tree: self.input }
    }

    /// The shard with this number.
    pub(super) fn planned(&self, n: usize) -> &PlannedShard {
        &self.order.shards[n - 1 - self.before]
    }
}

/// How a shard ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) shard: Shard,
    /// The accepted changes.
    pub(super) accepted: Option<Vec<Edit>>,
    /// A tree that has them.
    pub(super) tree: Option<Oid>,
    pub(super) escaped: Vec<RepoPath>,
    pub(super) last_line: String,
}

impl Ended {
    /// One of which nothing is taken.
    pub(super) fn without_changes(shard: Shard) -> Self {
        Self { shard, accepted: None, tree: None, escaped: Vec::new(), last_line: String::new() }
    }
}

/// What a shard's command left in its worktree.
pub(super) struct Left {
    tree: Oid,
    edits: Vec<Edit>,
}

impl Left {
    /// What the tree has that the shard did not start from.
    pub(super) fn of(site: &Site<'_>, planned: &PlannedShard, tree: Oid) -> Result<Self> {
        let edits = site.scene.repo.read().edits(Some(input(site, planned)?), tree)?;
        Ok(Self { tree, edits })
    }
}

/// Where one shard runs.
#[derive(Clone, Copy)]
pub(super) struct Stage<'a> {
    pub(super) throwaway: &'a Throwaway<'a>,
    /// The tree that the throwaway holds.
    pub(super) input: Oid,
    pub(super) interrupt: &'a Interrupt,
}

/// Runs one shard; how it ended, and what keeps its objects until a ref does.
/// `None` when it was interrupted.
pub(super) fn carry_out(site: &Site<'_>, stage: &Stage<'_>, index: usize) -> Result<Option<(Ended, Fence)>> {
    let throwaway = stage.throwaway;
    let planned = &site.order.shards[index];
    let n = site.before + index + 1;
    let invocation = invocation(site, throwaway, planned, n)?;
    let mut retries = 0;
    let mut started;
    let (run, failure) = loop {
        started = Time::now();
        let _home = site.order.home.make(throwaway)?;
        let links = share(site, throwaway, &planned.share);
        let run = process::run(&invocation, stage.interrupt, |_| {});
        // A command may have put something else in their place; that is left to be seen.
        links.iter().for_each(|link| drop(std::fs::remove_file(link)));
        let (run, failure) = match run {
            Ok(ended) if ended.end == End::Interrupted => return Ok(None),
            Ok(ended) if ended.is_success() => (Some(ended), None),
            Ok(ended) if ended.end == End::TimedOut => {
                (Some(ended), Some(format!("timed out after {}", elapsed(ended.elapsed))))
            }
            Ok(ended) => (Some(ended), Some(last_line(&invocation.log))),
            Err(error) => (None, Some(error.to_string())),
        };
        if failure.is_none() || retries == site.order.retries {
            break (run, failure);
        }
        let _fence = site.scene.repo.fence(site.scene.events);
        // What it did to its worktree may be too much to mend.
        if throwaway.set(input(site, planned)?).is_err() {
            break (run, failure);
        }
        retries += 1;
    };
    let fence = site.scene.repo.fence(site.scene.events);
    let shard = Shard {
        state: ShardState::Failed,
        exit_code: run.and_then(|ended| ended.exit_code()),
        started: Some(started),
        seconds: run.map_or(0.0, |ended| ended.elapsed.as_secs_f64()),
        bytes: invocation.log.metadata().map_or(0, |meta| meta.len()),
        retries,
        ..Shard::new(n, planned.files.clone(), planned.owner.clone())
    };
    judge(site, shard, failure, look(site, stage, planned)).map(|ended| Some((ended, fence)))
}

fn invocation(
    site: &Site<'_>,
    throwaway: &Throwaway<'_>,
    planned: &PlannedShard,
    n: usize,
) -> Result<Invocation> {
    let files = site.logs.join(format!("shard-{n}.files"));
    let listed: Vec<u8> = planned
        .files
        .iter()
        .flat_map(|file| [argument(file, &planned.directory).as_bytes(), b"\0"].concat())
        .collect();
    std::fs::write(&files, listed).doing("could not write", &files)?;
    let (number, base) = (OsString::from(n.to_string()), OsString::from(&site.order.base));
    let path = search_path(site);
    let given = hand::give(planned.handed.as_ref(), site.logs, n)?;
    let mut ours: Vec<(&str, &OsStr)> = vec![
        ("GIT_ORCH_TASK", OsStr::new(site.name.as_str())),
        ("GIT_ORCH_ROOT", site.scene.repo.main_folder().as_os_str()),
        ("GIT_ORCH_BASE", &base),
        ("GIT_ORCH_SHARD", &number),
        ("GIT_ORCH_SHARD_FILES", files.as_os_str()),
        ("PATH", &path),
    ];
    ours.extend(given.files.iter().map(|(key, file)| (*key, file.as_os_str())));
    Ok(Invocation {
        argv: planned.argv.iter().cloned().chain(given.argument).collect(),
        folder: throwaway.path().join(planned.directory.as_path()),
        environment: command::environment(&shards_own(site, throwaway), &ours),
        input: given.input,
        log: log(site.logs, n),
        is_log_continued: false,
        timeout: site.order.timeout,
    })
}

/// The log of a shard, counted from 1.
pub(super) fn log(logs: &Path, n: usize) -> PathBuf {
    logs.join(format!("shard-{n}.log"))
}

/// The caller's environment, and over it what the job sets.
pub(super) fn callers(site: &Site<'_>) -> BTreeMap<OsString, OsString> {
    let mut environment = site.scene.environment.clone();
    environment.extend(site.order.env.iter().map(|(key, value)| (key.into(), value.into())));
    environment
}

/// The same for a shard that may have a home of its own; what the job sets
/// goes over that too.
fn shards_own(site: &Site<'_>, throwaway: &Throwaway<'_>) -> BTreeMap<OsString, OsString> {
    let mut environment = callers(site);
    let set = |key: &str| site.order.env.iter().any(|(name, _)| name == key);
    for (key, folder) in site.order.home.variables(throwaway).into_iter().filter(|(key, _)| !set(key)) {
        environment.insert(key.into(), folder.into_os_string());
    }
    environment
}

/// The caller's search path, and behind it what the user installed into the
/// checkout; never what the repository brings.
pub(super) fn search_path(site: &Site<'_>) -> OsString {
    let mut path = callers(site).remove(OsStr::new("PATH")).unwrap_or_default();
    if let Some(top) = &site.scene.repo.place().work_tree
        && !site.order.tracked.has_any(b"node_modules")
    {
        path.push(":");
        path.push(top.join("node_modules/.bin"));
    }
    path
}

/// Links the ignored folders of the user's checkout that a command needs.
pub(super) fn share(site: &Site<'_>, throwaway: &Throwaway<'_>, folders: &[RepoPath]) -> Vec<PathBuf> {
    let Some(top) = &site.scene.repo.place().work_tree else { return Vec::new() };
    let mut links = Vec::new();
    for folder in folders {
        let (from, to) = (top.join(folder.as_path()), throwaway.path().join(folder.as_path()));
        if from.is_dir() && std::os::unix::fs::symlink(&from, &to).is_ok() {
            links.push(to);
        }
    }
    links
}

/// The tree that a shard's worktree holds at first; written anew each time, as
/// no ref keeps one that holds only some files.
pub(super) fn input(site: &Site<'_>, planned: &PlannedShard) -> Result<Oid> {
    match site.order.tracked.held(planned) {
        None => Ok(site.input),
        Some(held) => splice::take(site.scene.repo, None, site.input, &held),
    }
}

fn look(site: &Site<'_>, stage: &Stage<'_>, planned: &PlannedShard) -> Result<Left> {
    let tree = stage.throwaway.capture()?;
    if tree == stage.input { Ok(Left { tree, edits: Vec::new() }) } else { Left::of(site, planned, tree) }
}

/// Decides what of it is kept.
pub(super) fn judge(
    site: &Site<'_>,
    mut shard: Shard,
    failure: Option<String>,
    left: Result<Left>,
) -> Result<Ended> {
    let ended = |shard: Shard, last_line: String| Ended { last_line, ..Ended::without_changes(shard) };
    let left = match (left, &failure) {
        (Ok(left), _) => left,
        (Err(_), Some(why)) => return Ok(ended(shard, why.clone())),
        (Err(error), None) => return Ok(ended(shard, error.to_string())),
    };
    shard.changed = left.edits.len();
    if let Some(why) = failure {
        shard.commit = set_aside(site, shard.n, &left.edits, "")?;
        return Ok(ended(shard, why));
    }
    let ground = site.planned(shard.n).ground.as_ref();
    match verify(&shard.paths, ground, &site.order.tracked, &left.edits) {
        Verified::Unchanged => {
            shard.state = ShardState::Unchanged;
            Ok(ended(shard, String::new()))
        }
        Verified::Done(made) => {
            shard.state = ShardState::Done;
            shard.made = made;
            keep(site, shard.n, left.tree)?;
            let (accepted, tree) = (Some(left.edits), Some(left.tree));
            Ok(Ended { accepted, tree, ..ended(shard, String::new()) })
        }
        Verified::Escaped(paths) => {
            shard.state = ShardState::Escaped;
            let last_line = format!("changed {}, not its own", few(paths.iter().map(tick)));
            shard.commit = set_aside(site, shard.n, &left.edits, &last_line)?;
            Ok(Ended { escaped: paths, ..ended(shard, last_line) })
        }
    }
}

/// Puts what a shard left, and was not taken, into a commit on the input that
/// says why.
fn set_aside(site: &Site<'_>, n: usize, left: &[Edit], why: &str) -> Result<Option<Oid>> {
    if left.is_empty() {
        return Ok(None);
    }
    let repo = site.scene.repo;
    let puts = left.iter().map(|edit| (edit.change.path.as_bytes(), edit.now));
    let tree = splice::put(repo, Some(site.input), puts.collect())?;
    let message = format!("fanout {}: what shard {n} left\n\n{why}", site.name);
    let message = message.trim_end();
    let commit = repo.write().write_record(tree, &[site.order.commit], message, site.scene.now)?;
    keep(site, n, commit)?;
    Ok(Some(commit))
}

/// Takes an accepted shard out of the result: what it changed is set aside.
pub(super) fn leave_out(site: &Site<'_>, one: &mut Ended, state: ShardState, why: &str) -> Result<()> {
    let edits = one.accepted.take().unwrap_or_default();
    site.scene.repo.reach("a shard to be left out")?;
    one.tree = None;
    one.shard.commit = set_aside(site, one.shard.n, &edits, why)?;
    one.shard.state = state;
    one.shard.made.clear();
    one.last_line = why.to_owned();
    Ok(())
}

/// Keeps an object from git's own clearing up until the record holds it.
fn keep(site: &Site<'_>, n: usize, oid: Oid) -> Result<()> {
    let (repo, pin) = (site.scene.repo, pin(site.name, n));
    let lock = RepoLock::take(repo, "fanout, a shard", site.scene.events)?;
    let kept = RefChange::set(pin.clone(), oid, repo.read().find_ref(&pin)?);
    refs::apply(repo, &lock, &[kept], "fanout, a shard")?;
    drop(lock);
    if refs::is_whole(site.scene.repo, oid, &[site.order.commit])? {
        return Ok(());
    }
    Err(Error::unusable(format!("git cleared away parts of what shard {n} made"))
        .hint("let `git gc` end, then run the command again"))
}

/// The line that says most, of the last a command printed: its first error,
/// which warnings and counts often follow, else its last word.
pub(super) fn last_line(log: &Path) -> String {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut tail = Vec::new();
    // A log that can't be read has nothing to say.
    let read = std::fs::File::open(log).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(4_096)))?;
        file.read_to_end(&mut tail)
    });
    let text = String::from_utf8_lossy(&tail);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_error = |line: &&str| line.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("error"));
    let line = lines.clone().find(is_error).or(lines.next_back()).unwrap_or_default();
    if read.is_ok() { excerpt(line, 80) } else { String::new() }
}
