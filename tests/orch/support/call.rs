//! One run of a program in a [`TestRepo`], its environment sealed.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;
use git_orch::config::Profile;
use git_orch::config::agents::built_in;

use super::output::Output;
use super::repo::{NOW, TestRepo};

/// What a run may not change, unless it says so.
#[derive(PartialEq)]
enum Guard {
    /// The checkout is compared before and after.
    Checkout,
    /// The run names the checkout.
    Off,
}

/// A program about to run.
#[must_use]
pub(crate) struct Call<'repo> {
    repo: &'repo TestRepo,
    command: Command,
    line: String,
    guard: Guard,
}

impl<'repo> Call<'repo> {
    /// A run in the repository's directory, with fixed identity, clock, language and time zone.
    pub(crate) fn new(repo: &'repo TestRepo, program: &str, arguments: &[&str]) -> Self {
        let home = repo.top().join("home");
        let programs = Path::new(env!("CARGO_BIN_EXE_git-orch")).parent().unwrap();
        let clock = format!("{NOW} +0000");
        let mut command = Command::new(found(program));
        command
            .args(arguments)
            .current_dir(repo.path(""))
            .timeout(Duration::from_secs(60))
            .env_clear()
            .env("PATH", format!("{}:{}", programs.display(), without_agents(repo.top())))
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join(".config"))
            .env("XDG_CACHE_HOME", home.join(".cache"))
            .env("XDG_DATA_HOME", home.join(".local/share"))
            .env("XDG_STATE_HOME", home.join(".local/state"))
            .env("TMPDIR", repo.top().join("tmp"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_TEST_FSYNC", "0")
            .env("GIT_ORCH_NOW", NOW.to_string())
            .env("GIT_AUTHOR_DATE", &clock)
            .env("GIT_COMMITTER_DATE", &clock)
            .env("LC_ALL", "C")
            .env("TZ", "UTC");
        Self { repo, command, line: format!("{program} {}", arguments.join(" ")), guard: Guard::Checkout }
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Has the git of this folder come first.
    pub(crate) fn with_git(self, folder: &Path) -> Self {
        let path = format!("{}:{}", folder.display(), machine_path());
        self.env("PATH", path)
    }

    /// Unsets a variable.
    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Runs elsewhere.
    pub(crate) fn within(mut self, directory: impl AsRef<Path>) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Feeds standard input.
    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.command.write_stdin(text);
        self
    }

    /// Allows changes to the repository's own checkout and branches.
    pub(crate) fn changing_checkout(mut self) -> Self {
        self.guard = Guard::Off;
        self
    }

    /// Runs, and fails the test where the checkout changed without leave.
    pub(crate) fn run(mut self) -> Output {
        let before = (self.guard == Guard::Checkout).then(|| self.repo.checkout());
        let ended = self.command.output().unwrap();
        if let Some(before) = before {
            before.expect_same(&self.repo.checkout(), &self.line);
        }
        Output::new(&ended, self.repo.top())
    }
}

/// A program by its path: one that is yet to be looked for starts slower, as
/// the whole process is forked for it.
pub(crate) fn found(program: &str) -> PathBuf {
    let folders = machine_path();
    let mut paths = folders.split(':').map(|folder| Path::new(folder).join(program));
    paths.find(|path| path.is_absolute() && path.is_file()).unwrap_or_else(|| program.into())
}

/// The machine's own `PATH` without the agents that need no entry: where none is
/// named, the first of them would do what a person is to do. Their neighbours
/// stay, by links in the test's home.
pub(crate) fn without_agents(top: &Path) -> String {
    let programs: Vec<String> = built_in().values().filter_map(Profile::named_program).collect();
    let folders = machine_path();
    let folders = folders.split(':').enumerate().map(|(index, folder)| {
        if !programs.iter().any(|program| Path::new(folder).join(program).is_file()) {
            return folder.to_owned();
        }
        let links = top.join(format!("home/.programs-{index}"));
        if std::fs::create_dir(&links).is_ok() {
            for entry in Path::new(folder).read_dir().unwrap().flatten() {
                let name = entry.file_name();
                if !programs.iter().any(|program| name == program.as_str()) {
                    std::os::unix::fs::symlink(entry.path(), links.join(name)).unwrap();
                }
            }
        }
        links.display().to_string()
    });
    folders.collect::<Vec<_>>().join(":")
}

/// The `PATH` of a test whose agents are those of the machine.
pub(crate) fn with_agents() -> String {
    let programs = Path::new(env!("CARGO_BIN_EXE_git-orch")).parent().unwrap();
    format!("{}:{}", programs.display(), machine_path())
}

/// The machine's own `PATH`, the one thing a test takes from it.
#[expect(clippy::disallowed_methods, reason = "git and sh are found by it")]
pub(crate) fn machine_path() -> String {
    std::env::var("PATH").unwrap()
}
