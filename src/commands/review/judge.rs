//! A person's verdict on a result.

use super::{ReviewArgs, next};
use crate::app::App;
use crate::commands::opened::Opened;
use crate::error::{Error, Result, exit};
use crate::git::identity;
use crate::model::{Decision, Viewpoint};
use crate::review::verdict::{self, Judgement};
use crate::review::{Item, item};
use crate::store;

pub(super) fn run(app: &App, opened: &Opened, item: &Item, args: &ReviewArgs) -> Result<u8> {
    let viewpoint = args.viewpoint.parse().unwrap_or(Viewpoint::Reviewer);
    if args.approve {
        refuse_inside_session(app, opened)?;
    }
    let decision = if args.approve { Decision::Approve } else { Decision::Change };
    let text = args.message.clone().unwrap_or_default();
    let judgement = Judgement { viewpoint, decision, text, by: identity::require(&opened.repo)? };
    let events = |event| app.ui.event(event);
    verdict::give(&opened.repo, item, judgement, &events, app.now)?;
    let judged = item::require(&opened.repo, item.name.as_str())?;
    app.ui.data(&judged)?;
    let name = &item.name;
    if args.approve {
        app.ui.note(format!("approved {name} at {}\nnext: git orch merge {name}", item.tip.short()));
    } else {
        let next = next(opened, &judged).map(|next| format!("\nnext: {next}")).unwrap_or_default();
        app.ui.note(format!("asked for changes in {name}{next}"));
    }
    Ok(exit::DONE)
}

/// Who does the work must not wave it through.
pub(in crate::commands) fn refuse_inside_session(app: &App, opened: &Opened) -> Result<()> {
    let top = opened.repo.place().work_tree.as_deref();
    let around = store::sessions::load(&opened.repo)?
        .into_iter()
        .find(|session| top == Some(session.value.worktree.as_path()))
        .map(|session| session.value.name.to_string());
    match around.or_else(|| app.variable("GIT_ORCH_SESSION").map(str::to_owned)) {
        None => Ok(()),
        Some(name) => Err(Error::refused(format!("this can't be said inside session `{name}`"))
            .hint("say it in the repository's own checkout")),
    }
}
