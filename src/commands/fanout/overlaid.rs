//! Whether full worktrees are laid over one checkout.

use super::FanoutArgs;
use crate::app::App;
use crate::commands::opened::Opened;
use crate::config::schema::TreeKind;
use crate::error::Result;
use crate::fanout::remote::On;
use crate::model::Name;
use crate::run::overlay;

/// Whether they are; where that is possible, in a process that may do so, which
/// this one becomes.
pub(super) fn overlaid(app: &App, args: &FanoutArgs, opened: &Opened, job: &Name) -> Result<bool> {
    let configured = opened.settings.file.jobs.get(job.as_str()).map(|job| job.tree);
    let is_asked = match args.tree.as_deref() {
        Some(kind) => kind == "overlay",
        None => configured == Some(TreeKind::Overlay),
    };
    if !is_asked || app.is_inside || args.dry_run || args.on != On::Local || args.emit.is_some() {
        return Ok(is_asked && app.is_inside);
    }
    match overlay::enter(&app.environment, &app.words) {
        Ok(never) => match never {},
        Err(error) => {
            app.ui.note(format!("no overlay here ({error}): worktrees are full ones"));
            Ok(false)
        }
    }
}
