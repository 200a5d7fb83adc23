//! `git orch remove-session`

use super::opened::Opened;
use crate::app::App;
use crate::error::{Result, exit};
use crate::git::worktree;
use crate::model::SessionState;
use crate::model::wording::bytes;
use crate::session::remove;
use crate::store;

/// Take a session away; nothing of it is lost
///
/// Its commits and uncommitted work stay reachable from a ref, its directory
/// moves to the trash beside the other sessions with everything in it, ignored
/// files too. A session that still has an open task is refused.
#[derive(Debug, clap::Args)]
pub(super) struct RemoveSessionArgs {
    /// The session
    #[arg(value_name = "SESSION")]
    name: String,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(app: &App, args: &RemoveSessionArgs) -> Result<u8> {
    let opened = Opened::to_change(app)?;
    let repo = &opened.repo;
    if let Ok(name) = args.name.parse()
        && let Some(found) = store::sessions::find(repo, &name)?
        && found.value.state == SessionState::Archived
    {
        app.ui.note(format!("session {name} is removed already"));
        return Ok(exit::DONE);
    }
    let found = store::sessions::require(repo, &args.name)?;
    remove::check(&found.value, &store::tasks::load(repo)?)?;
    if args.dry_run {
        let at = found.value.worktree.display();
        app.ui.note(format!("would keep the commits of {} and move {at} to the trash", found.value.branch));
        return Ok(exit::DONE);
    }
    let events = |event| app.ui.event(event);
    let removed = remove::carry_out(repo, &found, &events, app.now)?;
    app.ui.note(format!("removed session {}; its work is kept as {}", removed.session, removed.kept));
    if let Some(trash) = &removed.trash {
        let size = bytes(worktree::size(trash));
        app.ui.note(format!("its files, {size}, are in {}", trash.display()));
    }
    app.ui.data(&removed)?;
    Ok(exit::DONE)
}
