//! What every command starts from: environment, clock, output, repository.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::config::trust::{self, Trust};
use crate::config::{Settings, load};
use crate::error::{Error, Result};
use crate::git::{Repo, programs};
use crate::model::Time;
use crate::model::wording::command_line;
use crate::ui::Ui;

/// Built once, in `main`.
#[derive(Debug)]
pub struct App {
    /// The environment as it was at the start.
    pub environment: BTreeMap<OsString, OsString>,
    /// The folder to work in: that of the caller, or `-C`.
    pub folder: PathBuf,
    /// When the command started.
    pub now: Time,
    /// The command line as typed, for the operation log.
    pub command_line: String,
    /// Its words, behind the program.
    pub words: Vec<OsString>,
    /// Whether this process is in a mount namespace of its own.
    pub is_inside: bool,
    /// Whether this process goes on in the background.
    pub is_detached: bool,
    /// Output.
    pub ui: Ui,
}

/// What a process was started with.
#[derive(Debug)]
pub struct Started {
    /// Its words, behind the program and behind what is not for people.
    pub words: Vec<OsString>,
    /// Whether it is in a mount namespace of its own.
    pub is_inside: bool,
    /// Whether it goes on in the background.
    pub is_detached: bool,
}

impl App {
    /// Reads the environment and the clock.
    pub fn new(folder: PathBuf, started: Started, ui: Ui) -> Self {
        let Started { words, is_inside, is_detached } = started;
        let environment: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
        let set = environment.get(OsStr::new("GIT_ORCH_NOW")).and_then(|text| text.to_str()?.parse().ok());
        let (command_line, now) = (command_line(&words), set.map_or_else(Time::now, Time));
        Self { environment, folder, now, command_line, words, is_inside, is_detached, ui }
    }

    /// A variable of the environment, where it is UTF-8.
    pub fn variable(&self, key: &str) -> Option<&str> {
        self.environment.get(OsStr::new(key)).and_then(|value| value.to_str())
    }

    /// Opens the repository around the folder.
    pub fn repo(&self) -> Result<Repo> {
        if !self.folder.is_dir() {
            return Err(Error::usage(format!("`{}` is no folder", self.folder.display())));
        }
        let repo = Repo::discover(&self.folder, &self.environment)?;
        let fetching = programs::of_fetching(&repo);
        if !fetching.is_empty() {
            let trust = self.trust(&repo);
            let covered =
                |(what, value): (&String, &String)| trust.covers(&trust::program(what, Some(value)));
            repo.git_program().set_fetching(fetching.iter().all(covered));
        }
        Ok(repo)
    }

    /// The settings in force in the caller's worktree.
    pub fn settings(&self, repo: &Repo) -> Result<Settings> {
        let top = repo.place().work_tree.as_deref();
        let file = load::load(top.unwrap_or(Path::new("/nonexistent")))?;
        Settings::new(file, repo.settings()?)
    }

    /// What the user trusts in this repository.
    pub fn trust(&self, repo: &Repo) -> Trust {
        Trust::open(&repo.place().common_dir, &self.environment)
    }

    /// The caller's folder inside the worktree, empty at its top.
    pub fn prefix(&self, repo: &Repo) -> PathBuf {
        let top = repo.place().work_tree.as_deref().and_then(|top| top.canonicalize().ok());
        let folder = self.folder.canonicalize().ok();
        let inside =
            folder.zip(top).and_then(|(folder, top)| folder.strip_prefix(top).ok().map(Path::to_owned));
        inside.unwrap_or_default()
    }
}
