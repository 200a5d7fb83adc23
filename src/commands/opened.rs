//! A repository opened for a command, with everything that governs it.

use std::path::{Path, PathBuf};

use crate::agent::Interrupt;
use crate::app::App;
use crate::config::Settings;
use crate::config::trust::{self, Trust};
use crate::error::{Error, Result, exit};
use crate::git::commit::Habits;
use crate::git::{Repo, operation};
use crate::model::{Events, PathSet, RepoPath};
use crate::run::{Scene, altered, throwaway};

/// What most commands start from.
pub(super) struct Opened {
    pub(super) repo: Repo,
    pub(super) settings: Settings,
    pub(super) trust: Trust,
    interrupt: Interrupt,
    throwaways: PathBuf,
    habits: Habits,
}

impl Opened {
    /// Opens the repository to look at it.
    pub(super) fn to_read(app: &App) -> Result<Self> {
        let repo = app.repo()?;
        let settings = app.settings(&repo)?;
        let trust = app.trust(&repo);
        let throwaways = throwaway::folder(&repo, settings.worktrees());
        let (interrupt, habits) = (Interrupt::unwatched(), Habits::default());
        Ok(Self { repo, settings, trust, interrupt, throwaways, habits })
    }

    /// Opens it to change it: what a killed process left is set right first.
    pub(super) fn to_change(app: &App) -> Result<Self> {
        let mut opened = Self::to_read(app)?;
        opened.repo.require_work_tree()?;
        opened.repo.git_program().require_version()?;
        if let Some(template) = opened.settings.shared_worktrees() {
            opened.trust.require(&trust::worktrees(template))?;
        }
        opened.interrupt = Interrupt::watch();
        let events = |event| app.ui.event(event);
        crate::recover::settle(opened.scene(app, &events))?;
        opened.habits = opened.habits()?;
        operation::begin(&opened.repo, &app.command_line, app.now);
        Ok(opened)
    }

    /// Hooks and signing, unless a run changed what would be run.
    fn habits(&self) -> Result<Habits> {
        let wanted = Habits { hooks: self.settings.hooks(), sign: self.settings.sign() };
        if wanted == Habits::default() {
            return Ok(wanted);
        }
        let standing = altered::standing(&self.repo, &altered::all(&self.repo)?, &self.trust);
        Ok(if standing.is_empty() { wanted } else { Habits::default() })
    }

    /// The exit code of an ended run: an interrupted one tells which signal it was.
    pub(super) fn exit_code(&self, code: u8) -> u8 {
        match self.interrupt.check() {
            Err(error) if code == exit::INTERRUPTED => error.kind.exit_code(),
            _ => code,
        }
    }

    /// What flows take.
    pub(super) fn scene<'a>(&'a self, app: &'a App, events: Events<'a>) -> Scene<'a> {
        Scene {
            repo: &self.repo,
            environment: &app.environment,
            events,
            interrupt: &self.interrupt,
            habits: self.habits,
            throwaways: &self.throwaways,
            now: app.now,
        }
    }
}

/// Path patterns as typed in the caller's folder, from the repository's top.
pub(super) fn patterns(app: &App, repo: &Repo, typed: &[String]) -> Result<Vec<String>> {
    let prefix = app.prefix(repo);
    typed.iter().map(|pattern| resolve(repo, &prefix, pattern)).collect()
}

fn resolve(repo: &Repo, prefix: &Path, pattern: &str) -> Result<String> {
    let outside = || Error::usage(format!("`{pattern}` leads out of the repository"));
    if pattern.is_empty() || pattern.starts_with(['!', ':']) {
        PathSet::parse(&[pattern.to_owned()]).map_err(Error::usage)?;
    }
    let typed = Path::new(pattern);
    let typed = if typed.is_absolute() {
        let top = repo.require_work_tree()?;
        typed.strip_prefix(top).map_err(|_| outside())?
    } else {
        typed
    };
    let prefix = if Path::new(pattern).is_absolute() { Path::new("") } else { prefix };
    let path = RepoPath::resolve(prefix, typed).map_err(|_| outside())?;
    let text =
        String::from_utf8(path.as_bytes().to_vec()).map_err(|_| Error::usage("a pattern must be UTF-8"))?;
    let text = if text.is_empty() { ".".to_owned() } else { text };
    refuse_link_out(repo, &text)?;
    PathSet::parse(std::slice::from_ref(&text)).map_err(Error::usage)?;
    Ok(text)
}

/// A path that a link leads out of the repository is no path in it.
fn refuse_link_out(repo: &Repo, text: &str) -> Result<()> {
    let Ok(top) = repo.require_work_tree().map(Path::to_owned) else { return Ok(()) };
    // Of a path that is not there yet, the part that is tells.
    let real = top.join(text).ancestors().find_map(|path| path.canonicalize().ok());
    let (Some(real), Ok(top)) = (real, top.canonicalize()) else { return Ok(()) };
    if real.starts_with(&top) {
        return Ok(());
    }
    Err(Error::usage(format!("`{text}` is a link that leads out of the repository")))
}
