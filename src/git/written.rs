//! What this process wrote and no ref holds yet, remembered.
//!
//! Git learns of an object by a ref only: a `git gc --prune=now` that began
//! before the ref was written takes the object, and the ref points at nothing.
//! So, once a ref is written, what it is made of is looked for, and written
//! again where it is gone.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::porcelain;
use super::read::{Entry, Write};
use super::repo::Repo;
use crate::error::Result;
use crate::model::time::Stopwatch;
use crate::model::{Oid, Time};

/// How long to wait for a clearing up that may not have seen the ref.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often an object is written that can't be.
const ATTEMPTS: usize = 5;

/// An object, as it can be written again.
#[derive(Debug)]
enum Object {
    Blob(Vec<u8>),
    Tree(Vec<Entry>),
    Commit(Vec<u8>),
    Record { tree: Oid, parents: Vec<Oid>, message: String, time: Time },
}

/// Objects that no ref held when they were written.
#[derive(Debug, Default)]
pub(super) struct Written(Mutex<HashMap<Oid, Object>>);

impl Written {
    fn objects(&self) -> MutexGuard<'_, HashMap<Oid, Object>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, oid: Oid, object: Object) -> Oid {
        self.objects().insert(oid, object);
        oid
    }

    /// Takes what these tips are made of, what is below first.
    fn take(&self, tips: impl Iterator<Item = Oid>) -> Vec<(Oid, Object)> {
        let mut objects = self.objects();
        let mut open: Vec<Oid> = tips.collect();
        let mut taken = Vec::new();
        while let Some(oid) = open.pop() {
            let Some(object) = objects.remove(&oid) else { continue };
            match &object {
                Object::Blob(_) => {}
                Object::Tree(entries) => open.extend(entries.iter().map(|entry| entry.oid)),
                Object::Commit(raw) => open.extend(made_of(oid, raw)),
                Object::Record { tree, parents, .. } => open.extend(parents.iter().chain([tree])),
            }
            taken.push((oid, object));
        }
        taken.reverse();
        taken
    }
}

/// The tree and the parents of a commit.
fn made_of(oid: Oid, raw: &[u8]) -> Vec<Oid> {
    let commit = porcelain::commit(oid, raw);
    commit.map_or(Vec::new(), |commit| [&commit.parents[..], &[commit.tree]].concat())
}

impl Object {
    fn write(&self, write: &dyn Write) -> Result<Oid> {
        match self {
            Self::Blob(bytes) => write.write_blob(bytes),
            Self::Tree(entries) => write.write_tree(entries),
            Self::Commit(raw) => write.write_commit(raw),
            Self::Record { tree, parents, message, time } => {
                write.write_record(*tree, parents, message, *time)
            }
        }
    }
}

/// Makes sure that what these tips are made of is there, now that refs hold
/// it; then it can be forgotten.
pub(super) fn secure(repo: &Repo, tips: impl Iterator<Item = Oid>) -> Result<()> {
    let objects = repo.written().take(tips);
    write_missing(repo, &objects)?;
    if wait_for_clearing(repo) {
        write_missing(repo, &objects)?;
    }
    Ok(())
}

/// Waits, not for ever, until no clearing up is at work that may have begun
/// before the last ref was written; whether one was.
pub(super) fn wait_for_clearing(repo: &Repo) -> bool {
    let watch = Stopwatch::start();
    let mut any = false;
    while is_cleared_now(&repo.place().common_dir) && watch.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(10));
        any = true;
    }
    any
}

/// The same while no ref holds it yet; whether anything was gone.
pub(super) fn restore(repo: &Repo, tips: impl Iterator<Item = Oid>) -> Result<bool> {
    let objects = repo.written().take(tips);
    let any = write_missing(repo, &objects)?;
    repo.written().objects().extend(objects);
    Ok(any)
}

fn write_missing(repo: &Repo, objects: &[(Oid, Object)]) -> Result<bool> {
    let mut any = false;
    for (oid, object) in objects {
        if !repo.read().has(*oid)? {
            insist(|| object.write(repo.unremembered()))?;
            any = true;
        }
    }
    Ok(any)
}

/// Whether a `git gc` is at work that spares no young object.
fn is_cleared_now(common_dir: &Path) -> bool {
    let text = std::fs::read_to_string(common_dir.join("gc.pid")).unwrap_or_default();
    let process = text.split(' ').next().unwrap_or_default();
    let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    !process.is_empty() && line.split(|byte| *byte == 0).any(|word| word.starts_with(b"--prune="))
}

/// A clearing up can take away the very folder that is written in.
fn insist(write: impl Fn() -> Result<Oid>) -> Result<Oid> {
    (1..ATTEMPTS).find_map(|_| write().ok()).map_or_else(&write, Ok)
}

impl Write for Repo {
    fn write_blob(&self, bytes: &[u8]) -> Result<Oid> {
        let oid = insist(|| self.unremembered().write_blob(bytes))?;
        Ok(self.written().remember(oid, Object::Blob(bytes.to_owned())))
    }

    fn write_tree(&self, entries: &[Entry]) -> Result<Oid> {
        let oid = insist(|| self.unremembered().write_tree(entries))?;
        Ok(self.written().remember(oid, Object::Tree(entries.to_owned())))
    }

    fn write_commit(&self, raw: &[u8]) -> Result<Oid> {
        let oid = insist(|| self.unremembered().write_commit(raw))?;
        Ok(self.written().remember(oid, Object::Commit(raw.to_owned())))
    }

    fn write_record(&self, tree: Oid, parents: &[Oid], message: &str, time: Time) -> Result<Oid> {
        let oid = insist(|| self.unremembered().write_record(tree, parents, message, time))?;
        let (parents, message) = (parents.to_owned(), message.to_owned());
        Ok(self.written().remember(oid, Object::Record { tree, parents, message, time }))
    }
}
