//! git-orch routes work to the session that already knows the code, runs it
//! there, and brings the result back as a branch to review.
//!
//! One crate: this library and a thin binary. The repository is the database:
//! sessions, tasks and fan-outs are commit chains below `refs/orch/`, what
//! people and checks say of results are notes, results are branches. Whatever
//! lies in `<common dir>/orch/` is local: locks, logs, caches.
//!
//! # The rooms, from the bottom
//!
//! | room | holds |
//! |---|---|
//! | [`model`] | plain data, a file per noun; no I/O, no clock |
//! | [`error`] | the one error type, its kinds, hints and exit codes |
//! | [`git`] | all of git: the hardened child, git2 for reads, refs, notes, worktrees, merging, mining |
//! | [`config`] | `.orch.yml`, git's configuration, trust |
//! | [`agent`] | running a command so that nothing of it outlives us |
//! | [`ui`] | everything that is printed |
//! | [`store`] | what orch remembers: versioned records; the journal of what is being done |
//! | [`history`] | commits → touches → profiles, cached |
//! | [`route`] | targets, signals, score, choice; pure |
//! | [`replay`] | past commits asked about as if they were tasks: what the router is worth |
//! | [`session`] | sessions made, looked at, taken away |
//! | [`run`] | one task carried out; throwaway worktrees |
//! | [`fanout`] | one job over many files: shards, proof of disjointness, one tree |
//! | [`review`] | verdicts, sessions that look at results, the merge queue; requests on forges |
//! | [`recover`] | what a killed process left, set right; what a command did, undone; what nobody needs, deleted |
//! | [`mcp`] | the commands as tools of the Model Context Protocol |
//! | [`app`] | what every command starts from |
//! | [`commands`] | the command line, one file a command |
//!
//! Imports only point down; `tests/orch/layers.rs` holds the table and fails
//! on a breach. Each outside crate has one door, in the same table.
//!
//! # `git orch task "fix login"`, step by step
//!
//! ```text
//! commands/task.rs   arguments → what is asked for
//! run/routing.rs     records, profiles, text index → the router's inputs
//! route/             targets → signals → scores → choice and why          pure
//! run/claim.rs       a name and a record: exactly one process gets it
//! run/prepare.rs     the worktree at the right start, the brief
//! run/execute.rs     the command, supervised, to its end
//! run/judge.rs       what git says it left
//! run/finish.rs      commit, notes, review branch, record, in this order
//! run/set_aside.rs   or: edits onto the record, the session free again
//! ```
//!
//! # Invariants
//!
//! - `route` does no I/O and reads no clock: same inputs, same route.
//! - Only `git` changes a ref, a note or a worktree; every ref write is a
//!   compare-and-swap through git's own transactions, under one lock that the
//!   kernel releases.
//! - Commit before note, note before review: the next command repairs a crash
//!   between them from the commits.
//! - Every change of refs is one transaction, written down first, whose commit
//!   point is the operation log; whatever moves directories is in the journal
//!   before it begins.
//! - A throwaway worktree is owned by a guard, and by a lock that outlives it.
//! - Nothing holding unrecorded work is deleted.
//! - No branch that is checked out anywhere is moved behind its owner's back.
//! - Nothing a repository names is run before `git orch trust`, or reaches a
//!   shell, a raw terminal or a path outside.
//! - Network only through the user's own git, ssh, scheduler and forge clients.
//! - Flows never print: they send [`model::Event`]s, [`ui`] renders them.

pub mod agent;
pub mod app;
pub mod commands;
pub mod config;
pub mod error;
pub mod fanout;
pub mod git;
pub mod history;
pub mod mcp;
pub mod model;
pub mod recover;
pub mod replay;
pub mod review;
pub mod route;
pub mod run;
pub mod session;
pub mod store;
pub mod ui;
