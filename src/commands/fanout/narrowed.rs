//! Which of a job's files the command line takes.

use std::collections::BTreeSet;

use super::super::opened::{Opened, patterns};
use super::{Desk, FanoutArgs};
use crate::error::{Error, IoContext, Kind, Result};
use crate::model::wording::{list, tick};
use crate::model::{Fanout, Name, PathSet, RepoPath};
use crate::store;

/// Which files are taken.
pub(super) enum Narrowed {
    All,
    Matching(PathSet),
    Listed(BTreeSet<RepoPath>),
}

impl Narrowed {
    pub(super) fn contains(&self, file: &RepoPath) -> bool {
        match self {
            Self::All => true,
            Self::Matching(set) => set.contains(file),
            Self::Listed(files) => files.contains(file),
        }
    }
}

/// Reads that from the options.
///
/// # Errors
/// Wrong usage where a list, a pattern or an earlier fan-out is none.
pub(super) fn narrowed(desk: &Desk<'_>, args: &FanoutArgs, job: &Name) -> Result<Narrowed> {
    if args.retry_failed {
        return Ok(Narrowed::Listed(failed(desk, job)?));
    }
    if let Some(file) = &args.files_from {
        return Ok(Narrowed::Listed(listed(desk, file)?));
    }
    if args.paths.is_empty() {
        return Ok(Narrowed::All);
    }
    let typed = patterns(desk.app, &desk.opened.repo, &args.paths)?;
    PathSet::parse(&typed).map(Narrowed::Matching).map_err(Error::usage)
}

/// The files of shards that came to nothing in a job's last fan-out.
fn failed(desk: &Desk<'_>, job: &Name) -> Result<BTreeSet<RepoPath>> {
    let last = last(desk.opened, job)?;
    let bad = last.shards.into_iter().filter(|shard| !shard.state.is_well());
    let files: BTreeSet<RepoPath> = bad.flat_map(|shard| shard.paths).collect();
    if files.is_empty() {
        let why = format!("no shard of `{}` failed", last.name);
        return Err(Error::new(Kind::Failed, why).hint(format!("`git orch show {}` tells of it", last.name)));
    }
    Ok(files)
}

/// A job's last fan-out that came to an end.
pub(super) fn last(opened: &Opened, job: &Name) -> Result<Fanout> {
    let all = store::fanouts::load(&opened.repo)?.into_iter().map(|stored| stored.value);
    let (ended, running): (Vec<Fanout>, Vec<Fanout>) =
        all.filter(|fanout| fanout.job == *job).partition(|fanout| fanout.ended.is_some());
    let last = ended.into_iter().max_by(|one, two| (one.started, &one.name).cmp(&(two.started, &two.name)));
    last.ok_or_else(|| match running.first() {
        Some(Fanout { name, .. }) => Error::refused(format!("the fan-out `{name}` is running")),
        None => Error::usage(format!("`{job}` was not fanned out yet")),
    })
}

/// The files that a list names, each of them tracked.
fn listed(desk: &Desk<'_>, file: &std::path::Path) -> Result<BTreeSet<RepoPath>> {
    use std::os::unix::ffi::OsStrExt as _;
    let bytes = if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes).doing("could not read", file)?;
        bytes
    } else {
        let path = desk.app.folder.join(file);
        let read = std::fs::read(&path).doing("could not read", &path);
        read.map_err(|error| Error { kind: Kind::Usage, ..error })?
    };
    let end = if bytes.contains(&0) { 0 } else { b'\n' };
    let prefix = desk.app.prefix(&desk.opened.repo);
    let mut found = BTreeSet::new();
    let mut strange = Vec::new();
    for name in bytes.split(|byte| *byte == end).filter(|name| !name.is_empty()) {
        let typed = std::ffi::OsStr::from_bytes(name);
        match RepoPath::resolve(&prefix, typed.as_ref()) {
            Ok(path) if desk.files.regular.binary_search(&path).is_ok() => drop(found.insert(path)),
            _ => strange.push(tick(RepoPath::from_bytes(name))),
        }
    }
    if strange.is_empty() {
        return Ok(found);
    }
    let more = if strange.len() > 3 { format!(" and {} more", strange.len() - 3) } else { String::new() };
    Err(Error::usage(format!("no tracked file {}{more}", list(strange.iter().take(3))))
        .hint("names are read from the folder that the command runs in"))
}
