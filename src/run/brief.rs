//! The text an agent or a person starts from.
//!
//! **Invariant:** the same inputs give the same bytes; what others wrote is
//! fenced and labelled, never mixed with what git-orch asks for.

use std::fmt::Write as _;

use crate::error::Result;
use crate::git::{Repo, refs};
use crate::model::wording::excerpt;
use crate::model::{Oid, Session, TargetSource, Task};

/// How many commits of a kind are listed.
const LISTED: usize = 12;

/// Writes the brief of a task.
pub fn write(repo: &Repo, session: &Session, task: &Task) -> Result<String> {
    let mut text = format!("# Task {}\n\n{}\n", task.name, task.text);
    if let Some(requested) = &task.requested {
        let title = if task.resolves.is_some() { "The conflict" } else { "Changes asked for in review" };
        let _ = write!(text, "\n## {title}\n\n{}\n", fence(requested));
    }
    answer(&mut text, task);
    targets(&mut text, task);
    before(repo, &mut text, task)?;
    let own = own_commits(repo, session, task)?;
    section(&mut text, "What this session did before", &own);
    let news = news(repo, session, task)?;
    section(
        &mut text,
        &format!("What is new on {} since this session last started from it", task.base),
        &news,
    );
    let _ = write!(
        text,
        "\n## How to work\n\n\
         - You are session `{}`, on branch `{}`, in your own worktree. Work only here.\n\
         - Follow the repository's conventions{}.\n\
         - Commit if you like; what is left uncommitted is committed for you when you end.\n\
         - Ending without any change, or with an exit code other than 0, counts as failed.\n",
        session.name,
        session.branch,
        conventions(|file| session.worktree.join(file).is_file())
    );
    Ok(text)
}

/// What it asked last, and what it is told.
fn answer(text: &mut String, task: &Task) {
    let Some(answer) = task.answers.last() else { return };
    text.push_str("\n## The answer to your question\n\n");
    if let Some(asked) = &answer.asked {
        let _ = write!(text, "You asked:\n\n{}\n\nThe answer:\n\n", fence(asked));
    }
    let _ = writeln!(text, "{}", fence(&answer.text));
}

fn targets(text: &mut String, task: &Task) {
    if task.targets.is_empty() {
        return;
    }
    text.push_str("\n## Where it probably is\n\n");
    for target in &task.targets {
        let why = match target.source {
            TargetSource::Given => "given".to_owned(),
            TargetSource::Named => "named in the task".to_owned(),
            TargetSource::Predicted => format!("predicted from similar commits, {:.2}", target.score),
        };
        let _ = writeln!(text, "- {} ({why})", target.path);
    }
}

/// A result that comes first and has not landed is not there, but can be looked at.
fn before(repo: &Repo, text: &mut String, task: &Task) -> Result<()> {
    let Some(name) = &task.after else { return Ok(()) };
    let before = crate::store::tasks::find(repo, name)?.map(|before| before.value);
    let Some(before) = before.filter(|before| before.state.is_pending()) else { return Ok(()) };
    let branch = before.review_branch.unwrap_or_default();
    let _ = write!(
        text,
        "\n## It comes after task {name}\n\n\
         What that one changed has not landed yet, so it is not here. Fit in with it:\n\
         `git diff {}...{branch}` shows it.\n",
        before.base
    );
    Ok(())
}

fn section(text: &mut String, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        let _ = write!(text, "\n## {title}\n\n{}\n", fence(&lines.join("\n")));
    }
}

/// Text of others, fenced by more backticks than it holds.
pub fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}", text.trim_end())
}

fn own_commits(repo: &Repo, session: &Session, task: &Task) -> Result<Vec<String>> {
    let mut commits: Vec<Oid> = session.commits.clone();
    for other in crate::store::tasks::load(repo)? {
        if other.value.name != task.name {
            commits.extend(other.value.commits_of(&session.name));
        }
    }
    commits.iter().rev().take(LISTED).map(|oid| line(repo, *oid)).collect()
}

fn news(repo: &Repo, session: &Session, task: &Task) -> Result<Vec<String>> {
    let Some(base) = repo.read().find_ref(&refs::branch(&session.base))? else { return Ok(Vec::new()) };
    let before = task.runs.iter().rev().nth(1).map_or(session.base_oid, |run| run.start_oid);
    let commits = repo.read().commits_between(&[before], base)?;
    commits.iter().rev().take(LISTED).map(|oid| line(repo, *oid)).collect()
}

fn line(repo: &Repo, oid: Oid) -> Result<String> {
    let commit = repo.read().commit(oid)?;
    Ok(format!("{} {} {}", oid.short(), commit.time.date(), excerpt(commit.subject(), 100)))
}

/// Where the repository says how to work in it, as `: read AGENTS.md`.
pub fn conventions(has: impl Fn(&str) -> bool) -> String {
    let found: Vec<&str> =
        ["AGENTS.md", "CLAUDE.md", "CONTRIBUTING.md"].into_iter().filter(|file| has(file)).collect();
    if found.is_empty() { String::new() } else { format!(": read {}", found.join(", ")) }
}
