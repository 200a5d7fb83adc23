//! One record: a chain of commits, each a small tree of JSON and text.
//!
//! **Invariant:** a record of an unknown version is refused, never guessed or
//! rewritten; files in the tree that a change does not name are carried over.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::git::{Entry, EntryKind, RefChange, Repo};
use crate::model::{Oid, RepoPath, Time};

/// The version that this program writes and reads.
pub const VERSION: u32 = 1;

/// How long the second look at records waits.
const PAUSE: Duration = Duration::from_millis(50);

/// A record and the commit it was read at.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored<T> {
    /// What the record says.
    pub value: T,
    /// The tip of its chain.
    pub tip: Oid,
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// Reads every record under a prefix, by name.
pub fn load_all<T: DeserializeOwned>(repo: &Repo, prefix: &str, file: &str) -> Result<Vec<Stored<T>>> {
    let refs = repo.read().refs(prefix)?;
    let wanted: Vec<(Oid, &str)> = refs.iter().map(|(_, oid)| (*oid, file)).collect();
    let files = files(repo, &wanted)?;
    refs.iter().zip(files).map(|((name, tip), bytes)| parse(name, *tip, bytes)).collect()
}

/// Reads one record.
pub fn find<T: DeserializeOwned>(repo: &Repo, name: &str, file: &str) -> Result<Option<Stored<T>>> {
    let Some(tip) = repo.read().find_ref(name)? else { return Ok(None) };
    let bytes = files(repo, &[(tip, file)])?.pop().flatten();
    parse(name, tip, bytes).map(Some)
}

/// Reads files, and once more where that fails: a `git gc` beside us can take
/// what another process then writes again.
fn files(repo: &Repo, wanted: &[(Oid, &str)]) -> Result<Vec<Option<Vec<u8>>>> {
    repo.read().files(wanted).or_else(|_| {
        std::thread::sleep(PAUSE);
        repo.read().files(wanted)
    })
}

/// Reads a record as it was at a commit of its chain.
pub fn at<T: DeserializeOwned>(repo: &Repo, tip: Oid, file: &str) -> Result<Stored<T>> {
    let bytes = repo.read().files(&[(tip, file)])?.pop().flatten();
    parse(&tip.to_string(), tip, bytes)
}

fn parse<T: DeserializeOwned>(name: &str, tip: Oid, bytes: Option<Vec<u8>>) -> Result<Stored<T>> {
    let bad = |why: String| Error::unusable(format!("could not read the record `{name}`: {why}"));
    let bytes = bytes.ok_or_else(|| bad("it holds no record".to_owned()))?;
    let versioned: Versioned = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    if versioned.version != VERSION {
        let why = format!("version {} is not known here", versioned.version);
        return Err(bad(why).hint("a newer git-orch wrote it: use that one"));
    }
    let value = serde_json::from_slice(&bytes).map_err(|error| bad(error.to_string()))?;
    Ok(Stored { value, tip })
}

/// Reads one line of JSON, as notes hold them; `None` for anything else.
pub fn parse_line<T: DeserializeOwned>(line: &str) -> Option<T> {
    serde_json::from_str(line).ok()
}

/// One line of JSON, as notes hold them.
pub fn line(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::bug("could not write a record").because(error))
}

/// The next state of a record, to be written.
#[derive(Debug)]
pub struct Next<'a, T> {
    /// The record's ref.
    pub name: String,
    /// The record's file in the tree.
    pub file: &'a str,
    /// What it shall say.
    pub value: &'a T,
    /// The chain's tip that this follows; `None` begins a chain.
    pub old: Option<Oid>,
    /// Commits that shall stay reachable from here: a run's tip.
    pub keeps: Vec<Oid>,
    /// Further files to put beside the record.
    pub texts: Vec<(&'a str, Vec<u8>)>,
    /// What happened, for the log.
    pub why: String,
    /// When.
    pub now: Time,
}

/// Stores the next state's objects; the change makes it the present one.
pub fn prepare<T: Serialize>(repo: &Repo, next: &Next<'_, T>) -> Result<RefChange> {
    let mut json = serde_json::to_vec_pretty(next.value)
        .map_err(|error| Error::bug("could not write a record").because(error))?;
    json.push(b'\n');
    let mut entries: BTreeMap<RepoPath, Entry> = BTreeMap::new();
    if let Some(old) = next.old {
        let tree = repo.read().commit(old)?.tree;
        entries.extend(repo.read().tree(tree)?.into_iter().map(|entry| (entry.name.clone(), entry)));
    }
    let texts = next.texts.iter().map(|(name, bytes)| (*name, bytes.as_slice()));
    for (name, bytes) in texts.chain([(next.file, json.as_slice())]) {
        let oid = repo.write().write_blob(bytes)?;
        let name = RepoPath::from(name);
        entries.insert(name.clone(), Entry { name, kind: EntryKind::File, oid });
    }
    let tree = repo.write().write_tree(&entries.into_values().collect::<Vec<_>>())?;
    let parents: Vec<Oid> = next.old.into_iter().chain(next.keeps.iter().copied()).collect();
    let commit = repo.write().write_record(tree, &parents, &next.why, next.now)?;
    Ok(RefChange::set(next.name.clone(), commit, next.old))
}
