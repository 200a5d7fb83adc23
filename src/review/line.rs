//! Results lined up behind their base, each combined in memory with all before it.
//!
//! **Invariant:** what can be known to keep a result from landing is known
//! before any check runs.

use super::gate::{self, Gate};
use super::item::Item;
use super::style::{self, Made};
use super::verdict::{self, Held};
use crate::config::Style;
use crate::config::trust::Trust;
use crate::error::{Error, Result};
use crate::git::{Repo, moved, refs};
use crate::model::{Name, Oid, RepoPath, Task, TaskState};
use crate::run::{Scene, altered};
use crate::session::base::Base;
use crate::store;

/// How results are to land.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// As what.
    pub style: Style,
    /// What the user trusts.
    pub trust: &'a Trust,
    /// Whether they were asked for by name.
    pub named: bool,
}

/// A result in its place.
#[derive(Clone, Debug)]
pub struct Link {
    /// The result.
    pub item: Item,
    /// What it was put on.
    pub from: Oid,
    /// The commit that brings it there.
    pub commit: Oid,
    /// Its tree.
    pub tree: Oid,
}

/// Results in line, and those that have no place in it.
#[derive(Debug, Default)]
pub struct Line {
    /// Those that fit, in order.
    pub links: Vec<Link>,
    /// Those that conflict with what comes before them, and where.
    pub conflicts: Vec<(Item, Vec<RepoPath>)>,
    /// Those that build on one that conflicts.
    pub behind: Vec<(Item, Name)>,
    /// Those that may not land, and why.
    pub kept: Vec<(Item, Error)>,
}

/// Lines results up, in this order.
pub fn up(scene: Scene<'_>, rules: Rules<'_>, base: &Base, gate: &Gate, items: Vec<Item>) -> Result<Line> {
    let repo = scene.repo;
    let checkout = moved::holder(repo, &base.branch)?;
    let checkout = checkout.map(moved::Dirt::of);
    let mut line = Line::default();
    let mut tip = base.oid;
    let held = verdict::load_all(repo, &items)?;
    for (item, held) in items.into_iter().zip(held) {
        let link = match allowed(scene, rules, gate, (&item, &held)).and_then(|()| below(repo, &line, &item))
        {
            Ok(Below::Landed) => style::make(repo, rules.style, &item, tip),
            Ok(Below::Waits(name)) => {
                line.behind.push((item, name));
                continue;
            }
            Err(error) => Err(error),
        };
        let made = match link {
            Ok(Made::Commit(commit, tree)) => (commit, tree),
            Ok(Made::Conflict(paths)) => {
                line.conflicts.push((item, paths));
                continue;
            }
            Err(error) => {
                line.kept.push((item, error));
                continue;
            }
        };
        let clear =
            checkout.as_ref().map_or(Ok(()), |dirt| dirt.require_clear(repo, &base.branch, tip, made.0));
        if let Err(error) = clear {
            let message = format!("cannot land `{}`: {}", item.name, error.message);
            line.kept.push((item, Error { message, ..error }));
            continue;
        }
        line.links.push(Link { item, from: tip, commit: made.0, tree: made.1 });
        tip = made.0;
    }
    Ok(line)
}

/// Refuses what may not land, whatever it is combined with.
fn allowed(scene: Scene<'_>, rules: Rules<'_>, gate: &Gate, (item, held): (&Item, &[Held])) -> Result<()> {
    let repo = scene.repo;
    let name = &item.name;
    match item.state {
        TaskState::Review => {}
        TaskState::Changes => {
            return Err(Error::refused(format!("changes were asked of `{name}`"))
                .hint(format!("let them be made: `git orch retry {name}`; or approve it as it is")));
        }
        state => {
            return Err(Error::refused(format!("`{name}` does not wait to land: it is {}", state.word())));
        }
    }
    if let Some(told) = item.failed_check.as_ref().filter(|_| !rules.named) {
        return Err(Error::refused(format!("cannot land `{name}`: its check {told}"))
            .hint(format!("mend it on its branch, or land it all the same: `git orch merge {name}`")));
    }
    altered::refuse(repo, name, &item.altered, rules.trust)?;
    gate.require_approvals(item, &gate::touched(repo, item)?, held)
}

enum Below {
    /// It has landed, is in the line, or there is none.
    Landed,
    /// It may be in the line another time.
    Waits(Name),
}

fn below(repo: &Repo, line: &Line, item: &Item) -> Result<Below> {
    let Some(name) = &item.on_top_of else { return begins_where_something_landed(repo, item) };
    let Some(below) = store::tasks::find(repo, name)? else { return Ok(Below::Landed) };
    let is_in_line = line.links.iter().any(|link| link.item.name == *name);
    if below.value.state == TaskState::Merged || is_in_line {
        return Ok(Below::Landed);
    }
    let is_it = |item: &Item| item.name == *name;
    if line.conflicts.iter().any(|(item, _)| is_it(item)) || line.behind.iter().any(|(item, _)| is_it(item)) {
        return Ok(Below::Waits(name.clone()));
    }
    Err(needs(&item.name, name))
}

/// A result that no longer says what it builds on may still begin at one that
/// has not landed, and may not bring that in.
fn begins_where_something_landed(repo: &Repo, item: &Item) -> Result<Below> {
    let base = repo.read().find_ref(&refs::branch(&item.base))?;
    if let Some(base) = base
        && repo.read().merge_base(base, item.base_oid)? == Some(item.base_oid)
    {
        return Ok(Below::Landed);
    }
    let begins = |task: &Task| task.tip == Some(item.base_oid) || task.superseded.contains(&item.base_oid);
    let mut others = store::tasks::load(repo)?.into_iter().map(|task| task.value);
    match others.find(|task| task.name != item.name && task.state != TaskState::Merged && begins(task)) {
        Some(below) => Err(needs(&item.name, &below.name)),
        None => Ok(Below::Landed),
    }
}

/// That a result's lower one has to land first.
pub fn needs(name: &Name, below: &Name) -> Error {
    Error::refused(format!("`{name}` builds on `{below}`, which has not landed"))
        .hint(format!("land both: `git orch merge {below} {name}`"))
}
