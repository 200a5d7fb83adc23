//! `git orch merge`

use serde::Serialize;

use super::opened::Opened;
use crate::app::App;
use crate::error::{Error, Result, exit};
use crate::model::TaskState;
use crate::model::time::elapsed;
use crate::model::wording::count;
use crate::review::check::Checked;
use crate::review::land::{self, Landing};
use crate::review::{Item, item};
use crate::run::altered;

/// Land results: combine, check exactly that tree, move the base
///
/// Each result is combined with its base in memory; the checks of the base's
/// `.orch.yml` run on exactly that tree in a throwaway worktree; then the base
/// moves from exactly the commit that was checked. Where the base is checked
/// out the checkout follows, and unrelated uncommitted work there is kept.
#[derive(Debug, clap::Args)]
pub(super) struct MergeArgs {
    /// The results, in this order; everything that waits for review without any
    #[arg(value_name = "TASK")]
    tasks: Vec<String>,
    /// Say what would land and with which tree, and land nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outcome {
    Landed(Landing),
    Planned(land::Plan),
}

impl Outcome {
    fn has_landed(&self) -> bool {
        matches!(self, Self::Landed(landing) if landing.to.is_some())
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
    let width = items.iter().map(|item| item.name.as_str().len()).max().unwrap_or_default();
    let (mut outcomes, mut errors, mut ahead) = (Vec::new(), Vec::new(), land::Ahead::default());
    for item in &items {
        let allowed = refuse_failed(item, args)
            .and_then(|()| altered::refuse(&opened.repo, &item.name, &item.altered, &opened.trust));
        let went = allowed.and_then(|()| {
            if !args.dry_run {
                return land::land(scene, item, &opened.trust).map(Outcome::Landed);
            }
            let plan = land::plan(scene, item, &ahead)?;
            ahead.add(scene, item, &plan).map(|()| Outcome::Planned(plan))
        });
        app.ui.settle();
        match went {
            Ok(outcome) => {
                tell(app, &outcome, width)?;
                outcomes.push(outcome);
            }
            Err(_) if has_landed(&opened, item) => app.ui.note(format!("{} has landed already", item.name)),
            Err(error) if items.len() == 1 => return Err(error),
            Err(error) => {
                let word = if args.dry_run { "would keep" } else { "kept  " };
                let (name, why) = (item.name.as_str(), error.to_string());
                // The line has the name already.
                let why = why.strip_prefix(&format!("cannot land `{name}`: ")).unwrap_or(&why);
                app.ui.answer(format!("  {word}  {name:<width$}  {why}"))?;
                errors.push(error);
            }
        }
    }
    app.ui.data(&outcomes)?;
    let landed = outcomes.iter().filter(|one| one.has_landed()).count();
    if items.len() > 1 && !args.dry_run {
        app.ui.note(format!("{landed} of {} landed", items.len()));
    }
    advise(app, &items, &outcomes, &errors);
    let red = !args.dry_run && landed < outcomes.len();
    let failed = errors.first().map(|error| error.kind.exit_code());
    Ok(failed.unwrap_or(if red { exit::FAILED } else { exit::DONE }))
}

/// Refuses what its own job's check refused, unless it is asked for by name.
fn refuse_failed(item: &Item, args: &MergeArgs) -> Result<()> {
    let Some(told) = item.failed_check.as_ref().filter(|_| args.tasks.is_empty()) else { return Ok(()) };
    let name = &item.name;
    Err(Error::refused(format!("cannot land `{name}`: its check {told}"))
        .hint(format!("mend it on its branch, or land it all the same: `git orch merge {name}`")))
}

/// Whether another process landed it while we waited for our turn.
fn has_landed(opened: &Opened, item: &Item) -> bool {
    item::require(&opened.repo, item.name.as_str()).is_ok_and(|item| item.state == TaskState::Merged)
}

/// What to do about all that did not land, each thing said once.
fn advise(app: &App, items: &[Item], outcomes: &[Outcome], errors: &[Error]) {
    let mut told: Vec<&String> = Vec::new();
    for hint in errors.iter().flat_map(|error| &error.hints) {
        if !told.contains(&hint) {
            app.ui.note(format!("hint: {hint}"));
            told.push(hint);
        }
    }
    for outcome in outcomes {
        if let Outcome::Landed(Landing { name, to: None, .. }) = outcome
            && items.iter().any(|item| item.name == *name && item.session.is_some())
        {
            app.ui.note(format!("next: git orch retry {name}"));
        }
    }
}

fn items(app: &App, opened: &Opened, args: &MergeArgs) -> Result<Vec<Item>> {
    if args.tasks.is_empty() {
        let mut items = item::load(&opened.repo)?;
        items.retain(|item| item.state == TaskState::Review);
        return Ok(items);
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

/// One line, its name as wide as the longest of the batch.
fn tell(app: &App, outcome: &Outcome, width: usize) -> Result<()> {
    let line = match outcome {
        Outcome::Planned(plan) => {
            let how = if plan.fast_forward.is_some() { "straight ahead of" } else { "merges into" };
            format!(
                "  would land  {:<width$}  {how} {} {}, tree {}",
                plan.name.as_str(),
                plan.base,
                plan.from.short(),
                plan.tree.short()
            )
        }
        Outcome::Landed(Landing { name, base, from, to: Some(to), check }) => {
            let (name, words) = (name.as_str(), words(check));
            format!("  landed  {name:<width$}  {words:<31}  {base} {} → {}", from.short(), to.short())
        }
        Outcome::Landed(Landing {
            name,
            base,
            check: Checked::Failed { check, exit_code, tail, log },
            ..
        }) => {
            let code =
                exit_code.map_or_else(|| "was stopped".to_owned(), |code| format!("failed (exit {code})"));
            let tail: String = tail.lines().map(|line| format!("    {line}\n")).collect();
            if !tail.is_empty() {
                let lines = count(tail.lines().count(), "line");
                app.ui.note(format!("last {lines} of {}:\n{}", log.display(), tail.trim_end()));
            }
            let name = name.as_str();
            format!("  back    {name:<width$}  check `{check}` {code} on top of {base}, which was not moved")
        }
        Outcome::Landed(landing) => format!("  back    {}", landing.name),
    };
    app.ui.answer(line)
}

fn words(check: &Checked) -> String {
    match check {
        Checked::Unconfigured => "unchecked: no checks configured".to_owned(),
        Checked::Reused => "check reused (same tree)".to_owned(),
        Checked::Passed { seconds } => {
            format!("check passed in {}", elapsed(std::time::Duration::from_secs_f64(*seconds)))
        }
        Checked::Failed { .. } => "check failed".to_owned(),
    }
}
