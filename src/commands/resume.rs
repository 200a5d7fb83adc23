//! `git orch resume`

use super::pause;
use crate::app::App;
use crate::error::Result;
use crate::session::pause::Wish;

/// Have a paused session take tasks again
///
/// What is queued for it goes on by itself.
#[derive(Debug, clap::Args)]
pub(super) struct ResumeArgs {
    /// The session
    #[arg(value_name = "SESSION")]
    session: String,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: &ResumeArgs) -> Result<u8> {
    pause::set(app, &args.session, &Wish::Resume, args.dry_run)
}
