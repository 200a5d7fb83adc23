//! A session's look at a result: `--by`, and what a program says from inside one.

use std::ffi::OsString;
use std::path::Path;

use super::{ReviewArgs, judge};
use crate::agent::family;
use crate::app::App;
use crate::commands::opened::Opened;
use crate::commands::{result, retry};
use crate::error::{Error, Result, exit};
use crate::git::identity;
use crate::model::wording::list;
use crate::model::{Decision, Name, Task, TaskState, Viewpoint};
use crate::review::viewpoint::choose::{self, nobody};
use crate::review::viewpoint::rounds::{self, Rounds, Waits, Went};
use crate::review::viewpoint::staff::{Asked, Staff};
use crate::review::viewpoint::{Order, Told, look, said};
use crate::review::{Item, gate, item};
use crate::run::worker::{self, Worker};
use crate::run::{Scene, routing};
use crate::session::seat::{self, Seat};
use crate::store;

/// Where a program that looks at a result says its verdict.
const VERDICT: &str = "GIT_ORCH_VERDICT";

#[derive(Debug, clap::Args)]
pub(super) struct ByArgs {
    /// Have a session look at it; without a name one that knows it, from each viewpoint that lacks
    #[arg(long, group = "does", value_name = "SESSION", num_args = 0..=1, default_missing_value = "", requires = "task")]
    #[arg(conflicts_with_all = ["approve", "request_changes", "abstain", "diff", "message"])]
    pub(super) by: Option<String>,
    /// The agent that looks; `person` for none
    #[arg(long, value_name = "AGENT", requires = "by", conflicts_with = "command")]
    agent: Option<String>,
    /// Its exit code is its verdict: 0 approves, any other asks for changes
    #[arg(long, requires = "by")]
    exit_code: bool,
    /// The command that looks
    #[arg(last = true, value_name = "CMD", requires = "by")]
    command: Vec<OsString>,
}

/// What `--by` came to.
#[derive(serde::Serialize)]
struct Seen<'a> {
    name: &'a Name,
    state: TaskState,
    #[serde(flatten)]
    went: &'a Went,
}

/// Who would look.
#[derive(serde::Serialize)]
struct Would {
    #[serde(flatten)]
    who: Waits,
    /// The program; absent where a person looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
}

pub(super) fn run(app: &App, opened: &Opened, item: &Item, args: &ReviewArgs) -> Result<u8> {
    judge::refuse_inside_session(app, opened)?;
    identity::require(&opened.repo)?;
    let asked = asked(app, &args.by)?;
    let by_exit_code = args.by.exit_code;
    let staff = Staff { settings: &opened.settings, trust: &opened.trust, asked: &asked, by_exit_code };
    let events = |event| app.ui.event(event);
    let scene = opened.scene(app, &events);
    let viewpoint = args.viewpoint.as_deref().and_then(|word| word.parse().ok());
    let tell = |told: &Told| app.ui.answer(told.words());
    if args.pr.dry_run {
        return would(app, opened, scene, (item, args, viewpoint), staff);
    }
    let went = match args.by.by.as_deref().unwrap_or_default() {
        "" => {
            let due = due(opened, item, viewpoint)?;
            let Some(first) = due.first() else {
                app.ui.data(&Seen { name: &item.name, state: item.state, went: &Went::default() })?;
                app.ui.note(format!("{} has every approval that it needs", item.name));
                return Ok(exit::DONE);
            };
            let went = carry_out(app, opened, scene, (item, &due), (staff, &|_| viewpoint.is_none(), &tell))?;
            if went.told.is_empty() && went.waits.iter().all(|waits| waits.session.is_none()) {
                return Err(nobody(item, *first));
            }
            went
        }
        name => {
            one(app, opened, scene, (item, viewpoint.unwrap_or(Viewpoint::Reviewer), name), (staff, &tell))?
        }
    };
    let item = item::require(&opened.repo, item.name.as_str())?;
    app.ui.data(&Seen { name: &item.name, state: item.state, went: &went })?;
    let code = report(app, opened, &item.name, &went)?;
    // One that was named answers for itself alone.
    let approves = |told: &Told| told.look.verdict == Decision::Approve;
    Ok(match went.told.as_slice() {
        [only] if args.by.by.as_deref() != Some("") => {
            if approves(only) {
                exit::DONE
            } else {
                exit::FAILED
            }
        }
        _ => code,
    })
}

/// Says who would look at it first, from each viewpoint, and with what.
fn would(
    app: &App,
    opened: &Opened,
    scene: Scene<'_>,
    (item, args, viewpoint): (&Item, &ReviewArgs, Option<Viewpoint>),
    staff: Staff<'_>,
) -> Result<u8> {
    let survey = routing::survey(&opened.repo, &opened.settings, app.now)?;
    let by = args.by.by.as_deref().filter(|name| !name.is_empty());
    let due = match by {
        Some(_) => vec![viewpoint.unwrap_or(Viewpoint::Reviewer)],
        None => rounds::in_order(due(opened, item, viewpoint)?),
    };
    let mut all = Vec::new();
    for viewpoint in due {
        let choice = match by {
            Some(name) => Some(choose::by_name(scene, &survey, item, name)?),
            None => choose::choose(scene, &survey, item, viewpoint)?,
        };
        let program =
            choice.as_ref().map(|choice| staff.find(scene, viewpoint, &choice.session)).transpose()?;
        let agent = program.flatten().map(|(program, _)| program.name);
        let (word, name) = (viewpoint.word(), &item.name);
        let session = choice.map(|choice| choice.session.name);
        app.ui.answer(match (&session, &agent) {
            (Some(session), Some(agent)) => format!("{session} would look at {name} as {word}, by {agent}"),
            (Some(session), None) => format!("{name} would wait for {word}: {session}"),
            (None, _) => format!("{name} would wait for {word}: nobody else knows it"),
        })?;
        all.push(Would { who: Waits { viewpoint, session }, agent });
    }
    app.ui.data(&all)?;
    Ok(exit::DONE)
}

fn asked(app: &App, args: &ByArgs) -> Result<Asked> {
    if !args.command.is_empty() {
        let Worker::Program(program) = worker::typed(&args.command, &app.folder, &app.environment)? else {
            return Ok(Asked::Nothing);
        };
        return Ok(Asked::Typed(program));
    }
    Ok(args.agent.clone().map_or(Asked::Nothing, Asked::Agent))
}

/// The viewpoints that look where no session is named: the one that was, or
/// those that lack; one reads what nothing is asked for.
fn due(opened: &Opened, item: &Item, asked: Option<Viewpoint>) -> Result<Vec<Viewpoint>> {
    if item.state == TaskState::Changes && item.session.is_some() {
        return Err(Error::refused(format!("changes were asked of `{}`", item.name)).hint(format!(
            "let them be made: `git orch retry {0}`; or have it looked at as it is: `git orch review {0} --by SESSION`",
            item.name
        )));
    }
    if let Some(viewpoint) = asked {
        return Ok(vec![viewpoint]);
    }
    let lacking = gate::lacking(&opened.repo, item)?;
    let nobody_has_to = lacking.is_empty() && gate::needed(&opened.repo, item)?.is_empty();
    Ok(if nobody_has_to { vec![Viewpoint::Reviewer] } else { lacking })
}

type Hears<'a> = &'a dyn Fn(&Told) -> Result<()>;

/// All of these viewpoints, each by the session that knows the result best.
fn carry_out(
    app: &App,
    opened: &Opened,
    scene: Scene<'_>,
    (item, due): (&Item, &[Viewpoint]),
    (staff, wanted, tell): (Staff<'_>, &dyn Fn(Viewpoint) -> bool, Hears<'_>),
) -> Result<Went> {
    let survey = || routing::survey(&opened.repo, &opened.settings, app.now);
    let developer = |task: &Task| retry::again(app, opened, task);
    let rounds = Rounds { staff, survey: &survey, wanted, developer: &developer, tell };
    rounds::carry_out(scene, &item.name, due, &rounds)
}

/// One look, by the session that was named.
fn one(
    app: &App,
    opened: &Opened,
    scene: Scene<'_>,
    (item, viewpoint, name): (&Item, Viewpoint, &str),
    (staff, tell): (Staff<'_>, Hears<'_>),
) -> Result<Went> {
    let survey = routing::survey(&opened.repo, &opened.settings, app.now)?;
    let choice = choose::by_name(scene, &survey, item, name)?;
    let mut went = Went::default();
    match staff.find(scene, viewpoint, &choice.session)? {
        None => went.waits.push(Waits { viewpoint, session: Some(choice.session.name) }),
        Some((program, says)) => {
            rounds::announce(scene, item, viewpoint, &choice);
            let told = look(scene, Order { item, viewpoint, choice: &choice, program: &program, says })?;
            tell(&told)?;
            went.told.push(told);
        }
    }
    let item = item::require(&opened.repo, item.name.as_str())?;
    went.lacking = gate::lacking(&opened.repo, &item)?;
    Ok(went)
}

/// Reports a run that has ended, then has its result looked at from the
/// viewpoints that were asked for or have an agent; the exit code.
pub(in crate::commands) fn follow(app: &App, opened: &Opened, scene: Scene<'_>, task: &Task) -> Result<u8> {
    let staff = Staff {
        settings: &opened.settings,
        trust: &opened.trust,
        asked: &Asked::Nothing,
        by_exit_code: false,
    };
    let wanted =
        |viewpoint: Viewpoint| task.needs.contains(&viewpoint) || staff.agent_for(viewpoint).is_some();
    let mut due = Vec::new();
    if task.state == TaskState::Review {
        let item = item::require(&opened.repo, task.name.as_str())?;
        // What is wrong with the base's settings, `merge` tells.
        due = gate::lacking(&opened.repo, &item).unwrap_or_default();
        due.retain(|viewpoint| wanted(*viewpoint));
    }
    if due.is_empty() {
        return result::report(app, opened, task);
    }
    result::tell(app, opened, task)?;
    let item = item::require(&opened.repo, task.name.as_str())?;
    let tell = |told: &Told| {
        app.ui.settle();
        app.ui.note(told.words());
        Ok(())
    };
    let went = carry_out(app, opened, scene, (&item, &due), (staff, &wanted, &tell))?;
    let task = store::tasks::require(&opened.repo, task.name.as_str())?.value;
    app.ui.data(&task)?;
    report(app, opened, &task.name, &went)
}

/// What is still to be done; the exit code.
fn report(app: &App, opened: &Opened, name: &Name, went: &Went) -> Result<u8> {
    app.ui.settle();
    let item = item::require(&opened.repo, name.as_str())?;
    for Waits { viewpoint, session } in &went.waits {
        let who = session.as_ref().map_or("nobody else knows it".to_owned(), ToString::to_string);
        app.ui.note(format!("waits for {}: {who}", viewpoint.word()));
    }
    let lacking: Vec<&str> = went.lacking.iter().map(|viewpoint| viewpoint.word()).collect();
    let next = match item.state {
        TaskState::Review if !went.waits.is_empty() => {
            let first = went.waits[0].viewpoint.word();
            Some(format!(
                "git orch review {name} --diff\nthen: git orch review {name} --approve --viewpoint {first}"
            ))
        }
        TaskState::Review if !lacking.is_empty() => {
            app.ui.note(format!("{name} lacks the approval of {}", list(&lacking)));
            Some(format!("git orch review {name} --by"))
        }
        TaskState::Changes if went.revisions > 0 && went.revisions == went.most => {
            let times = if went.most == 1 { "once".to_owned() } else { format!("{} times", went.most) };
            app.ui
                .note(format!("changes were made {times}, and more are asked for: see git orch show {name}"));
            super::next(opened, &item)
        }
        TaskState::Failed | TaskState::Cancelled => {
            let task = store::tasks::require(&opened.repo, name.as_str())?.value;
            app.ui.note(result::ended_words(opened, &task)?);
            result::next(&task)
        }
        _ => super::next(opened, &item),
    };
    if let Some(next) = next {
        app.ui.note(format!("next: {next}"));
    }
    let is_last = |told: &&Told| {
        let same = went.told.iter().rfind(|other| other.look.viewpoint == told.look.viewpoint);
        same.is_some_and(|last| std::ptr::eq(last, *told))
    };
    let mut last = went.told.iter().filter(is_last);
    let is_done = item.state == TaskState::Review && last.all(|told| told.look.verdict == Decision::Approve);
    Ok(if is_done { exit::DONE } else { exit::FAILED })
}

/// Whether a verdict is said from inside a run that looks at a result.
pub(super) fn is_inside(app: &App) -> bool {
    app.variable(VERDICT).is_some()
}

/// What is said, by a program, to the command that runs it.
#[derive(serde::Serialize)]
struct Word<'a> {
    name: &'a Name,
    viewpoint: Viewpoint,
    session: &'a Name,
    verdict: Decision,
}

/// Says a verdict from inside such a run: to the command that runs it, which
/// records it at the end.
pub(super) fn say(app: &App, args: &ReviewArgs, decision: Decision) -> Result<u8> {
    let opened = Opened::to_read(app)?;
    let seat = seat_of(app, &opened).ok_or_else(|| {
        Error::refused("this is no run that looks at a result")
            .hint("`git orch review TASK --by SESSION` begins one")
    })?;
    let typed = args.task.as_deref().unwrap_or_default();
    let Seat { result, viewpoint, session, .. } = &seat;
    if item::require(&opened.repo, typed)?.name != *result {
        return Err(Error::refused(format!("this run looks at `{result}`, not at `{typed}`")));
    }
    if args.viewpoint.as_deref().is_some_and(|asked| asked != viewpoint.word()) {
        return Err(Error::refused(format!(
            "this run looks as {}, and speaks for nobody else",
            viewpoint.word()
        )));
    }
    said::write(&seat.verdict, decision, args.message.as_deref().unwrap_or_default())?;
    app.ui.data(&Word { name: result, viewpoint: *viewpoint, session, verdict: decision })?;
    app.ui.note(format!("{session} {} as {}, once this run has ended", decision.word(), viewpoint.word()));
    Ok(exit::DONE)
}

/// The seat that this process belongs to: its variable says which, and the
/// process that holds it is above it, as far as that can be told.
fn seat_of(app: &App, opened: &Opened) -> Option<Seat> {
    let file = Path::new(app.variable(VERDICT)?);
    let above = family::ancestors();
    let taken = seat::taken(&opened.repo).into_iter();
    let own = |taken: &seat::Taken| {
        taken.seat.verdict == file && (above.is_empty() || above.contains(&taken.process))
    };
    taken.filter(own).map(|taken| taken.seat).next()
}
