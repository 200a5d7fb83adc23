//! The log as prediction from a task's words reads it.

use super::log::Log;
use super::words::Words as Index;
use crate::model::{Owners, Past, Words};

/// What a word of a path's folder counts; the index counts it twice.
const NAME_UNIT: f64 = 0.5;

/// The past, with the lists of some tokens.
pub(super) fn past<'a>(log: &'a Log, exists: Vec<bool>, owners: Owners, tokens: &[String]) -> Past<'a> {
    let columns = &log.commits;
    let words = |index: &Index, lengths: &'a [u32], unit: f64| {
        let lists = tokens.iter().map(|token| (token.clone(), index.list(token)));
        Words { lists: lists.collect(), lengths, unit }
    };
    Past {
        paths: log.paths(),
        exists,
        oids: &columns.oids,
        times: &columns.times,
        ends: &columns.ends,
        changed: &columns.changed,
        owners,
        messages: words(&log.messages, &columns.lengths, 1.0),
        names: words(&log.names, &log.name_lengths, NAME_UNIT),
    }
}
