//! The log as prediction from a task's words reads it.

use super::log::Log;
use super::profile::Table;
use super::words::Words as Index;
use crate::model::{Owners, Past, Words};

/// What a word of a path's folder counts; the index counts it twice.
const NAME_UNIT: f64 = 0.5;

/// A log beside what was folded from it.
#[derive(Debug)]
pub(super) struct Told {
    log: Log,
    exists: Vec<bool>,
    owners: Owners,
    /// What commits changed, under the names that the files have now.
    changed: Vec<u32>,
    /// Which commits are near enough to count.
    counts: Vec<bool>,
}

impl Told {
    /// A log and its table.
    pub(super) fn new(log: Log, table: &Table, horizon: usize) -> Self {
        let mut changed = log.commits.changed.clone();
        for (change, path) in table.moved() {
            if let Some(at) = changed.get_mut(change as usize).filter(|_| (path as usize) < log.paths().len())
            {
                *at = path;
            }
        }
        let mut exists = table.exists();
        exists.resize(log.paths().len(), false);
        Self { counts: log.within(horizon), exists, owners: table.owners(), changed, log }
    }

    /// The past, with the lists of some tokens.
    pub(super) fn past(&self, tokens: &[String]) -> Past<'_> {
        let lists = |index: &Index| tokens.iter().map(|token| (token.clone(), index.list(token))).collect();
        let columns = &self.log.commits;
        let (messages, names) = (lists(&self.log.messages), lists(&self.log.names));
        Past {
            paths: self.log.paths(),
            exists: &self.exists,
            oids: &columns.oids,
            times: &columns.times,
            ends: &columns.ends,
            changed: &self.changed,
            owners: &self.owners,
            messages: Words::of(messages, &columns.lengths, 1.0, |commit| self.counts[commit]),
            names: Words::of(names, &self.log.name_lengths, NAME_UNIT, |path| self.exists[path]),
        }
    }
}
