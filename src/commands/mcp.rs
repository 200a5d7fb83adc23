//! `git orch mcp`

use std::ffi::OsString;

use crate::agent::again;
use crate::app::App;
use crate::error::{Result, exit};
use crate::mcp;

/// Serve agents that speak the Model Context Protocol, on standard input and output
///
/// Its tools are the commands of git-orch, with the answers of --json: route,
/// who_knows, task (which returns at once), tasks, show, brief, note, report,
/// done, review and conflicts. An agent starts it by itself once its settings
/// name it, with the repository, or a worktree of it, as its folder.
#[derive(Debug, clap::Args)]
pub(super) struct McpArgs {}

pub(super) fn run(app: &App) -> Result<u8> {
    let call = |words: &[OsString]| again::call(&app.folder, words, &app.environment);
    mcp::serve(std::io::stdin().lock(), std::io::stdout(), &call)?;
    Ok(exit::DONE)
}
