//! `git orch task`

use std::ffi::OsString;

use super::attach::Seat;
use super::opened::{Opened, patterns};
use super::{attach, result, review};
use crate::agent::detach;
use crate::app::App;
use crate::error::{Error, Result};
use crate::git::identity;
use crate::model::{RepoPath, Route, Session, Target, Task, Viewpoint};
use crate::route::plan::likely;
use crate::run::claim::{self, Claimed, Order, Unbegun};
use crate::run::nearby;
use crate::run::routing::{self, Survey};
use crate::run::worker::{self, Worker};
use crate::run::{Scene, flow, prepare};
use crate::session::pause;
use crate::store;

/// Give a task to the session that knows the code, and run it there
///
/// The task's likely files are taken from --paths, from its words and from
/// similar past commits; the session whose history overlaps them gets it. The
/// command behind `--` (or the configured agent) runs in the session's
/// worktree with a brief on standard input; what it leaves uncommitted is
/// committed; the result is the branch `review/TASK`. Without any agent
/// everything is prepared and a person takes over.
///
/// With --detach the task's name is printed once the task is made, and it is
/// carried out in the background; `git orch wait` tells how it ended.
#[derive(Debug, clap::Args)]
pub(super) struct TaskArgs {
    /// What to do
    text: String,
    /// What it will touch
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    paths: Vec<String>,
    /// Who does it, whatever the history says
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// The agent that does it; `person` for none, `shell` or `tmux` for yourself in a shell
    #[arg(long, value_name = "AGENT", conflicts_with = "command")]
    agent: Option<String>,
    /// Begin once this task has a result
    #[arg(long, value_name = "TASK")]
    after: Option<String>,
    /// Who shall look at its result: reviewer, tester, documenter
    #[arg(long, value_name = "VIEWPOINT", value_delimiter = ',')]
    #[arg(value_parser = ["reviewer", "tester", "documenter"])]
    viewpoints: Vec<String>,
    /// Carry it out in the background
    #[arg(long)]
    detach: bool,
    /// Make it although a task with the same text is open
    #[arg(long)]
    again: bool,
    /// Say who would get it, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// The command that does it
    #[arg(last = true, value_name = "CMD")]
    command: Vec<OsString>,
}

impl TaskArgs {
    fn viewpoints(&self) -> Vec<Viewpoint> {
        let mut asked: Vec<Viewpoint> = self.viewpoints.iter().filter_map(|word| word.parse().ok()).collect();
        asked.sort();
        asked.dedup();
        asked
    }
}

pub(super) fn run(app: &App, args: TaskArgs) -> Result<u8> {
    let text = args.text.trim().to_owned();
    if text.is_empty() {
        return Err(
            Error::usage("the task has no text").hint("say what to do: `git orch task \"fix login\"`")
        );
    }
    if args.detach && !args.dry_run && !app.is_detached {
        let begun = detach::start(&app.words)?;
        app.ui.raw(&begun.answer)?;
        return Ok(begun.code);
    }
    let opened = Opened::to_change(app)?;
    let events = |event| app.ui.event(event);
    let scene = opened.scene(app, &events);
    let after = args.after.as_deref().map(|name| store::tasks::require(&opened.repo, name)).transpose()?;
    let after = after.map(|task| task.value.name);
    let (claimed, session, worker) = loop {
        let (session, targets, route) = choose(app, &opened, scene, (&text, &args))?;
        let worker = choose_worker(app, &opened, &args, &session)?;
        if args.dry_run {
            app.ui.data(&route)?;
            app.ui.answer(format!("{} would take it{}", session.name, words(route.as_ref())))?;
            return Ok(crate::error::exit::DONE);
        }
        identity::require(&opened.repo)?;
        let (agent, text, after) = (worker.name().map(str::to_owned), text.clone(), after.clone());
        let (session, again) = (session, args.again);
        let needs = args.viewpoints();
        let order = Order {
            text,
            targets,
            route,
            session: session.clone(),
            agent,
            after,
            needs,
            resolves: None,
            again,
        };
        match claim::claim(&opened.repo, order, &events, app.now) {
            // Another one is chosen in place of one that is gone by now.
            Err(_) if args.session.is_none() && claim::is_gone(scene, &session)? => {}
            claimed => break (claimed?, session, worker),
        }
    };
    let claimed = announce(app, &opened, claimed, (&args, &worker))?;
    let done = flow::carry_out(scene, claimed, &worker)?;
    if matches!(worker, Worker::Person) {
        result::hand_over(app, &opened, &done.value, &session)?;
        if let Some(seat) = seat(app, &opened, &args, &session) {
            return attach::open_shell(app, &opened, (&done.value, &session), seat);
        }
    }
    review::follow(app, &opened, scene, &done.value).map(|code| opened.exit_code(code))
}

/// Tells of a task that is about to be carried out; it is taken back where it can't be told.
fn announce(
    app: &App,
    opened: &Opened,
    claimed: Claimed,
    (args, worker): (&TaskArgs, &Worker),
) -> Result<Claimed> {
    let task = &claimed.task.value;
    app.ui.note(taken(task));
    let remembered = remember_command(opened, task, (args, worker));
    let told = remembered.and_then(|()| if args.detach { let_go(app, opened, task) } else { Ok(()) });
    if let Err(error) = told {
        claim::withdraw(&opened.repo, &task.name, &|event| app.ui.event(event))?;
        return Err(error);
    }
    let unbegun = if args.detach { Unbegun::PutDown } else { claimed.unbegun };
    Ok(Claimed { unbegun, ..claimed })
}

/// Answers whoever asked for it in the background.
fn let_go(app: &App, opened: &Opened, task: &Task) -> Result<()> {
    let log = prepare::folder(&opened.repo, task)?.join("detached.log");
    app.ui.note(format!(
        "{0} is carried out in the background: git orch log {0} -f, git orch wait {0}",
        task.name
    ));
    app.ui.data(task)?;
    app.ui.answer(task.name.as_str())?;
    detach::let_go(&log)
}

type Chosen = (Session, Vec<Target>, Option<Route>);

fn choose(app: &App, opened: &Opened, scene: Scene<'_>, (text, args): (&str, &TaskArgs)) -> Result<Chosen> {
    let survey = routing::survey(&opened.repo, &opened.settings, app.now)?;
    let typed = patterns(app, &opened.repo, &args.paths)?;
    let given = routing::given(&opened.repo, &survey, &typed)?;
    let chosen = match &args.session {
        Some(name) => by_name(scene, &survey, (name, text), &given)?,
        None => by_history(scene, &survey, text, &given)?,
    };
    let (session, targets, _) = &chosen;
    for one in nearby::find(scene.repo, (&survey.sessions, &survey.tasks), &session.name, &likely(targets))? {
        app.ui.warning(one.to_string());
    }
    Ok(chosen)
}

/// The session is said; which files are likely is still worth telling it.
fn by_name(
    scene: Scene<'_>,
    survey: &Survey,
    (name, text): (&str, &str),
    given: &[RepoPath],
) -> Result<Chosen> {
    let session = store::sessions::require(scene.repo, name)?.value;
    pause::refuse(&session)?;
    let targets = routing::decide(scene.repo, survey, (text, given), scene.events)?.targets;
    Ok((session, targets, None))
}

fn by_history(scene: Scene<'_>, survey: &Survey, text: &str, given: &[RepoPath]) -> Result<Chosen> {
    let route = routing::decide(scene.repo, survey, (text, given), scene.events)?;
    let name = route.choice.clone().ok_or_else(|| routing::nobody(&route.paused, "give it to"))?;
    let session = routing::find(survey, &name).expect("the choice is among the surveyed").value.clone();
    Ok((session, route.targets.clone(), Some(route)))
}

fn choose_worker(app: &App, opened: &Opened, args: &TaskArgs, session: &Session) -> Result<Worker> {
    if !args.command.is_empty() {
        return worker::typed(&args.command, &app.folder, &app.environment);
    }
    let picked = || session.agent.is_none().then(|| picked(app, opened)).flatten();
    let asked = args.agent.as_deref().or_else(picked);
    worker::configured(&opened.settings, &opened.trust, asked, session, &app.environment)
}

/// The agent for new work where none is named, told.
pub(super) fn picked(app: &App, opened: &Opened) -> Option<&'static str> {
    let (name, may_start) = worker::picked(&opened.settings, &opened.trust, &app.environment)?;
    app.ui.note(if may_start {
        format!(
            "no agent is named: {name}, the first that is installed (git config orch.agent NAME, or person)"
        )
    } else {
        format!("no agent is named; {name} is installed, and may start here after git orch trust")
    });
    Some(name).filter(|_| may_start)
}

/// Where a shell is to be opened for the person who does it, if one is.
fn seat(app: &App, opened: &Opened, args: &TaskArgs, session: &Session) -> Option<Seat> {
    let asked = args.agent.as_deref().or(session.agent.as_deref()).or(opened.settings.agent());
    let seat = match asked? {
        worker::SHELL => Seat::Here,
        worker::TMUX => Seat::Tmux,
        _ => return None,
    };
    (seat.is_there(app) && !app.ui.is_json()).then_some(seat)
}

fn taken(task: &Task) -> String {
    format!("{} takes {}{}", task.session, task.name, words(task.route.as_ref()))
}

/// ` (0.87, next frontend 0.20): it touched 2 of 3 likely files`.
fn words(route: Option<&Route>) -> String {
    let Some(route) = route else { return String::new() };
    let scores = result::route_words(route);
    match result::touched_words(route) {
        None => format!(" ({scores})"),
        Some(touched) => format!(" ({scores}): it {touched}"),
    }
}

/// What was typed behind `--` stays on this machine, for `retry`; also where
/// this process dies. What another task of this name had goes.
fn remember_command(opened: &Opened, task: &Task, (args, worker): (&TaskArgs, &Worker)) -> Result<()> {
    match worker {
        Worker::Program(program) if !args.command.is_empty() => {
            let words: Vec<String> =
                program.argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
            super::retry::remember(&opened.repo, task, &words)
        }
        _ => super::retry::forget(&opened.repo, task),
    }
}
