//! What flows tell whoever watches. Flows never print.

use std::path::PathBuf;
use std::time::Duration;

use super::{Name, Shard};

/// Something worth telling while work goes on.
#[derive(Clone, Debug)]
pub enum Event {
    /// A plain sentence of narration.
    Note(String),
    /// Something is off, but work goes on.
    Warning(String),
    /// Another process holds what is needed; who, as it named itself.
    Waiting(String),
    /// Commits mined so far, of how many.
    Mining {
        /// Done.
        done: usize,
        /// Of how many.
        total: usize,
    },
    /// Past commits asked about so far, of how many.
    Asking {
        /// Done.
        done: usize,
        /// Of how many.
        total: usize,
    },
    /// An agent runs; sent again and again.
    Running {
        /// The command, for people.
        command: String,
        /// Where.
        worktree: PathBuf,
        /// For how long.
        elapsed: Duration,
        /// Files changed so far, where known.
        changed: Option<usize>,
        /// What it does at the moment, where it tells.
        doing: Option<String>,
    },
    /// Tasks run at once; sent again and again: each with how long it has run,
    /// and how many files it changed so far, where known.
    RunningTasks(Vec<(Name, Duration, Option<usize>)>),
    /// A check runs on a candidate tree.
    Checking {
        /// Of which task or fan-out.
        name: Name,
        /// The check's command.
        check: String,
    },
    /// A check was run again, on some of the shards of a result.
    Probed {
        /// On how many.
        shards: usize,
        /// Of how many.
        of: usize,
        /// Whether it passed.
        passed: bool,
        /// The how many-th such run it was.
        run: usize,
        /// Of how many at most.
        most: usize,
    },
    /// How far shards are, before the first of them ends.
    Shards {
        /// So many have ended.
        done: usize,
        /// Of how many.
        total: usize,
        /// How long the longest of their labels is.
        width: usize,
    },
    /// How busy shards make this machine.
    Load {
        /// So many run at once.
        at_once: usize,
        /// How many processes want a processor, of late.
        load: f64,
    },
    /// How shards on other machines stand.
    Away {
        /// Not begun.
        waiting: usize,
        /// At work.
        running: usize,
    },
    /// A shard ended.
    Shard {
        /// The shard.
        shard: Box<Shard>,
        /// What its files have in common, for people.
        label: String,
        /// Ended shards so far, this one included.
        done: usize,
        /// Of how many.
        total: usize,
        /// The last words of a failed command.
        last_line: String,
    },
}

/// Where a flow sends its events.
pub type Events<'a> = &'a (dyn Fn(Event) + Sync);
