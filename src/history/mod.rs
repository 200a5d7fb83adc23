//! Commits → touches → profile, cached between runs.
//!
//! [`refresh`] reads one small file while nothing has changed; else it mines
//! what is new into the log and folds the log into a new profile table.
//!
//! **Invariant:** all files here are caches: losing one costs time only.

mod bytes;
mod credit;
mod fold;
mod knows;
pub mod log;
pub mod notes;
pub mod profile;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Result;
use crate::git::mine::{Miner, Mining, Span};
use crate::model::{Event, Events, Known, Name, Oid, Past, PastCommit, Profiles, RepoPath, Time};

pub use credit::{Adopts, MAX_CHANGES, Source};
pub use log::Log;
use profile::Table;

/// The folder of the cache files, in git-orch's own.
pub const FOLDER: &str = "history";

/// The cache files that can't be read to their end, and what a killed process
/// left of writing one.
pub fn damaged(folder: &Path) -> Vec<PathBuf> {
    let files = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let is_damaged = |file: &PathBuf| match file.file_name().and_then(|name| name.to_str()) {
        Some("log") => !Log::load(file).is_sound(),
        Some("profile") => !profile::is_sound(file),
        Some(name) => {
            let process = name.strip_suffix(".tmp").and_then(|name| name.rsplit('.').next());
            process.is_some_and(|process| !Path::new("/proc").join(process).exists())
        }
        None => false,
    };
    let mut found: Vec<PathBuf> = files.filter(is_damaged).collect();
    found.sort();
    found
}

/// What histories are folded from, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// What mines the repository.
    pub miner: Miner,
    /// The folder of the cache files.
    pub folder: PathBuf,
    /// The base, or several.
    pub tips: Vec<Oid>,
    /// The sessions, archived ones left out.
    pub sessions: Vec<Source>,
    /// At most so many commits of the base, newest first.
    pub horizon: usize,
    /// In which time a touch halves.
    pub half_lives: HalfLives,
    /// The moment it is now: later commits count as made now.
    pub now: Time,
}

/// In which time a touch halves, for the two time scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HalfLives {
    /// For `recent`.
    pub fast: Duration,
    /// For `context`.
    pub slow: Duration,
}

impl Default for HalfLives {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        Self { fast: days(7), slow: days(365) }
    }
}

/// The histories of all sessions, ready to be asked.
#[derive(Debug)]
pub struct History<'a> {
    request: &'a Request,
    table: Table,
}

/// Brings the histories up to date.
pub fn refresh<'a>(request: &'a Request, events: Events<'_>) -> Result<History<'a>> {
    let file = request.folder.join("profile");
    let key = profile::key(request);
    if let Some(table) = Table::load(&file, &key) {
        return Ok(History { request, table });
    }
    let log = load_log(request, events)?;
    let bytes = fold::fold(request, &log).to_bytes(&key);
    warn(events, "profile", profile::save(&file, &bytes));
    let table = Table::new(bytes, &key).expect("what was just written reads back");
    Ok(History { request, table })
}

/// Loads the log, with everything that `request` needs mined into it.
pub fn load_log(request: &Request, events: Events<'_>) -> Result<Log> {
    let file = request.folder.join("log");
    let mut log = Log::load(&file);
    if request.horizon > log.horizon() {
        log = Log::default();
    }
    let mut is_new = log.tips() != request.tips;
    if is_new {
        let hide = log.tips().to_vec();
        let mut mining = mine_base(request, &hide, events)?;
        if !mining.unreached.is_empty() {
            // The base was rewritten: what only the old one had is no history any more.
            log = Log::default();
            mining = mine_base(request, &[], events)?;
        }
        log.add_base(mining.commits, &request.tips, request.horizon);
    }
    let own = request.sessions.iter().flat_map(|source| &source.commits).copied();
    let missing: Vec<Oid> = own.filter(|oid| !log.contains(*oid)).collect();
    log.add_side(request.miner.mine_commits(&missing)?);
    is_new |= log.is_unsaved();
    if is_new {
        warn(events, "log", log.save(&file));
    }
    Ok(log)
}

fn mine_base(request: &Request, hide: &[Oid], events: Events<'_>) -> Result<Mining> {
    let span = Span { tips: &request.tips, hide, horizon: request.horizon };
    request.miner.mine(&span, events)
}

fn warn(events: Events<'_>, file: &str, saved: std::io::Result<()>) {
    if let Err(error) = saved {
        events(Event::Warning(format!("could not save the {file} cache: {error}")));
    }
}

impl History<'_> {
    /// The profiles at `paths` and all folders above them, as of the request's now.
    pub fn profiles(&self, paths: &[RepoPath]) -> Profiles {
        self.table.profiles(paths, self.request.now)
    }

    /// The few paths that tell most of what a session knows, best first.
    pub fn knows(&self, session: &Name) -> Vec<Known> {
        self.table.knows(session, self.request.now)
    }

    /// How many commits a session's history holds.
    pub fn commits(&self, session: &Name) -> u32 {
        self.table.session(session).map_or(0, |session| session.commits)
    }

    /// When a session last touched anything.
    pub fn last_activity(&self, session: &Name) -> Option<Time> {
        self.table.session(session)?.last
    }
}

/// The log as prediction from text reads it; `files` are those that exist now.
pub fn past<'a>(log: &'a Log, sources: &[Source], files: &'a [RepoPath]) -> Past<'a> {
    let mut paths: Vec<&[u8]> = log.paths().iter().map(RepoPath::as_bytes).collect();
    let mut exists = vec![false; paths.len()];
    for file in files {
        match log.find_path(file) {
            Some(position) => exists[position as usize] = true,
            None => {
                paths.push(file.as_bytes());
                exists.push(true);
            }
        }
    }
    let mut credits = credit::Credits::new(log, sources);
    let mut found = Vec::new();
    let commit = |logged: log::Logged<'a>| {
        credits.of(&logged, &mut found);
        let mut owners: Vec<(u16, f32)> = Vec::new();
        for credit in &found {
            let share = credit.share as f32 / logged.paths.len() as f32;
            match owners.iter_mut().find(|(session, _)| *session == credit.session) {
                Some((_, sum)) => *sum += share,
                None => owners.push((credit.session, share)),
            }
        }
        PastCommit { time: logged.time, subject: logged.subject, paths: logged.paths, owners }
    };
    let commits = log.commits().into_iter().map(commit).collect();
    Past { paths, exists, commits }
}

#[cfg(test)]
mod tests;
