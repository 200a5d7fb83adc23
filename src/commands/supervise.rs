//! `git-orch __supervise`: see [`crate::agent::supervisor`].

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::agent::supervisor::{Order, supervise};
use crate::error::{Result, exit};

/// Supervise one command (used by git-orch itself)
#[derive(Debug, clap::Args)]
pub(super) struct SuperviseArgs {
    #[arg(long)]
    log: PathBuf,
    #[arg(long)]
    stdin: Option<PathBuf>,
    /// Milliseconds
    #[arg(long)]
    timeout: Option<u64>,
    #[arg(last = true)]
    argv: Vec<OsString>,
}

pub(super) fn run(args: SuperviseArgs) -> Result<u8> {
    let timeout = args.timeout.map(Duration::from_millis);
    let told = supervise(&Order { log: args.log, stdin: args.stdin, timeout, argv: args.argv });
    // Whoever started us may be gone: then there is nobody to tell.
    drop(writeln!(std::io::stdout(), "{told}"));
    Ok(exit::DONE)
}
