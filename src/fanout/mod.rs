//! Parallel-safe work: a job's files are split into shards, each shard's
//! command runs in its own throwaway worktree, and what the shards changed
//! comes back as one tree.
//!
//! ```text
//! what    job.rs, formatter/    config, command line or detection -> commands and files   pure
//! split   shard.rs, plan.rs     files -> shards                                           pure
//! ground  ground.rs             folders of shards -> where each may make new files        pure
//! proof   verify.rs             (own files, changes) -> done, unchanged or escaped        pure
//! tree    assemble.rs           all accepted changes -> one set of disjoint edits         pure
//!
//! around  tracked.rs          a shard -> what its worktree holds                        pure
//! room    room.rs               do the worktrees fit on their disk
//! claim   claim.rs              a name and a record, one process gets each
//! shards  pool.rs, carry.rs     a throwaway for each worker, a command for each shard
//! known   cache.rs              what shards came to before is used again
//! told    brief.rs, hand.rs     what an agent is to do, and what lies ready for it
//! header  header.rs             a file -> the file with its license header                pure
//! apart   home.rs               a home of its own for each shard
//! again   rounds.rs, checker.rs until a checker has no problems left
//! stop    halt.rs, joblog.rs    too much failed; what was done until a kill or Ctrl-C,
//!         closing.rs            which goes onto the record
//! result  result.rs             what all shards changed as one tree, and its commits
//! check   check.rs, evict.rs    the shards that make it fail, by bisect.rs, are set aside
//! aside   quarantine.rs         branches of what is left out of a result
//! whole   flow.rs               shards, result, check, `review/<name>`
//! away    remote/               the same shards on other machines, by an engine and a git remote
//! end     cancel.rs             the result is not wanted
//! ```
//!
//! **Invariant:** a shard changes its own files, makes new ones on its own
//! ground, and does nothing else, or none of its changes are kept.

pub mod assemble;
pub mod bisect;
pub mod brief;
mod cache;
pub mod cancel;
mod carry;
pub mod check;
mod checker;
pub mod claim;
mod closing;
mod evict;
pub mod files;
pub mod flow;
pub mod formatter;
pub mod ground;
pub mod halt;
pub mod hand;
pub mod header;
pub mod home;
pub mod job;
mod joblog;
pub mod plan;
mod pool;
pub mod problems;
mod quarantine;
pub mod remote;
pub mod result;
pub mod room;
pub mod rounds;
pub mod shard;
pub mod tracked;
pub mod verify;
