//! The worktree of a session: where git works for it, and whether it can.

use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Result};
use crate::git::{Head, Place, Repo, worktree};
use crate::model::wording::uncommitted;
use crate::model::{Effect, Event, Events, Oid, Session};

/// The folder that the worktrees setting gives to `name`, seen from the main
/// folder: `{repo}` and `{session}` are filled in, `..` is taken as written.
pub fn beside(repo: &Repo, template: &str, name: &str) -> PathBuf {
    let filled = template.replace("{repo}", &repo.name()).replace("{session}", name);
    let main = repo.main_folder();
    let mut path = main.canonicalize().unwrap_or_else(|_| main.to_owned());
    for component in Path::new(&filled).components() {
        match component {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            component => path.push(component),
        }
    }
    path
}

/// Where git works for a session.
pub fn place(repo: &Repo, session: &Session) -> Place {
    worktree::place(repo, &session.worktree, Some(&session.worktree_id))
}

/// Refuses a worktree that is gone or that leads elsewhere than recorded.
///
/// # Errors
/// Unusable, with the way to repair it.
pub fn require(repo: &Repo, session: &Session) -> Result<Place> {
    let at = session.worktree.display();
    if !session.worktree.is_dir() {
        return Err(Error::unusable(format!(
            "the worktree of session `{}` is gone from `{at}`",
            session.name
        ))
        .hint(format!(
            "bring it back there, or `git orch remove-session {}` and add it again",
            session.name
        )));
    }
    if worktree::is_unlinked(repo, &session.worktree, &session.worktree_id) {
        let message = format!("the worktree of session `{}` has no `.git` file any more", session.name);
        return Err(Error::unusable(message).hint("`git orch doctor --fix` writes it again"));
    }
    if !worktree::is_intact(repo, &session.worktree, &session.worktree_id) {
        return Err(Error::unusable(format!(
            "the worktree of session `{}` leads to another repository",
            session.name
        ))
        .hint(format!("look at `{at}/.git`; `git worktree repair` mends a moved worktree")));
    }
    Ok(place(repo, session))
}

/// Writes the `.git` file of a session's worktree again, where that is all it
/// lacks: git finds its way by it, and an agent may have removed it.
pub fn link(repo: &Repo, session: &Session, events: Events<'_>) {
    if !worktree::is_unlinked(repo, &session.worktree, &session.worktree_id) {
        return;
    }
    let what = format!("the worktree of session {} had no `.git` file any more", session.name);
    events(match worktree::link(repo, &session.worktree, &session.worktree_id) {
        Ok(()) => Event::Warning(format!("{what}; it is written again")),
        Err(error) => Event::Warning(format!("{what}: {error}")),
    });
}

/// Where a session's branch is.
pub fn tip(repo: &Repo, session: &Session) -> Result<Oid> {
    let name = crate::git::refs::branch(&session.branch);
    repo.read().find_ref(&name)?.ok_or_else(|| {
        Error::unusable(format!("the branch `{}` of session `{}` is gone", session.branch, session.name))
            .hint(format!("bring it back: `git branch {} COMMIT`", session.branch))
    })
}

/// That a session's branch was moved in its worktree, for the operation log.
pub fn moved(session: &Session, from: Oid, to: Oid) -> Option<Effect> {
    let name = crate::git::refs::branch(&session.branch);
    (from != to).then_some(Effect::Ref { name, old: Some(from), new: Some(to) })
}

/// Refuses a worktree that is not on the session's branch, or not clean.
///
/// # Errors
/// Refused, naming what is in the way.
pub fn require_clean(repo: &Repo, session: &Session) -> Result<Place> {
    let place = require(repo, session)?;
    tip(repo, session)?;
    let head = worktree::list(repo)?
        .into_iter()
        .find(|one| one.id.as_deref() == Some(&session.worktree_id))
        .and_then(|one| one.head);
    let name = &session.name;
    if head.as_ref().and_then(Head::branch) != Some(session.branch.as_str()) {
        return Err(Error::refused(format!(
            "the worktree of session `{name}` is not on `{}`",
            session.branch
        ))
        .hint(format!("`git -C {} switch {}`", session.worktree.display(), session.branch)));
    }
    let dirty = worktree::dirty(repo, &place)?;
    if let Some(first) = dirty.first() {
        let what = uncommitted(first, dirty.len());
        return Err(Error::refused(format!("session `{name}` has {what}")).hint(format!(
            "commit them in `{}`, or finish the work there: `git orch done`",
            session.worktree.display()
        )));
    }
    Ok(place)
}
