//! Making a session: branch, worktree, record.
//!
//! **Invariant:** the record is the commit point. Until then the journal has
//! the record to be, so that the next command takes away what a killed attempt
//! left (a branch, a worktree marked as ours); after it only the worktree's
//! files may be missing, and the next command writes them.

use std::path::{Path, PathBuf};

use super::base::Base;
use super::lock::SessionLock;
use super::workplace;
use crate::error::{Error, IoContext, Result};
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock, room, worktree};
use crate::model::session::Adoption;
use crate::model::{Effect, Events, Name, Oid, PathSet, Session, SessionState, Time};
use crate::store::journal::{self, Intent};
use crate::store::{self, Stored};

/// The mark on worktrees that git-orch made.
const MARK: &str = "git-orch session";

/// What a session shall be.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Its name.
    pub name: Name,
    /// Path patterns, from the repository's top.
    pub paths: Vec<String>,
    /// Words for what it is good at.
    pub specialty: String,
    /// The agent that works in it.
    pub agent: Option<String>,
    /// Which older history counts as its own.
    pub adopts: Option<Adoption>,
    /// Where it starts.
    pub base: Base,
    /// Where worktrees go, with `{repo}` and `{session}`.
    pub template: String,
}

/// What will be made; a value that `--dry-run` prints.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The record.
    pub session: Session,
    /// The archived record that this one follows, where the name was used before.
    pub follows: Option<Oid>,
}

/// Whether a session has to be made.
#[derive(Clone, Debug)]
pub enum Planned {
    /// It is there, exactly so.
    There(Stored<Session>),
    /// It has to be made.
    New(Plan),
}

/// Checks a wish against the repository.
///
/// # Errors
/// Usage for bad patterns; refused when name, branch or folder is taken;
/// unusable where the worktree does not fit on its disk.
pub fn plan(repo: &Repo, wish: Wish, now: Time) -> Result<Planned> {
    PathSet::parse(&wish.paths).map_err(Error::usage)?;
    refuse_prefix_branches(repo)?;
    let found = store::sessions::find(repo, &wish.name)?;
    if let Some(found) = found.as_ref().filter(|found| found.value.state != SessionState::Archived) {
        return there(found, &wish);
    }
    let path = worktree_path(repo, &wish.template, &wish.name)?;
    let branch = refs::session_branch(&wish.name);
    if repo.read().find_ref(&refs::branch(&branch))?.is_some() && leftover(repo, &path).is_none() {
        return Err(Error::refused(format!("there is a branch `{branch}` already"))
            .hint(format!("choose another name, or rename it: `git branch -m {branch} NEW-NAME`")));
    }
    if path.symlink_metadata().is_ok() && leftover(repo, &path).is_none() && !is_empty_folder(&path) {
        return Err(Error::refused(format!("`{}` is there already", path.display()))
            .hint("move it away, or set another place: `git config orch.worktrees`"));
    }
    let tree = repo.read().commit(wish.base.oid)?.tree;
    let beside = path.parent().unwrap_or(&path);
    room::require(beside, room::of_tree(repo, tree)?, "the worktree")?;
    let session = Session {
        version: store::record::VERSION,
        worktree_id: wish.name.to_string(),
        name: wish.name,
        branch,
        worktree: path,
        base: wish.base.branch,
        base_oid: wish.base.oid,
        specialty: wish.specialty,
        paths: wish.paths,
        agent: wish.agent,
        adopts: wish.adopts,
        state: SessionState::Idle,
        why: None,
        commits: Vec::new(),
        created: now,
    };
    Ok(Planned::New(Plan { session, follows: found.map(|found| found.tip) }))
}

fn there(found: &Stored<Session>, wish: &Wish) -> Result<Planned> {
    let session = &found.value;
    let same = session.paths == wish.paths
        && session.specialty == wish.specialty
        && session.agent == wish.agent
        && session.base == wish.base.branch
        && session.adopts == wish.adopts;
    if same {
        return Ok(Planned::There(found.clone()));
    }
    Err(Error::refused(format!("there is a session `{}` already, made otherwise", wish.name)).hint(format!(
        "`git orch show {0}` shows it; `git orch remove-session {0}` takes it away",
        wish.name
    )))
}

/// Refuses branches named like our prefixes: git can't hold `orch` and `orch/x`.
fn refuse_prefix_branches(repo: &Repo) -> Result<()> {
    for prefix in [refs::SESSION_BRANCHES, refs::REVIEW_BRANCHES] {
        let branch = prefix.trim_end_matches('/');
        if repo.read().find_ref(&refs::branch(branch))?.is_some() {
            return Err(Error::refused(format!(
                "there is a branch `{branch}`, so git can't hold `{prefix}…` branches"
            ))
            .hint(format!("rename it: `git branch -m {branch} NEW-NAME`")));
        }
    }
    Ok(())
}

fn worktree_path(repo: &Repo, template: &str, name: &Name) -> Result<PathBuf> {
    if !template.contains("{session}") {
        return Err(Error::unusable(format!(
            "the worktrees setting `{template}` has no `{{session}}` in it"
        )));
    }
    Ok(workplace::beside(repo, template, name.as_str()))
}

fn holds_no_file(path: &Path) -> bool {
    match path.read_dir() {
        Ok(entries) => entries.flatten().all(|entry| entry.file_name() == ".git"),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

fn is_empty_folder(path: &Path) -> bool {
    path.read_dir().is_ok_and(|mut entries| entries.next().is_none())
}

/// The entry under git's `worktrees/` that a killed attempt of ours left for this path.
///
/// An attempt that was killed before its record left no file: a folder with
/// files in it is a session whose record was lost, and is nobody's to clear.
fn leftover(repo: &Repo, path: &Path) -> Option<String> {
    if !holds_no_file(path) {
        return None;
    }
    let entries = repo.place().common_dir.join("worktrees").read_dir().ok()?;
    entries.flatten().find_map(|entry| {
        let at = std::fs::read_to_string(entry.path().join("gitdir")).ok()?;
        let mark = std::fs::read_to_string(entry.path().join("locked")).unwrap_or_default();
        let ours = mark.starts_with(MARK) || mark.trim() == "initializing";
        let same = Path::new(at.trim_end()).parent() == Some(path);
        (ours && same).then(|| entry.file_name().to_string_lossy().into_owned())
    })
}

/// Makes the session; its record as written.
///
/// # Errors
/// Whatever git refuses; nothing stays registered then.
pub fn carry_out(repo: &Repo, plan: Plan, events: Events<'_>, now: Time) -> Result<Session> {
    let mut session = plan.session;
    let _held = SessionLock::take(repo, &session.name, "add-session")?;
    let parent = session.worktree.parent().expect("a worktree lies in a folder");
    std::fs::create_dir_all(parent).doing("could not make", parent)?;
    let entry = {
        let lock = RepoLock::take(repo, &format!("add-session {}", session.name), events)?;
        require_as_planned(repo, &lock, &session, plan.follows)?;
        let intent = Intent::AddSession { session: Box::new(session.clone()) };
        let entry = journal::begin(repo, &intent)?;
        // A `git worktree prune` beside us takes what git is only just making.
        let mut tries = 3;
        while let Err(error) = make(repo, &lock, &mut session, plan.follows, now) {
            tries -= 1;
            let undone = undo(repo, &lock, &session);
            if tries == 0 || undone.is_err() {
                return Err(error);
            }
        }
        entry
    };
    if let Err(error) = worktree::fill(repo, &workplace::place(repo, &session)) {
        roll_back(repo, &session, plan.follows, events)?;
        return entry.end().and(Err(error));
    }
    entry.end()?;
    Ok(session)
}

/// Another process may have made it since it was planned.
fn require_as_planned(repo: &Repo, lock: &RepoLock, session: &Session, follows: Option<Oid>) -> Result<()> {
    let found = store::sessions::find(repo, &session.name)?.map(|found| found.tip);
    if found == follows {
        if leftover(repo, &session.worktree).is_some() {
            undo(repo, lock, session)?;
        }
        if repo.read().find_ref(&refs::branch(&session.branch))?.is_none() {
            return Ok(());
        }
    }
    Err(Error::refused(format!("`{}` was made or moved by another process", session.name))
        .hint("run the command again"))
}

fn make(repo: &Repo, lock: &RepoLock, session: &mut Session, follows: Option<Oid>, now: Time) -> Result<()> {
    let start = worktree::Start::NewBranch(&session.branch, session.base_oid);
    let mark = format!("{MARK} {}", session.name);
    session.worktree_id = worktree::add(repo, lock, &session.worktree, &start, Some(&mark))?;
    let record = store::sessions::prepare(repo, session, follows, "added", now)?;
    let branch = refs::branch(&session.branch);
    let effects = [
        Effect::Made { session: session.name.clone() },
        Effect::Ref { name: branch, old: None, new: Some(session.base_oid) },
    ];
    refs::apply_with(repo, lock, &[record], &effects, "add-session")
}

/// Takes away what an attempt left whose process died before the record was
/// written; behind that, writes the files that are missing. Whether that is
/// done with.
pub fn settle(repo: &Repo, session: &Session, events: Events<'_>) -> Result<bool> {
    let Ok(_held) = SessionLock::take(repo, &session.name, "recover") else { return Ok(false) };
    let found = store::sessions::find(repo, &session.name)?.map(|record| record.value);
    let Some(session) = found.filter(|found| found.state != SessionState::Archived) else {
        let lock = RepoLock::take(repo, "recover", events)?;
        return undo(repo, &lock, session).map(|()| true);
    };
    let place = workplace::place(repo, &session);
    worktree::unlock(repo, &place, &session.branch)?;
    if worktree::is_unfilled(&place) && workplace::require(repo, &session).is_ok() {
        worktree::refill(repo, &place)?;
    }
    Ok(true)
}

/// Takes away what an attempt left that came to nothing: the branch only while
/// it is where it was made.
fn undo(repo: &Repo, lock: &RepoLock, session: &Session) -> Result<()> {
    let ours = leftover(repo, &session.worktree).is_some();
    if ours && session.worktree.is_dir() {
        std::fs::remove_dir_all(&session.worktree).doing("could not remove", &session.worktree)?;
    }
    // Another's entry for a folder that is away, on a disk say, is not ours to take.
    if ours || worktree::list(repo)?.iter().all(|one| one.path != session.worktree) {
        worktree::forget(repo, lock, &session.worktree)?;
    }
    let branch = refs::branch(&session.branch);
    refs::unlock(repo, &branch)?;
    if repo.read().find_ref(&branch)? == Some(session.base_oid) {
        let change = RefChange::delete(branch, session.base_oid);
        refs::apply(repo, lock, &[change], "add-session, undone")?;
    }
    Ok(())
}

fn roll_back(repo: &Repo, session: &Session, follows: Option<Oid>, events: Events<'_>) -> Result<()> {
    let lock = RepoLock::take(repo, "add-session, undone", events)?;
    let name = format!("{}{}", refs::SESSIONS, session.name);
    if let Some(at) = repo.read().find_ref(&name)? {
        let change = match follows {
            Some(old) => RefChange::update(name, old, at),
            None => RefChange::delete(name, at),
        };
        refs::apply(repo, &lock, &[change], "add-session, undone")?;
    }
    // All that git wrote there so far can be written again.
    std::fs::remove_dir_all(&session.worktree).doing("could not remove", &session.worktree)?;
    undo(repo, &lock, session)
}
