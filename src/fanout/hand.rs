//! What a shard's command is handed beside its files: a brief, problems.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::agent::Input;
use crate::config::Prompt;
use crate::error::{IoContext, Result};
use crate::model::Problem;
use crate::store::record;

/// What a shard's command is handed beside its files.
#[derive(Clone, Debug)]
pub struct Handed {
    /// What it shall do, in words.
    pub brief: String,
    /// How the brief reaches it, beside as a file.
    pub prompt: Prompt,
    /// The problems of its files.
    pub problems: Vec<Problem>,
}

impl Handed {
    /// Its problems, a line each.
    pub(super) fn problem_lines(&self) -> Result<String> {
        let lines = self.problems.iter().map(record::line).collect::<Result<Vec<_>>>()?;
        Ok(lines.join("\n") + "\n")
    }
}

/// The same as files, put down for one shard.
#[derive(Debug, Default)]
pub(super) struct Given {
    /// Variables that name the files.
    pub(super) files: Vec<(&'static str, PathBuf)>,
    /// What the command reads.
    pub(super) input: Input,
    /// A further argument behind all others.
    pub(super) argument: Option<OsString>,
}

/// Puts it down beside the logs.
pub(super) fn give(handed: Option<&Handed>, logs: &Path, n: usize) -> Result<Given> {
    let Some(handed) = handed else { return Ok(Given::default()) };
    let brief = logs.join(format!("shard-{n}.brief.md"));
    std::fs::write(&brief, &handed.brief).doing("could not write", &brief)?;
    let mut given = Given { files: vec![("GIT_ORCH_BRIEF", brief.clone())], ..Given::default() };
    match handed.prompt {
        Prompt::Stdin => given.input = Input::File(brief),
        Prompt::Argument => given.argument = Some(handed.brief.clone().into()),
        Prompt::File => {}
    }
    if !handed.problems.is_empty() {
        let file = logs.join(format!("shard-{n}.problems"));
        std::fs::write(&file, handed.problem_lines()?).doing("could not write", &file)?;
        given.files.push(("GIT_ORCH_PROBLEMS", file));
    }
    Ok(given)
}
