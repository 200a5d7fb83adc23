//! `git orch attach`

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::path::Path;

use serde::Serialize;

use super::opened::Opened;
use super::retry;
use crate::agent::{command, process};
use crate::app::App;
use crate::config::trust;
use crate::error::{Error, Result, exit};
use crate::git::identity;
use crate::model::{Session, Task, TaskState};
use crate::run::claim::{Claimed, Unbegun};
use crate::run::conversation::{is_plain, with_id};
use crate::run::worker::{Worker, locate};
use crate::run::{execute, flow, prepare};
use crate::session::{TaskLock, workplace};
use crate::store::{self, Stored};

/// Go on with a task yourself: in its agent's conversation, or in a shell
///
/// Opens the agent where it left off, at this terminal and in the session's
/// worktree; a shell where the agent can't do that. The task is yours then:
/// `git orch done` says that it is done.
#[derive(Debug, clap::Args)]
pub(super) struct AttachArgs {
    /// The task
    #[arg(value_name = "TASK")]
    task: String,
    /// Open a shell, whatever the agent can
    #[arg(long)]
    shell: bool,
    /// Open it in a window of tmux; in a tmux of its own, unless you are in one
    #[arg(long)]
    tmux: bool,
    /// Say what would be opened and where, and do nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    task: &'a str,
    worktree: &'a std::path::Path,
    command: Vec<String>,
}

pub(super) fn run(app: &App, args: &AttachArgs) -> Result<u8> {
    let opened = Opened::to_change(app)?;
    let task = store::tasks::require(&opened.repo, &args.task)?;
    let name = task.value.name.clone();
    if let Some(process) = TaskLock::holder(&opened.repo, &name) {
        return Err(Error::refused(format!("process {process} works on `{name}`"))
            .hint(format!("watch it: `git orch log {name} -f`; or end it first: `git orch cancel {name}`")));
    }
    let session = store::sessions::require(&opened.repo, task.value.session.as_str())?.value;
    let seat = if args.tmux { Seat::Tmux } else { Seat::Here };
    let argv = argv(app, &opened, (&task.value, &session.worktree), args.shell)?;
    let shown = Shown {
        task: name.as_str(),
        worktree: &session.worktree,
        command: argv.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
    };
    app.ui.data(&shown)?;
    if args.dry_run || app.ui.is_json() {
        app.ui.answer(format!("{} in {}", shown.command.join(" "), session.worktree.display()))?;
        return Ok(exit::DONE);
    }
    if !seat.is_there(app) {
        return Err(Error::usage("there is no terminal to open it at")
            .hint(format!("its worktree: `cd {}`", session.worktree.display())));
    }
    // What is not there takes nothing over.
    seat.program(app, &session)?;
    let task = take_over(app, &opened, task)?;
    open(app, &opened, (&task.value, &session), (seat, &argv)).map(|never| match never {})
}

/// Where something is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seat {
    /// At this terminal.
    Here,
    /// In a window of tmux.
    Tmux,
}

impl Seat {
    /// Whether it can be: in a tmux around us, no terminal is needed.
    pub(super) fn is_there(self, app: &App) -> bool {
        self == Self::Tmux && is_in_tmux(app) || std::io::stdin().is_terminal()
    }

    /// The program that it takes.
    fn program(self, app: &App, session: &Session) -> Result<Option<OsString>> {
        let tmux = || locate(OsStr::new("tmux"), &session.worktree, &app.environment);
        (self == Self::Tmux).then(tmux).transpose()
    }

    /// The command that opens another one there, in an environment.
    fn command(
        self,
        app: &App,
        (task, session): (&Task, &Session),
        (argv, environment): (&[OsString], &BTreeMap<OsString, OsString>),
    ) -> Result<Vec<OsString>> {
        let Some(tmux) = self.program(app, session)? else { return Ok(argv.to_vec()) };
        // One of that name may be in another repository.
        let name = format!("{}-{}", task.name, task.uid.get(..6).unwrap_or_default());
        let open: &[&str] =
            if is_in_tmux(app) { &["new-window", "-S"] } else { &["new-session", "-A", "-s", &name] };
        let mut words = vec![tmux];
        words.extend(open.iter().chain(&["-n", &name, "-c"]).map(OsString::from));
        words.push(session.worktree.clone().into());
        // What else is in the environment there is that of tmux.
        for (key, value) in
            environment.iter().filter(|(key, _)| key.to_string_lossy().starts_with("GIT_ORCH_"))
        {
            let mut set = key.clone();
            set.push("=");
            set.push(value);
            words.extend(["-e".into(), set]);
        }
        // Several words are run as they are, one alone by a shell.
        words.push("env".into());
        words.extend(argv.iter().cloned());
        Ok(words)
    }
}

/// Whether there is a tmux around us.
fn is_in_tmux(app: &App) -> bool {
    app.variable("TMUX").is_some_and(|tmux| !tmux.is_empty())
}

/// Makes the task a person's, its worktree as its last run left it.
fn take_over(app: &App, opened: &Opened, task: Stored<Task>) -> Result<Stored<Task>> {
    if task.value.state == TaskState::Running {
        return Ok(task);
    }
    if task.value.state != TaskState::Input {
        retry::check(&opened.repo, &task)?;
    }
    identity::require(&opened.repo)?;
    let lock = TaskLock::try_take(&opened.repo, &task.value.name)?
        .map_err(|holder| Error::refused(format!("`{}` is held by {holder}", task.value.name)))?;
    let events = |event| app.ui.event(event);
    let mut claimed = Claimed { task, lock, unbegun: Unbegun::Stays };
    claimed.task.value.agent = None;
    flow::carry_out(opened.scene(app, &events), claimed, &Worker::Person)
}

/// The agent in its last conversation where it can go on at a terminal, else a shell.
fn argv(app: &App, opened: &Opened, (task, worktree): (&Task, &Path), shell: bool) -> Result<Vec<OsString>> {
    let known = task.last_talk().filter(|(_, id)| !shell && is_plain(id));
    if let Some((agent, id)) = known
        && let Some(attach) = opened.settings.profile(agent).and_then(|profile| profile.attach)
    {
        let named = if opened.settings.is_built_in(agent) {
            trust::repository()
        } else {
            trust::attaching(agent, &attach)
        };
        opened.trust.require(&named)?;
        let words = match attach {
            crate::config::Command::Shell(text) => command::shell(&text, []),
            crate::config::Command::List(args) => {
                let mut words: Vec<OsString> = args.into_iter().map(OsString::from).collect();
                words[0] = locate(&words[0], worktree, &app.environment)?;
                words
            }
        };
        return Ok(with_id(&words, id));
    }
    Ok(vec![user_shell(app)])
}

fn user_shell(app: &App) -> OsString {
    let shell = app.environment.get(OsStr::new("SHELL")).filter(|shell| Path::new(shell).is_file());
    shell.cloned().unwrap_or_else(|| "/bin/sh".into())
}

/// Becomes the user's shell, in the session's worktree.
pub(super) fn open_shell(
    app: &App,
    opened: &Opened,
    (task, session): (&Task, &Session),
    seat: Seat,
) -> Result<u8> {
    open(app, opened, (task, session), (seat, &[user_shell(app)])).map(|never| match never {})
}

/// Becomes the program, in the session's worktree.
fn open(
    app: &App,
    opened: &Opened,
    (task, session): (&Task, &Session),
    (seat, argv): (Seat, &[OsString]),
) -> Result<Infallible> {
    let brief = prepare::folder(&opened.repo, task)?.join("brief.md");
    app.ui.note(format!(
        "{} is yours, in {}; its brief: {}",
        task.name,
        session.worktree.display(),
        brief.display()
    ));
    app.ui.note(format!("next: git orch done {}", task.name));
    app.ui.settle();
    let base = workplace::tip(&opened.repo, session)?;
    let environment = execute::environment(&app.environment, (task, session), (base, &brief));
    let argv = seat.command(app, (task, session), (argv, &environment))?;
    process::become_at_terminal(&argv, &session.worktree, &environment)
}
