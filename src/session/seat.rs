//! Who looks at a result right now, and from which viewpoint.
//!
//! A seat is a locked file, as a task's lock is; behind its holder stands what
//! the next command needs to know should the holder die.
//!
//! **Invariant:** a verdict counts only when the process that holds the seat
//! reads it from its own file; what a variable says is only where that lies.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::lock::{self, Held, ending_in, folder, holder_of};
use crate::error::{IoContext, Result};
use crate::git::Repo;
use crate::git::programs::Programs;
use crate::model::{Name, Oid, Viewpoint};
use crate::store::record;

/// What the files of seats begin with.
const PREFIX: &str = "review-";

/// Who looks at what.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seat {
    /// Version of this format; 1.
    pub version: u32,
    /// The task or fan-out.
    pub result: Name,
    /// From which viewpoint.
    pub viewpoint: Viewpoint,
    /// Who.
    pub session: Name,
    /// The tip that is looked at.
    pub tip: Oid,
    /// The file that the verdict is read from.
    pub verdict: PathBuf,
    /// The file with what is printed.
    pub log: PathBuf,
    /// What git executed before.
    pub programs: Programs,
}

/// Held while a session looks at a result from a viewpoint.
#[derive(Debug)]
pub struct SeatLock {
    held: Held,
    path: PathBuf,
}

impl SeatLock {
    /// Takes the seat; `Err` names the process that has it.
    pub fn try_take(
        repo: &Repo,
        result: &Name,
        viewpoint: Viewpoint,
        session: &Name,
    ) -> Result<std::result::Result<Self, String>> {
        let path = folder(repo)?.join(file_name(result, viewpoint, session, "lock"));
        Ok(lock::try_lock(&path, &format!("review {result}"))?.map(|held| Self { held, path }))
    }

    /// Writes down what the next command needs to know.
    pub fn tell(&mut self, seat: &Seat) -> Result<()> {
        let line = record::line(seat)? + "\n";
        self.held.file.write_all(line.as_bytes()).doing("could not write", &self.path)
    }
}

/// A seat that is taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Who looks at what.
    pub seat: Seat,
    /// The process.
    pub process: u32,
    /// Where it looks for a request to stop.
    pub request: PathBuf,
}

/// The seats that living processes hold.
pub fn taken(repo: &Repo) -> Vec<Taken> {
    let files = files(repo).filter_map(|path| {
        let (process, seat) = (holder_of(&path)?, read(&path)?);
        Some(Taken { seat, process, request: path.with_extension("cancel") })
    });
    files.collect()
}

/// The seats whose process died.
pub fn left(repo: &Repo) -> Vec<Seat> {
    files(repo).filter(|path| holder_of(path).is_none()).filter_map(|path| read(&path)).collect()
}

/// Where the process that holds a seat looks for a request to stop.
pub fn request_file(repo: &Repo, result: &Name, viewpoint: Viewpoint, session: &Name) -> Result<PathBuf> {
    Ok(folder(repo)?.join(file_name(result, viewpoint, session, "cancel")))
}

fn file_name(result: &Name, viewpoint: Viewpoint, session: &Name, ending: &str) -> String {
    format!("{PREFIX}{result}.{}.{session}.{ending}", viewpoint.word())
}

fn files(repo: &Repo) -> impl Iterator<Item = PathBuf> {
    let is_seat = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX))
    };
    ending_in(&repo.orch_path().join("run"), "lock").filter(is_seat)
}

/// What stands behind the holder; nothing while that is being written.
fn read(path: &Path) -> Option<Seat> {
    let line = BufReader::new(std::fs::File::open(path).ok()?).lines().nth(1)?.ok()?;
    record::parse_line(&line).filter(|seat: &Seat| seat.version == record::VERSION)
}
