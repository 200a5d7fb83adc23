//! `git-orch __supervise`: see [`crate::agent::supervisor`].
//!
//! Not one of the [commands](super::cli): it runs once for each shard, and
//! their description alone takes longer to build than this to read its words.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::agent::process::SUPERVISE;
use crate::agent::supervisor::{Order, supervise};
use crate::error::exit;

/// Supervise one command (used by git-orch itself)
#[derive(Debug, Parser)]
struct SuperviseArgs {
    #[arg(long)]
    log: PathBuf,
    /// Go on behind what the log holds
    #[arg(long)]
    r#continue: bool,
    #[arg(long)]
    stdin: Option<PathBuf>,
    /// Milliseconds
    #[arg(long)]
    timeout: Option<u64>,
    #[arg(last = true)]
    argv: Vec<OsString>,
}

/// Supervises, where that is what a command line asks for.
pub(super) fn asked(line: &[OsString]) -> Option<ExitCode> {
    let (_, words) = line.split_first()?;
    if words.first().map(OsString::as_os_str) != Some(OsStr::new(SUPERVISE)) {
        return None;
    }
    let Ok(args) = SuperviseArgs::try_parse_from(words) else { return Some(exit::USAGE.into()) };
    let timeout = args.timeout.map(Duration::from_millis);
    let SuperviseArgs { log, r#continue: is_log_continued, stdin, argv, .. } = args;
    let told = supervise(&Order { log, is_log_continued, stdin, timeout, argv });
    // Whoever started us may be gone: then there is nobody to tell.
    drop(writeln!(std::io::stdout(), "{told}"));
    Some(exit::DONE.into())
}
