//! The trailers that tie a commit to a session and a task: a hint for
//! readers, never the truth.

use super::refs::{SESSION_TRAILER, TASK_TRAILER, VIEWPOINT_TRAILER};
use super::repo::Repo;
use crate::error::Result;
use crate::model::{Name, Viewpoint};

/// A commit message with our trailers behind it.
pub fn sign(text: &str, session: Option<&Name>, task: &Name) -> String {
    let mut message = format!("{}\n\n", text.trim());
    if let Some(session) = session {
        message.push_str(&format!("{SESSION_TRAILER}: {session}\n"));
    }
    message.push_str(&format!("{TASK_TRAILER}: {task}\n"));
    message
}

/// Trailers of others, each once, with ours behind them in place of older ones.
pub fn block(others: &[String], session: Option<&Name>, task: &Name) -> String {
    let ours =
        |line: &str| [SESSION_TRAILER, TASK_TRAILER].iter().any(|key| line.starts_with(&format!("{key}:")));
    let mut lines: Vec<String> = Vec::new();
    for line in others {
        if !ours(line) && !lines.contains(line) {
            lines.push(line.clone());
        }
    }
    lines.extend(session.map(|session| format!("{SESSION_TRAILER}: {session}")));
    lines.push(format!("{TASK_TRAILER}: {task}"));
    lines.join("\n") + "\n"
}

/// The trailers of a message, a line each, as git reads them.
pub fn parse(repo: &Repo, message: &str) -> Result<Vec<String>> {
    let text = repo.git(["interpret-trailers", "--parse"]).stdin(message).run()?;
    Ok(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
}

/// The same for what a session adds to a result from its viewpoint.
pub fn sign_as(text: &str, session: &Name, task: &Name, viewpoint: Viewpoint) -> String {
    format!("{}{VIEWPOINT_TRAILER}: {}\n", sign(text, Some(session), task), viewpoint.word())
}
