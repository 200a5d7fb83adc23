//! Shards carried out on other machines, with a git remote between us and them.
//!
//! What shards are to do is one commit on the remote, `RUN/order`; each answers
//! with one commit, `RUN/shard/N`. An engine only says where and when a script
//! runs that fetches the one and pushes the other (`node.sh`): machines need
//! git, a shell and the remote, and share no files with us or one another.
//!
//! ```text
//! order.rs    shards -> one commit
//! exec.rs, slurm.rs, ssh.rs, posted.rs    the engines
//! watch.rs    post, submit, poll; what is lost is submitted again
//! collect.rs  a result commit -> the same judgement as of a shard that ran here
//! begun.rs    called off and taken off the remote, also after `kill -9`
//! gather.rs   results that nobody waited for any more are known to the next
//! ```
//!
//! **Invariant:** results on the remote tell what happened, an engine only that
//! nothing more will come; the first result of a shard is the one.

pub mod begun;
mod collect;
mod exec;
mod gather;
pub mod on;
mod order;
mod posted;
mod slurm;
mod ssh;
mod watch;

use std::collections::BTreeMap;

use crate::error::Result;
use crate::git::remote::Remote;

pub use on::{Host, On};
pub(in crate::fanout) use watch::run_all;

/// Where shards run that do not run here.
#[derive(Clone, Debug)]
pub struct Away {
    /// As the user says it.
    pub on: On,
    /// What is needed to run them there.
    pub setup: Setup,
    /// The remote between us.
    pub remote: Remote,
    /// How many run at once, where the user says so.
    pub limit: Option<usize>,
}

/// Whether to go on once a shard has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Further {
    /// With the others.
    GoOn,
    /// With those that have begun; the others are called off.
    Finish,
    /// All are called off.
    Stop,
}

/// What an engine is made from.
#[derive(Clone, Debug)]
pub enum Setup {
    /// Commands of the user's.
    Exec(Triple),
    /// What others have been handed already: the run's name.
    Run(String),
    /// Further arguments of `sbatch`.
    Slurm(Vec<String>),
    /// The program that is ssh, and the machines.
    Ssh(String, Vec<Host>),
}

/// Commands for `sh -c` that drive any scheduler.
#[derive(Clone, Debug)]
pub struct Triple {
    /// Prints what it calls the work it was handed.
    pub submit: String,
    /// Prints how each shard of that stands.
    pub poll: String,
    /// Ends all of it.
    pub cancel: String,
}

/// How an engine says a shard stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Doing {
    /// Not begun.
    Waiting,
    /// At work.
    Running,
    /// Nothing more comes of it; why, where that is known.
    Gone(Option<String>),
}

/// What says where and when the script runs.
trait Engine {
    /// Hands shards over; what it calls them together, for people.
    fn submit(&mut self, shards: &[usize]) -> Result<String>;

    /// How these shards stand, each as it was submitted last; it may know
    /// nothing of some.
    fn poll(&mut self, shards: &[usize]) -> Result<BTreeMap<usize, Doing>>;

    /// Calls off what has not begun, and begins no more; whether it can tell
    /// that from what runs.
    fn hold_back(&mut self) -> Result<bool> {
        Ok(false)
    }

    /// Ends whatever still runs.
    fn cancel(&mut self) -> Result<()>;

    /// What ends it once this process is dead: a program and its arguments,
    /// behind which comes what was noted of each submission. None is needed
    /// where that ends with this process.
    fn canceller(&self) -> Vec<String> {
        Vec::new()
    }
}
