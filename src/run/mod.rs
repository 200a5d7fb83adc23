//! One task carried out: claimed, prepared, run, judged, recorded.
//!
//! ```text
//! claim    a name and a record, state queued
//! prepare  the session's worktree at the right start, the brief, state running
//! execute  the command to its end
//! judge    what git says it left
//! finish   well: commit, notes, review branch, state review
//!          badly: edits onto the record, worktree back, state failed
//! ```
//!
//! **Invariant:** done is judged from git, not from an exit code; commit
//! before note, note before review, so that a crash between is repaired from
//! the commits.

pub mod after;
pub mod altered;
pub mod brief;
pub mod claim;
pub mod conversation;
pub mod elsewhere;
pub mod end;
pub mod excerpt;
pub mod execute;
pub mod finish;
pub mod flow;
pub mod handoff;
pub mod judge;
pub mod leftovers;
pub mod narrative;
pub mod nearby;
pub mod note;
pub mod overlay;
pub mod people;
pub mod planning;
pub mod prepare;
pub mod redact;
pub mod report;
pub mod routing;
pub mod set_aside;
pub mod strays;
pub mod throwaway;
pub mod told;
pub mod touches;
pub mod transcript;
pub mod turns;
pub mod worker;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use crate::agent::Interrupt;
use crate::git::Repo;
use crate::git::commit::Habits;
use crate::model::{Events, Time};

/// What every step of a run needs.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The repository.
    pub repo: &'a Repo,
    /// The caller's environment.
    pub environment: &'a BTreeMap<OsString, OsString>,
    /// Where narration goes.
    pub events: Events<'a>,
    /// Whether somebody asked to stop.
    pub interrupt: &'a Interrupt,
    /// Whether the user's hooks and signing run in our commits.
    pub habits: Habits,
    /// Where throwaway worktrees go.
    pub throwaways: &'a Path,
    /// When the command started.
    pub now: Time,
}
