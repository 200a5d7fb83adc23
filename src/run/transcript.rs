//! Conversations kept: a copy of what an agent wrote down, without secrets,
//! compressed, on this machine only. It belongs to the session and outlives its
//! worktree, and whatever the agent clears up of its own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tempfile::NamedTempFile;

use super::Scene;
use super::conversation::{is_plain, with_id};
use super::redact::redact;
use crate::agent::{Input, Invocation, command, process};
use crate::error::{IoContext, Result};
use crate::git::Repo;
use crate::model::{Event, Name};

/// Of a longer one the end is kept, in bytes.
const LONGEST: u64 = 32 << 20;
/// So much of an id is in the names of files that have not all of it.
const SHORT: usize = 8;
/// How files begin, in git-orch's own folder, that are none yet.
pub const SCRATCH: &str = "transcript-";
/// How long a command may take to print a conversation.
const PATIENCE: Duration = Duration::from_secs(30);
/// After what time it is told that it is waited for.
const SOON: Duration = Duration::from_secs(2);
/// How the files end.
const ENDING: &str = ".jsonl.gz";

/// Where an agent's own record of a conversation is found.
#[derive(Debug)]
pub struct Source<'a> {
    /// The files it may be.
    pub patterns: &'a [String],
    /// The command that prints it, where it is in no file.
    pub export: Option<&'a [OsString]>,
}

/// Copies what an agent wrote down of a conversation, in place of an earlier
/// copy; whether there was something.
///
/// # Errors
/// Unusable where it can't be read or written.
pub fn keep(scene: Scene<'_>, session: &Name, id: &str, source: &Source<'_>) -> Result<bool> {
    let Some(path) = path(scene.repo, session, id) else { return Ok(false) };
    let Some(bytes) = written_down(scene, id, source)? else { return Ok(false) };
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).doing("could not make", folder)?;
    let fresh = scratch(scene.repo)?;
    let mut packed = GzEncoder::new(fresh, Compression::default());
    packed.write_all(redact(&String::from_utf8_lossy(&bytes)).as_bytes()).doing("could not write", &path)?;
    let fresh = packed.finish().doing("could not write", &path)?;
    fresh.persist(&path).map_err(|error| error.error).doing("could not write", &path)?;
    Ok(true)
}

fn scratch(repo: &Repo) -> Result<NamedTempFile> {
    let ours = repo.orch_dir()?;
    tempfile::Builder::new().prefix(SCRATCH).tempfile_in(&ours).doing("could not write in", &ours)
}

/// The end of what an agent has of a conversation.
fn written_down(scene: Scene<'_>, id: &str, source: &Source<'_>) -> Result<Option<Vec<u8>>> {
    let found = source.patterns.iter().flat_map(|pattern| find(pattern, id, scene.environment));
    let newest = found.max_by_key(|file| file.metadata().and_then(|meta| meta.modified()).ok());
    match (newest, source.export) {
        (Some(file), _) => end(&file).map(Some),
        (None, Some(export)) => exported(scene, &with_id(export, id)),
        (None, None) => Ok(None),
    }
}

/// What a command prints of it, in a folder of its own: what it leaves there is nobody's.
fn exported(scene: Scene<'_>, argv: &[OsString]) -> Result<Option<Vec<u8>>> {
    let ours = scene.repo.orch_dir()?;
    let folder = tempfile::Builder::new().prefix(SCRATCH).tempdir_in(&ours);
    let (folder, log) = (folder.doing("could not write in", &ours)?, scratch(scene.repo)?);
    let invocation = Invocation {
        argv: command::shell("exec \"$@\" 2>/dev/null", argv.iter().cloned()),
        folder: folder.path().to_owned(),
        environment: command::environment(scene.environment, &[]),
        input: Input::Nothing,
        log: log.path().to_owned(),
        is_log_continued: false,
        timeout: Some(PATIENCE),
    };
    let mut is_told = false;
    let ended = process::run(&invocation, scene.interrupt, |elapsed| {
        if !std::mem::replace(&mut is_told, elapsed > SOON) && elapsed > SOON {
            (scene.events)(Event::Waiting("what the agent has of the conversation".to_owned()));
        }
    })?;
    let bytes = end(log.path())?;
    Ok(Some(bytes).filter(|bytes| ended.is_success() && !bytes.is_empty()))
}

fn end(path: &Path) -> Result<Vec<u8>> {
    let mut file = File::open(path).doing("could not read", path)?;
    let length = file.metadata().doing("could not read", path)?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST))).doing("could not read", path)?;
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).doing("could not read", path)?;
    Ok(bytes)
}

/// A kept conversation.
///
/// # Errors
/// Unusable where it can't be read; `None` where it was not kept.
pub fn read(repo: &Repo, session: &Name, id: &str) -> Result<Option<String>> {
    match path(repo, session, id) {
        Some(path) if path.is_file() => open(&path).map(Some),
        _ => Ok(None),
    }
}

/// All kept conversations: whose, under which id, and the file.
pub fn all(repo: &Repo) -> Vec<(Name, String, PathBuf)> {
    let mut found = Vec::new();
    for session in entries(&folder(repo)) {
        let Some(name) = file_name(&session).and_then(|name| name.parse::<Name>().ok()) else { continue };
        for file in entries(&session) {
            if let Some(id) = file_name(&file).and_then(|name| name.strip_suffix(ENDING).map(str::to_owned)) {
                found.push((name.clone(), id, file));
            }
        }
    }
    found.sort();
    found
}

/// What is in such a file.
///
/// # Errors
/// Unusable where it can't be read.
pub fn open(path: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    let file = File::open(path).doing("could not read", path)?;
    // What is packed may unfold to more than was kept.
    GzDecoder::new(file).take(2 * LONGEST).read_to_end(&mut bytes).doing("could not read", path)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn folder(repo: &Repo) -> PathBuf {
    repo.orch_path().join("transcripts")
}

/// Where it is kept; `None` for an id that is no plain word.
fn path(repo: &Repo, session: &Name, id: &str) -> Option<PathBuf> {
    is_plain(id).then(|| folder(repo).join(session.as_str()).join(format!("{id}{ENDING}")))
}

/// The files that a pattern is for: `~` and `$NAME` at its start, `*` in any part, `{id}`,
/// `{id:8}`.
fn find(pattern: &str, id: &str, environment: &BTreeMap<OsString, OsString>) -> Vec<PathBuf> {
    let mut parts = pattern.split('/');
    let start = match parts.next().unwrap_or_default() {
        "~" => environment.get(OsStr::new("HOME")),
        "" => Some(const { &OsString::new() }),
        name => name.strip_prefix('$').and_then(|name| environment.get(OsStr::new(name))),
    };
    let Some(start) = start else { return Vec::new() };
    let start = if start.is_empty() { PathBuf::from("/") } else { PathBuf::from(start) };
    let mut at = vec![start];
    for part in parts {
        let short = &id[..id.len().min(SHORT)];
        let part = part.replace("{id}", id).replace("{id:8}", short);
        at = match part.contains('*') {
            false => at.iter().map(|path| path.join(&part)).collect(),
            true => at.iter().flat_map(|path| entries(path)).filter(|path| is_like(path, &part)).collect(),
        };
    }
    at.retain(|path| path.is_file());
    at
}

fn is_like(path: &Path, pattern: &str) -> bool {
    let Some(name) = file_name(path) else { return false };
    let (first, rest) = pattern.split_once('*').unwrap_or((pattern, ""));
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let parts: Vec<&str> = rest.split('*').collect();
    let (last, between) = parts.split_last().unwrap_or((&"", &[]));
    for part in between {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

fn file_name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_str()?.to_owned())
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_part_of_a_name() {
        for (name, pattern, is_one) in [
            ("rollout-2026-x.jsonl", "rollout-*-x.jsonl", true),
            ("rollout-x.jsonl", "rollout-*-x.jsonl", false),
            ("a", "*", true),
            ("abc", "a*c", true),
            ("abcd", "a*c", false),
            ("abcabc", "a*b*c", true),
        ] {
            assert_eq!(is_like(Path::new(name), pattern), is_one, "{name} {pattern}");
        }
    }

    #[test]
    fn a_transcript_is_found_by_its_pattern() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/one/two");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(deep.join("x-7.jsonl"), "").unwrap();
        let environment = BTreeMap::from([(OsString::from("HOME"), folder.path().as_os_str().to_owned())]);
        let at = |pattern: &str| find(pattern, "7", &environment);
        assert_eq!(at("~/a/*/*/*-{id}.jsonl"), [deep.join("x-7.jsonl")]);
        assert_eq!(at("$HOME/a/one/two/x-{id}.jsonl"), [deep.join("x-7.jsonl")]);
        std::fs::write(deep.join("y-12345678.jsonl"), "").unwrap();
        assert_eq!(
            find("~/a/*/two/y-{id:8}.jsonl", "123456789", &environment),
            [deep.join("y-12345678.jsonl")]
        );
        assert!(at("$NONE/a").is_empty() && at("a/b").is_empty() && at("~/a/*").is_empty());
        assert_eq!(at(&format!("{}/x-7.jsonl", deep.display())), [deep.join("x-7.jsonl")]);
    }
}
