//! `git orch route`

use clap::ValueEnum;

use super::opened::{Opened, patterns};
use super::replay::{self, ReplayArgs};
use super::result;
use crate::app::App;
use crate::error::{Error, Result, exit};
use crate::model::time::span;
use crate::model::wording::{count, excerpt, list};
use crate::model::{Author, Candidate, Oid, RepoPath, Route, TargetSource, Time};
use crate::run::{people, routing};
use crate::ui::Table;

/// How many files are listed for one candidate.
const LISTED: usize = 5;
/// How many candidates are listed.
const MOST: usize = 12;
/// How many similar commits are listed for one candidate.
const ALIKE: usize = 3;
/// Signals that are shown even where they tell nothing.
const ALWAYS: [&str; 4] = ["context", "recent", "specialty", "load"];

/// Say who would get a task, and why; change nothing
#[derive(Debug, clap::Args)]
pub(super) struct RouteArgs {
    /// What is to be done
    #[arg(required_unless_present_any = ["paths", "replay"])]
    text: Option<String>,
    /// What it will touch
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    paths: Vec<String>,
    /// Show the targets, every session's signals, and the commits behind them
    #[arg(long)]
    why: bool,
    /// Ask about others than the sessions
    #[arg(long, value_enum, value_name = "WHOM")]
    import: Option<Import>,
    #[command(flatten)]
    replay: ReplayArgs,
}

/// Who is asked about in the place of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Import {
    /// The people that committed, as `.mailmap` has them; programs left out
    Authors,
}

pub(super) fn run(app: &App, args: &RouteArgs) -> Result<u8> {
    if args.replay.replay {
        return replay::run(app, &args.replay);
    }
    let text = args.text.as_deref().unwrap_or_default().trim();
    if text.is_empty() && args.paths.is_empty() {
        return Err(
            Error::usage("the task has no text").hint("say what is to be done, or where with --paths")
        );
    }
    let opened = Opened::to_read(app)?;
    opened.repo.require_work_tree()?;
    let survey = routing::survey(&opened.repo, &opened.settings, app.now)?;
    let typed = patterns(app, &opened.repo, &args.paths)?;
    let given = routing::given(&opened.repo, &survey, &typed)?;
    let events = |event| app.ui.event(event);
    let route = match args.import {
        None => routing::decide(&opened.repo, &survey, (text, &given), &events)?,
        Some(Import::Authors) => {
            people::decide(&opened.repo, &opened.settings, (text, &given), &events, app.now)?
        }
    };
    app.ui.settle();
    app.ui.data(&route)?;
    let Some(first) = route.candidates.first() else {
        return Err(match args.import {
            None => routing::nobody(&route.paused, "route to")
                .hint("or ask who knows the code: `git orch route --import authors TEXT`"),
            Some(Import::Authors) => Error::refused("nobody has committed anything yet"),
        });
    };
    let choice = first.person.as_ref().map_or_else(|| first.session.to_string(), Author::to_string);
    let subject = if text.is_empty() { args.paths.join(" ") } else { excerpt(text, 60) };
    let mut answer = format!("{subject} → {choice}   {}\n", verdict(&route));
    if route.unsure {
        answer.push_str(&doubt(&route));
    }
    if args.why {
        answer.push_str(&why(app, &opened, &route)?);
    }
    app.ui.answer(answer)?;
    Ok(exit::DONE)
}

/// `0.87, next frontend 0.20`, or why that would say too much.
fn verdict(route: &Route) -> String {
    if route.unsure && !has_evidence(route) {
        return "unsure: no session has touched anything like it".to_owned();
    }
    result::route_words(route)
}

fn has_evidence(route: &Route) -> bool {
    route.candidates.iter().any(Candidate::has_evidence)
}

/// What there is to go by, and what would decide.
fn doubt(route: &Route) -> String {
    let mut text = String::new();
    if !has_evidence(route) {
        let by =
            if route.candidates.iter().any(|one| one.signals.specialty > 0.0) { "specialty" } else { "load" };
        let scores = route.candidates.iter().take(5).map(|one| format!("{} {:.2}", one.label(), one.score));
        text.push_str(&format!("by {by} only: {}\n", scores.collect::<Vec<_>>().join(", ")));
    } else if let [first, second, ..] = route.candidates.as_slice() {
        text.push_str(&format!(
            "{} and {} are only {:.2} apart\n",
            first.label(),
            second.label(),
            route.margin
        ));
    }
    let is_of_people = route.candidates.iter().any(|one| one.person.is_some());
    let help = if is_of_people { "say --paths" } else { "say --session, or --paths" };
    match deciding(route).as_slice() {
        [] => text.push_str(&format!("{help} to help\n")),
        paths => text.push_str(&format!("{} would decide: {help}\n", paths.join(", "))),
    }
    text
}

/// For each of the two best the path that speaks most for it alone: `src/api for backend`.
fn deciding(route: &Route) -> Vec<String> {
    let [first, second, ..] = route.candidates.as_slice() else { return Vec::new() };
    let touches = |one: &Candidate, path: &RepoPath| {
        one.reasons.iter().find(|reason| reason.path == *path).map_or(0, |reason| reason.touches)
    };
    let stronger = |one: &Candidate, other: &Candidate| {
        let mut leads = one.reasons.iter().filter(|reason| reason.touches > touches(other, &reason.path));
        leads.next().map(|reason| format!("{} for {}", reason.path, one.label()))
    };
    [stronger(first, second), stronger(second, first)].into_iter().flatten().collect()
}

fn why(app: &App, opened: &Opened, route: &Route) -> Result<String> {
    let mut text = targets(route);
    text.push_str(&signals(route));
    if !route.paused.is_empty() {
        text.push_str(&format!("\nleft out, as paused: {}\n", list(&route.paused)));
    }
    if route.targets.is_empty() {
        return Ok(text);
    }
    if let Some(first) = route.candidates.first() {
        text.push_str(&reasons(app, opened, first, "because")?);
    }
    if let Some(second) = route.candidates.get(1) {
        text.push_str(&reasons(app, opened, second, "has")?);
    }
    Ok(text)
}

fn targets(route: &Route) -> String {
    let source = match route.targets.first().map(|target| target.source) {
        None => return "\nno targets: nothing is given, named or predicted\n".to_owned(),
        Some(TargetSource::Given) => "as given".to_owned(),
        Some(TargetSource::Named) => "named in the task".to_owned(),
        Some(TargetSource::Predicted) => format!("predicted from {}", count(route.similar, "similar commit")),
    };
    let mut table = Table::bare().right(&[1]);
    for target in route.targets.iter().take(10) {
        table.row([target.path.to_string(), format!("{:.2}", target.score)]);
    }
    let more = route.targets.len().saturating_sub(10);
    let rest = if more > 0 { format!("  and {more} more\n") } else { String::new() };
    format!("\ntargets, {source}\n{}{rest}", table.render())
}

/// A row for each candidate; a signal of the past that tells nothing of anybody is left out.
fn signals(route: &Route) -> String {
    let Some(first) = route.candidates.first() else { return String::new() };
    let is_told = |index: &usize| {
        ALWAYS.contains(&first.terms[*index].name.as_str())
            || route.candidates.iter().any(|one| one.terms[*index].value * one.terms[*index].weight > 0.0)
    };
    let told: Vec<usize> = (0..first.terms.len()).filter(is_told).collect();
    let headings = told.iter().map(|index| first.terms[*index].name.as_str());
    let headings: Vec<&str> = std::iter::once("").chain(headings).chain(["score"]).collect();
    let mut table = Table::new(&headings).right(&(1..headings.len()).collect::<Vec<_>>());
    let differs = |index: usize| {
        route
            .candidates
            .iter()
            .any(|one| one.terms[index].weight.total_cmp(&first.terms[index].weight).is_ne())
    };
    let weight = |index: &usize| {
        let mark = if differs(*index) { "*" } else { "" };
        format!("{}{mark}", (100.0 * first.terms[*index].weight).round() / 100.0)
    };
    table.row(std::iter::once("weight".to_owned()).chain(told.iter().map(weight)).chain([String::new()]));
    for candidate in route.candidates.iter().take(MOST) {
        let values = told.iter().map(|index| candidate.terms[*index].value).chain([candidate.score]);
        table.row(std::iter::once(candidate.label()).chain(values.map(|number| format!("{number:.2}"))));
    }
    let young = told.iter().any(|index| differs(*index));
    let note = if young { "  * more for a session with less than ten commits of history\n" } else { "" };
    format!("\n{}{note}", table.render())
}

fn reasons(app: &App, opened: &Opened, candidate: &Candidate, verb: &str) -> Result<String> {
    let comma = if verb == "because" { "," } else { "" };
    let mut text = format!("\n{}{comma} {verb}\n", candidate.label());
    let telling: Vec<_> = candidate.reasons.iter().filter(|reason| reason.touches > 0).take(LISTED).collect();
    if telling.is_empty() {
        text.push_str("  no touch of these files\n");
    }
    let mut table = Table::bare();
    for reason in telling {
        let last = reason.last.map(|last| format!("last {} ago", span(app.now.since(last))));
        let commit = match (reason.commit, reason.last) {
            (Some(oid), Some(time)) => told(opened, oid, time)?,
            _ => String::new(),
        };
        let touches = format!("{}, {}", count(reason.touches as usize, "touch"), last.unwrap_or_default());
        table.row([reason.path.to_string(), touches, commit]);
    }
    text.push_str(&table.render());
    let mut table = Table::bare();
    for alike in candidate.similar.iter().take(ALIKE) {
        table.row([told(opened, alike.commit, alike.time)?, format!("{:.2} alike", alike.weight)]);
    }
    text.push_str(&table.render());
    Ok(text)
}

/// `1f0c2d9 2026-11-24  api: rotate refresh tokens`
fn told(opened: &Opened, oid: Oid, time: Time) -> Result<String> {
    let commit = opened.repo.read().commit(oid)?;
    Ok(format!("{} {}  {}", oid.short(), time.date(), excerpt(commit.subject(), 50)))
}
