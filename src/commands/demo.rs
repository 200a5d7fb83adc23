//! `git orch demo`

use crate::app::App;
use crate::error::Result;

/// Show everything in a minute, in a repository made for it
#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {}

pub(super) fn run(_app: &App, _args: &DemoArgs) -> Result<u8> {
    Ok(0)
}
