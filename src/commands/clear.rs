//! `git-orch __clear`: see [`crate::run::throwaway`].

use std::path::PathBuf;

use crate::app::App;
use crate::error::{Result, exit};
use crate::run::throwaway;

/// Delete what a throwaway was (used by git-orch itself)
#[derive(Debug, clap::Args)]
pub(super) struct ClearArgs {
    /// The journal's entry that tells of it
    entry: PathBuf,
}

pub(super) fn run(app: &App, args: &ClearArgs) -> Result<u8> {
    // What is not told here the next command tells: the entry stays.
    throwaway::clear(&app.repo()?, &args.entry, &|_| {})?;
    Ok(exit::DONE)
}
