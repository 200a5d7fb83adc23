//! What a run, or an agent's shards, may have done in another worktree than their
//! own: commits there, and edits in their user's checkout.
//!
//! A worktree's own log tells what was committed there, a file's date when it
//! was changed; who did it nothing tells. So only what has to do with the task
//! counts, and it is told as what happened *while it ran*. Nothing is moved.

use std::collections::BTreeSet;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Scene;
use super::prepare::{Ready, folder};
use crate::error::{IoContext, Result};
use crate::git::Repo;
use crate::git::worktree::{self, Worktree};
use crate::model::wording::{count, few};
use crate::model::{Elsewhere, Event, Name, Oid, RepoPath, Task, TaskState, Time};
use crate::store::{self, record};

/// How much of what a worktree's log got is read.
const LOGGED: u64 = 256 * 1024;
/// Of how many files and folders it is asked whether they are dirty.
const ASKED: usize = 500;
/// How many checkouts are asked: the main one, and the first other.
const CHECKOUTS: usize = 2;
/// How a log calls what makes a commit.
const MAKES: [&str; 4] = ["commit", "cherry-pick", "revert", "am"];

/// What there was before a run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Before {
    version: u32,
    run: usize,
    /// How long the logs of other worktrees were, by git directory.
    logs: Vec<(PathBuf, u64)>,
}

impl Before {
    fn now(repo: &Repo, run: usize) -> Result<Self> {
        let logs = worktree::list(repo)?.into_iter().map(|one| {
            let git_dir = one.place(repo).git_dir;
            let length = log(&git_dir).metadata().map_or(0, |log| log.len());
            (git_dir, length)
        });
        Ok(Self { version: record::VERSION, run, logs: logs.collect() })
    }
}

/// Remembers what there is before a run.
pub fn remember(repo: &Repo, task: &Task) -> Result<()> {
    let before = Before::now(repo, task.runs.len())?;
    let file = file(repo, task)?;
    std::fs::write(&file, record::line(&before)?).doing("could not write", &file)
}

/// What came elsewhere since, that has to do with the task; the user is warned
/// of it. `touched` is what the run left in its own worktree.
pub fn since(scene: Scene<'_>, ready: &Ready, touched: &[RepoPath]) -> Vec<Elsewhere> {
    let found = of_run(scene.repo, ready, touched).unwrap_or_default();
    for one in &found {
        warn(scene, &ready.task.value.name, one);
    }
    found
}

fn of_run(repo: &Repo, ready: &Ready, touched: &[RepoPath]) -> Result<Vec<Elsewhere>> {
    let task = &ready.task.value;
    let file = file(repo, task)?;
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let before = record::parse_line::<Before>(&text).filter(|before| before.run == task.runs.len());
    let (Some(before), Ok(moment)) = (before, file.metadata()) else { return Ok(Vec::new()) };
    let began = task.runs.last().map_or(task.created, |run| run.started);
    let own = ready.session.worktree_id.as_str();
    let watch = Watch { before, moment, began };
    look(repo, &watch, &Concern::of(task, touched), |one| one.id.as_deref() == Some(own))
}

/// What is needed to tell what came elsewhere while something went on.
#[derive(Debug)]
pub struct Watch {
    before: Before,
    /// A file made when it began, whose dates are of the same clock as others'.
    moment: std::fs::Metadata,
    began: Time,
}

impl Watch {
    /// Begins to watch, with a file in a folder of its own logs.
    ///
    /// # Errors
    /// Unusable where that can't be made, or the worktrees can't be told.
    pub fn begin(scene: Scene<'_>, logs: &Path) -> Result<Self> {
        let file = logs.join("began");
        std::fs::write(&file, "").doing("could not write", &file)?;
        let moment = file.metadata().doing("could not read", &file)?;
        Ok(Self { before: Before::now(scene.repo, 0)?, moment, began: scene.now })
    }

    /// What came elsewhere since at some files, beside the throwaways in which
    /// it went on; the user is warned of it.
    pub fn end(&self, scene: Scene<'_>, name: &Name, files: &BTreeSet<&RepoPath>) -> Vec<Elsewhere> {
        let places = files.iter().map(|path| path.as_bytes().to_vec()).collect();
        let concern = Concern { places, did_nothing: false };
        let is_own = |one: &Worktree| one.path.starts_with(scene.throwaways);
        let found = look(scene.repo, self, &concern, is_own).unwrap_or_default();
        for one in &found {
            warn(scene, name, one);
        }
        found
    }
}

fn look(
    repo: &Repo,
    watch: &Watch,
    concern: &Concern,
    is_own: impl Fn(&Worktree) -> bool,
) -> Result<Vec<Elsewhere>> {
    let tasks: Vec<Task> = store::tasks::load(repo)?.into_iter().map(|task| task.value).collect();
    let sessions = store::sessions::load(repo)?;
    let (mut found, mut asked) = (Vec::new(), 0);
    for other in worktree::list(repo)?.into_iter().filter(|one| !is_own(one)) {
        let session = sessions.iter().find(|one| Some(one.value.worktree_id.as_str()) == other.id.as_deref());
        let session = session.map(|session| &session.value.name);
        if session.is_some_and(|name| is_at_work(name, watch.began, &tasks)) {
            continue;
        }
        let commits = commits(repo, &other, &watch.before, &tasks)?;
        let commits: Vec<Oid> = commits.into_iter().filter(|oid| concern.has_commit(repo, *oid)).collect();
        // Git's own directory stands for a main worktree that is not known.
        let is_known = other.id.is_some() || repo.main_work_tree().is_some();
        let files = if session.is_none() && is_known && asked < CHECKOUTS {
            asked += 1;
            edited(repo, &other, concern, &watch.moment)?
        } else {
            Vec::new()
        };
        if !commits.is_empty() || !files.is_empty() {
            let branch = other.head.as_ref().and_then(|head| head.branch()).map(str::to_owned);
            found.push(Elsewhere { worktree: other.path, branch, commits, files });
        }
    }
    Ok(found)
}

/// Whether somebody worked in a session since then, for a task of its own.
fn is_at_work(session: &Name, began: Time, tasks: &[Task]) -> bool {
    tasks.iter().filter(|task| task.session == *session).any(|task| {
        matches!(task.state, TaskState::Running | TaskState::Input)
            || task.runs.iter().any(|run| run.ended.is_some_and(|ended| ended >= began))
    })
}

/// The commits that a worktree's log got, but those that tasks are known to have.
fn commits(repo: &Repo, other: &Worktree, before: &Before, tasks: &[Task]) -> Result<Vec<Oid>> {
    let git_dir = other.place(repo).git_dir;
    let length = before.logs.iter().find(|(known, _)| *known == git_dir).map_or(0, |(_, length)| *length);
    let known: BTreeSet<Oid> = tasks.iter().flat_map(Task::all_commits).collect();
    let made = added(&log(&git_dir), length).unwrap_or_default();
    let made = made.lines().filter_map(made_by).filter(|oid| !known.contains(oid));
    Ok(made.filter(|oid| repo.read().commit(*oid).is_ok()).collect())
}

/// What was written behind a file's former end; nothing where it is shorter now.
fn added(log: &Path, length: u64) -> std::io::Result<String> {
    let mut file = std::fs::File::open(log)?;
    let mut bytes = Vec::new();
    if file.metadata()?.len() > length {
        file.seek(SeekFrom::Start(length))?;
        file.take(LOGGED).read_to_end(&mut bytes)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The commit that a line of a log says was made.
fn made_by(line: &str) -> Option<Oid> {
    let (facts, action) = line.split_once('\t')?;
    let word = action.split([':', ' ']).next()?;
    MAKES.contains(&word).then(|| facts.split(' ').nth(1)?.parse().ok())?
}

/// What a task is about: what it was expected to touch, and what it did.
struct Concern {
    places: BTreeSet<Vec<u8>>,
    /// Whether it did nothing where it should have.
    did_nothing: bool,
}

impl Concern {
    fn of(task: &Task, touched: &[RepoPath]) -> Self {
        let targets = task.targets.iter().map(|target| &target.path);
        let places = targets.chain(touched).map(|path| path.as_bytes().to_vec()).collect();
        Self { places, did_nothing: touched.is_empty() }
    }

    fn has(&self, path: &RepoPath) -> bool {
        path.places().any(|place| self.places.contains(place))
    }

    /// Where a run left nothing, what was committed elsewhere may be all of it.
    fn has_commit(&self, repo: &Repo, oid: Oid) -> bool {
        let changed = || {
            let commit = repo.read().commit(oid).ok()?;
            let before = commit.parents.first().map(|parent| repo.read().commit(*parent)).transpose().ok()?;
            repo.read().changes(before.map(|before| before.tree), commit.tree).ok()
        };
        self.did_nothing || changed().is_some_and(|changes| changes.iter().any(|one| self.has(&one.path)))
    }
}

/// The dirty files of a checkout that a task is about and that were changed
/// since the run began.
fn edited(
    repo: &Repo,
    other: &Worktree,
    concern: &Concern,
    began: &std::fs::Metadata,
) -> Result<Vec<RepoPath>> {
    if repo.is_bare() && other.id.is_none() {
        return Ok(Vec::new());
    }
    let moment = |file: &std::fs::Metadata| (file.ctime(), file.ctime_nsec());
    // Of a file that is gone, its folder tells.
    let there = |path: &RepoPath| {
        let mut there = path.as_path().ancestors().map(|path| other.path.join(path).symlink_metadata());
        there.find_map(std::result::Result::ok)
    };
    let is_new = |path: &RepoPath| there(path).is_some_and(|file| moment(&file) > moment(began));
    let places = concern.places.iter().map(|place| RepoPath::from_bytes(place.clone()));
    // What is below a folder it does not tell.
    let is_folder =
        |path: &RepoPath| other.path.join(path.as_path()).symlink_metadata().is_ok_and(|file| file.is_dir());
    let asked: Vec<RepoPath> = places.filter(|path| is_new(path) || is_folder(path)).take(ASKED).collect();
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let mut dirty = worktree::dirty_at(repo, &other.place(repo), &asked)?;
    dirty.retain(is_new);
    Ok(dirty)
}

fn warn(scene: Scene<'_>, name: &Name, one: &Elsewhere) {
    let at = one.worktree.display();
    if !one.commits.is_empty() {
        let branch = one.branch.as_deref().map_or("no branch".to_owned(), |branch| format!("`{branch}`"));
        let what = format!("{} came onto {branch} in {at}", count(one.commits.len(), "commit"));
        (scene.events)(Event::Warning(format!("while it ran, {what}: git orch show {name}")));
    }
    if !one.files.is_empty() {
        let verb = if one.files.len() == 1 { "was" } else { "were" };
        let what = format!("{} {verb} changed in {at}", few(&one.files));
        (scene.events)(Event::Warning(format!("while it ran, {what}, which is not its worktree")));
    }
}

fn file(repo: &Repo, task: &Task) -> Result<PathBuf> {
    Ok(folder(repo, task)?.join("elsewhere.json"))
}

fn log(git_dir: &Path) -> PathBuf {
    git_dir.join("logs/HEAD")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_tells_what_was_made_and_not_what_was_gone_to() {
        let (old, new) = ("0".repeat(40), "1".repeat(40));
        for (action, is_made) in [
            ("commit: fix login", true),
            ("commit (amend): fix login", true),
            ("commit (initial): first", true),
            ("cherry-pick: fix", true),
            ("revert: Revert \"x\"", true),
            ("am: fix", true),
            ("checkout: moving from main to commit", false),
            ("merge review/fix-login: Fast-forward", false),
            ("pull: Fast-forward", false),
            ("reset: moving to HEAD~1", false),
            ("committed by hand: x", false),
            ("", false),
        ] {
            let line = format!("{old} {new} A <a@example.com> 1700500000 +0000\t{action}");
            assert_eq!(made_by(&line).is_some(), is_made, "{action}");
        }
        assert_eq!(made_by("garbage"), None);
        assert_eq!(made_by("a b\tcommit: x"), None);
    }
}
