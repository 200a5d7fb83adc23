//! Running one command under a supervisor that takes everything of it along
//! when it ends, when its time is up, or when we die.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::command::{Input, Invocation};
use super::interrupt::Interrupt;
use crate::error::{Error, Result};
use crate::model::time::Stopwatch;

/// The hidden command that supervises.
pub const SUPERVISE: &str = "__supervise";
/// How often somebody who waits is told of it.
const TICK: Duration = Duration::from_millis(200);
/// How long the supervisor of a dead process may take to end its command.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit code.
    Exit(i32),
    /// By this signal, not sent by us.
    Signal(i32),
    /// Its time was up.
    TimedOut,
    /// We were asked to stop.
    Interrupted,
}

/// An ended command.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// How.
    pub end: End,
    /// After what time.
    pub elapsed: Duration,
}

impl Ended {
    /// Whether it ended by itself and well.
    pub fn is_success(&self) -> bool {
        self.end == End::Exit(0)
    }

    /// The exit code as a shell tells it.
    pub fn exit_code(&self) -> Option<i32> {
        match self.end {
            End::Exit(code) => Some(code),
            End::Signal(signal) => Some(128 + signal),
            End::TimedOut | End::Interrupted => None,
        }
    }
}

/// Runs a command to its end. `tick` is called some times a second.
///
/// # Errors
/// Unusable when the program can't be found or started.
pub fn run(invocation: &Invocation, interrupt: &Interrupt, mut tick: impl FnMut(Duration)) -> Result<Ended> {
    let watch = Stopwatch::start();
    let (reader, writer) =
        std::io::pipe().map_err(|error| Error::unusable("could not make a pipe").because(error))?;
    let expression = duct::cmd(this_program()?, arguments(invocation))
        .dir(&invocation.folder)
        // Some programs go by this and not by the folder they are in.
        .env("PWD", &invocation.folder)
        .full_env(&invocation.environment)
        .stdin_file(reader)
        .stdout_capture()
        .unchecked()
        .before_spawn(|command| {
            // Ctrl-C at the terminal is for us; we tell the supervisor.
            command.process_group(0);
            Ok(())
        });
    let handle =
        expression.start().map_err(|error| Error::unusable("could not start a supervisor").because(error))?;
    drop(expression);
    let mut lifeline = Some(writer);
    let mut interrupted = false;
    let output = std::thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        let handle = &handle;
        scope.spawn(move || send.send(handle.wait().map(|output| output.stdout.clone())));
        loop {
            match receive.recv_timeout(TICK) {
                Ok(output) => return output,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
            }
            if interrupt.is_raised() && lifeline.take().is_some() {
                interrupted = true;
            }
            tick(watch.elapsed());
        }
    });
    let told = output.map_err(|error| Error::unusable("could not wait for a supervisor").because(error))?;
    let end = parse_end(&String::from_utf8_lossy(&told), invocation)?;
    let end = if interrupted { End::Interrupted } else { end };
    Ok(Ended { end, elapsed: watch.elapsed() })
}

/// Runs this very program with other words, on the same terminal; its exit code.
pub fn run_again(folder: &Path, words: &[&str], environment: &BTreeMap<OsString, OsString>) -> Result<i32> {
    let expression = duct::cmd(this_program()?, words).dir(folder).full_env(environment).unchecked();
    let output =
        expression.run().map_err(|error| Error::unusable("could not start git-orch again").because(error))?;
    Ok(output.status.code().unwrap_or(-1))
}

/// Starts this very program with other words, and leaves it to itself.
///
/// # Errors
/// Unusable where it can't be started.
pub fn leave_behind(words: &[&OsStr]) -> Result<()> {
    let quiet = duct::cmd(this_program()?, words).stdin_null().stdout_null().stderr_null().unchecked();
    let alone = quiet.before_spawn(|command| {
        command.process_group(0);
        Ok(())
    });
    let started = alone.start();
    started.map(drop).map_err(|error| Error::unusable("could not start git-orch again").because(error))
}

/// Whether a program that runs another, given these words, can.
///
/// # Errors
/// Unusable, with what it says, where it can't.
pub fn probe(program: &Path, words: &[&str]) -> Result<()> {
    let probe = duct::cmd(program, words.iter().chain(&["true"])).stdin_null().stdout_null().stderr_capture();
    let output = probe.unchecked().run();
    let output = output
        .map_err(|error| Error::unusable(format!("could not run {}", program.display())).because(error))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::unusable(String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ")))
}

/// Becomes another program that runs this one, with a word before all others.
///
/// # Errors
/// Unusable where it can't be; this is the process that it was then.
#[expect(clippy::disallowed_methods, reason = "nothing is started: this process goes on as another")]
pub fn become_under(program: &Path, words: &[&str], first: &str, rest: &[OsString]) -> Result<Infallible> {
    let mut command = std::process::Command::new(program);
    let error = command.args(words).arg(this_program()?).arg(first).args(rest).exec();
    Err(Error::unusable(format!("could not become {}", program.display())).because(error))
}

/// Becomes another program, on the same terminal.
///
/// # Errors
/// Unusable where it can't be; this is the process that it was then.
#[expect(clippy::disallowed_methods, reason = "nothing is started: this process goes on as another")]
pub fn become_at_terminal(
    argv: &[OsString],
    folder: &Path,
    environment: &BTreeMap<OsString, OsString>,
) -> Result<Infallible> {
    let (program, args) = argv.split_first().ok_or_else(|| Error::usage("there is no command"))?;
    let mut command = std::process::Command::new(program);
    command.args(args).current_dir(folder).env_clear().envs(environment).env("PWD", folder);
    let error = command.exec();
    let name = Path::new(program).display();
    Err(Error::unusable(format!("could not start `{name}`")).because(error).hint("check the PATH"))
}

/// Waits until nothing of a command lives on, whose process died: its
/// supervisor keeps its log locked until then.
///
/// # Errors
/// Refused when it takes longer than any supervisor does.
pub fn wait_for_end(log: &Path, interrupt: &Interrupt) -> Result<()> {
    let watch = Stopwatch::start();
    // Without a log nothing was started.
    let Ok(file) = std::fs::File::open(log) else { return Ok(()) };
    while let Err(std::fs::TryLockError::WouldBlock) = file.try_lock_shared() {
        interrupt.check()?;
        if watch.elapsed() > PATIENCE {
            return Err(Error::refused("its command does not end"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Where the running program lies.
///
/// # Errors
/// Unusable where the system does not tell.
pub fn this_program() -> Result<std::path::PathBuf> {
    std::env::current_exe()
        .map_err(|error| Error::unusable("could not find the running program").because(error))
}

fn arguments(invocation: &Invocation) -> Vec<OsString> {
    let mut args: Vec<OsString> = vec![SUPERVISE.into(), "--log".into(), invocation.log.clone().into()];
    if invocation.is_log_continued {
        args.push("--continue".into());
    }
    if let Input::File(file) = &invocation.input {
        args.extend(["--stdin".into(), file.clone().into()]);
    }
    if let Some(timeout) = invocation.timeout {
        args.extend(["--timeout".into(), timeout.as_millis().to_string().into()]);
    }
    args.push("--".into());
    args.extend(invocation.argv.iter().cloned());
    args
}

fn parse_end(told: &str, invocation: &Invocation) -> Result<End> {
    let program = invocation.argv.first().map(Path::new).unwrap_or(Path::new("")).display().to_string();
    let (word, rest) = told.trim().split_once(' ').unwrap_or((told.trim(), ""));
    match (word, rest.parse::<i32>()) {
        ("exit", Ok(code)) => Ok(End::Exit(code)),
        ("signal", Ok(signal)) => Ok(End::Signal(signal)),
        ("timeout", _) => Ok(End::TimedOut),
        ("abandoned", _) => Ok(End::Interrupted),
        ("error", _) => Err(Error::unusable(format!("could not start `{program}`"))
            .because(rest.to_owned())
            .hint("check the command's name and the PATH")),
        _ => Ok(End::Signal(9)),
    }
}
