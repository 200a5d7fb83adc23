//! Who else is at the files of a task, and what of that does not fit together.

use super::known::{Known, is_at};
use super::page::{Body, Section};
use crate::error::Result;
use crate::git::pairs::{self, Clash, Pair};
use crate::git::{Aside, refs};
use crate::model::wording::few;
use crate::model::{Oid, RepoPath, Task, TaskState};
use crate::run::nearby::{self, By, Nearby};
use crate::run::prepare::left_off;

/// What others are changing there, then what conflicts with the work at hand.
pub fn sections(known: &Known<'_>, places: &[RepoPath], task: &Task) -> Result<Vec<Section>> {
    let nearby = nearby::find(known.repo, (&known.sessions, &known.tasks), &known.session.name, places)?;
    let conflicts = conflicts(known, places, (task, &nearby))?;
    let lines = nearby.iter().map(Nearby::to_string).collect();
    Ok(vec![
        Section { title: "Open conflicts there".to_owned(), body: Body::Lines(conflicts), room: 1_500 },
        Section { title: "Who else is at these files".to_owned(), body: Body::Lines(lines), room: 1_500 },
    ])
}

/// What the session has that has not landed, against its base and against what
/// others have.
fn conflicts(
    known: &Known<'_>,
    places: &[RepoPath],
    (task, nearby): (&Task, &[Nearby]),
) -> Result<Vec<String>> {
    let read = known.repo.read();
    let Some(base) = read.find_ref(&refs::branch(&task.base))? else { return Ok(Vec::new()) };
    let Some(ours) = ours(known, task)? else { return Ok(Vec::new()) };
    if read.merge_base(ours, base)? == Some(ours) {
        return Ok(Vec::new());
    }
    let mut others: Vec<(String, Oid)> = vec![(task.base.clone(), base)];
    for (by, name) in nearby.iter().flat_map(|one| one.names.iter().map(|name| (one.by, name))) {
        let branch = match by {
            By::Result => refs::review_branch(name),
            By::Branch => refs::session_branch(name),
            By::Uncommitted => continue,
        };
        if let Some(tip) =
            read.find_ref(&refs::branch(&branch))?.filter(|tip| !others.iter().any(|one| one.1 == *tip))
        {
            others.push((branch, tip));
        }
    }
    let asked: Vec<Pair> = others.iter().map(|(_, theirs)| Pair { ours, theirs: *theirs }).collect();
    let aside = Aside::make(known.repo)?;
    let found = pairs::conflicts(known.repo, &aside, &asked)?;
    Ok(others.iter().zip(found).filter_map(|((name, _), clashes)| told(name, &clashes, places)).collect())
}

/// What there is of a task, else where its session is.
fn ours(known: &Known<'_>, task: &Task) -> Result<Option<Oid>> {
    let at_work = matches!(task.state, TaskState::Running | TaskState::Input);
    let left = if at_work { None } else { left_off(known.repo, task)? };
    left.map_or_else(
        || known.repo.read().find_ref(&refs::branch(&known.session.branch)),
        |left| Ok(Some(left)),
    )
}

/// `` `src/api/login.rs` conflicts with review/sort-cart ``.
fn told(name: &str, clashes: &[Clash], places: &[RepoPath]) -> Option<String> {
    let is_there = |path: &&RepoPath| places.is_empty() || is_at(path, places);
    let paths: Vec<&RepoPath> = clashes.iter().map(|clash| &clash.path).filter(is_there).collect();
    (!paths.is_empty()).then(|| format!("what is here conflicts with {name} in {}", few(paths)))
}
