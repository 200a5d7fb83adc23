//! The text an agent or a person starts from.
//!
//! ```text
//! page       the text itself: sections, their sizes, fences
//! handed     what went over with it from another session
//! kept       what was kept for later
//! known      who made which commit, as the records have it
//! talk       how the session's conversation before this one ended
//! past       what the session did there, and elsewhere
//! meanwhile  what others changed there since, and elsewhere
//! open       who else is there, and what conflicts
//! ```
//!
//! **Invariant:** the same inputs give the same bytes; what others wrote is
//! fenced and labelled, never mixed with what git-orch asks for.

pub mod handed;
pub mod kept;
pub mod known;
pub mod meanwhile;
pub mod open;
pub mod page;
pub mod past;
pub mod talk;

use std::collections::BTreeSet;

use crate::error::Result;
use crate::git::Repo;
use crate::model::{RepoPath, Session, TargetSource, Task};
use crate::route::plan::likely;

use known::Known;
use page::{Body, Section, cut, page};
use past::Past;

pub use page::{ROOM, fence};

/// How much of a task's own words is told.
const TEXT: usize = 8 * 1024;

/// So many files and folders are looked at.
const PLACES: usize = 200;

/// Writes the brief of a task.
pub fn write(repo: &Repo, session: &Session, task: &Task) -> Result<String> {
    Ok(page(&head(task), &sections(repo, session, task)?, &foot(session, task)))
}

fn head(task: &Task) -> String {
    let (name, text) = (&task.name, cut(&task.text, TEXT));
    let more = match task.text.len() - text.len() {
        0 => String::new(),
        more => format!("\n({more} bytes more: `git orch show {name}`)\n"),
    };
    format!("# Task {name}\n\n{text}\n{more}")
}

/// What there is to tell, the most useful first.
fn sections(repo: &Repo, session: &Session, task: &Task) -> Result<Vec<Section>> {
    let known = Known::load(repo, session, task)?;
    let past = Past::load(&known, places(task))?;
    let mut sections = vec![answered(task), requested(task)];
    sections.extend(handed::sections(&known, task)?);
    sections.extend([kept::own(task), targets(task)]);
    sections.extend(before(&known, task));
    sections.extend(talk::before(&known, task));
    let [there, elsewhere] = past.sections();
    sections.push(there);
    sections.extend(meanwhile::there(&known, &past, task)?);
    sections.extend(open::sections(&known, past.places(), task)?);
    sections.push(kept::earlier(&known, past.places(), task));
    sections.push(elsewhere);
    sections.extend(meanwhile::elsewhere(&known, &past, task)?);
    Ok(sections)
}

/// Writes what goes over with a task to a session: what of its brief does not
/// depend on who goes on with it.
pub fn handoff(repo: &Repo, to: &Session, task: &Task) -> Result<String> {
    let known = Known::load(repo, to, task)?;
    let mut sections = vec![requested(task)];
    sections.extend(handed::sections(&known, task)?);
    sections.push(kept::own(task));
    sections.extend(open::sections(&known, &places(task), task)?);
    let to = &to.name;
    let from = task.handoffs.last().map(|handoff| format!(", from {} to {to}", handoff.from));
    Ok(page(&head(task).replacen('\n', &format!("{}\n", from.unwrap_or_default()), 1), &sections, ""))
}

/// Where a task is at work: what it touched so far, and what it likely will.
fn places(task: &Task) -> Vec<RepoPath> {
    let touched = task.touched.iter().map(|change| change.path.clone());
    let mut places: Vec<RepoPath> = likely(&task.targets).into_iter().chain(touched).collect();
    let mut seen = BTreeSet::new();
    places.retain(|place| seen.insert(place.clone()));
    places.truncate(PLACES);
    places
}

/// What it asked, and what it is told.
fn answered(task: &Task) -> Section {
    let words = task.answers.iter().rev().map(|answer| {
        let asked = answer.asked.as_ref().map(|asked| format!("You asked:\n{}\n\n", cut(asked, 1_000)));
        format!("{}The answer:\n{}", asked.unwrap_or_default(), answer.text)
    });
    let title = if task.answers.len() > 1 {
        "The answers to your questions, the last one first"
    } else {
        "The answer to your question"
    };
    let body = Body::Words(words.collect::<Vec<_>>().join("\n\n"));
    Section { title: title.to_owned(), body, room: 9_000 }
}

/// What a review asks for, or which conflict is to be resolved.
fn requested(task: &Task) -> Section {
    let title = if task.resolves.is_some() { "The conflict" } else { "Changes asked for in review" };
    let words = task.requested.clone().unwrap_or_default();
    Section { title: title.to_owned(), body: Body::Words(words), room: 5_000 }
}

fn targets(task: &Task) -> Section {
    let line = |target: &crate::model::Target| {
        let why = match target.source {
            TargetSource::Given => "given".to_owned(),
            TargetSource::Named => "named in the task".to_owned(),
            TargetSource::Predicted => format!("predicted from similar commits, {:.2}", target.score),
        };
        format!("{} ({why})", target.path)
    };
    let lines = task.targets.iter().map(line).collect();
    Section { title: "Where it probably is".to_owned(), body: Body::List(lines), room: 2_000 }
}

/// A result that comes first and has not landed is not there, but can be looked at.
fn before(known: &Known<'_>, task: &Task) -> Option<Section> {
    let name = task.after.as_ref()?;
    let before = known.tasks.iter().map(|other| &other.value).find(|other| other.name == *name)?;
    let branch = before.review_branch.as_deref().filter(|_| before.state.is_pending())?;
    let text = format!(
        "What that one changed has not landed yet, so it is not here. Fit in with it:\n\
         `git diff {}...{branch}` shows it.",
        before.base
    );
    Some(Section { title: format!("It comes after task {name}"), body: Body::Own(text), room: 1_000 })
}

/// How to work, and how to say what has to be said.
fn foot(session: &Session, task: &Task) -> String {
    format!(
        "\n## How to work\n\n\
         - You are session `{}`, on branch `{}`, in your own worktree. Work only here.\n\
         - Follow the repository's conventions{}.\n\
         - Commit if you like; what is left uncommitted is committed for you when you end.\n\
         - Ending without any change, or with an exit code other than 0, counts as failed.\n\
         \n## How to report\n\n\
         - Where you can't go on without an answer: `git orch report input -m QUESTION`, then end.\n\
         - A decision or a finding that whoever works here next should know: `git orch note TEXT`.\n\
         - Let your last words say what you did, then, each under its own heading: DECISIONS, RULED OUT, NEXT.\n\
         - `git orch brief {}` shows this again.\n",
        session.name,
        session.branch,
        conventions(|file| session.worktree.join(file).is_file()),
        task.name
    )
}

/// Where the repository says how to work in it, as `: read AGENTS.md`.
pub fn conventions(has: impl Fn(&str) -> bool) -> String {
    let found: Vec<&str> =
        ["AGENTS.md", "CLAUDE.md", "CONTRIBUTING.md"].into_iter().filter(|file| has(file)).collect();
    if found.is_empty() { String::new() } else { format!(": read {}", found.join(", ")) }
}
