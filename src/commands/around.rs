//! The task and the session around the caller.

use crate::app::App;
use crate::error::{Error, Result};
use crate::git::{Head, Repo, identity};
use crate::model::{Name, Session, Task, TaskState};
use crate::store::{self, Stored};

/// The task that is named, else the one whose run this is, else the one that
/// the session around works on; `asks` says what it is needed for, and `hint`
/// what to do where there is none.
///
/// # Errors
/// Usage outside any session; refused where that one works on nothing.
pub(super) fn task(
    app: &App,
    repo: &Repo,
    typed: Option<&str>,
    (asks, hint): (&str, &str),
) -> Result<Stored<Task>> {
    if let Some(name) = typed.or(app.variable("GIT_ORCH_TASK")) {
        return store::tasks::require(repo, name);
    }
    let session = session(repo)?.ok_or_else(|| {
        let on = match repo.read().head() {
            Ok(Head::Branch(branch, _) | Head::Unborn(branch)) => format!("`{branch}`"),
            _ => "no branch".to_owned(),
        };
        Error::usage(format!("this worktree, on {on}, is no session's: {asks}")).hint(hint)
    })?;
    let name = &session.name;
    let tasks = store::tasks::load(repo)?;
    let running = tasks.into_iter().rev().find(|task| {
        task.value.session == *name && matches!(task.value.state, TaskState::Running | TaskState::Input)
    });
    running.ok_or_else(|| Error::refused(format!("session `{name}` works on no task")).hint(hint))
}

/// Who tells something: the session whose run or worktree this is, else the
/// person, as git has it.
///
/// # Errors
/// Unusable where git knows no person.
pub(super) fn teller(app: &App, repo: &Repo) -> Result<(String, Option<Name>)> {
    let session = match app.variable("GIT_ORCH_SESSION").and_then(|name| name.parse().ok()) {
        Some(name) => Some(name),
        None => session(repo)?.map(|session| session.name),
    };
    let by = session.as_ref().map_or_else(|| identity::require(repo), |name| Ok(name.to_string()))?;
    Ok((by, session))
}

/// The session whose worktree or branch this is.
pub(super) fn session(repo: &Repo) -> Result<Option<Session>> {
    let head = repo.read().head()?;
    let at = repo.place().work_tree.as_deref();
    let is_around = |session: &Session| {
        head.branch() == Some(session.branch.as_str()) || at == Some(session.worktree.as_path())
    };
    let sessions = store::sessions::load(repo)?.into_iter().map(|session| session.value);
    Ok(sessions.into_iter().find(is_around))
}
