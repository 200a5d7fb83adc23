//! The command line: one file a command, each with its arguments and `run`.

mod add_session;
mod agents;
mod answer;
mod around;
mod attach;
mod brief;
mod cancel;
mod clear;
mod completions;
mod config;
mod conflicts;
mod demo;
mod doctor;
mod done;
mod fanout;
mod gc;
mod handoff;
mod header;
mod history;
mod init;
mod log;
mod man;
mod mcp;
mod merge;
mod note;
mod opened;
mod operations;
mod pause;
mod plan;
mod remove_session;
mod replay;
mod report;
mod result;
mod resume;
mod retry;
mod review;
mod route;
mod sessions;
mod show;
mod skill;
mod supervise;
mod task;
mod tasks;
mod trash;
mod trust;
mod undo;
mod wait;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::agent::again::{self, CALLED};
use crate::agent::detach::{self, DETACHED};
use crate::app::{App, Started};
use crate::error::{Error, Result, exit};
use crate::run::overlay::{self, INSIDE};
use crate::ui::{Style, Ui, safe};

pub use man::pages;

/// Route work to the session that already knows the code
///
/// Each session is a named specialist with its own worktree, branch and
/// history of touched files, mined from commits. A task goes to the session
/// whose history overlaps what the task will touch, runs there, and comes back
/// as a branch to review; work that needs no context fans out to throwaway
/// worktrees and comes back as one verified tree.
#[derive(Debug, Parser)]
#[command(
    name = "git-orch",
    bin_name = "git orch",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
#[command(
    after_help = "`git orch COMMAND --help` explains a command; `git orch demo` shows them all in a minute."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, clap::Args)]
struct Global {
    /// Print one JSON document instead of text
    #[arg(long, global = true, display_order = 900)]
    json: bool,
    /// Work in this folder instead of the present one
    #[arg(short = 'C', global = true, value_name = "DIR", display_order = 901)]
    folder: Option<PathBuf>,
    /// Print nothing but the answer, warnings and errors
    #[arg(short, long, global = true, display_order = 902)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    AddSession(add_session::AddSessionArgs),
    #[command(visible_alias = "ls")]
    Sessions(sessions::SessionsArgs),
    Show(show::ShowArgs),
    Pause(pause::PauseArgs),
    Resume(resume::ResumeArgs),
    RemoveSession(remove_session::RemoveSessionArgs),
    History(history::HistoryArgs),
    Route(route::RouteArgs),
    Task(task::TaskArgs),
    Plan(plan::PlanArgs),
    Tasks(tasks::TasksArgs),
    Brief(brief::BriefArgs),
    Log(log::LogArgs),
    Note(note::NoteArgs),
    Done(done::DoneArgs),
    Report(report::ReportArgs),
    Cancel(cancel::CancelArgs),
    Retry(retry::RetryArgs),
    Handoff(handoff::HandoffArgs),
    Wait(wait::WaitArgs),
    Answer(answer::AnswerArgs),
    Attach(attach::AttachArgs),
    Conflicts(conflicts::ConflictsArgs),
    Fanout(Box<fanout::FanoutArgs>),
    Review(review::ReviewArgs),
    Merge(merge::MergeArgs),
    Agents(agents::AgentsArgs),
    Init(init::InitArgs),
    Config(config::ConfigArgs),
    Trust(trust::TrustArgs),
    Undo(undo::UndoArgs),
    Trash(trash::TrashArgs),
    Gc(gc::GcArgs),
    Doctor(doctor::DoctorArgs),
    Demo(demo::DemoArgs),
    Mcp(mcp::McpArgs),
    Skill(skill::SkillArgs),
    Man(man::Args),
    Completions(completions::Args),
    #[command(name = crate::fanout::header::HEADER, hide = true)]
    Header(header::HeaderArgs),
    #[command(name = crate::run::throwaway::CLEAR, hide = true)]
    Clear(clear::ClearArgs),
}

/// The whole command line, for manual pages and completion.
pub fn cli() -> clap::Command {
    Cli::command()
}

/// Parses, runs, reports; the exit code.
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let mut args: Vec<OsString> = args.collect();
    if let Some(code) = supervise::asked(&args) {
        return code;
    }
    let mut said = |word: &str| {
        let is_said = args.get(1).is_some_and(|first| first == word);
        if is_said {
            args.remove(1);
        }
        is_said
    };
    if said(CALLED) {
        again::end_with_caller();
    }
    let is_detached = said(DETACHED);
    if is_detached {
        detach::alone();
    }
    let is_inside = said(INSIDE) && overlay::is_alone();
    let parsed = cli().try_get_matches_from(&args).and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => {
            let words = args.split_off(1.min(args.len()));
            guarded(cli, Started { words, is_inside, is_detached })
        }
        Err(error) => usage(&error, &args),
    }
}

/// A panic is a bug and says so.
fn guarded(cli: Cli, started: Started) -> ExitCode {
    let run = std::panic::AssertUnwindSafe(|| run(cli, started));
    let code = std::panic::catch_unwind(run).unwrap_or(exit::BUG);
    ExitCode::from(code)
}

fn usage(error: &clap::Error, args: &[OsString]) -> ExitCode {
    let json = args.iter().any(|arg| arg == "--json");
    // An argument that speaks to a terminal is told as errors of ours are.
    let is_tame =
        args.iter().map(|arg| arg.to_string_lossy()).all(|arg| !arg.contains('\n') && safe(&arg) == arg);
    if !error.use_stderr() || (is_tame && !json) {
        // Where help can't be printed nobody reads that either.
        drop(error.print());
        return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::DONE });
    }
    let ui = Ui::new(Style { command: String::new(), json, ..Style::default() });
    let text = error.to_string();
    let told: Vec<&str> = text.split("\n\n").next().unwrap_or_default().lines().map(str::trim).collect();
    let line = told.join(" ");
    ui.error(&Error::usage(line.strip_prefix("error: ").unwrap_or(&line)));
    ExitCode::from(exit::USAGE)
}

fn run(cli: Cli, started: Started) -> u8 {
    let Global { json, folder, quiet } = cli.global;
    let no_color = std::env::vars_os().any(|(key, value)| key == "NO_COLOR" && !value.is_empty());
    let ui = Ui::new(Style { command: name(&cli.command).to_owned(), json, quiet, no_color });
    let folder = std::env::current_dir()
        .map_err(|error| Error::unusable("the present folder is gone").because(error))
        .map(|present| folder.map_or(present.clone(), |folder| present.join(folder)));
    let ran = folder.and_then(|folder| {
        let app = App::new(folder, started, ui);
        let code = dispatch(&app, cli.command);
        app.ui.settle();
        code.or_else(|error| {
            app.ui.error(&error);
            Ok(error.kind.exit_code())
        })
    });
    ran.unwrap_or_else(|error: Error| {
        Ui::new(Style { json, no_color, ..Style::default() }).error(&error);
        error.kind.exit_code()
    })
}

fn dispatch(app: &App, command: Command) -> Result<u8> {
    match command {
        Command::AddSession(args) => add_session::run(app, args),
        Command::Sessions(args) => sessions::run(app, &args),
        Command::Show(args) => show::run(app, &args),
        Command::Pause(args) => pause::run(app, &args),
        Command::Resume(args) => resume::run(app, &args),
        Command::RemoveSession(args) => remove_session::run(app, &args),
        Command::History(args) => history::run(app, &args),
        Command::Route(args) => route::run(app, &args),
        Command::Task(args) => task::run(app, args),
        Command::Plan(args) => plan::run(app, &args),
        Command::Tasks(args) => tasks::run(app, &args),
        Command::Brief(args) => brief::run(app, &args),
        Command::Log(args) => log::run(app, &args),
        Command::Note(args) => note::run(app, &args),
        Command::Done(args) => done::run(app, &args),
        Command::Report(args) => report::run(app, &args),
        Command::Cancel(args) => cancel::run(app, &args),
        Command::Retry(args) => retry::run(app, &args),
        Command::Handoff(args) => handoff::run(app, &args),
        Command::Wait(args) => wait::run(app, &args),
        Command::Answer(args) => answer::run(app, &args),
        Command::Attach(args) => attach::run(app, &args),
        Command::Conflicts(args) => conflicts::run(app, &args),
        Command::Fanout(args) => fanout::run(app, &args),
        Command::Review(args) => review::run(app, &args),
        Command::Merge(args) => merge::run(app, &args),
        Command::Agents(args) => agents::run(app, &args),
        Command::Init(args) => init::run(app, &args),
        Command::Config(args) => config::run(app, &args),
        Command::Trust(args) => trust::run(app, &args),
        Command::Undo(args) => undo::run(app, &args),
        Command::Trash(args) => trash::run(app, &args),
        Command::Gc(args) => gc::run(app, &args),
        Command::Doctor(args) => doctor::run(app, &args),
        Command::Demo(args) => demo::run(app, &args),
        Command::Mcp(_) => mcp::run(app),
        Command::Skill(args) => skill::run(app, &args),
        Command::Man(args) => man::run(app, &args).map(|()| exit::DONE),
        Command::Completions(args) => completions::run(app, &args).map(|()| exit::DONE),
        Command::Header(args) => header::run(&args),
        Command::Clear(args) => clear::run(app, &args),
    }
}

/// The command's word, for the JSON envelope.
fn name(command: &Command) -> &'static str {
    match command {
        Command::AddSession(_) => "add-session",
        Command::Sessions(_) => "sessions",
        Command::Show(_) => "show",
        Command::Pause(_) => "pause",
        Command::Resume(_) => "resume",
        Command::RemoveSession(_) => "remove-session",
        Command::History(_) => "history",
        Command::Route(_) => "route",
        Command::Task(_) => "task",
        Command::Plan(_) => "plan",
        Command::Tasks(_) => "tasks",
        Command::Brief(_) => "brief",
        Command::Log(_) => "log",
        Command::Note(_) => "note",
        Command::Done(_) => "done",
        Command::Report(_) => "report",
        Command::Cancel(_) => "cancel",
        Command::Retry(_) => "retry",
        Command::Handoff(_) => "handoff",
        Command::Wait(_) => "wait",
        Command::Answer(_) => "answer",
        Command::Attach(_) => "attach",
        Command::Conflicts(_) => "conflicts",
        Command::Fanout(_) => "fanout",
        Command::Review(_) => "review",
        Command::Merge(_) => "merge",
        Command::Agents(_) => "agents",
        Command::Init(_) => "init",
        Command::Config(_) => "config",
        Command::Trust(_) => "trust",
        Command::Undo(_) => "undo",
        Command::Trash(_) => "trash",
        Command::Gc(_) => "gc",
        Command::Doctor(_) => "doctor",
        Command::Demo(_) => "demo",
        Command::Mcp(_) => "mcp",
        Command::Skill(_) => "skill",
        Command::Man(_) => "man",
        Command::Completions(_) => "completions",
        Command::Header(_) => "header",
        Command::Clear(_) => "clear",
    }
}
