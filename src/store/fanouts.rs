//! Fan-out records.

use super::record::{self, Next, Stored};
use crate::error::Result;
use crate::git::{RefChange, Repo, refs};
use crate::model::{Fanout, Name, Oid, Time};

const FILE: &str = "fanout.json";

/// Reads all fan-outs, by name.
pub fn load(repo: &Repo) -> Result<Vec<Stored<Fanout>>> {
    record::load_all(repo, refs::FANOUTS, FILE)
}

/// Reads one fan-out.
pub fn find(repo: &Repo, name: &Name) -> Result<Option<Stored<Fanout>>> {
    record::find(repo, &record_ref(name), FILE)
}

/// The full ref of a fan-out's record.
pub fn record_ref(name: &Name) -> String {
    format!("{}{name}", refs::FANOUTS)
}

/// The ref change that makes `fanout` the present state; `keeps` stay reachable.
pub fn prepare(
    repo: &Repo,
    fanout: &Fanout,
    old: Option<Oid>,
    keeps: Vec<Oid>,
    now: Time,
) -> Result<RefChange> {
    let state = if fanout.ended.is_some() { "ended" } else { "begun" };
    let next = Next {
        name: record_ref(&fanout.name),
        file: FILE,
        value: fanout,
        old,
        keeps,
        texts: Vec::new(),
        why: format!("fanout {}: {state}", fanout.name),
        now,
    };
    record::prepare(repo, &next)
}
