//! Results that shards had posted when the process that waited for them was
//! dead: they are known to whoever runs the same next.
//!
//! **Invariant:** what is taken is what the shard's own key stands for; what
//! did not end well is nobody's, and runs again.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::carry::Site;
use super::super::closing;
use super::{begun, collect, order};
use crate::error::{IoContext, Result};
use crate::git::Repo;
use crate::git::remote::{self, Remote};
use crate::model::{Event, Name, Oid, Shard, Time};
use crate::run::Scene;
use crate::store::record;

/// The file that says what a run is of.
const FILE: &str = "shards";

/// Whoever waits for a run lives, and knows what came of it.
pub(super) fn forget(folder: &Path) {
    // Without the file that says which shards it has, nothing is gathered.
    drop(std::fs::remove_file(folder.join(FILE)));
}

/// What shards a run is of.
#[derive(Serialize, Deserialize)]
struct Line {
    version: u32,
    /// The fan-out.
    name: Name,
    /// When it began: its name may be another's by now.
    started: Time,
    /// Each with its key.
    shards: Vec<Shard>,
}

/// Notes which shards a run has, for who comes after this process died.
pub(super) fn note(site: &Site<'_>, folder: &Path, keys: &BTreeMap<usize, String>) -> Result<()> {
    let shard = |(n, key): (&usize, &String)| {
        let planned = site.planned(*n);
        let new = Shard::new(*n, planned.files.clone(), planned.owner.clone());
        Shard { key: Some(key.clone()), ..new }
    };
    let (name, started) = (site.name.clone(), site.scene.now);
    let shards = keys.iter().map(shard).collect();
    let line = record::line(&Line { version: record::VERSION, name, started, shards })?;
    let file = folder.join(FILE);
    std::fs::write(&file, line).doing("could not write", &file)
}

/// Puts what shards of a run had done onto the record of their fan-out; how many.
///
/// # Errors
/// Unusable where the remote does not answer.
pub(super) fn gather(scene: Scene<'_>, remote: &Remote, (run, folder): (&str, &Path)) -> Result<usize> {
    let text = std::fs::read_to_string(folder.join(FILE)).unwrap_or_default();
    let line: Option<Line> = record::parse_line(text.trim_end());
    // A later version's are its own to gather.
    let Some(line) = line.filter(|line| line.version == record::VERSION) else { return Ok(0) };
    let repo = scene.repo;
    let there: BTreeMap<String, Oid> = remote::list(repo, remote, &format!("{run}/*"))?.into_iter().collect();
    let result = |n: usize| begun::result_of(run, n);
    let posted: Vec<&Shard> =
        line.shards.iter().filter(|shard| there.contains_key(&result(shard.n))).collect();
    let Some(order) = there.get(&begun::order_of(run)).filter(|_| !posted.is_empty()) else { return Ok(0) };
    let _fence = repo.fence(scene.events);
    remote::fetch(repo, remote, &[begun::order_of(run)])?;
    let names: Vec<String> = posted.iter().map(|shard| result(shard.n)).collect();
    let fetched = remote::fetch(repo, remote, &names);
    let mut lines = Vec::new();
    for (shard, name) in posted.into_iter().zip(names) {
        // One that git refuses takes no other along.
        let alone = || remote::fetch(repo, remote, std::slice::from_ref(&name));
        match if fetched.is_ok() { Ok(()) } else { alone() } {
            Ok(()) => lines.extend(known(repo, shard, (*order, there[&name]))),
            Err(error) => (scene.events)(Event::Warning(format!("{name} is lost: {error}"))),
        }
    }
    closing::add(scene, (&line.name, line.started), lines)
}

fn known(repo: &Repo, shard: &Shard, (order, result): (Oid, Oid)) -> Option<closing::Posted> {
    let start = order::start(repo, order, shard.n).ok()?;
    collect::ended_well(repo, shard, (start, result))
}
