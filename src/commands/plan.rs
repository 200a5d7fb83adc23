//! `git orch plan`

mod carry;
mod lists;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::Path;

use super::opened::{Opened, patterns};
use super::result;
use crate::app::App;
use crate::config;
use crate::error::{Error, IoContext, Kind, Result, exit};
use crate::model::wording::{count, excerpt, few, list};
use crate::model::{Because, Behind, Name, Plan, Planned, Reads, RepoPath, Wanted};
use crate::route::context::is_formatting;
use crate::route::plan::likely;
use crate::run::nearby;
use crate::run::routing::Survey;
use crate::run::{planning, routing, worker};
use crate::ui::Table;

/// A longer command line is not said again.
const MOST: usize = 80;

/// Say which tasks can run at once, which have to wait, and who gets each
///
/// Each task is routed as `git orch route` would, as if those before it were
/// open already. A session does one task at a time, and tasks that are
/// expected to touch the same files come one after the other. Nothing is
/// changed without --run. Without any task, those that are open are shown.
///
/// With --run the tasks are carried out as `git orch task` would, those of
/// different sessions at once. A task that shares files with one that comes
/// to nothing is left out.
#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    /// What is to be done; or a file with one task a line, a Markdown list, or YAML (`tasks.yml`);
    /// `-` for standard input
    #[arg(value_name = "FILE or TEXT")]
    tasks: Vec<String>,
    /// Carry the plan out
    #[arg(long, requires = "tasks")]
    run: bool,
    /// Run so many tasks at once
    #[arg(short = 'j', long = "jobs", value_name = "N", requires = "run", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,
    /// The agent that does them
    #[arg(long, value_name = "AGENT", requires = "run", conflicts_with = "command")]
    agent: Option<String>,
    /// The command that does them
    #[arg(last = true, value_name = "CMD", requires = "run")]
    command: Vec<OsString>,
}

/// What carrying a plan out needs.
struct Desk<'a> {
    app: &'a App,
    opened: &'a Opened,
    survey: &'a Survey,
    plan: &'a Plan,
    args: &'a PlanArgs,
}

pub(super) fn run(app: &App, args: &PlanArgs) -> Result<u8> {
    let mut wanted = wanted(app, &args.tasks)?;
    let opened = if args.run { Opened::to_change(app)? } else { Opened::to_read(app)? };
    opened.repo.require_work_tree()?;
    for one in &mut wanted {
        one.paths = patterns(app, &opened.repo, &one.paths)?;
    }
    let survey = routing::survey(&opened.repo, &opened.settings, app.now)?;
    let events = |event| app.ui.event(event);
    let plan = match args.tasks.is_empty() {
        true => planning::of_open(&opened.repo, &survey),
        false => planning::plan(&opened.repo, &survey, &wanted, &events)?,
    };
    app.ui.settle();
    warn(app, &opened, &survey, &plan)?;
    if args.run {
        return carry::run(&Desk { app, opened: &opened, survey: &survey, plan: &plan, args });
    }
    app.ui.data(&plan)?;
    if plan.tasks.is_empty() {
        app.ui.note(if args.tasks.is_empty() { "no open tasks" } else { "nothing is left to do" });
        return Ok(exit::DONE);
    }
    app.ui.answer(table(&plan))?;
    app.ui.note(summary(&plan));
    if plan.tasks.iter().any(Planned::is_new) {
        let agent = if has_agent(app, &opened) { "" } else { " -- AGENT" };
        let same = format!("git orch {}", app.command_line);
        let same = if same.len() > MOST { "the same command and" } else { &same };
        app.ui.note(format!("next: {same} --run{agent}"));
    }
    Ok(exit::DONE)
}

/// Whether there is an agent for tasks whose session names none.
fn has_agent(app: &App, opened: &Opened) -> bool {
    let picked = || worker::picked(&opened.settings, &opened.trust, &app.environment);
    match opened.settings.agent() {
        Some(name) => !worker::is_person(name),
        None => picked().is_some_and(|(_, may_start)| may_start),
    }
}

/// Warns of what others are changing where new tasks are likely to.
fn warn(app: &App, opened: &Opened, survey: &Survey, plan: &Plan) -> Result<()> {
    let mut targets: BTreeMap<&Name, Vec<RepoPath>> = BTreeMap::new();
    for task in plan.tasks.iter().filter(|task| task.is_new()) {
        targets.entry(&task.session).or_default().extend(likely(&task.targets));
    }
    for (session, targets) in targets {
        for one in nearby::find(&opened.repo, (&survey.sessions, &survey.tasks), session, &targets)? {
            app.ui.warning(format!("{session}: {one}"));
        }
    }
    Ok(())
}

/// The tasks that were asked for, each once.
fn wanted(app: &App, args: &[String]) -> Result<Vec<Wanted>> {
    let mut tasks = Vec::new();
    for arg in args {
        match source(app, arg)? {
            Some(text) if is_yaml(arg) => tasks.extend(config::tasks::parse(&text)?),
            Some(text) => {
                let list = lists::parse(&text);
                if list.tasks.is_empty() && list.done == 0 {
                    return Err(Error::usage(format!("no task in `{arg}`"))
                        .hint("write one a line, or a Markdown list: `- [ ] fix login`"));
                }
                tasks.extend(list.tasks.into_iter().map(said));
            }
            None if arg.trim().is_empty() => {
                return Err(Error::usage("a task has no text")
                    .hint("say what to do: `git orch plan \"fix login\" \"sort the cart\"`"));
            }
            None => tasks.push(said(arg.trim().to_owned())),
        }
    }
    if tasks.iter().any(|task| task.text.trim().is_empty()) {
        return Err(Error::usage("a task has no text").hint("say what to do: `text: fix login`"));
    }
    let mut seen = BTreeSet::new();
    let all = tasks.len();
    tasks.retain(|task| seen.insert(task.text.clone()));
    if tasks.len() < all {
        app.ui.warning("a task that stands there more than once is taken once");
    }
    Ok(tasks)
}

/// A task of which only the words are said.
fn said(text: String) -> Wanted {
    Wanted { text, ..Wanted::default() }
}

fn is_yaml(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|extension| extension == "yml" || extension == "yaml")
}

/// The text of a list that an argument names; `None` where it is a task itself.
fn source(app: &App, arg: &str) -> Result<Option<String>> {
    let path = app.folder.join(arg);
    let bytes = if arg == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes)
            .doing("could not read", Path::new(arg))?;
        bytes
    } else if arg.is_empty() || arg.contains(char::is_whitespace) && !path.is_file() {
        return Ok(None);
    } else if path.exists() {
        std::fs::read(&path)
            .doing("could not read", &path)
            .map_err(|error| Error { kind: Kind::Usage, ..error })?
    } else if reads_as_file(arg) {
        return Err(Error::usage(format!("no file `{arg}`")).hint("a task is said in words, in quotes"));
    } else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
    text.map(Some).ok_or_else(|| Error::usage(format!("`{arg}` holds no text")))
}

/// Whether a single word is meant as the name of a file: `tasks.md`, `docs/todo`.
fn reads_as_file(word: &str) -> bool {
    let extension = Path::new(word).extension().and_then(|extension| extension.to_str());
    word.contains('/')
        || extension.is_some_and(|extension| extension.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

fn table(plan: &Plan) -> String {
    let mut table = Table::new(&["wave", "task", "session", "score", "why"]).right(&[0, 3]);
    let mut tasks: Vec<&Planned> = plan.tasks.iter().collect();
    tasks.sort_by_key(|task| task.wave);
    for task in tasks {
        let score = task.route.as_ref().and_then(|route| route.candidates.first());
        table.row([
            task.wave.map_or("-".to_owned(), |wave| wave.to_string()),
            task.name.to_string(),
            task.session.to_string(),
            score.map_or(String::new(), |first| format!("{:.2}", first.score)),
            why(plan, task),
        ]);
    }
    table.render()
}

/// Why a task is where it is: what it waits for, and how sure its session is.
fn why(plan: &Plan, task: &Planned) -> String {
    let mut told: Vec<String> = task.state.iter().map(|state| state.word().to_owned()).collect();
    told.extend(task.paused.then(|| format!("{0} is paused: git orch resume {0}", task.session)));
    told.extend(fan_out(task));
    told.extend(behind(plan, task));
    let is_routed = task.is_new() && task.context.reads != Reads::ContextFree;
    let route = task.route.as_ref().filter(|_| is_routed);
    told.extend(route.filter(|route| route.unsure).map(|route| {
        let next = route.candidates.get(1).filter(|_| route.candidates[0].has_evidence());
        next.map_or("unsure: no session has touched anything like it".to_owned(), |next| {
            format!("unsure, next {} {:.2}", next.label(), next.score)
        })
    }));
    if told.is_empty() {
        told.extend(route.and_then(result::touched_words));
    }
    told.join("; ")
}

/// What is rather fanned out than given to one session.
fn fan_out(task: &Planned) -> Option<String> {
    let is_free = task.is_new() && task.context.reads == Reads::ContextFree;
    let command = if is_formatting(&task.context) { "git orch fanout fmt" } else { "git orch fanout" };
    is_free.then(|| format!("context-free, fan it out: {command}"))
}

/// `behind fix-login: both touch src/api/login.rs`.
fn behind(plan: &Plan, task: &Planned) -> Option<String> {
    // What is waited for anyway says nothing new.
    let is_implied = |one: &Behind| {
        let others = plan.tasks.iter().filter(|other| task.behind.iter().any(|b| b.task == other.name));
        others.flat_map(|other| &other.behind).any(|behind| behind.task == one.task)
    };
    let direct: Vec<&Behind> = task.behind.iter().filter(|one| !is_implied(one)).collect();
    let names = list(direct.iter().map(|one| &one.task));
    let shared: BTreeSet<&RepoPath> = direct.iter().flat_map(|one| &one.shared).collect();
    let by = |because| direct.iter().any(|one| one.because == because);
    Some(match direct.len() {
        0 => return None,
        1 if by(Because::Files) => format!("behind {names}: both touch {}", few(shared)),
        _ if by(Because::Files) => format!("behind {names}: they touch {} too", few(shared)),
        _ if by(Because::Session) => format!("behind {names} in the same session"),
        _ => format!("behind {names}, as was said"),
    })
}

/// `4 tasks for 3 sessions: 3 at once, then 1`.
fn summary(plan: &Plan) -> String {
    let ahead: Vec<&Planned> = plan.tasks.iter().filter(|task| task.wave.is_some()).collect();
    let sessions: BTreeSet<_> = ahead.iter().map(|task| &task.session).collect();
    let of_wave = |wave: usize| ahead.iter().filter(|task| task.wave == Some(wave)).count();
    let waves: Vec<usize> = (1..).map(of_wave).take_while(|tasks| *tasks > 0).collect();
    let who = format!("{} for {}", count(ahead.len(), "task"), count(sessions.len(), "session"));
    match waves.as_slice() {
        [] => "nothing is left to do".to_owned(),
        [1] => who,
        [_] => format!("{who}, all at once"),
        waves if waves.iter().all(|tasks| *tasks == 1) => format!("{who}, one after the other"),
        [first, rest @ ..] => {
            let rest: String = rest.iter().map(|tasks| format!(", then {tasks}")).collect();
            excerpt(&format!("{who}: {first} at once{rest}"), 100)
        }
    }
}
