//! Which session looks at a result: one that knows what it touches, and did
//! not do it.

use crate::error::{Error, Result};
use crate::model::{Candidate, Name, RepoPath, Route, Session, SessionState, Viewpoint};
use crate::review::{Item, gate};
use crate::run::Scene;
use crate::run::routing::{self, Survey};
use crate::session::pause;
use crate::store;

/// Who looks, and what they know of it.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The session.
    pub session: Session,
    /// How it stood against the others.
    pub candidate: Option<Candidate>,
    /// Why it, in a few words.
    pub why: String,
}

/// The session that looks at a result from a viewpoint: one that is called as
/// the viewpoint is, else who looked from there before, else who knows it best. None where there is no other than the author's.
///
/// # Errors
/// Unusable where the history can't be read.
pub fn choose(
    scene: Scene<'_>,
    survey: &Survey,
    item: &Item,
    viewpoint: Viewpoint,
) -> Result<Option<Choice>> {
    let authors: Vec<Name> = item.session.iter().cloned().collect();
    let route = route(scene, survey, item, &authors)?;
    let Some(first) = route.candidates.first() else { return Ok(None) };
    let task = store::tasks::find(scene.repo, &item.name)?;
    let looks = task.as_ref().map(|task| task.value.viewpoints.as_slice()).unwrap_or_default();
    let find = |is_it: &dyn Fn(&Name) -> bool| route.candidates.iter().find(|one| is_it(&one.session));
    let named = find(&|name| name.as_str() == viewpoint.word());
    let before = looks.iter().rfind(|look| look.viewpoint == viewpoint);
    let before = before.and_then(|look| find(&|name| *name == look.session));
    // Who added to the result looks at it only where there is nobody else.
    let added = |name: &Name| {
        task.as_ref().is_some_and(|task| task.value.made_by_others().any(|(_, maker)| maker == name))
    };
    let fresh = find(&|name| !added(name));
    let (chosen, why) = match (named, before) {
        (Some(named), _) => (named, "by its name".to_owned()),
        (None, Some(before)) => (before, "as before".to_owned()),
        (None, None) => {
            let chosen = fresh.unwrap_or(first);
            (chosen, words(chosen, &route))
        }
    };
    let session = routing::find(survey, &chosen.session).expect("it is among the surveyed").value.clone();
    Ok(Some(Choice { session, candidate: Some(chosen.clone()), why }))
}

/// A session that was named.
///
/// # Errors
/// Usage where there is none of the name; refused for the author's.
pub fn by_name(scene: Scene<'_>, survey: &Survey, item: &Item, name: &str) -> Result<Choice> {
    let session = store::sessions::require(scene.repo, name)?.value;
    if item.session.as_ref() == Some(&session.name) {
        return Err(Error::refused(format!("session `{name}` did `{}` itself", item.name))
            .hint(format!("name another one, or have one chosen: `git orch review {} --by`", item.name)));
    }
    if session.state == SessionState::Archived {
        return Err(Error::refused(format!("session `{name}` is removed")));
    }
    pause::refuse(&session)?;
    let route = route(scene, survey, item, &[])?;
    let candidate = route.candidates.into_iter().find(|one| one.session == session.name);
    Ok(Choice { session, candidate, why: String::new() })
}

fn route(scene: Scene<'_>, survey: &Survey, item: &Item, without: &[Name]) -> Result<Route> {
    let touched = gate::touched(scene.repo, item)?;
    let paths: Vec<_> = touched.into_iter().map(|change| change.path).collect();
    routing::decide_without(scene.repo, survey, (&item.text, &paths), without, scene.events)
}

/// `it touched 2 of 3 files`, or that it knows as little as anybody.
fn words(chosen: &Candidate, route: &Route) -> String {
    let knows =
        |path: &RepoPath| chosen.reasons.iter().any(|reason| reason.path == *path && reason.touches > 0);
    let touched = route.targets.iter().filter(|target| knows(&target.path)).count();
    let files = if route.targets.len() == 1 { "file" } else { "files" };
    match touched {
        0 if chosen.has_evidence() || chosen.signals.specialty > 0.0 => format!("{:.2}", chosen.score),
        0 => "only its author knows it".to_owned(),
        touched => format!("it touched {touched} of {} {files}", route.targets.len()),
    }
}

/// Why nobody can look but a person.
pub fn nobody(item: &Item, viewpoint: Viewpoint) -> Error {
    let (name, word) = (&item.name, viewpoint.word());
    let only = match &item.session {
        Some(author) => format!("there is no session but `{author}`, which did it"),
        None => "there is no session".to_owned(),
    };
    Error::refused(format!("nobody else knows `{name}`: {only}"))
        .hint("make one: `git orch add-session NAME --paths GLOB --adopt-history`")
        .hint(format!("or look at it: `git orch review {name} --diff`, then `git orch review {name} --approve --viewpoint {word}`"))
}
