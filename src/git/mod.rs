//! All of git: the only room that changes a ref, a note or a worktree.
//!
//! Reads go through git2 where the repository is one it can read, else through
//! the child (see [`read`]); whatever touches a working tree, merges or writes
//! a ref goes through the hardened child of [`process`].
//!
//! **Invariant:** git2 types appear in no signature outside this room.

mod alternates;
mod child;
mod discovery;
mod fault;
mod library;
mod partial;
mod version;
mod written;

pub mod aside;
pub mod checkout;
pub mod commit;
pub mod definitions;
pub mod executing;
pub mod fence;
pub mod hunks;
pub mod identity;
pub mod landed;
pub mod lock;
pub mod mailmap;
pub mod merge;
pub mod mine;
pub mod moved;
pub mod notes;
pub mod operation;
pub mod pager;
pub mod pairs;
pub mod patch;
pub mod pending;
pub mod porcelain;
pub mod process;
pub mod programs;
pub mod push;
pub mod read;
pub mod refs;
pub mod remote;
pub mod replay;
mod repo;
pub mod room;
pub mod since;
pub mod size;
pub mod snapshot;
pub mod splice;
pub mod topics;
pub mod trailer;
pub mod untangle;
pub mod worktree;

pub use aside::Aside;
pub use fence::Fence;
pub use lock::RepoLock;
pub use mailmap::Mailmap;
pub use process::{Git, Place};
pub use read::{Commit, Edit, Entry, EntryKind, Head, Read, Write};
pub use refs::{Expect, RefChange};
pub use repo::{Backend, Repo};
pub use worktree::Worktree;
