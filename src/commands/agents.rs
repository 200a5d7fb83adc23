//! `git orch agents`

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::opened::Opened;
use crate::agent::ask::{Question, ask};
use crate::agent::command;
use crate::app::App;
use crate::config::{Command, agents};
use crate::error::{Result, exit};
use crate::git::process::find_program;
use crate::run::worker::{self, PICKED};
use crate::ui::Table;

/// List the agent programs, which of them are installed, and which one is used
///
/// Built-in agents need no entry in `.orch.yml`; they start in a repository
/// once it is trusted. Where neither a task nor its session nor `orch.agent`
/// names one, new tasks go to the first of them that is installed, if it may
/// start here, else to a person. `person` is nobody, `shell` a shell of yours
/// in the worktree, `tmux` the same in a window of its own.
///
/// What git-orch knows of an agent, and any entry of your own can say: how to
/// start it, how the brief goes in, how to go on with a conversation, where
/// that is kept, and what its output tells.
#[derive(Debug, clap::Args)]
pub(super) struct AgentsArgs {
    /// Print all that is known of one agent, as it stands in `.orch.yml`
    #[arg(value_name = "AGENT")]
    agent: Option<String>,
}

/// What new work goes to where nothing is named, and whether it may start here.
type Picked = (&'static str, bool);

#[derive(Serialize)]
struct Shown {
    name: String,
    /// `built-in` or `.orch.yml`.
    from: &'static str,
    program: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// Whether it goes on with its conversations.
    resumes: bool,
    /// Whether it may start in this repository.
    trusted: bool,
    /// Whether it is used where none is named.
    default: bool,
}

pub(super) fn run(app: &App, args: &AgentsArgs) -> Result<u8> {
    let opened = Opened::to_read(app)?;
    if let Some(name) = &args.agent {
        return one(app, &opened, name);
    }
    let picked = worker::picked(&opened.settings, &opened.trust, &app.environment);
    let mut shown: Vec<Shown> = std::thread::scope(|scope| {
        let looks: Vec<_> = opened
            .settings
            .agents()
            .into_iter()
            .map(|name| {
                let (app, opened) = (&app.environment, &opened);
                scope.spawn(move || look(app, opened, (name, picked)))
            })
            .collect();
        looks.into_iter().filter_map(|look| look.join().ok().flatten()).collect()
    });
    shown.sort_by_key(|one| (one.from == "built-in", one.path.is_none(), place(&one.name)));
    app.ui.data(&shown)?;
    app.ui.answer(table(&shown))?;
    tell_default(app, &opened, &shown, picked);
    Ok(exit::DONE)
}

fn one(app: &App, opened: &Opened, name: &str) -> Result<u8> {
    let profile =
        opened.settings.profile(name).ok_or_else(|| worker::unknown_agent(&opened.settings, name))?;
    app.ui.data(&profile)?;
    app.ui.answer(agents::entry(name, &profile)?)?;
    Ok(exit::DONE)
}

fn place(name: &str) -> usize {
    PICKED.iter().position(|other| *other == name).unwrap_or(PICKED.len())
}

fn look(
    environment: &BTreeMap<OsString, OsString>,
    opened: &Opened,
    (name, picked): (&str, Option<Picked>),
) -> Option<Shown> {
    let profile = opened.settings.profile(name)?;
    let built_in = opened.settings.is_built_in(name);
    let trusted = worker::named(&opened.settings, name).iter().all(|named| opened.trust.covers(named));
    let named = profile.named_program();
    let path = named.as_ref().and_then(|program| {
        if program.contains('/') {
            let top = opened.repo.require_work_tree().ok()?;
            return Some(top.join(program)).filter(|path| path.is_file());
        }
        find_program(program, environment)
    });
    let program = match &profile.run {
        Command::Shell(text) if named.is_none() => text.clone(),
        _ => named.unwrap_or_default(),
    };
    // What the repository names is not run unasked.
    let version = path.as_deref().filter(|_| built_in).and_then(|path| version(path, environment));
    let from = if built_in { "built-in" } else { ".orch.yml" };
    let default = opened.settings.agent() == Some(name) || picked == Some((name, true));
    Some(Shown {
        name: name.to_owned(),
        from,
        program,
        path,
        version,
        resumes: profile.resume.is_some(),
        trusted,
        default,
    })
}

/// The number in what the program prints of its version.
fn version(program: &Path, environment: &BTreeMap<OsString, OsString>) -> Option<String> {
    let argv = vec![program.as_os_str().to_owned(), "--version".into()];
    let answer =
        ask(&Question { argv, folder: "/".into(), environment: command::environment(environment, &[]) })
            .ok()?;
    let is_version = |word: &&str| {
        word.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit()) && word.contains('.')
    };
    let text = format!("{} {}", answer.stdout, answer.stderr);
    let word = text.split([' ', '\n', '(', ')', '/']).find(is_version)?;
    Some(word.trim_start_matches('v').trim_end_matches('.').to_owned())
}

fn table(shown: &[Shown]) -> String {
    let mut table = Table::new(&["agent", "from", "installed", "conversations", "may start", ""]);
    for one in shown {
        let installed = match (&one.version, &one.path) {
            (Some(version), _) => version.as_str(),
            (None, Some(_)) => "yes",
            (None, None) if one.program.contains(' ') => "a shell command",
            (None, None) => "no",
        };
        let resumes = if one.resumes { "goes on" } else { "new each time" };
        let trusted = if one.trusted { "yes" } else { "once trusted" };
        table.row([
            one.name.as_str(),
            one.from,
            installed,
            resumes,
            trusted,
            if one.default { "default" } else { "" },
        ]);
    }
    table.render()
}

/// Which agent is used where none is named, or would best be.
fn tell_default(app: &App, opened: &Opened, shown: &[Shown], picked: Option<Picked>) {
    if let Some(name) = opened.settings.agent() {
        if !shown.iter().any(|one| one.name == name) && !worker::is_person(name) {
            app.ui.warning(format!("the default agent `{name}` is not known"));
        }
        return;
    }
    match picked {
        Some((name, true)) => app.ui.note(format!(
            "no default is set: {name} does new tasks, the first that is installed\n\
             next: git config orch.agent NAME sets one; person is nobody"
        )),
        Some((name, false)) => app.ui.note(format!(
            "no default is set: a person takes over, and {name} once this repository is trusted: git orch trust"
        )),
        None => app.ui.note("none is installed: a person takes over, or a command behind `--`"),
    }
}
