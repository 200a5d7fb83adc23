//! `git orch route --replay`

use std::io::Write as _;
use std::path::PathBuf;

use clap::ValueEnum;

use super::opened::Opened;
use crate::app::App;
use crate::error::{Error, IoContext, Result, exit};
use crate::git::untangle::Untangler;
use crate::history;
use crate::model::time::parse_span;
use crate::model::wording::{count, thousands};
use crate::replay::{self, Answer, Given, Order, Report, Story, Together};
use crate::run::routing;
use crate::ui::{Table, line};

/// Fewer questions say nothing.
const FEWEST: usize = 10;

/// How a replay is made.
#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    /// Ask about past commits as if they were tasks, and tell how often the router is right
    #[arg(long, conflicts_with_all = ["text", "why", "import"])]
    pub(super) replay: bool,
    /// Who plays the sessions
    #[arg(long, value_enum, value_name = "WHO", default_value_t = Who::Authors, requires = "replay")]
    sessions: Who,
    /// What is told of each commit
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Told::Paths, requires = "replay")]
    given: Told,
    /// How many of the newest commits are asked about
    #[arg(long, value_name = "N", default_value_t = 1_200, requires = "replay")]
    last: usize,
    /// How long before a commit the history that is known ends
    #[arg(long, value_name = "SPAN", default_value = "1d", requires = "replay")]
    lag: String,
    /// Tell of pairs of commits which could have been made at once, and which are said to be
    #[arg(long, requires = "replay", conflicts_with = "queries")]
    parallel: bool,
    /// Write each answer to a file, a line of JSON each
    #[arg(long, value_name = "FILE", requires = "replay")]
    queries: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Who {
    /// The people who committed most
    Authors,
    /// Areas of the repository, of which the history is partly wrong
    Areas,
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
    let lag = parse_span(&args.lag).ok_or_else(|| {
        Error::usage(format!("`{}` is no time span", args.lag)).hint("write it as `12h` or `1d`")
    })?;
    let opened = Opened::to_read(app)?;
    let events = |event| app.ui.event(event);
    let survey = routing::survey(&opened.repo, &opened.settings, app.now)?;
    let weights = survey.weights;
    let request = history::Request { sessions: Vec::new(), horizon: usize::MAX, ..survey.request };
    std::fs::create_dir_all(&request.folder).doing("could not make", &request.folder)?;
    let log = history::load_whole(&request, &events)?;
    let story = Story::new(&log, request.mailmap.resolve(log.authors()));
    let cast = match args.sessions {
        Who::Authors => replay::authors(&story, args.last),
        Who::Areas => replay::areas(&story, args.last),
    };
    if cast.questions.len() < FEWEST || cast.names.len() < 2 {
        let told =
            format!("{} by {}", count(cast.questions.len(), "question"), count(cast.names.len(), "session"));
        return Err(Error::new(crate::error::Kind::Failed, format!("there is too little history: {told}")));
    }
    if args.parallel {
        let untangler = Untangler::open(&opened.repo.place().common_dir)?;
        let lag = i64::try_from(lag.as_secs()).unwrap_or(i64::MAX);
        let found = replay::together(&story, &cast, (request.half_lives, lag), &untangler, &events)?;
        app.ui.settle();
        app.ui.data(&found)?;
        app.ui.answer(together(&found))?;
        return Ok(exit::DONE);
    }
    let given = match args.given {
        Told::Paths => Given::Paths,
        Told::Text => Given::Text,
        Told::Both => Given::Both,
    };
    let order = Order { given, lag, declared: false, half_lives: request.half_lives, weights };
    let report = replay::ask(&story, &cast, &order, &replay::BASELINES, &events);
    app.ui.settle();
    if let Some(file) = &args.queries {
        write(file, &report.answers)?;
    }
    app.ui.data(&report)?;
    app.ui.answer(shown(&report))?;
    Ok(exit::DONE)
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
    let sessions = report.sessions.iter().map(|(name, asked)| format!("{name} {asked}"));
    let mut text =
        format!("{} questions: {}\n", thousands(report.questions), sessions.collect::<Vec<_>>().join(", "));
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
