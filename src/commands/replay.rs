//! `git orch route --replay`

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use super::opened::Opened;
use crate::app::App;
use crate::error::{Error, IoContext, Kind, Result, exit};
use crate::git::topics::topics;
use crate::git::untangle::Untangler;
use crate::history::{self, Source};
use crate::model::Name;
use crate::model::time::parse_span;
use crate::model::wording::{count, thousands};
use crate::replay::{self, Answer, Given, Loop, Order, Recorded, Report, Story, Together};
use crate::run::routing::{self, Survey};
use crate::ui::{Table, line};

/// Fewer questions say nothing.
const FEWEST: usize = 10;
/// More sessions than these are only counted.
const MOST_NAMED: usize = 12;

/// How a replay is made.
#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    /// Ask about past commits as if they were tasks, and tell how often the router is right
    #[arg(long, conflicts_with_all = ["text", "paths", "why", "import"])]
    pub(super) replay: bool,
    /// Who plays the sessions
    #[arg(long, value_enum, value_name = "WHO", default_value_t = Who::Authors, requires = "replay", conflicts_with = "text")]
    sessions: Who,
    /// What is told of each commit
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Told::Paths, requires = "replay", conflicts_with = "text")]
    given: Told,
    /// How many of the newest commits are asked about
    #[arg(long, value_name = "N", default_value_t = 1_200, requires = "replay", conflicts_with = "text")]
    last: usize,
    /// How long before a commit the history that is known ends [default: 1d; 0s for branches and recorded]
    #[arg(long, value_name = "SPAN", requires = "replay", conflicts_with = "text")]
    lag: Option<String>,
    /// Tell of pairs of commits which could have been made at once, and which are said to be
    #[arg(long, requires = "replay", conflicts_with_all = ["text", "queries"])]
    parallel: bool,
    /// Give the commits out to eight sessions that start empty, so that the choice becomes the
    /// history: what is kept of context, and what that costs in waiting
    #[arg(long = "loop", requires = "replay", conflicts_with_all = ["text", "queries", "parallel", "lag", "sessions"])]
    closed: bool,
    /// Write each answer to a file, a line of JSON each
    #[arg(long, value_name = "FILE", requires = "replay", conflicts_with = "text")]
    queries: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Who {
    /// The people who committed most
    Authors,
    /// Areas of the repository, of which the history is partly wrong
    Areas,
    /// Topic branches that were merged, each against those open at the time
    Branches,
    /// The sessions of git-orch, by the tasks that they did
    Recorded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Told {
    /// The paths that it changed
    Paths,
    /// The first line of its message
    Text,
    /// Both
    Both,
}

pub(super) fn run(app: &App, args: &ReplayArgs) -> Result<u8> {
    let lag = lag(args)?;
    let opened = Opened::to_read(app)?;
    let events = |event| app.ui.event(event);
    let survey = routing::survey(&opened.repo, &opened.settings, app.now)?;
    // What never landed counts only where sessions are asked about.
    let is_recorded = args.sessions == Who::Recorded;
    let sessions = if is_recorded { survey.request.sessions.clone() } else { Vec::new() };
    let request = history::Request { horizon: usize::MAX, sessions, ..survey.request.clone() };
    drop(std::fs::create_dir_all(&request.folder));
    let log = history::load_whole(&request, &events)?;
    let story = Story::new(&log, request.mailmap.resolve(log.authors()), is_recorded);
    let (half_lives, weights) = (request.half_lives, survey.weights);
    let given = match args.given {
        Told::Paths => Given::Paths,
        Told::Text => Given::Text,
        Told::Both => Given::Both,
    };
    let order = Order { given, lag, declared: is_recorded, half_lives, weights };
    if args.closed {
        enough(story.telling().len(), replay::SESSIONS)?;
        let found = replay::closed(&story, &order, args.last, &replay::CHOOSERS, &events);
        return answered(app, &found, closed(&found));
    }
    let cast = match args.sessions {
        Who::Authors => replay::authors(&story, args.last),
        Who::Areas => replay::areas(&story, args.last),
        Who::Branches => {
            let tip = request.tips.first();
            let topics = tip.map_or(Ok(Vec::new()), |tip| topics(&opened.repo, *tip))?;
            replay::branches(&story, &topics, args.last)
        }
        Who::Recorded => replay::recorded(&story, &recorded(&survey), args.last),
    };
    enough(cast.questions.len(), cast.names.len())?;
    if args.parallel {
        let untangler = Untangler::open(&opened.repo.place().common_dir)?;
        let lag = i64::try_from(lag.as_secs()).unwrap_or(i64::MAX);
        let found = replay::together(&story, &cast, (half_lives, lag), &untangler, &events)?;
        if found.tried == 0 {
            let told = format!("none of {} could be tried", count(found.pairs, "pair"));
            return Err(Error::new(Kind::Failed, told)
                .hint("contents may be missing: is this a partial clone, or has it one author?"));
        }
        return answered(app, &found, together(&found));
    }
    let report = replay::ask(&story, &cast, &order, &replay::BASELINES, &events);
    if let Some(file) = &args.queries {
        write(file, &report.answers)?;
    }
    answered(app, &report, shown(&report))
}

/// How long before a commit the history ends: a day, so that the rest of one
/// piece of work is not known; nothing where a session is asked about by its work.
fn lag(args: &ReplayArgs) -> Result<Duration> {
    let live = matches!(args.sessions, Who::Branches | Who::Recorded);
    let typed = args.lag.as_deref().unwrap_or(if live { "0s" } else { "1d" });
    parse_span(typed)
        .ok_or_else(|| Error::usage(format!("`{typed}` is no time span")).hint("write it as `12h` or `1d`"))
}

fn enough(questions: usize, sessions: usize) -> Result<()> {
    if questions >= FEWEST && sessions >= 2 {
        return Ok(());
    }
    let told = format!("{} by {}", count(questions, "question"), count(sessions, "session"));
    Err(Error::new(Kind::Failed, format!("there is too little history: {told}"))
        .hint(format!("{FEWEST} questions and 2 sessions say something")))
}

fn answered<T: serde::Serialize>(app: &App, found: &T, text: String) -> Result<u8> {
    app.ui.settle();
    app.ui.data(found)?;
    app.ui.answer(text)?;
    Ok(exit::DONE)
}

/// The sessions, with what they committed and the first commit of each of their tasks.
fn recorded(survey: &Survey) -> Vec<Recorded> {
    let session = |source: &Source| {
        let own = survey.tasks.iter().map(|task| &task.value).filter(|task| task.session == source.name);
        Recorded {
            name: source.name.clone(),
            paths: source.paths.clone(),
            commits: source.commits.clone(),
            tasks: own.filter_map(|task| task.commits.first().copied()).collect(),
        }
    };
    survey.request.sessions.iter().map(session).collect()
}

fn closed(found: &Loop) -> String {
    let mut text = format!(
        "{} tasks for {} that start empty and are at work 75% of the time\n",
        thousands(found.tasks),
        count(found.sessions, "session")
    );
    let mut table = Table::new(&["", "known", "continuity", "waiting", "busiest"]).right(&[1, 2, 3, 4]);
    for row in &found.rows {
        let figures = [row.known, row.continuity].map(|figure| format!("{figure:.3}"));
        let costs = [format!("{:.1}", row.waiting), format!("{:.3}", row.busiest)];
        table.row(std::iter::once(row.rule.clone()).chain(figures).chain(costs));
    }
    text.push_str(&table.render());
    text
}

fn together(found: &Together) -> String {
    let mut text = format!(
        "{} of {} pairs of commits tried: {:.1}% could not have been made at once\n",
        thousands(found.tried),
        thousands(found.pairs),
        100.0 * found.conflicting
    );
    let mut table = Table::new(&["at once where they", "allowed", "precision", "recall"]).right(&[1, 2, 3]);
    for row in &found.rows {
        let figures = [row.allowed, row.precision, row.recall].map(|figure| format!("{figure:.3}"));
        table.row(std::iter::once(row.rule.clone()).chain(figures));
    }
    text.push_str(&table.render());
    text
}

fn write(path: &PathBuf, answers: &[Answer]) -> Result<()> {
    let mut file = std::fs::File::create(path).doing("could not write", path)?;
    for answer in answers {
        let line = line(answer)?;
        file.write_all(line.as_bytes()).doing("could not write", path)?;
    }
    Ok(())
}

fn shown(report: &Report) -> String {
    let asked = if report.sessions.len() > MOST_NAMED {
        format!("about {} sessions", thousands(report.sessions.len()))
    } else {
        let one = |(name, asked): &(Name, usize)| format!("{name} {asked}");
        report.sessions.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let mut text = format!("{} questions: {asked}\n", thousands(report.questions));
    let mut table = Table::new(&["", "top-1", "95%", "top-3", "MRR", "95%"]).right(&[1, 2, 3, 4, 5]);
    for row in &report.rows {
        let range = |one: &replay::Interval| format!("{:.3} to {:.3}", one.low, one.high);
        let figures = row.figures;
        table.row([
            row.rule.clone(),
            format!("{:.3}", figures.top1),
            range(&row.top1_interval),
            format!("{:.3}", figures.top3),
            format!("{:.3}", figures.mrr),
            range(&row.mrr_interval),
        ]);
    }
    text.push_str(&table.render());
    text
}
