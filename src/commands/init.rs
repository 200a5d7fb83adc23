//! `git orch init`

use crate::app::App;
use crate::config::load::{self, FILE};
use crate::error::{Result, exit};

/// Write a commented `.orch.yml`; every command works without one
#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// Print it instead
    #[arg(long)]
    dry_run: bool,
}

const TEMPLATE: &str = include_str!("init/orch.yml");

pub(super) fn run(app: &App, args: &InitArgs) -> Result<u8> {
    if args.dry_run {
        app.ui.data(&TEMPLATE)?;
        app.ui.answer(TEMPLATE)?;
        return Ok(exit::DONE);
    }
    let repo = app.repo()?;
    let path = repo.require_work_tree()?.join(FILE);
    if path.symlink_metadata().is_ok() {
        app.settings(&repo)?;
        app.ui.note(format!("there is a {FILE} already, and it is valid"));
        return Ok(exit::DONE);
    }
    load::write_new(&path, TEMPLATE, &repo.orch_dir()?)?;
    app.ui.data(&path)?;
    app.ui.note(format!(
        "wrote {FILE}: everything in it is commented out\nnext: git orch add-session NAME --paths GLOB"
    ));
    Ok(exit::DONE)
}
