//! How a task's route and result read.

use std::time::Duration;

use super::opened::Opened;
use crate::app::App;
use crate::error::{Result, exit};
use crate::model::time::elapsed;
use crate::model::wording::{count, excerpt, review_then_merge};
use crate::model::{
    Alteration, Elsewhere, Name, Oid, Outcome, Published, RequestState, Route, Session, Task, TaskState,
};
use crate::run::{altered, prepare};
use crate::session::workplace;
use crate::store;

/// How many touched files are listed.
const LISTED: usize = 20;

/// `0.87, next frontend 0.20`.
pub(super) fn route_words(route: &Route) -> String {
    let mut candidates = route.candidates.iter();
    let first = candidates.next().map_or(0.0, |first| first.score);
    let next = candidates.next().map(|next| format!(", next {} {:.2}", next.label(), next.score));
    let unsure = if route.unsure { ", unsure" } else { "" };
    format!("{first:.2}{}{unsure}", next.unwrap_or_default())
}

/// `touched 2 of 3 likely files`, of the first candidate; `None` where it touched none.
pub(super) fn touched_words(route: &Route) -> Option<String> {
    let first = route.candidates.first()?;
    let touched =
        route.targets.iter().filter(|t| first.reasons.iter().any(|r| r.path == t.path && r.touches > 0));
    let (touched, all) = (touched.count(), route.targets.len());
    let files = if all == 1 { "file" } else { "files" };
    (touched > 0).then(|| format!("touched {touched} of {all} likely {files}"))
}

/// What runs changed of what git executes, each with whether it still stands.
pub(super) fn altered_words(opened: &Opened, altered: &[Alteration]) -> Vec<String> {
    let standing = altered::standing(&opened.repo, altered, &opened.trust);
    let fate = |one| match standing.contains(one) {
        true => "undo it, or accept it: git orch trust",
        false => "undone or accepted",
    };
    altered.iter().map(|one| format!("  altered    {one} ({})", fate(one))).collect()
}

/// What came into other worktrees while a task's runs went on.
pub(super) fn elsewhere_words(opened: &Opened, elsewhere: &[Elsewhere]) -> Vec<String> {
    let told = |oid: &Oid| match opened.repo.read().commit(*oid) {
        Ok(commit) => format!("{} {}", oid.short(), excerpt(commit.subject(), 60)),
        Err(_) => oid.short(),
    };
    let mut lines = Vec::new();
    for one in elsewhere {
        let at = one.worktree.display();
        let on = one.branch.as_deref().unwrap_or("no branch");
        let commits =
            one.commits.iter().map(|oid| format!("  elsewhere  {}, on {on} in {at} while it ran", told(oid)));
        lines.extend(commits);
        lines.extend(one.files.iter().map(|file| format!("  leak       {file}, in {at} while it ran")));
    }
    lines
}

/// How commits that were made elsewhere become part of a task's result: what is
/// on its base already is taken back there first.
pub(super) fn bring_words(
    name: &Name,
    (state, base): (TaskState, &str),
    elsewhere: &[Elsewhere],
) -> Option<String> {
    let short =
        |oids: &mut dyn Iterator<Item = &Oid>| oids.map(|oid| oid.short()).collect::<Vec<_>>().join(" ");
    let commits = short(&mut elsewhere.iter().flat_map(|one| &one.commits));
    let on_base =
        elsewhere.iter().filter(|one| one.branch.as_deref() == Some(base) && !one.commits.is_empty());
    let mut steps: Vec<String> = on_base
        .map(|one| {
            let newest_first = short(&mut one.commits.iter().rev());
            format!("git -C {} revert --no-edit {newest_first}", one.worktree.display())
        })
        .collect();
    match state {
        TaskState::Failed | TaskState::Cancelled | TaskState::Changes => {}
        TaskState::Review => {
            steps.push(format!("git orch review {name} --request-changes -m 'bring them over'"));
        }
        _ => return None,
    }
    steps.push(format!("git orch retry {name} -- git cherry-pick {commits}"));
    (!commits.is_empty()).then(|| format!("  bring over {}", steps.join("\n        then ")))
}

/// `#12 open, approved, https://…`: the request that publishes a result.
pub(super) fn request_words(request: &Published) -> String {
    let address = request.address.as_ref().map(|address| format!(", {address}"));
    let label = if request.number.is_some() { request.label() } else { request.forge.clone() };
    let state =
        if request.state == RequestState::Unknown { String::new() } else { format!(" {}", request.words()) };
    format!("{label}{state}{}", address.unwrap_or_default())
}

/// The next command for a task, where there is one.
pub(super) fn next(task: &Task) -> Option<String> {
    let name = &task.name;
    match task.state {
        TaskState::Review => Some(review_then_merge(name)),
        TaskState::Changes => Some(format!("git orch retry {name}")),
        TaskState::Failed => Some(format!("git orch log {name}, then git orch retry {name}")),
        TaskState::Cancelled => Some(format!("git orch retry {name}")),
        TaskState::Input => Some(format!("git orch answer {name} TEXT, or git orch attach {name}")),
        TaskState::Queued if task.waits_for_a_start() => Some(format!("git orch retry {name}")),
        TaskState::Running if task.agent.is_none() => {
            Some(format!("work and commit there, then git orch done {name}"))
        }
        _ => None,
    }
}

/// Reports an ended run; the exit code.
pub(super) fn report(app: &App, opened: &Opened, task: &Task) -> Result<u8> {
    app.ui.data(task)?;
    let code = tell(app, opened, task)?;
    if let Some(next) = next(task) {
        app.ui.note(format!("next: {next}"));
    }
    Ok(code)
}

/// Tells how a run ended, where something follows in the same command.
pub(super) fn tell(app: &App, opened: &Opened, task: &Task) -> Result<u8> {
    app.ui.settle();
    let took = took(task);
    let outcome = task.runs.last().and_then(|run| run.outcome);
    let code = match (task.state, outcome) {
        (TaskState::Review, _) => {
            app.ui.note(format!("done in {took}: {}", holds(task)));
            for change in task.touched.iter().take(LISTED) {
                app.ui.note(format!("  {} {}", change.status.letter(), change.path));
            }
            if task.touched.len() > LISTED {
                app.ui.note(format!("  and {} more", task.touched.len() - LISTED));
            }
            app.ui.answer(task.review_branch.clone().unwrap_or_default())?;
            exit::DONE
        }
        (TaskState::Running, _) => exit::DONE,
        (TaskState::Input, _) => {
            let asked = task.runs.last().and_then(|run| run.asked.as_deref().or(run.said.as_deref()));
            app.ui.note(format!("{} asks: {}", task.session, asked.unwrap_or("it does not say what")));
            exit::INPUT
        }
        (_, outcome) => {
            app.ui.note(failure(opened, task, outcome, &took)?);
            match outcome {
                Some(Outcome::TimedOut) => exit::TIMED_OUT,
                Some(Outcome::Interrupted) if task.state == TaskState::Failed => exit::INTERRUPTED,
                _ => exit::FAILED,
            }
        }
    };
    Ok(code)
}

/// How long the last run took.
fn took(task: &Task) -> String {
    let run = task.runs.last();
    let seconds = run.and_then(|run| Some(run.ended?.since(run.started))).unwrap_or_default();
    match seconds {
        0 => "less than 1s".to_owned(),
        _ => elapsed(Duration::from_secs(seconds.unsigned_abs())),
    }
}

/// What a result holds: `1 commit, 2 files, on top of fix-login`.
fn holds(task: &Task) -> String {
    let below = task.on_top_of.as_ref().map(|below| format!(", on top of {below}"));
    let (commits, files) = (count(task.all_commits().count(), "commit"), count(task.touched.len(), "file"));
    format!("{commits}, {files}{}", below.unwrap_or_default())
}

/// An ended run in a line.
pub(super) fn ended_words(opened: &Opened, task: &Task) -> Result<String> {
    let (took, outcome) = (took(task), task.runs.last().and_then(|run| run.outcome));
    match task.state {
        TaskState::Review => Ok(format!("{} in {took}", holds(task))),
        _ => failure(opened, task, outcome, &took),
    }
}

/// Gives a prepared task to a person.
pub(super) fn hand_over(app: &App, opened: &Opened, task: &Task, session: &Session) -> Result<()> {
    let at = session.worktree.display();
    let brief = prepare::folder(&opened.repo, task)?.join("brief.md");
    app.ui.note(format!("no agent is set: {} is yours", task.name));
    app.ui.note(format!("  worktree   {at}"));
    app.ui.note(format!("  brief      {}", brief.display()));
    app.ui.answer(at.to_string())?;
    Ok(())
}

fn failure(opened: &Opened, task: &Task, outcome: Option<Outcome>, took: &str) -> Result<String> {
    let word = match outcome {
        Some(Outcome::Empty) => "not done: the run changed nothing".to_owned(),
        Some(outcome) => format!("not done: the run {}", outcome_words(outcome)),
        None => format!("not done: the task is {}", task.state.word()),
    };
    let run = task.runs.last();
    let code =
        run.and_then(|run| run.exit_code).filter(|code| *code != 0).map(|code| format!(" (exit {code})"));
    let kept = match run.and_then(|run| run.snapshot) {
        Some(_) => "; its edits are kept on the task's record",
        None => "",
    };
    let session = store::sessions::find(&opened.repo, &task.session)?;
    // Where its worktree is out of reach, a warning has told why.
    let is_free = session.is_some_and(|session| workplace::require(&opened.repo, &session.value).is_ok());
    let fate = if is_free { "is free" } else { "is not free: git orch doctor" };
    let why = run.and_then(|run| run.error.as_deref()).map(|why| format!(": {}", excerpt(why, 200)));
    let (code, why) = (code.unwrap_or_default(), why.unwrap_or_default());
    Ok(format!("{word}{code} after {took}{why}{kept}; session {} {fate}", task.session))
}

fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Interrupted => "was interrupted",
        Outcome::Died => "died",
        other => other.word(),
    }
}
