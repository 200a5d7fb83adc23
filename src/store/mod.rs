//! What orch remembers: versioned records on refs, one commit a change.
//!
//! `git log -p refs/orch/task/<name>` is a task's life.

pub mod fanouts;
pub mod journal;
pub mod record;
pub mod sessions;
pub mod tasks;

pub use record::Stored;
