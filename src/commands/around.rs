//! The task that a command is about when it names none: that of the run, or of
//! the session's worktree, around the caller.

use crate::app::App;
use crate::error::{Error, Result};
use crate::git::{Head, Repo};
use crate::model::{Session, Task, TaskState};
use crate::store::{self, Stored};

/// Finds it; `hint` says what to do where there is none.
///
/// # Errors
/// Usage outside of any session; refused where the session works on no task.
pub(super) fn task(app: &App, repo: &Repo, hint: &str) -> Result<Stored<Task>> {
    if let Some(name) = app.variable("GIT_ORCH_TASK") {
        return store::tasks::require(repo, name);
    }
    let head = repo.read().head()?;
    let around = store::sessions::load(repo)?
        .into_iter()
        .find(|session| head.branch() == Some(session.value.branch.as_str()) || is_in(repo, &session.value));
    let session = around.ok_or_else(|| nowhere(&head, hint))?;
    let name = &session.value.name;
    let tasks = store::tasks::load(repo)?;
    let running = tasks.into_iter().rev().find(|task| {
        task.value.session == *name && matches!(task.value.state, TaskState::Running | TaskState::Input)
    });
    running.ok_or_else(|| {
        Error::refused(format!("session `{name}` works on no task"))
            .hint("`git orch tasks` lists what is open")
    })
}

fn nowhere(head: &Head, hint: &str) -> Error {
    let on = match head {
        Head::Branch(branch, _) | Head::Unborn(branch) => format!("`{branch}`"),
        Head::Detached(_) => "no branch".to_owned(),
    };
    Error::usage(format!("this worktree, on {on}, is no session's: which task is meant?")).hint(hint)
}

fn is_in(repo: &Repo, session: &Session) -> bool {
    repo.place().work_tree.as_deref() == Some(session.worktree.as_path())
}
