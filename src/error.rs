//! One error type for the whole program, and the exit codes it maps to.
//!
//! A message and its hints are made where the facts are known; nothing
//! matches on errors to print them.

use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

use crate::model::wording::bytes;

/// The documented exit codes.
pub mod exit {
    /// Done.
    pub const DONE: u8 = 0;
    /// The work failed, or the answer is no.
    pub const FAILED: u8 = 1;
    /// Wrong usage.
    pub const USAGE: u8 = 2;
    /// Refused, in conflict, or held by another.
    pub const REFUSED: u8 = 3;
    /// The repository or its configuration is unusable.
    pub const UNUSABLE: u8 = 4;
    /// A command that the repository names is not trusted.
    pub const UNTRUSTED: u8 = 5;
    /// The task waits for input.
    pub const INPUT: u8 = 6;
    /// A bug in git-orch.
    pub const BUG: u8 = 70;
    /// Timed out.
    pub const TIMED_OUT: u8 = 124;
    /// Interrupted by Ctrl-C.
    pub const INTERRUPTED: u8 = 130;
    /// Ended by SIGTERM.
    pub const TERMINATED: u8 = 143;
}

/// What sort of thing went wrong; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The work failed, or the answer is no.
    Failed,
    /// An argument makes no sense.
    Usage,
    /// Refused, in conflict, or held by another.
    Refused,
    /// The repository or its configuration is unusable.
    Unusable,
    /// A command named by the repository is not trusted.
    Untrusted,
    /// The task waits for input.
    Input,
    /// A time limit passed.
    TimedOut,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// Something that can't happen did.
    Bug,
}

impl Kind {
    /// The exit code of this kind.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => exit::FAILED,
            Self::Usage => exit::USAGE,
            Self::Refused => exit::REFUSED,
            Self::Unusable => exit::UNUSABLE,
            Self::Untrusted => exit::UNTRUSTED,
            Self::Input => exit::INPUT,
            Self::TimedOut => exit::TIMED_OUT,
            Self::Interrupted => exit::INTERRUPTED,
            Self::Terminated => exit::TERMINATED,
            Self::Bug => exit::BUG,
        }
    }

    /// The name that `--json` prints.
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Unusable => "unusable",
            Self::Untrusted => "untrusted",
            Self::Input => "input",
            Self::TimedOut => "timed-out",
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
            Self::Bug => "bug",
        }
    }
}

/// What went wrong, and what to do about it.
#[derive(Debug)]
pub struct Error {
    /// Decides the exit code.
    pub kind: Kind,
    /// One line, lowercase, no final period.
    pub message: String,
    /// The cause below, printed behind the message.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// Ways out, most useful first.
    pub hints: Vec<String>,
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Makes an error of `kind`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, hints: Vec::new() }
    }

    /// The work failed, or the answer is no (exit 1).
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// An argument makes no sense (exit 2).
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Refused, in conflict, or held by another (exit 3).
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// The repository or its configuration is unusable (exit 4).
    pub fn unusable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unusable, message)
    }

    /// Something that can't happen did (exit 70).
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Kind::Bug, message)
    }

    /// Adds a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Names the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// What to do about a full disk: how much is free where the path lies.
pub fn make_room(path: &Path) -> String {
    let free = free_bytes(path).map(|free| format!(": {} free", bytes(free))).unwrap_or_default();
    format!("make room on the disk of `{}`{free}; then run the command again", there(path).display())
}

/// How much is free on the disk where a path lies, or will; `None` where that
/// can't be told.
pub fn free_bytes(path: &Path) -> Option<u64> {
    // Some file systems know no size, and say that it is 0.
    let disk = rustix::fs::statvfs(there(path)).ok().filter(|disk| disk.f_blocks > 0)?;
    let is_root = rustix::process::geteuid().is_root();
    // Part of a disk may be kept for the administrator.
    let blocks = if is_root { disk.f_bfree } else { disk.f_bavail };
    Some(blocks.saturating_mul(disk.f_frsize))
}

/// The folder above a path that is there already.
fn there(path: &Path) -> &Path {
    path.ancestors().find(|folder| folder.is_dir()).unwrap_or(path)
}

/// Turns an I/O failure into an [`Error`] that names what was done to which path.
pub trait IoContext<T> {
    /// `doing` reads like "could not read"; the path follows in backticks.
    fn doing(self, doing: &str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn doing(self, doing: &str, path: &Path) -> Result<T> {
        self.map_err(|error| {
            let full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
            let told = Error::unusable(format!("{doing} `{}`", path.display())).because(error);
            if full { told.hint(make_room(path)) } else { told }
        })
    }
}
