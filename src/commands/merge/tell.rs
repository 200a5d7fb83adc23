//! What became of results, a line each as soon as that is known.

use crate::app::App;
use crate::error::{Error, Kind, Result, exit};
use crate::model::time::elapsed;
use crate::model::wording::{count, few, tick};
use crate::model::{Name, Oid};
use crate::review::Item;
use crate::review::check::Checked;
use crate::review::outcome::{Landing, Outcome};
use crate::review::resolve::Conflict;

/// Tells outcomes, and keeps what the end needs.
pub(super) struct Teller<'a> {
    app: &'a App,
    items: &'a [Item],
    width: usize,
    outcomes: Vec<Outcome>,
    /// Of a single result that stays: the command's own error.
    error: Option<Error>,
}

impl<'a> Teller<'a> {
    pub(super) fn of(app: &'a App, items: &'a [Item]) -> Self {
        let width = items.iter().map(|item| item.name.as_str().len()).max().unwrap_or_default();
        Self { app, items, width, outcomes: Vec::new(), error: None }
    }

    /// Tells one.
    pub(super) fn tell(&mut self, outcome: Outcome) -> Result<()> {
        self.app.ui.settle();
        let width = self.width;
        match &outcome {
            Outcome::Checked(Landing { name, base, from, to: Some(to), check, with }) => {
                self.app.ui.answer(landed((name, width), (base, *from, *to), check, with))?;
            }
            Outcome::Checked(landing) => self.failed(landing)?,
            Outcome::Conflict(conflict) => self.app.ui.answer(conflicts(conflict, width))?,
            Outcome::Before(before) => self.app.ui.note(format!("{} has landed already", before.name)),
            Outcome::Kept(kept) if self.items.len() == 1 => {
                let Outcome::Kept(kept) = outcome else { unreachable!("it was one just now") };
                self.error = Some(kept.error);
                return Ok(());
            }
            Outcome::Kept(kept) => {
                let name = kept.name.as_str();
                self.app.ui.answer(format!("  kept    {name:<width$}  {}", why(&kept.name, &kept.error)))?;
            }
        }
        self.outcomes.push(outcome);
        Ok(())
    }

    fn failed(&self, landing: &Landing) -> Result<()> {
        let Checked::Failed { check, exit_code, tail, log } = &landing.check else { return Ok(()) };
        let code = exit_code.map_or_else(|| "was stopped".to_owned(), |code| format!("failed (exit {code})"));
        let lines: String = tail.lines().map(|line| format!("    {line}\n")).collect();
        if !lines.is_empty() {
            let number = count(tail.lines().count(), "line");
            self.app.ui.note(format!("last {number} of {}:\n{}", log.display(), lines.trim_end()));
        }
        let (name, width, base) = (landing.name.as_str(), self.width, &landing.base);
        let on = match &landing.with[..] {
            [] => format!("{base}, which was not moved"),
            with => format!("{base} with {}", few(with)),
        };
        self.app.ui.answer(format!("  back    {name:<width$}  check `{check}` {code} on top of {on}"))
    }

    /// The end: how many landed, what to do about the others; the exit code.
    pub(super) fn close(self) -> Result<u8> {
        let Self { app, items, outcomes, error, .. } = self;
        if let Some(error) = error {
            return Err(error);
        }
        app.ui.data(&outcomes)?;
        let landed =
            outcomes.iter().filter(|one| matches!(one, Outcome::Checked(Landing { to: Some(_), .. })));
        if items.len() > 1 {
            app.ui.note(format!("{} of {} landed", landed.count(), items.len()));
        }
        let kept = outcomes.iter().filter_map(|one| match one {
            Outcome::Kept(kept) => Some(&kept.error),
            _ => None,
        });
        hints(app, kept.clone());
        for next in outcomes.iter().filter_map(|one| next(items, one)) {
            app.ui.note(format!("next: {next}"));
        }
        let conflicts = outcomes.iter().any(|one| matches!(one, Outcome::Conflict(_)));
        let red = outcomes.iter().any(|one| matches!(one, Outcome::Checked(Landing { to: None, .. })));
        let kept = kept.map(|error| error.kind).next();
        let refused = conflicts.then_some(Kind::Refused);
        Ok(kept.or(refused).map_or(if red { exit::FAILED } else { exit::DONE }, Kind::exit_code))
    }
}

fn landed(
    (name, width): (&Name, usize),
    (base, from, to): (&str, Oid, Oid),
    check: &Checked,
    with: &[Name],
) -> String {
    let mut words = words(check);
    if !with.is_empty() {
        words = format!("{words}, {} at once", with.len() + 1);
    }
    format!("  landed  {:<width$}  {words:<31}  {base} {} → {}", name.as_str(), from.short(), to.short())
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

fn conflicts(conflict: &Conflict, width: usize) -> String {
    let (name, base) = (conflict.name.as_str(), &conflict.base);
    let to = match (&conflict.task, &conflict.session) {
        (Some(task), Some(session)) => format!(" → {session}, as {task}"),
        (_, Some(session)) => format!(" → {session}"),
        _ => String::new(),
    };
    format!(
        "  back    {name:<width$}  conflicts with {base} in {}{to}",
        few(conflict.conflicts.iter().map(tick))
    )
}

/// The next command for what did not land.
fn next(items: &[Item], outcome: &Outcome) -> Option<String> {
    let is_tasks = |name: &Name| items.iter().any(|item| item.name == *name && item.session.is_some());
    match outcome {
        Outcome::Checked(Landing { name, to: None, .. }) if is_tasks(name) => {
            Some(format!("git orch retry {name}"))
        }
        Outcome::Conflict(conflict) => match (&conflict.task, &conflict.session) {
            (Some(task), _) => Some(format!("git orch retry {task}")),
            (None, Some(_)) => Some(format!("git orch retry {}", conflict.name)),
            (None, None) => Some(format!("git orch cancel {}, and fan out again", conflict.name)),
        },
        _ => None,
    }
}

/// Why a result stays: its line has the name already.
pub(super) fn why(name: &Name, error: &Error) -> String {
    let why = error.to_string();
    why.strip_prefix(&format!("cannot land `{name}`: ")).unwrap_or(&why).to_owned()
}

/// What to do about errors, each thing said once.
pub(super) fn hints<'e>(app: &App, errors: impl IntoIterator<Item = &'e Error>) {
    let mut told: Vec<&String> = Vec::new();
    for hint in errors.into_iter().flat_map(|error| &error.hints) {
        if !told.contains(&hint) {
            app.ui.note(format!("hint: {hint}"));
            told.push(hint);
        }
    }
}
