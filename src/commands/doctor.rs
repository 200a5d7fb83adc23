//! `git orch doctor`

use std::collections::BTreeMap;

use serde::Serialize;

use super::opened::Opened;
use crate::app::App;
use crate::error::{Error, Result, exit};
use crate::fanout::remote;
use crate::git::{Backend, RepoLock, identity, process, refs, worktree};
use crate::model::wording::{count, few};
use crate::model::{Name, Task};
use crate::recover::{dead, landed, links};
use crate::run::touches;
use crate::session::workplace;
use crate::store;
use crate::store::journal::{self, Intent};
use crate::ui::Table;

/// Look for what is wrong, and how to set it right
///
/// With --fix: what killed commands left, the `.git` file of a session's
/// worktree where it is gone, and touch notes that are not as the records have
/// them. The exit code is 1 when something is wrong.
#[derive(Debug, clap::Args)]
pub(super) struct DoctorArgs {
    /// Set right what can be
    #[arg(long)]
    fix: bool,
}

#[derive(PartialEq, Serialize)]
struct Finding {
    what: String,
    fine: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    hint: String,
}

fn fine(what: impl Into<String>) -> Finding {
    Finding { what: what.into(), fine: true, hint: String::new() }
}

fn wrong(what: impl Into<String>, hint: impl Into<String>) -> Finding {
    Finding { what: what.into(), fine: false, hint: hint.into() }
}

pub(super) fn run(app: &App, args: &DoctorArgs) -> Result<u8> {
    let opened = if args.fix { Opened::to_change(app)? } else { Opened::to_read(app)? };
    if args.fix {
        let events = |event| app.ui.event(event);
        links::settle(opened.scene(app, &events))?;
        remote::begun::settle(opened.scene(app, &events))?;
        let notes = wrong_notes(&opened)?;
        for (session, notes) in &notes {
            let notes = count(notes.count(), "touch note");
            app.ui.note(format!("session {session}: {notes} written again"));
        }
        touches::rewrite(opened.scene(app, &events), notes)?;
    }
    let mut findings = surroundings(&opened);
    findings.extend(sessions(&opened).unwrap_or_else(unreadable));
    findings.extend(leftovers(app, &opened).unwrap_or_else(unreadable));
    findings.extend(notes(&opened).unwrap_or_else(unreadable));
    findings.dedup();
    app.ui.data(&findings)?;
    let mut table = Table::bare();
    for finding in &findings {
        let word = if finding.fine { "ok" } else { "wrong" };
        table.row([word, finding.what.as_str(), finding.hint.as_str()]);
    }
    app.ui.answer(table.render())?;
    Ok(if findings.iter().all(|finding| finding.fine) { exit::DONE } else { exit::FAILED })
}

/// What can't even be looked at is what is wrong.
fn unreadable(error: Error) -> Vec<Finding> {
    vec![wrong(error.to_string(), error.hints.into_iter().next().unwrap_or_default())]
}

fn surroundings(opened: &Opened) -> Vec<Finding> {
    let git = opened.repo.git_program();
    let version = match git.require_version().and_then(|()| git.version()) {
        Ok((major, minor)) => fine(format!("git {major}.{minor} at {}", git.program().display())),
        Err(error) => {
            wrong(error.to_string(), format!("git-orch needs {}.{}", process::OLDEST.0, process::OLDEST.1))
        }
    };
    let backend = match opened.repo.backend() {
        Backend::Library => "objects are read in process",
        Backend::Child => "objects are read by git itself: this repository's format needs it",
    };
    let who = match identity::require(&opened.repo) {
        Ok(who) => fine(format!("commits are made by {who}")),
        Err(error) => wrong(error.to_string(), error.hints.first().cloned().unwrap_or_default()),
    };
    let named = crate::config::trust::commands(&opened.settings.file);
    let untrusted = named.iter().skip(1).filter(|named| !opened.trust.covers(named)).count();
    let trust = match untrusted {
        0 => fine("no command waits for trust"),
        number => Finding {
            what: format!("{} not trusted yet", count(number, "command")),
            fine: true,
            hint: "git orch trust".to_owned(),
        },
    };
    vec![version, fine(backend), who, fine("settings are valid"), trust]
}

fn sessions(opened: &Opened) -> Result<Vec<Finding>> {
    let repo = &opened.repo;
    let mut findings = Vec::new();
    for prefix in [refs::SESSION_BRANCHES, refs::REVIEW_BRANCHES] {
        let branch = prefix.trim_end_matches('/');
        if repo.read().find_ref(&refs::branch(branch))?.is_some() {
            findings.push(wrong(
                format!("a branch `{branch}` keeps git from holding `{prefix}…` branches"),
                format!("git branch -m {branch} NEW-NAME"),
            ));
        }
    }
    for session in store::sessions::load(repo)? {
        let session = session.value;
        let ready = workplace::tip(repo, &session).and_then(|_| workplace::require(repo, &session)).map(drop);
        match ready {
            Ok(()) => {
                findings.push(fine(format!("session {} in {}", session.name, session.worktree.display())))
            }
            Err(error) => {
                findings.push(wrong(error.to_string(), error.hints.first().cloned().unwrap_or_default()))
            }
        }
    }
    Ok(findings)
}

/// What a killed command was at.
fn left_by(intent: &Intent) -> String {
    let what = match intent {
        Intent::AddSession { session } => format!("making session {}", session.name),
        Intent::RemoveSession { session, .. } => format!("removing session {session}"),
        Intent::MoveWorktree { session, .. } | Intent::Commit { session } => {
            format!("at work in the worktree of session {session}")
        }
        Intent::Throwaway { worktree } => format!("using the throwaway {}", worktree.display()),
        Intent::MoveBranch { branch, .. } => format!("moving {branch} where it is checked out"),
        Intent::Undo { operation } => format!("undoing {}", operation.short()),
        Intent::Away { run, remote, .. } => format!("running shards elsewhere, with {run} on `{remote}`"),
        Intent::Delete { paths, .. } => format!("deleting {}", few(paths.iter().map(|path| path.display()))),
    };
    format!("a killed command was {what}")
}

/// What killed processes left; every changing command sets these right by itself.
fn leftovers(app: &App, opened: &Opened) -> Result<Vec<Finding>> {
    let events = |event| app.ui.event(event);
    let mut findings = Vec::new();
    for (_entry, intent) in journal::dead(&opened.repo)? {
        findings.push(wrong(left_by(&intent), "git orch doctor --fix"));
    }
    if RepoLock::is_left_pending(&opened.repo) {
        findings.push(wrong("a killed command had begun to write refs", "git orch doctor --fix"));
    }
    for task in dead::find(&opened.repo)? {
        findings
            .push(wrong(format!("the process of task {} died", task.value.name), "git orch doctor --fix"));
    }
    let known = store::sessions::load(&opened.repo)?;
    let is_there = |name: &Name| known.iter().any(|session| session.value.name == *name);
    for Task { name, session, .. } in store::tasks::load(&opened.repo)?
        .into_iter()
        .map(|task| task.value)
        .filter(|task| task.state.is_open())
    {
        if !is_there(&session) {
            let hint = format!("git orch handoff {name} --to SESSION");
            findings.push(wrong(format!("nobody can go on with {name}: session {session} is removed"), hint));
        }
    }
    for item in landed::find(opened.scene(app, &events))? {
        findings.push(wrong(
            format!("{} has landed, but its record does not say so", item.name),
            "git orch doctor --fix",
        ));
    }
    for one in worktree::list(&opened.repo)? {
        let branch = one.head.as_ref().and_then(crate::git::Head::branch).unwrap_or_default();
        if branch.starts_with(refs::SESSION_BRANCHES)
            && !known.iter().any(|known| known.value.branch == branch)
        {
            let name = &branch[refs::SESSION_BRANCHES.len()..];
            let hint = format!("git orch add-session {name} takes it over or says why not");
            findings.push(wrong(format!("the worktree {} belongs to no session", one.path.display()), hint));
        }
    }
    Ok(findings)
}

/// Touch notes that are not as the records have them.
fn notes(opened: &Opened) -> Result<Vec<Finding>> {
    let told = |(session, notes): (Name, touches::Wrong)| {
        let counts = [(notes.missing, "missing"), (notes.different, "different")];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, word)| format!("{count} {word}")).collect();
        wrong(format!("touch notes of session {session}: {}", counts.join(", ")), "git orch doctor --fix")
    };
    Ok(wrong_notes(opened)?.into_iter().map(told).collect())
}

fn wrong_notes(opened: &Opened) -> Result<BTreeMap<Name, touches::Wrong>> {
    let repo = &opened.repo;
    touches::wrong(repo, &store::sessions::load(repo)?, &store::tasks::load(repo)?)
}
