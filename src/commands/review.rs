//! `git orch review`

mod by;
mod diff;
mod judge;
mod list;
mod look;
mod paged;
mod pr;
mod range;
mod told;
mod tool;

use super::opened::Opened;
use crate::app::App;
use crate::error::Result;
use crate::model::wording::review_then_merge;
use crate::model::{Decision, TaskState};
use crate::review::{Item, gate, item};
use crate::run::altered;
use crate::store;

pub(super) use by::follow;
pub(super) use judge::refuse_inside_session;

/// See what waits for judgement, look at one result, judge it
///
/// With --by another session looks: its agent, or the command behind `--`, runs
/// in a throwaway worktree at the result's tip with a brief on standard input,
/// and says its verdict there. What a tester or documenter leaves is added to
/// the result. Without a session's name those look that know it best, from each
/// viewpoint that lacks, and the developer makes what they ask for.
#[derive(Debug, clap::Args)]
pub(super) struct ReviewArgs {
    /// The task or fan-out; everything that waits without one
    #[arg(value_name = "TASK")]
    task: Option<String>,
    /// Print the whole difference to its base
    #[arg(long, requires = "task")]
    diff: bool,
    /// Show it in the difftool that git knows, or in this one
    #[arg(long, value_name = "NAME", requires = "task", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "", conflicts_with_all = ["diff", "range_diff", "approve", "request_changes"])]
    tool: Option<String>,
    /// Print what changed since it was judged last
    #[arg(long, requires = "task", conflicts_with_all = ["diff", "approve", "request_changes"])]
    range_diff: bool,
    /// It may land
    #[arg(long, group = "does", requires = "task", conflicts_with_all = ["request_changes", "diff"])]
    approve: bool,
    /// It must change first; say how with -m
    #[arg(long, group = "does", requires = "task", requires = "message", conflicts_with = "diff")]
    request_changes: bool,
    /// No opinion
    #[arg(long, group = "does", requires = "task", conflicts_with_all = ["approve", "request_changes", "diff"])]
    abstain: bool,
    /// What there is to say of it
    #[arg(short, long, value_name = "TEXT")]
    message: Option<String>,
    /// From which side it was looked at
    #[arg(long, value_name = "VIEWPOINT", value_parser = ["reviewer", "tester", "documenter"])]
    viewpoint: Option<String>,
    #[command(flatten)]
    by: by::ByArgs,
    #[command(flatten)]
    pr: pr::PrArgs,
}

impl ReviewArgs {
    /// What is said, where something is.
    fn decision(&self) -> Option<Decision> {
        let said = [
            (self.approve, Decision::Approve),
            (self.request_changes, Decision::Change),
            (self.abstain, Decision::Abstain),
        ];
        said.into_iter().find(|(is_said, _)| *is_said).map(|(_, decision)| decision)
    }
}

pub(super) fn run(app: &App, args: &ReviewArgs) -> Result<u8> {
    let decision = args.decision();
    let is_dry = args.pr.dry_run;
    if let Some(decision) = decision.filter(|_| !is_dry && by::is_inside(app)) {
        return by::say(app, args, decision);
    }
    let changes = (decision.is_some() && !is_dry) || args.by.by.is_some() || pr::changes(&args.pr);
    let opened = if changes { Opened::to_change(app)? } else { Opened::to_read(app)? };
    let Some(task) = &args.task else {
        return if args.pr.pr { pr::run(app, &opened, None, &args.pr) } else { list::run(app, &opened) };
    };
    let mut item = item::require(&opened.repo, task)?;
    item.resolved_by = item::resolver(&store::tasks::load(&opened.repo)?, &item.name);
    if let Some(decision) = decision {
        return judge::run(app, &opened, &item, (args, decision));
    }
    if args.pr.pr {
        return pr::run(app, &opened, Some(&item), &args.pr);
    }
    if args.by.by.is_some() {
        return by::run(app, &opened, &item, args);
    }
    match &args.tool {
        Some(tool) => tool::run(app, &opened, &item, tool),
        None if args.diff => diff::run(app, &opened, &item),
        None if args.range_diff => range::run(app, &opened, &item),
        None => look::run(app, &opened, &item),
    }
}

/// A result does not land while what its run changed of git's own stands.
fn is_quarantined(opened: &Opened, item: &Item) -> bool {
    !altered::standing(&opened.repo, &item.altered, &opened.trust).is_empty()
}

fn state(opened: &Opened, item: &Item) -> &'static str {
    if is_quarantined(opened, item) { "quarantined" } else { item.state.word() }
}

/// The next command for a result. Nobody can be sent to make a fan-out's again.
fn next(opened: &Opened, item: &Item) -> Option<String> {
    let name = &item.name;
    if is_quarantined(opened, item) {
        return Some(format!("git orch show {name}"));
    }
    if let Some(task) = &item.resolved_by {
        return Some(format!("git orch retry {task}"));
    }
    match (item.state, &item.session) {
        (TaskState::Review, _) => match gate::lacking(&opened.repo, item).unwrap_or_default().first() {
            None => Some(review_then_merge(name)),
            Some(first) => {
                let approve = format!("git orch review {name} --approve --viewpoint {}", first.word());
                Some(format!("git orch review {name} --diff\nthen: {approve}"))
            }
        },
        (TaskState::Changes, Some(_)) => Some(format!("git orch retry {name}")),
        (TaskState::Changes, None) => Some(format!("git orch cancel {name}")),
        _ => None,
    }
}
