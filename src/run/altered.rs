//! What runs changed of what git executes: settings, hooks, attributes. They
//! are shared by all worktrees, so what an agent puts there would run in its
//! user's checkout.
//!
//! A change stands until it is undone or the user accepts it with `git orch
//! trust`; while one stands, its result does not land, and neither hooks nor
//! signing run.

use std::path::PathBuf;

use super::Scene;
use super::prepare::folder;
use crate::config::trust::{self, Trust};
use crate::error::{Error, IoContext, Result};
use crate::git::Repo;
use crate::git::programs::{self, Programs};
use crate::model::wording::list;
use crate::model::{Alteration, Event, Name, Task};
use crate::store::{self, record};

/// What was there before a task's run, kept until it ends: also for the
/// command that sets right what a killed process left.
fn file(scene: Scene<'_>, task: &Task) -> Result<PathBuf> {
    Ok(folder(scene.repo, task)?.join("programs.json"))
}

/// Remembers what is there before a run.
pub fn remember(scene: Scene<'_>, task: &Task) -> Result<()> {
    let file = file(scene, task)?;
    let text = record::line(&programs::load(scene.repo))?;
    std::fs::write(&file, text).doing("could not write", &file)
}

/// What differs from what was remembered; the user is warned of it.
pub fn since(scene: Scene<'_>, task: &Task) -> Vec<Alteration> {
    let Ok(file) = file(scene, task) else { return Vec::new() };
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let Some(before) = record::parse_line::<Programs>(&text) else { return Vec::new() };
    // It is asked once; a file that stays tells the same again.
    drop(std::fs::remove_file(&file));
    told(scene, &before)
}

/// The same for a state that was not written down.
pub fn told(scene: Scene<'_>, before: &Programs) -> Vec<Alteration> {
    let altered = before.altered_in(&programs::load(scene.repo));
    for one in &altered {
        (scene.events)(Event::Warning(format!(
            "the run changed what git executes in this repository, {one}"
        )));
    }
    altered
}

/// Those that stand: neither undone nor accepted as they are now.
pub fn standing(repo: &Repo, altered: &[Alteration], trust: &Trust) -> Vec<Alteration> {
    if altered.is_empty() {
        return Vec::new();
    }
    let now = programs::load(repo);
    let stands = |one: &&Alteration| {
        let value = now.value(&one.what);
        value != one.before.as_deref() && !trust.covers(&trust::program(&one.what, value))
    };
    altered.iter().filter(stands).cloned().collect()
}

/// Refuses a result while what its run changed stands.
///
/// # Errors
/// Refused, naming what was changed.
pub fn refuse(repo: &Repo, name: &Name, altered: &[Alteration], trust: &Trust) -> Result<()> {
    let standing = standing(repo, altered, trust);
    if standing.is_empty() {
        return Ok(());
    }
    let what = list(standing.iter().map(|one| format!("`{}`", one.what)));
    Err(Error::refused(format!("the run of `{name}` changed what git executes: {what}"))
        .hint(format!("look at it, `git orch show {name}`; undo it, or accept it: `git orch trust`")))
}

/// Every change that any run made, accepted ones too.
pub fn all(repo: &Repo) -> Result<Vec<Alteration>> {
    let tasks = store::tasks::load(repo)?.into_iter().flat_map(|task| task.value.altered);
    let fanouts = store::fanouts::load(repo)?.into_iter().flat_map(|fanout| fanout.value.altered);
    Ok(tasks.chain(fanouts).collect())
}

/// What `git orch trust` accepts: each changed thing that is not undone, as it is now.
pub fn to_trust(repo: &Repo) -> Result<Vec<trust::Named>> {
    let altered = all(repo)?;
    let now = programs::load(repo);
    let changed = altered.iter().filter(|one| now.value(&one.what) != one.before.as_deref());
    Ok(changed.map(|one| trust::program(&one.what, now.value(&one.what))).collect())
}
