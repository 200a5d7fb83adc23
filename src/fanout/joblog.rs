//! What has ended of a fan-out, one line a shard, written as it ends: for
//! whoever comes after a process that was killed.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::carry::Ended;
use crate::error::{IoContext, Result};
use crate::model::{Oid, Shard};
use crate::store::record;

/// The file beside the logs of shards.
const FILE: &str = "joblog";

/// What a line holds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    /// The shard as it ended.
    pub(super) shard: Shard,
    /// The tree that has its accepted changes; a ref keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tree: Option<Oid>,
}

/// Writes down that a shard has ended.
pub(super) fn add(logs: &Path, ended: &Ended) -> Result<()> {
    let path = logs.join(FILE);
    let line = record::line(&Line { shard: ended.shard.clone(), tree: ended.tree })?;
    let file = File::options().append(true).create(true).open(&path);
    // In one piece, so that a kill leaves a line or none.
    let written = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    written.doing("could not write", &path)
}

/// The shards that ended; what a kill cut off is passed over.
pub(super) fn read(logs: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(logs.join(FILE)).unwrap_or_default();
    text.lines().filter_map(record::parse_line).collect()
}
