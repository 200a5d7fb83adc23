//! `git orch merge`

mod plan;
mod tell;

use super::opened::Opened;
use crate::app::App;
use crate::config::Style;
use crate::error::{Error, Result, exit};
use crate::model::TaskState;
use crate::review::line::Rules;
use crate::review::outcome::Outcome;
use crate::review::queue::{self, Queue};
use crate::review::{Item, item, order};
use tell::Teller;

/// Land results: combine, check exactly that tree, move the base
///
/// What waits is put in order: each result behind what it builds on, those that
/// conflict with few others first. They are combined with their base in memory;
/// the checks of the base's `.orch.yml` run on exactly that tree in a throwaway
/// worktree; then the base moves from exactly the commit that was checked. Where
/// several fail together, the first that makes them fail goes back to its
/// session with what was printed, and the others land. A result that conflicts
/// goes to the session that knows these files best. Where the base is checked
/// out the checkout follows, and unrelated uncommitted work there is kept.
#[derive(Debug, clap::Args)]
pub(super) struct MergeArgs {
    /// The results, in this order; everything that waits for review without any
    #[arg(value_name = "TASK")]
    tasks: Vec<String>,
    /// Land each as a merge commit; the default, where the settings say nothing else
    #[arg(long, conflicts_with_all = ["squash", "rebase"])]
    merge: bool,
    /// Land each as one commit
    #[arg(long, conflicts_with = "rebase")]
    squash: bool,
    /// Land the commits of each, made anew on top of the base
    #[arg(long)]
    rebase: bool,
    /// Check and land each by itself, instead of all that fit at once
    #[arg(long)]
    each: bool,
    /// Say what would land and with which tree, and land nothing
    #[arg(long)]
    dry_run: bool,
}

impl MergeArgs {
    fn style(&self, opened: &Opened) -> Style {
        let said = [(self.merge, Style::Merge), (self.squash, Style::Squash), (self.rebase, Style::Rebase)];
        let said = said.into_iter().find_map(|(is_said, style)| is_said.then_some(style));
        said.unwrap_or_else(|| opened.settings.landing())
    }
}

pub(super) fn run(app: &App, args: &MergeArgs) -> Result<u8> {
    let opened = Opened::to_change(app)?;
    let items = items(app, &opened, args)?;
    if items.is_empty() {
        app.ui.data(&Vec::<Outcome>::new())?;
        app.ui.note("nothing waits to land");
        return Ok(exit::DONE);
    }
    let events = |event| app.ui.event(event);
    let scene = opened.scene(app, &events);
    let named = !args.tasks.is_empty();
    let rules = Rules { style: args.style(&opened), trust: &opened.trust, named };
    if args.dry_run {
        return plan::run(app, scene, rules, &items);
    }
    let queue = Queue { scene, settings: &opened.settings, rules, each: args.each };
    let mut teller = Teller::of(app, &items);
    queue::land(&queue, items.clone(), &mut |outcome| teller.tell(outcome))?;
    teller.close()
}

/// What is to land, in order: as typed, where it was.
fn items(app: &App, opened: &Opened, args: &MergeArgs) -> Result<Vec<Item>> {
    if args.tasks.is_empty() {
        let mut items = item::load(&opened.repo)?;
        items.retain(|item| item.state == TaskState::Review);
        return order::order(&opened.repo, items);
    }
    let mut items = Vec::new();
    for task in &args.tasks {
        let item = item::require(&opened.repo, task)?;
        if item.state == TaskState::Merged {
            app.ui.note(format!("{} has landed already", item.name));
        } else if items.iter().any(|other: &Item| other.name == item.name) {
            return Err(Error::usage(format!("`{}` is named twice", item.name)));
        } else {
            items.push(item);
        }
    }
    Ok(items)
}
