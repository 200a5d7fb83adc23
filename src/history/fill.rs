//! Mines into the log what a request needs.

use std::path::Path;

use super::Request;
use super::log::{Log, Place};
use crate::error::Result;
use crate::git::mine::{Sink, Span};
use crate::model::{Events, Mined, Oid};

/// Loads the log, with everything that `request` needs mined into it; saving
/// the last of that is left to the caller.
pub fn load_log(request: &Request, events: Events<'_>) -> Result<Log> {
    let file = request.folder.join(request.log);
    let mut log = Log::load(&file);
    if request.horizon > log.horizon() {
        log = Log::default();
    }
    if log.tips() != request.tips {
        let hide = log.tips().to_vec();
        let is_rewritten = mine(request, &mut log, (&hide, &file), events)?;
        if is_rewritten {
            // What only the old base had is no history any more.
            log = Log::default();
            mine(request, &mut log, (&[], &file), events)?;
        }
        log.reach(&request.tips, request.horizon);
    }
    let own = request.sessions.iter().flat_map(|source| &source.commits).copied();
    let missing: Vec<Oid> = own.filter(|oid| !log.contains(*oid)).collect();
    request.miner.mine_commits(&missing)?.iter().for_each(|mined| log.add(mined, Place::Side));
    Ok(log)
}

/// Mines the base into the log; whether the log has commits that the base no
/// longer has.
fn mine(request: &Request, log: &mut Log, (hide, file): (&[Oid], &Path), events: Events<'_>) -> Result<bool> {
    let span = Span { tips: &request.tips, hide, horizon: request.horizon };
    let before = log.on_base();
    let mut sink = Filling { log, file, known: 0, added: 0, horizon: request.horizon };
    let unreached = request.miner.mine(&span, &mut sink, events)?;
    // What an earlier, killed mining left is a part of this one.
    let is_other = hide.is_empty() && sink.known != before;
    Ok(is_other || !unreached.is_empty())
}

/// How many new commits are mined until the log is saved.
const SAVE_EACH: usize = 10_000;

/// A log that is mined into; what was mined outlives a kill.
struct Filling<'a> {
    log: &'a mut Log,
    file: &'a Path,
    /// Commits of the base that came up and were there already.
    known: usize,
    added: usize,
    horizon: usize,
}

impl Sink for Filling<'_> {
    fn has(&mut self, oid: Oid) -> bool {
        let is_there = self.log.find_commit(oid).is_some_and(|commit| commit.place == Place::Base);
        self.known += usize::from(is_there);
        is_there
    }

    fn take(&mut self, commits: Vec<Mined>) {
        commits.iter().for_each(|mined| self.log.add(mined, Place::Base));
        self.added += commits.len();
        if self.added >= SAVE_EACH && self.log.tips().is_empty() {
            self.added = 0;
            self.log.reach(&[], self.horizon);
            // The whole log is saved in the end, and what fails then is told.
            drop(self.log.save(self.file));
        }
    }
}
