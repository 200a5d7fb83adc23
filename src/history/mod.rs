//! Commits → touches → profile, cached between runs.
//!
//! [`refresh`] reads one small file while nothing has changed; else it mines
//! what is new into the log and folds the log into a new profile table.
//!
//! **Invariant:** all files here are caches: losing one costs time only.

mod bytes;
mod chunk;
mod credit;
mod fill;
mod fold;
pub mod folders;
pub mod identity;
mod knows;
pub mod log;
pub mod notes;
mod past;
pub mod profile;
mod words;

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::git::Mailmap;
use crate::git::mine::Miner;
use crate::model::{Event, Events, HalfLives, Known, Name, Oid, Past, Profiles, RepoPath, Time};

pub use credit::{Adopts, MAX_CHANGES, Source};
pub use fill::load_log;
pub use log::Log;
use past::Told;
use profile::Table;

/// The folder of the cache files, in git-orch's own.
pub const FOLDER: &str = "history";
/// The log of as much as the horizon lets see.
pub const NEAR: &str = "log";
/// That of everything, which only a replay reads.
pub const WHOLE: &str = "whole";
/// The profile table of the sessions.
pub const SESSIONS: &str = "profile";
/// That of the people that committed.
pub const PEOPLE: &str = "people";

/// The cache files that can't be read to their end, and what a killed process
/// left of writing one.
pub fn damaged(folder: &Path) -> Vec<PathBuf> {
    let files = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let is_damaged = |file: &PathBuf| match file.file_name().and_then(|name| name.to_str()) {
        Some(NEAR | WHOLE) => !Log::load(file).is_sound(),
        Some(SESSIONS | PEOPLE) => !profile::is_sound(file),
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
    /// The cache file of the log.
    pub log: &'static str,
    /// The cache file of the profile table.
    pub table: &'static str,
    /// Which authors are one person.
    pub mailmap: Mailmap,
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

/// The histories of all sessions, ready to be asked.
#[derive(Debug)]
pub struct History<'a> {
    request: &'a Request,
    table: Table,
    /// What the table was folded from, once it was needed.
    told: Option<Told>,
}

/// Brings the histories up to date.
pub fn refresh<'a>(request: &'a Request, events: Events<'_>) -> Result<History<'a>> {
    let table = Table::load(&request.folder.join(request.table), &profile::key(request));
    match table {
        Some(table) => Ok(History { request, table, told: None }),
        None => anew(request, load_log(request, events)?, events),
    }
}

/// The same, where the log is loaded already.
pub fn refresh_with<'a>(request: &'a Request, log: Log, events: Events<'_>) -> Result<History<'a>> {
    let table = Table::load(&request.folder.join(request.table), &profile::key(request));
    match table.filter(|table| table.mark() == log.mark()) {
        Some(table) => {
            let told = Some(Told::new(log, &table, request.horizon));
            Ok(History { request, table, told })
        }
        None => anew(request, log, events),
    }
}

/// Folds a log into a new table.
fn anew<'a>(request: &'a Request, mut log: Log, events: Events<'_>) -> Result<History<'a>> {
    let tip = request.tips.first();
    let files = tip.map_or(Ok(Vec::new()), |tip| request.miner.files(*tip))?;
    let files: Vec<u32> = files.iter().map(|file| log.add_path(file.as_bytes())).collect();
    save(request, &mut log, events);
    let key = profile::key(request);
    let bytes = fold::fold(request, &log, &files).to_bytes(&key);
    warn(events, request.table, profile::save(&request.folder.join(request.table), &bytes));
    let table = Table::new(bytes, &key).expect("what was just written reads back");
    let told = Some(Told::new(log, &table, request.horizon));
    Ok(History { request, table, told })
}

/// The log of everything, saved.
pub fn load_whole(request: &Request, events: Events<'_>) -> Result<Log> {
    let request = Request { log: WHOLE, horizon: usize::MAX, ..request.clone() };
    let mut log = load_log(&request, events)?;
    save(&request, &mut log, events);
    Ok(log)
}

fn save(request: &Request, log: &mut Log, events: Events<'_>) {
    if log.is_unsaved() {
        warn(events, request.log, log.save(&request.folder.join(request.log)));
    }
}

fn warn(events: Events<'_>, file: &str, saved: std::io::Result<()>) {
    if let Err(error) = saved {
        events(Event::Warning(format!("could not save the {file} cache: {error}")));
    }
}

impl History<'_> {
    /// The moment that they are as of.
    pub fn now(&self) -> Time {
        self.request.now
    }

    /// Makes sure that the words of past commits can be asked for.
    pub fn load_words(&mut self, events: Events<'_>) -> Result<()> {
        if self.told.is_none() {
            let mut log = load_log(self.request, events)?;
            if log.mark() == self.table.mark() {
                save(self.request, &mut log, events);
                self.told = Some(Told::new(log, &self.table, self.request.horizon));
            } else {
                // The log was lost, and what came in its place numbers its commits anew.
                *self = anew(self.request, log, events)?;
            }
        }
        Ok(())
    }

    /// What prediction reads for these tokens, once the words are loaded.
    pub fn past(&self, tokens: &[String]) -> Option<Past<'_>> {
        self.told.as_ref().map(|told| told.past(tokens))
    }

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

#[cfg(test)]
mod tests;
