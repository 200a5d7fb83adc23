//! Who does a task: a command, a configured agent, or a person.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use crate::agent::command::shell;
use crate::config::agents::Reading;
use crate::config::trust::{self, Named, Trust};
use crate::config::{Command, Profile, Prompt, Settings};
use crate::error::{Error, Result};
use crate::git::process::find_program;
use crate::model::wording::unknown;
use crate::model::{Session, time};

/// The built-in agents in the order in which one is picked where none is named.
pub const PICKED: [&str; 8] = ["claude", "codex", "opencode", "gemini", "copilot", "pi", "qwen", "aider"];

/// The agent that is a person in a shell.
pub const SHELL: &str = "shell";
/// The agent that is a person in a window of tmux.
pub const TMUX: &str = "tmux";

/// Who does a task.
#[derive(Clone, Debug)]
pub enum Worker {
    /// A person takes over in the session's worktree.
    Person,
    /// A program runs there.
    Program(Program),
}

/// A program that does tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// The agent's name; the command itself where it was typed.
    pub name: String,
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// The same where it goes on with a conversation.
    pub resume: Option<Vec<OsString>>,
    /// What prints a conversation, where no file has it.
    pub export: Option<Vec<OsString>>,
    /// How the brief reaches it.
    pub prompt: Prompt,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// What else is known of it; absent for a command that was typed.
    pub profile: Option<Box<Profile>>,
}

impl Program {
    /// A command that nothing else is known of.
    pub fn plain(name: String, argv: Vec<OsString>) -> Self {
        Self { name, argv, resume: None, export: None, prompt: Prompt::Stdin, timeout: None, profile: None }
    }

    /// How its output is read.
    pub fn readings(&self) -> &[Reading] {
        self.profile.as_ref().map_or(&[], |profile| &profile.reads)
    }
}

impl Worker {
    /// The agent's name, for the record.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Person => None,
            Self::Program(program) => Some(&program.name),
        }
    }
}

/// The command that was typed behind `--`, found before anything changes.
///
/// # Errors
/// Usage where there is no such program.
pub fn typed(argv: &[OsString], folder: &Path, environment: &BTreeMap<OsString, OsString>) -> Result<Worker> {
    let (program, args) =
        argv.split_first().ok_or_else(|| Error::usage("there is no command behind `--`"))?;
    let found = locate(program, folder, environment)?;
    let argv = std::iter::once(found).chain(args.iter().cloned()).collect();
    let name = program.to_string_lossy().into_owned();
    Ok(Worker::Program(Program::plain(name, argv)))
}

/// A path is looked up from the caller's folder, a bare word on the `PATH`.
///
/// # Errors
/// Usage where there is no such program.
pub fn locate(
    program: &OsStr,
    folder: &Path,
    environment: &BTreeMap<OsString, OsString>,
) -> Result<OsString> {
    let missing = |hint: &str| {
        let name = Path::new(program).display().to_string();
        Error::usage(format!("no command `{name}`")).hint(hint)
    };
    if program.as_encoded_bytes().contains(&b'/') {
        let path = folder.join(program);
        return match path.canonicalize() {
            Ok(path) if path.is_file() => Ok(path.into_os_string()),
            _ => Err(missing("a path is looked up from the folder you are in")),
        };
    }
    let name = program.to_string_lossy();
    find_program(&name, environment)
        .map(std::path::PathBuf::into_os_string)
        .ok_or_else(|| missing("it is not on the PATH; write `./NAME` for a file in this folder"))
}

/// The agent for a task: the one asked for, else the session's, else the
/// default, else a person.
///
/// # Errors
/// Usage for an unknown agent; untrusted where the repository names its command.
pub fn configured(
    settings: &Settings,
    trust: &Trust,
    asked: Option<&str>,
    session: &Session,
    environment: &BTreeMap<OsString, OsString>,
) -> Result<Worker> {
    let Some(name) = asked.or(session.agent.as_deref()).or(settings.agent()) else {
        return Ok(Worker::Person);
    };
    let is_shared = asked.is_none() && settings.is_agent_shared(session);
    if is_shared && [SHELL, TMUX].contains(&name) {
        trust.require(&trust::repository())?;
    }
    if name == TMUX {
        locate(OsStr::new(TMUX), &session.worktree, environment)?;
    }
    if is_person(name) {
        return Ok(Worker::Person);
    }
    agent(settings, trust, name, &session.worktree, environment).map(Worker::Program)
}

/// Whether an agent's name stands for a person.
pub fn is_person(name: &str) -> bool {
    ["person", SHELL, TMUX].contains(&name)
}

/// The built-in agent that new work goes to where none is named: the first that
/// is installed; whether it may start here.
pub fn picked(
    settings: &Settings,
    trust: &Trust,
    environment: &BTreeMap<OsString, OsString>,
) -> Option<(&'static str, bool)> {
    let is_installed = |name: &&str| {
        let program = settings.profile(name).and_then(|profile| profile.named_program());
        settings.is_built_in(name)
            && program.is_some_and(|program| find_program(&program, environment).is_some())
    };
    let name = PICKED.into_iter().filter(|_| settings.agent().is_none()).find(is_installed)?;
    Some((name, trust.covers(&trust::repository())))
}

/// The agent with this name, its program found from `folder`.
///
/// # Errors
/// Usage for an unknown agent; untrusted where the repository names its command.
pub fn agent(
    settings: &Settings,
    trust: &Trust,
    name: &str,
    folder: &Path,
    environment: &BTreeMap<OsString, OsString>,
) -> Result<Program> {
    let profile = settings.profile(name).ok_or_else(|| unknown_agent(settings, name))?;
    named(settings, name).iter().try_for_each(|named| trust.require(named))?;
    program(name, profile, folder, environment)
}

/// That there is no agent of this name.
pub fn unknown_agent(settings: &Settings, name: &str) -> Error {
    let known = settings.agents().into_iter().chain(["person", SHELL, TMUX]);
    Error::usage(unknown("agent", name, known))
        .hint("`git orch agents` lists them; name it under `agents:` in `.orch.yml`, or give its command behind `--`")
}

/// What has to be trusted before an agent starts: the repository for a built-in one.
/// What one of its own shares with a built-in agent the repository does not say.
pub fn named(settings: &Settings, name: &str) -> Vec<Named> {
    let own = settings.file.agents.profiles.get(name);
    own.map_or_else(|| vec![trust::repository()], |own| trust::of_agent(name, own))
}

fn program(
    name: &str,
    profile: Profile,
    worktree: &Path,
    environment: &BTreeMap<OsString, OsString>,
) -> Result<Program> {
    let argv = argv(&profile.run, worktree, environment)?;
    let found = |command: &Option<Command>| {
        command.as_ref().map(|command| self::argv(command, worktree, environment)).transpose()
    };
    let (resume, export) = (found(&profile.resume)?, found(&profile.export)?);
    let timeout = profile.timeout.as_deref().and_then(time::parse_span);
    let (name, prompt) = (name.to_owned(), profile.prompt);
    Ok(Program { name, argv, resume, export, prompt, timeout, profile: Some(Box::new(profile)) })
}

fn argv(
    command: &Command,
    worktree: &Path,
    environment: &BTreeMap<OsString, OsString>,
) -> Result<Vec<OsString>> {
    Ok(match command {
        Command::Shell(text) => shell(text, []),
        Command::List(args) => {
            let mut args: Vec<OsString> = args.iter().map(OsString::from).collect();
            args[0] = locate(&args[0], worktree, environment)?;
            args
        }
    })
}
