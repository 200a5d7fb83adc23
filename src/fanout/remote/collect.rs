//! A result commit becomes what a shard that ran here would have left.
//!
//! **Invariant:** a result that can't be read is a failed shard, and stops no other.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::carry::{self, Ended, Left, Site, judge};
use super::super::closing::Posted;
use super::super::joblog;
use super::super::tracked::Tracked;
use super::super::verify::{Verified, verify};
use crate::error::{Error, IoContext, Result};
use crate::git::{EntryKind, Repo};
use crate::model::time::elapsed;
use crate::model::{Oid, Shard, ShardState, Time};

/// What a machine says of a shard.
#[derive(Clone, Debug, Default, PartialEq)]
struct Told {
    /// `None`: it was ended as it took too long.
    exit: Option<i32>,
    started: Option<Time>,
    seconds: f64,
    bytes: u64,
    retries: u32,
    host: String,
    /// Why what the command left could not be read.
    unread: Option<String>,
}

/// How the shard ended whose result this commit is.
///
/// # Errors
/// Unusable where nothing can be written here.
pub(super) fn ended(site: &Site<'_>, n: usize, result: Oid) -> Result<Ended> {
    match read(site, n, result) {
        Ok((told, left)) => {
            let failure = match told.exit {
                Some(0) => None,
                Some(_) => Some(carry::last_line(&carry::log(site.logs, n))),
                None => Some(format!("timed out after {}", elapsed(Duration::from_secs_f64(told.seconds)))),
            };
            judge(site, shard(site, n, &told), failure, left)
        }
        Err(error) => lost(site, n, format!("its result can't be read: {error}")),
    }
}

/// A shard that nothing came of.
pub(super) fn lost(site: &Site<'_>, n: usize, why: String) -> Result<Ended> {
    let left = Err(Error::failed(why.clone()));
    judge(site, shard(site, n, &Told { exit: None, ..Told::default() }), Some(why), left)
}

/// What came of a shard that ended well after nobody waited for it any more;
/// `None` where it did not, or its result can't be read, or it made new files,
/// of which only the plan knows whether it may: that runs again.
pub(super) fn ended_well(repo: &Repo, shard: &Shard, (start, result): (Oid, Oid)) -> Option<Posted> {
    let Parts { told, tree, printed } = parts(repo, result).ok()?;
    let (Some(0), Some(tree)) = (told.exit, tree) else { return None };
    let edits = repo.read().edits(Some(start), tree).ok()?;
    let (state, tree) = match verify(&shard.paths, None, &Tracked::default(), &edits) {
        Verified::Unchanged => (ShardState::Unchanged, None),
        Verified::Done(_) => (ShardState::Done, Some(tree)),
        Verified::Escaped(_) => return None,
    };
    let shard = Shard { state, changed: edits.len(), ..as_told(shard.clone(), &told) };
    Some(Posted { line: joblog::Line { shard, tree }, printed })
}

fn shard(site: &Site<'_>, n: usize, told: &Told) -> Shard {
    let planned = site.planned(n);
    let new = Shard::new(n, planned.files.clone(), planned.owner.clone());
    Shard { state: ShardState::Failed, ..as_told(new, told) }
}

fn as_told(shard: Shard, told: &Told) -> Shard {
    Shard {
        exit_code: told.exit,
        started: told.started,
        seconds: told.seconds,
        bytes: told.bytes,
        retries: told.retries,
        host: Some(told.host.clone()).filter(|host| !host.is_empty()),
        ..shard
    }
}

fn read(site: &Site<'_>, n: usize, result: Oid) -> Result<(Told, Result<Left>)> {
    let Parts { told, tree, printed } = parts(site.scene.repo, result)?;
    let log = carry::log(site.logs, n);
    if let Some(printed) = printed {
        std::fs::write(&log, printed).doing("could not write", &log)?;
    }
    let left = match (tree, &told.unread) {
        (Some(tree), _) => Left::of(site, site.planned(n), tree),
        (None, Some(why)) => Err(Error::failed(why.clone())),
        (None, None) => Err(Error::unusable("it has no tree")),
    };
    Ok((told, left))
}

/// What a result has.
struct Parts {
    told: Told,
    tree: Option<Oid>,
    /// The last that the command printed.
    printed: Option<Vec<u8>>,
}

fn parts(repo: &Repo, result: Oid) -> Result<Parts> {
    let read = repo.read();
    let entries = read.tree(read.commit(result)?.tree)?;
    let entry = |name: &str, kind: EntryKind| {
        let found = entries.iter().find(|entry| entry.name.as_bytes() == name.as_bytes());
        found.filter(|entry| entry.kind == kind).map(|entry| entry.oid)
    };
    let record = entry("record", EntryKind::File).ok_or_else(|| Error::unusable("it has no record"))?;
    let told = parse(&String::from_utf8_lossy(&read.blob(record)?)).map_err(Error::unusable)?;
    let printed = entry("log", EntryKind::File).map(|log| read.blob(log)).transpose()?;
    Ok(Parts { told, tree: entry("tree", EntryKind::Tree), printed })
}

fn parse(text: &str) -> std::result::Result<Told, String> {
    let words: BTreeMap<&str, &str> =
        text.lines().map(|line| line.split_once(' ').unwrap_or((line, ""))).collect();
    let number = |word: &str| words.get(word).copied().unwrap_or("0");
    match words.get("version") {
        Some(&"1") => {}
        Some(version) => return Err(format!("version {version} is not known here")),
        None => return Err("it says no version".to_owned()),
    }
    let bad = |word: &str| format!("`{word}` is no number: {}", number(word));
    let exit = match (words.get("exit"), words.contains_key("timeout")) {
        (_, true) => None,
        (Some(_), false) => Some(number("exit").parse().map_err(|_| bad("exit"))?),
        (None, false) => return Err("it does not say how it ended".to_owned()),
    };
    let seconds: f64 = number("seconds").parse().map_err(|_| bad("seconds"))?;
    Ok(Told {
        exit,
        started: words.get("started").and_then(|text| text.parse().ok()).map(Time),
        bytes: number("bytes").parse().map_err(|_| bad("bytes"))?,
        seconds: if seconds.is_finite() { seconds.clamp(0.0, 1e9) } else { 0.0 },
        retries: number("retries").parse().map_err(|_| bad("retries"))?,
        host: words.get("host").copied().unwrap_or_default().chars().take(64).collect(),
        unread: words.get("unread").map(|why| (*why).to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_or_refused() {
        let whole = "version 1\nexit 3\nretries 2\nhost n1\nseconds 1.250\n";
        let told =
            Told { exit: Some(3), seconds: 1.25, retries: 2, host: "n1".to_owned(), ..Told::default() };
        assert_eq!(parse(whole), Ok(told.clone()));
        assert_eq!(parse(&whole.replace("exit 3", "timeout")), Ok(Told { exit: None, ..told }));
        assert_eq!(parse("version 1\nexit 0\nunread no space\n").unwrap().unread.unwrap(), "no space");
        for (text, why) in [
            ("", "it says no version"),
            ("version 2\n", "version 2 is not known here"),
            ("version 1\n", "it does not say how it ended"),
            ("version 1\nexit x\n", "`exit` is no number: x"),
            ("version 1\nexit 0\nseconds -\n", "`seconds` is no number: -"),
        ] {
            assert_eq!(parse(text), Err(why.to_owned()));
        }
        assert!(parse("version 1\nexit 0\nseconds inf\n").unwrap().seconds.abs() < f64::EPSILON);
    }
}
