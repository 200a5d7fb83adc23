//! A person's verdict on a result.

use super::{ReviewArgs, next};
use crate::agent::family;
use crate::app::App;
use crate::commands::opened::Opened;
use crate::error::{Error, Result, exit};
use crate::git::{Repo, identity};
use crate::model::{Decision, TaskState, Viewpoint};
use crate::review::verdict::{self, Judgement};
use crate::review::{Item, gate, item};
use crate::session::{TaskLock, seat};
use crate::store;

pub(super) fn run(
    app: &App,
    opened: &Opened,
    item: &Item,
    (args, decision): (&ReviewArgs, Decision),
) -> Result<u8> {
    let viewpoint =
        args.viewpoint.as_deref().and_then(|word| word.parse().ok()).unwrap_or(Viewpoint::Reviewer);
    if decision == Decision::Approve {
        refuse_inside_session(app, opened)?;
    }
    if args.pr.dry_run {
        verdict::require_waiting(item)?;
        app.ui.data(item)?;
        let (name, tip) = (&item.name, item.tip.short());
        app.ui.answer(format!(
            "would be judged: {name} at {tip}, {} {}",
            viewpoint.word(),
            decision.verb()
        ))?;
        return Ok(exit::DONE);
    }
    let text = args.message.clone().unwrap_or_default();
    let by = identity::require(&opened.repo)?;
    let judgement = Judgement { viewpoint, decision, text, by, session: None };
    let events = |event| app.ui.event(event);
    verdict::give(&opened.repo, item, judgement, &events, app.now)?;
    let judged = item::require(&opened.repo, item.name.as_str())?;
    app.ui.data(&judged)?;
    let name = &item.name;
    let told = match decision {
        Decision::Approve => format!("approved {name} at {}", item.tip.short()),
        Decision::Change => format!("asked for changes in {name}"),
        Decision::Abstain => format!("abstained from {name}"),
    };
    let lacks = !gate::lacking(&opened.repo, &judged).unwrap_or_default().is_empty();
    let next = match (decision, judged.state) {
        (Decision::Approve, TaskState::Review) if !lacks => Some(format!("git orch merge {name}")),
        _ => next(opened, &judged),
    };
    let still = match (decision, judged.state) {
        (Decision::Approve, TaskState::Changes) => "; others still ask for changes",
        _ => "",
    };
    let next = next.map(|next| format!("\nnext: {next}")).unwrap_or_default();
    app.ui.note(format!("{told}{still}{next}"));
    Ok(exit::DONE)
}

/// Who does the work must not wave it through: neither in a session's worktree
/// nor anywhere below the process of a run, whatever its variables say.
pub(in crate::commands) fn refuse_inside_session(app: &App, opened: &Opened) -> Result<()> {
    let top = opened.repo.place().work_tree.as_deref();
    let around = store::sessions::load(&opened.repo)?
        .into_iter()
        .find(|session| top == Some(session.value.worktree.as_path()))
        .map(|session| session.value.name.to_string());
    let around = around.or_else(|| app.variable("GIT_ORCH_SESSION").map(str::to_owned));
    match around.or_else(|| above(&opened.repo)) {
        None => Ok(()),
        Some(name) => Err(Error::refused(format!("this can't be said inside session `{name}`"))
            .hint("say it in the repository's own checkout")),
    }
}

/// The session, or the fan-out, in whose run this process is.
fn above(repo: &Repo) -> Option<String> {
    let above = family::ancestors();
    let runs = TaskLock::holders(repo).into_iter().map(|(name, process)| {
        let session = store::tasks::find(repo, &name).ok().flatten().map(|task| task.value.session);
        (session.unwrap_or(name), process)
    });
    let looks = seat::taken(repo).into_iter().map(|taken| (taken.seat.session, taken.process));
    runs.chain(looks).find(|(_, process)| above.contains(process)).map(|(name, _)| name.to_string())
}
