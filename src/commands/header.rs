//! `git-orch __header`: see [`crate::fanout::header`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::{IoContext, Result, exit};
use crate::fanout::header::headed;
use crate::model::RepoPath;

/// Put a header into files (used by git-orch itself)
#[derive(Debug, clap::Args)]
pub(super) struct HeaderArgs {
    header: String,
    files: Vec<OsString>,
}

pub(super) fn run(args: &HeaderArgs) -> Result<u8> {
    for file in &args.files {
        let path = Path::new(file);
        let content = std::fs::read(path).doing("could not read", path)?;
        if let Some(content) = headed(&RepoPath::from(PathBuf::from(file)), &content, &args.header) {
            std::fs::write(path, content).doing("could not write", path)?;
        }
    }
    Ok(exit::DONE)
}
