//! `git orch man`: the manual, made from the command line's own description.
//!
//! `git orch --help` and `git help orch` never reach this program: git asks
//! `man` for the page `git-orch`, which has to lie where `man` looks.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use serde::Serialize;

use crate::app::App;
use crate::error::{Error, IoContext as _, Result, exit};
use crate::git::process::find_program;
use crate::model::wording;

/// Show the manual, or install it for `git help orch`
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The command to read about; all of git-orch without one
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
    /// Write all pages to where `man` looks beside this program
    #[arg(long, conflicts_with = "command")]
    install: bool,
}

/// What the exit codes mean, for the first page.
const EXIT_CODES: &[(u8, &str)] = &[
    (exit::DONE, "done"),
    (exit::FAILED, "the work failed, or the answer is no"),
    (exit::USAGE, "wrong usage"),
    (exit::REFUSED, "refused, in conflict, or held by another"),
    (exit::UNUSABLE, "the repository or its configuration is unusable"),
    (exit::UNTRUSTED, "a command that the repository names is not trusted"),
    (exit::INPUT, "the task waits for input"),
    (exit::BUG, "a bug in git-orch"),
    (exit::TIMED_OUT, "timed out"),
    (exit::INTERRUPTED, "interrupted by Ctrl-C"),
    (exit::TERMINATED, "ended by SIGTERM"),
];

/// Where things live, for the first page.
const FILES: &[(&str, &str)] = &[
    (".orch.yml", "settings that all who work on the repository share; see git orch config --schema"),
    ("git config orch.*", "personal settings, which come before those of .orch.yml"),
    ("refs/heads/orch/SESSION", "a session's branch"),
    ("refs/heads/review/TASK", "a task's result, put up for judgement"),
    ("refs/orch/", "records of sessions, tasks and fan-outs; git log -p shows their life"),
    ("refs/notes/orch/", "touches, check results and verdicts"),
    ("$GIT_DIR/orch/", "locks, transcripts and caches of this clone"),
];

/// What an agent finds in its environment, for the first page.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("GIT_ORCH_SESSION, GIT_ORCH_TASK", "the names of the session and the task that an agent works for"),
    ("GIT_ORCH_ROOT, GIT_ORCH_BASE", "the session's worktree, and the commit that the work starts from"),
    ("GIT_ORCH_BRIEF", "the file that holds the task's brief"),
    ("GIT_ORCH_SHARD, GIT_ORCH_SHARD_FILES", "a shard's number, and the file that lists its paths"),
    ("NO_COLOR", "no colour, where it is set"),
];

/// What `--install` did.
#[derive(Serialize)]
struct Installed {
    folder: PathBuf,
    pages: Vec<String>,
}

/// Shows one page, or installs all.
pub(super) fn run(app: &App, args: &Args) -> Result<()> {
    if args.install { install(app) } else { show(app, args.command.as_deref()) }
}

/// All pages: file name and roff text, the first that of git-orch itself.
pub fn pages() -> Vec<(String, Vec<u8>)> {
    let mut pages = Vec::new();
    collect(&built(), &mut pages);
    pages
}

/// The command line as git's users type it.
fn built() -> clap::Command {
    let mut command = crate::commands::cli().bin_name("git orch").disable_help_subcommand(true);
    command.build();
    command
}

fn collect(command: &clap::Command, pages: &mut Vec<(String, Vec<u8>)>) {
    pages.push((format!("{}.1", page_name(command)), page(command)));
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        collect(command, pages);
    }
}

fn page_name(command: &clap::Command) -> &str {
    command.get_display_name().unwrap_or(command.get_name())
}

fn page(command: &clap::Command) -> Vec<u8> {
    let mut text = Vec::new();
    render(command, &mut text).expect("memory takes all that is written to it");
    text
}

fn render(command: &clap::Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    let version = concat!("git-orch ", env!("CARGO_PKG_VERSION"));
    let manual = Man::new(command.clone()).source(version).manual("git-orch");
    manual.render_title(text)?;
    manual.render_name_section(text)?;
    synopsis(command).to_writer(text)?;
    manual.render_description_section(text)?;
    manual.render_options_section(text)?;
    if command.get_subcommands().any(|command| !command.is_hide_set()) {
        manual.render_subcommands_section(text)?;
    }
    if command.get_after_long_help().or(command.get_after_help()).is_some() {
        let mut extra = Vec::new();
        manual.render_extra_section(&mut extra)?;
        // Its own heading, EXTRA, is no heading of manuals.
        text.extend(String::from_utf8_lossy(&extra).replacen(".SH EXTRA", ".SH NOTES", 1).into_bytes());
    }
    closing(command).to_writer(text)
}

/// The usage that `-h` shows, which names the options that matter only.
fn synopsis(command: &clap::Command) -> Roff {
    let usage = command.clone().render_usage().to_string();
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    roff.text([roman(usage.trim_start_matches("Usage: "))]);
    roff
}

/// What stands behind the commands: on the first page all that holds for every command.
fn closing(command: &clap::Command) -> Roff {
    let mut roff = Roff::new();
    if page_name(command) == "git-orch" {
        terms(&mut roff, "EXIT STATUS", EXIT_CODES);
        terms(&mut roff, "FILES", FILES);
        terms(&mut roff, "ENVIRONMENT", ENVIRONMENT);
    } else {
        roff.control("SH", ["SEE ALSO"]);
        roff.text([bold("git-orch"), roman("(1)")]);
    }
    roff
}

fn terms(roff: &mut Roff, heading: &str, terms: &[(impl std::fmt::Display, &str)]) {
    roff.control("SH", [heading]);
    for (term, meaning) in terms {
        roff.control("TP", []).text([bold(term.to_string())]).text([roman(*meaning)]);
    }
}

fn install(app: &App) -> Result<()> {
    let folder = manual_folder(app)?;
    let pages = pages();
    fs::create_dir_all(&folder).doing("could not make", &folder)?;
    for (name, text) in &pages {
        let path = folder.join(name);
        fs::write(&path, text).doing("could not write", &path)?;
    }
    app.ui.answer(folder.display().to_string())?;
    let count = wording::count(pages.len(), "page");
    match finds_page(app, &folder) {
        Some(true) => app.ui.note(format!("{count}; `git orch --help` shows them")),
        Some(false) => app.ui.warning(format!(
            "{count} written, but `man` does not look there: add `{}` to MANPATH",
            folder.parent().unwrap_or(&folder).display()
        )),
        None => app.ui.note(format!("{count}; install `man` to read them")),
    }
    app.ui.data(&Installed { folder, pages: pages.into_iter().map(|(name, _)| name).collect() })
}

/// `share/man/man1` beside the `bin` folder through which git finds this program.
fn manual_folder(app: &App) -> Result<PathBuf> {
    let running = std::env::current_exe()
        .map_err(|error| Error::unusable("could not find this program").because(error))?;
    let typed = find_program("git-orch", &app.environment);
    let typed = typed.filter(|typed| typed.canonicalize().ok() == running.canonicalize().ok());
    let program = typed.as_ref().unwrap_or(&running);
    let prefix = program.parent().and_then(Path::parent);
    let prefix =
        prefix.ok_or_else(|| Error::unusable(format!("`{}` lies in no `bin` folder", program.display())))?;
    Ok(prefix.join("share/man/man1"))
}

/// Whether `man` finds the page just written; `None` without `man`.
fn finds_page(app: &App, folder: &Path) -> Option<bool> {
    let output = man(app)?.args(["-w", "git-orch"]).stderr(Stdio::null()).output().ok()?;
    let found = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Some(found.canonicalize().ok() == folder.join("git-orch.1").canonicalize().ok())
}

/// The reader's own `man`, which pages and formats.
#[expect(clippy::disallowed_methods, reason = "`man` is neither git nor an agent")]
fn man(app: &App) -> Option<Command> {
    find_program("man", &app.environment).map(Command::new)
}

fn show(app: &App, name: Option<&str>) -> Result<()> {
    let whole = built();
    let command = match name {
        None => &whole,
        Some(name) => whole.find_subcommand(name).ok_or_else(|| {
            let known = whole.get_subcommands().filter(|command| !command.is_hide_set());
            Error::usage(wording::unknown("command", name, known.map(clap::Command::get_name)))
        })?,
    };
    let text = page(command);
    if app.ui.is_terminal() && !app.ui.is_json() && read_with_man(app, &text).is_some() {
        return Ok(());
    }
    app.ui.data(&String::from_utf8_lossy(&text))?;
    if app.ui.is_json() { Ok(()) } else { app.ui.raw(&text) }
}

/// Lets `man` show the page; `None` where it can't.
fn read_with_man(app: &App, page: &[u8]) -> Option<()> {
    let mut reader = man(app)?.args(["-l", "-"]).stdin(Stdio::piped()).spawn().ok()?;
    // Who leaves the pager early has read enough.
    drop(reader.stdin.take()?.write_all(page));
    reader.wait().ok()?.success().then_some(())
}
