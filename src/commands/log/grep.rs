//! `git orch log --grep`: what was said in conversations, and printed by runs.

use std::path::PathBuf;

use regex::{Regex, RegexBuilder};
use serde::Serialize;

use crate::app::App;
use crate::commands::opened::Opened;
use crate::error::{Error, Result, exit};
use crate::model::{Name, Time};
use crate::run::redact::redact;
use crate::run::{execute, transcript};
use crate::store;

/// How much is shown around what was found.
const AROUND: usize = 60;
/// So many places of one file are shown.
const PLACES: usize = 5;

/// A place where it was found.
#[derive(Serialize)]
struct Found {
    session: Name,
    /// The conversation's id, where it is one that was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<String>,
    /// The task, where a run of it printed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<usize>,
    line: usize,
    text: String,
}

/// Where something can be found.
struct Source {
    session: Name,
    conversation: Option<String>,
    task: Option<(Name, usize)>,
    file: PathBuf,
    changed: Option<Time>,
}

/// Looks for a pattern; 1 where it is nowhere.
pub(super) fn run(app: &App, opened: &Opened, pattern: &str, named: Option<&str>) -> Result<u8> {
    let regex = RegexBuilder::new(pattern).case_insensitive(!pattern.chars().any(char::is_uppercase)).build();
    let regex = regex.map_err(|_| {
        Error::usage(format!("`{pattern}` is no regular expression"))
            .hint("for special characters themselves put a backslash in front")
    })?;
    let mut sources = sources(opened)?;
    if let Some(named) = named {
        let task =
            store::tasks::load(&opened.repo)?.into_iter().find(|task| task.value.name.as_str() == named);
        if task.is_none() && !sources.iter().any(|source| source.session.as_str() == named) {
            store::sessions::require(&opened.repo, named)?;
        }
        let of_task = |id: &String| {
            task.iter().flat_map(|task| &task.value.runs).any(|run| run.conversation.as_ref() == Some(id))
        };
        sources.retain(|source| {
            source.session.as_str() == named
                || source.task.as_ref().is_some_and(|(task, _)| task.as_str() == named)
                || source.conversation.as_ref().is_some_and(of_task)
        });
    }
    sources.sort_by_key(|source| std::cmp::Reverse(source.changed));
    let mut found = Vec::new();
    for source in &sources {
        found.extend(look(source, &regex));
    }
    app.ui.data(&found)?;
    for one in &found {
        let at = match (&one.conversation, &one.task, one.run) {
            (Some(id), ..) => format!("{} {id}", one.session),
            (None, Some(task), Some(run)) => format!("{} {task} run {run}", one.session),
            _ => one.session.to_string(),
        };
        app.ui.answer(format!("{at}:{}: {}", one.line, one.text))?;
    }
    if found.is_empty() {
        app.ui.note(format!(
            "nothing like `{pattern}` in {}",
            crate::model::wording::count(sources.len(), "file")
        ));
        return Ok(exit::FAILED);
    }
    Ok(exit::DONE)
}

/// Kept conversations, and the logs of runs.
fn sources(opened: &Opened) -> Result<Vec<Source>> {
    let changed = |file: &PathBuf| {
        let modified = file.metadata().and_then(|meta| meta.modified()).ok()?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(Time(i64::try_from(since.as_secs()).unwrap_or(i64::MAX)))
    };
    let kept = transcript::all(&opened.repo).into_iter().map(|(session, id, file)| Source {
        changed: changed(&file),
        conversation: Some(id),
        task: None,
        session,
        file,
    });
    let mut sources: Vec<Source> = kept.collect();
    for task in store::tasks::load(&opened.repo)?.into_iter().map(|task| task.value) {
        for (index, run) in task.runs.iter().enumerate() {
            let folder = opened.repo.orch_path().join("task").join(task.name.as_str());
            let file = folder.join(execute::log_name(index + 1));
            if file.is_file() {
                let session = run.session.clone().unwrap_or_else(|| task.session.clone());
                let changed = changed(&file);
                let task = Some((task.name.clone(), index + 1));
                sources.push(Source { session, conversation: None, task, file, changed });
            }
        }
    }
    Ok(sources)
}

fn look(source: &Source, regex: &Regex) -> Vec<Found> {
    let text = if source.conversation.is_some() {
        transcript::open(&source.file).unwrap_or_default()
    } else {
        let bytes = std::fs::read(&source.file).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let places = text.lines().enumerate().filter_map(|(index, line)| Some((index, line, regex.find(line)?)));
    places
        .take(PLACES)
        .map(|(index, line, place)| Found {
            session: source.session.clone(),
            conversation: source.conversation.clone(),
            task: source.task.as_ref().map(|(task, _)| task.clone()),
            run: source.task.as_ref().map(|(_, run)| *run),
            line: index + 1,
            text: excerpt(line, regex, place.start()),
        })
        .collect()
}

/// What stands around a place in a line, which may be a long one. Cut first, a
/// secret would not be known any more.
fn excerpt(line: &str, regex: &Regex, start: usize) -> String {
    let line = redact(line);
    let place = regex.find(&line).map_or(start..start, |place| place.range());
    let (start, end) = (place.start.min(line.len()), place.end.min(line.len()));
    let from = line.floor_char_boundary(start.saturating_sub(AROUND));
    let to = line.ceil_char_boundary(end.saturating_add(AROUND).min(line.len()));
    let (before, behind) = (if from > 0 { "…" } else { "" }, if to < line.len() { "…" } else { "" });
    format!("{before}{}{behind}", line[from..to].trim())
}
