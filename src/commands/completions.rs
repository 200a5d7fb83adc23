//! `git orch completions`: scripts that make shells complete `git orch`.
//!
//! The scripts know nothing themselves: with each press of the key they ask
//! `git orch completions --at`, so that names of sessions and tasks are live
//! and a script never goes stale.

use std::ffi::OsString;

use clap::{Arg, Command, ValueEnum, ValueHint};
use clap_complete::CompletionCandidate;
use clap_complete::aot::{self, generate};
use clap_complete::engine::{ArgValueCandidates, complete};

use super::fanout;
use crate::app::App;
use crate::config::load;
use crate::error::{Error, Result};
use crate::git::refs;

/// Print a completion script for a shell
///
/// bash: git orch completions bash > ~/.local/share/bash-completion/completions/git-orch
///
/// zsh: git orch completions zsh > a folder of $fpath, as `_git-orch`
///
/// fish: git orch completions fish > ~/.config/fish/conf.d/git-orch.fish
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum, required_unless_present = "at")]
    shell: Option<Shell>,
    /// Print what can stand at this position of the words behind `--`
    #[arg(long, value_name = "INDEX", hide = true)]
    at: Option<usize>,
    #[arg(last = true, hide = true)]
    words: Vec<OsString>,
}

/// Shells that a script is known for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Elvish,
    Powershell,
}

/// Names that exist in the caller's repository.
#[derive(Clone, Default)]
struct Names {
    sessions: Vec<String>,
    tasks: Vec<String>,
    jobs: Vec<String>,
    trash: Vec<String>,
    remotes: Vec<String>,
    forges: Vec<String>,
}

/// Prints a script, or answers one.
pub(super) fn run(app: &App, args: &Args) -> Result<()> {
    if let Some(index) = args.at {
        return app.ui.raw(candidates(app, index, &args.words).as_bytes());
    }
    let shell = args.shell.ok_or_else(|| Error::usage("name a shell"))?;
    let script = script(shell);
    app.ui.answer(&script)?;
    app.ui.data(&script)
}

fn script(shell: Shell) -> String {
    let made = |shell: aot::Shell| {
        let mut script = Vec::new();
        generate(shell, &mut crate::commands::cli(), "git-orch", &mut script);
        String::from_utf8_lossy(&script).into_owned()
    };
    match shell {
        Shell::Bash => include_str!("completions/git-orch.bash").to_owned(),
        Shell::Zsh => include_str!("completions/_git-orch").to_owned(),
        Shell::Fish => include_str!("completions/git-orch.fish").to_owned(),
        Shell::Elvish => made(aot::Shell::Elvish),
        Shell::Powershell => made(aot::Shell::PowerShell),
    }
}

/// One candidate a line, its help behind a tab; nothing where nothing fits, so
/// that the shell proposes files.
fn candidates(app: &App, index: usize, words: &[OsString]) -> String {
    let mut command = with_names(crate::commands::cli(), &names(app));
    let candidates = complete(&mut command, words.to_vec(), index, Some(&app.folder)).unwrap_or_default();
    let typed = words.get(index).map(|word| word.to_string_lossy()).unwrap_or_default();
    let mut lines = String::new();
    for candidate in candidates.iter().filter(|candidate| !candidate.is_hide_set()) {
        let value = candidate.get_value().to_string_lossy();
        if value.starts_with('-') && typed.is_empty() {
            continue;
        }
        let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
        let line = format!("{value}\t{}", help.lines().next().unwrap_or_default());
        lines += line.trim_end();
        lines.push('\n');
    }
    lines
}

/// Live names; none outside a repository.
fn names(app: &App) -> Names {
    let Ok(repo) = app.repo() else { return Names::default() };
    let list = |prefix: &str| -> Vec<String> {
        let refs = repo.read().refs(prefix).unwrap_or_default();
        refs.iter().filter_map(|(name, _)| name.strip_prefix(prefix).map(str::to_owned)).collect()
    };
    let settings = app.settings(&repo).unwrap_or_default();
    let mut jobs: Vec<String> = settings.file.jobs.into_keys().collect();
    jobs.extend((!jobs.iter().any(|job| job == fanout::FMT)).then(|| fanout::FMT.to_owned()));
    let tasks = [list(refs::TASKS), list(refs::FANOUTS)].concat();
    let mut forges: Vec<String> = load::FORGES.map(str::to_owned).into();
    forges.extend(settings.file.forges.into_keys());
    let remotes = repo.git(["remote"]).line().unwrap_or_default().lines().map(str::to_owned).collect();
    Names { sessions: list(refs::SESSIONS), tasks, jobs, trash: list(refs::TRASH), remotes, forges }
}

/// Teaches every argument whose value is called `SESSION`, `TASK`, `JOB`, `ID` (of the trash),
/// `REMOTE` or `FORGE` the live names.
fn with_names(command: Command, names: &Names) -> Command {
    // Of a command and its alias only one is proposed: the command.
    let aliases: Vec<String> = command.get_visible_aliases().map(str::to_owned).collect();
    let command = command.visible_alias(None).aliases(aliases);
    command.mut_args(|arg| teach(arg, names)).mut_subcommands(|command| with_names(command, names))
}

fn teach(arg: Arg, names: &Names) -> Arg {
    if !arg.get_action().takes_values() {
        return arg;
    }
    let called =
        |word: &str| arg.get_value_names().unwrap_or_default().iter().any(|name| name.contains(word));
    let mut known = Vec::new();
    if called("SESSION") {
        known.extend_from_slice(&names.sessions);
    }
    if called("TASK") {
        known.extend_from_slice(&names.tasks);
    }
    if called("JOB") {
        known.extend_from_slice(&names.jobs);
    }
    if called("ID") {
        known.extend_from_slice(&names.trash);
    }
    if called("REMOTE") {
        known.extend_from_slice(&names.remotes);
    }
    if called("FORGE") {
        known.extend_from_slice(&names.forges);
    }
    // Shells complete files better, each in its own quoting.
    let arg = arg.value_hint(ValueHint::Other);
    if known.is_empty() {
        return arg;
    }
    arg.add(ArgValueCandidates::new(move || known.iter().map(CompletionCandidate::new).collect()))
}
