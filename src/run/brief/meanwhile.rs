//! What others changed since a session was last there, in the files of a task
//! and in its base.

use std::collections::{BTreeMap, BTreeSet};

use super::known::{Known, at, files, is_at};
use super::page::{Body, Section};
use super::past::Past;
use crate::error::Result;
use crate::git::refs;
use crate::git::since::since;
use crate::model::{Mined, Name, Oid, RepoPath, Task};

/// No more of each are asked for.
const LISTED: usize = 30;

/// So often a history is asked; places touched longer ago are asked for together.
const ASKED: usize = 8;

/// Commits of others at some places: those of results that wait with their branch.
type There<'a> = BTreeMap<Oid, Option<&'a str>>;

/// What others changed at the files of a task since the session last touched
/// them: what has landed, and what waits.
pub fn there(known: &Known<'_>, past: &Past, task: &Task) -> Result<Option<Section>> {
    let Some(base) = known.repo.read().find_ref(&refs::branch(&task.base))? else { return Ok(None) };
    let touches = past.last_touches();
    let mut there = There::new();
    for (last, places) in few(&touches) {
        let found = since(known.repo, &[last], base, &places, LISTED)?;
        there.extend(found.into_iter().map(|oid| (oid, None)));
    }
    for (commits, branch) in waiting(known, past.places()) {
        there.extend(commits.into_iter().map(|oid| (oid, Some(branch))));
    }
    there.retain(|oid, _| !known.is_own(*oid));
    let mined = known.mine(&there.keys().copied().collect::<Vec<_>>())?;
    let told = mined.iter().map(|mined| (mined, at(mined, past.places())));
    let told = told.filter(|(_, paths)| !paths.is_empty());
    let lines = told.map(|told| line(known, (told.0, &told.1), there[&told.0.oid])).collect();
    let since = if touches.is_empty() { "" } else { " since this session last touched it" };
    let title = format!("What others changed there{since}");
    Ok(Some(Section { title, body: Body::Lines(lines), room: 3_500 }))
}

/// What else its base got since the session last started from it.
pub fn elsewhere(known: &Known<'_>, past: &Past, task: &Task) -> Result<Option<Section>> {
    let Some(base) = known.repo.read().find_ref(&refs::branch(&task.base))? else { return Ok(None) };
    let hidden = last_start(known, &task.name).unwrap_or(known.session.base_oid);
    let mut found = known.mine(&since(known.repo, &[hidden], base, &[], LISTED)?)?;
    let there: Vec<RepoPath> = past.last_touches().into_iter().flat_map(|(_, places)| places).collect();
    found.retain(|mined| !known.is_own(mined.oid) && at(mined, &there).is_empty());
    let lines = found.iter().map(|mined| known.line_by(mined)).collect();
    let title = format!("What else is new on {} since this session last started from it", task.base);
    Ok(Some(Section { title, body: Body::Lines(lines), room: 1_500 }))
}

fn line(known: &Known<'_>, (mined, paths): (&Mined, &BTreeSet<RepoPath>), branch: Option<&str>) -> String {
    let waits = branch.map(|branch| format!(" [{branch}, not landed]")).unwrap_or_default();
    format!("{}{}{waits}", known.line_by(mined), files(paths))
}

/// The same in fewer questions: those that were touched the longest ago are
/// asked for since the first of them.
fn few(touches: &[(Oid, Vec<RepoPath>)]) -> Vec<(Oid, Vec<RepoPath>)> {
    let (single, rest) = touches.split_at(touches.len().min(ASKED - 1));
    let mut asked = single.to_vec();
    if let Some((oldest, _)) = rest.last() {
        asked.push((*oldest, rest.iter().flat_map(|(_, places)| places.iter().cloned()).collect()));
    }
    asked
}

/// The commits of other sessions' results that wait, where those changed one
/// of some places.
fn waiting<'a>(known: &'a Known<'_>, places: &[RepoPath]) -> Vec<(Vec<Oid>, &'a str)> {
    let is_there = |task: &&Task| {
        task.session != known.session.name
            && task.state.is_pending()
            && task.touched.iter().any(|change| is_at(&change.path, places))
    };
    let tasks = known.tasks.iter().map(|task| &task.value).filter(is_there);
    tasks.filter_map(|task| Some((task.all_commits().collect(), task.review_branch.as_deref()?))).collect()
}

/// Where the session was when it last began to work, the run that is beginning
/// aside.
fn last_start(known: &Known<'_>, task: &Name) -> Option<Oid> {
    let own = known.tasks.iter().map(|task| &task.value).filter(|one| one.session == known.session.name);
    let runs = own.flat_map(|one| one.runs.iter().filter(|run| run.ended.is_some() || one.name != *task));
    runs.max_by_key(|run| run.started).map(|run| run.start_oid)
}
