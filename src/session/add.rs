//! Making a session: branch, worktree, record.
//!
//! **Invariant:** the record is the commit point. What a killed attempt left
//! before it (a branch and a worktree marked as ours) is taken away by the
//! next attempt; after it only the worktree's files may be missing, and the
//! next command writes them.

use std::path::{Path, PathBuf};

use super::base::Base;
use super::lock::SessionLock;
use super::workplace;
use crate::error::{Error, IoContext, Result};
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock, worktree};
use crate::model::session::Adoption;
use crate::model::{Events, Name, PathSet, Session, SessionState, Time};
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
    pub follows: Option<crate::model::Oid>,
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
/// Usage for bad patterns; refused when name, branch or folder is taken.
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
    let filled = template.replace("{repo}", &repo.name()).replace("{session}", name.as_str());
    let main = repo.main_folder();
    let mut path = main.canonicalize().doing("could not find", main)?;
    for component in Path::new(&filled).components() {
        match component {
            std::path::Component::ParentDir => drop(path.pop()),
            std::path::Component::CurDir => {}
            other => path.push(other),
        }
    }
    Ok(path)
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
    {
        let lock = RepoLock::take(repo, &format!("add-session {}", session.name), events)?;
        clear_leftover(repo, &lock, &session)?;
        let start = worktree::Start::NewBranch(&session.branch, session.base_oid);
        let mark = format!("{MARK} {}", session.name);
        let added = worktree::add(repo, &lock, &session.worktree, &start, Some(&mark));
        session.worktree_id = added.inspect_err(|_| drop(clear_leftover(repo, &lock, &session)))?;
        let change = store::sessions::prepare(repo, &session, plan.follows, "added", now);
        let written = change.and_then(|change| refs::apply(repo, &lock, &[change], "add-session"));
        written.inspect_err(|_| drop(clear_leftover(repo, &lock, &session)))?;
    }
    if let Err(error) = worktree::fill(repo, &workplace::place(repo, &session)) {
        roll_back(repo, &session, plan.follows, events)?;
        return Err(error);
    }
    Ok(session)
}

/// Takes away what a killed or failed attempt left: the branch only while it
/// is where it was made.
fn clear_leftover(repo: &Repo, lock: &RepoLock, session: &Session) -> Result<()> {
    let Some(id) = leftover(repo, &session.worktree) else { return Ok(()) };
    let admin = repo.place().common_dir.join("worktrees").join(id);
    if session.worktree.is_dir() {
        std::fs::remove_dir_all(&session.worktree).doing("could not remove", &session.worktree)?;
    }
    std::fs::remove_dir_all(&admin).doing("could not remove", &admin)?;
    let branch = refs::branch(&session.branch);
    match repo.read().find_ref(&branch)? {
        Some(at) if repo.read().commits_between(&[session.base_oid], at)?.is_empty() => {
            refs::apply(repo, lock, &[RefChange::delete(branch, at)], "add-session, undone")
        }
        _ => Ok(()),
    }
}

fn roll_back(
    repo: &Repo,
    session: &Session,
    follows: Option<crate::model::Oid>,
    events: Events<'_>,
) -> Result<()> {
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
    clear_leftover(repo, &lock, session)
}
