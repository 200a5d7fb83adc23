//! Processes that do everything at once on one repository, beside loops of
//! git's own clearing up.
//!
//! What was said to be done is written down by each actor; in the end all of
//! it must be there, and nothing else.

mod actor;
mod arena;
mod outcome;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::ledger::{Entry, Ledger};
use crate::place::Place;
use actor::Actor;
use arena::Arena;

/// Let processes do everything at once on one repository
#[derive(Debug, clap::Args)]
pub(crate) struct MixArgs {
    /// How many rounds with each number of processes
    #[arg(long, value_name = "N", default_value_t = 1)]
    rounds: u64,
    /// How many processes at once
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [2, 8, 32])]
    processes: Vec<usize>,
    /// How many commands each of them runs
    #[arg(long, value_name = "N", default_value_t = 8)]
    commands: usize,
    /// Whether the repository lock counts; without it only losses do
    #[arg(long, value_enum, default_value_t = Lock::On)]
    lock: Lock,
    /// Begin no round after so many minutes
    #[arg(long, value_name = "M")]
    minutes: Option<f64>,
    /// What chance begins with, which is the first round's number too
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where repositories are made and results are kept
    #[arg(long, value_name = "DIR", default_value_os_t = crate::sweep::default_state())]
    state: PathBuf,
    /// Only say what was found so far
    #[arg(long)]
    report: bool,
}

/// Whether the repository lock counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lock {
    On,
    Off,
}

/// Plays all rounds; whether nothing is broken.
pub(crate) fn run(args: &MixArgs) -> Result<bool, String> {
    let ledger = Ledger::open(&args.state, "mix");
    if args.report {
        println!("{}", ledger.report());
        return Ok(ledger.broken() == 0);
    }
    if args.lock == Lock::Off && !cfg!(feature = "faults") {
        return Err("this git-orch always locks: run with `--features faults`".to_owned());
    }
    let deadline = args.minutes.map(|minutes| Instant::now() + Duration::from_secs_f64(minutes * 60.0));
    let place = Place::new(args.state.join("mix"));
    for round in args.seed..args.seed + args.rounds {
        for &processes in &args.processes {
            if deadline.is_none_or(|deadline| Instant::now() < deadline) {
                play(args, &place, (round, processes), &ledger);
            }
        }
    }
    println!("{}", ledger.report());
    Ok(ledger.broken() == 0)
}

fn play(args: &MixArgs, place: &Place, (round, processes): (u64, usize), ledger: &Ledger) {
    let arena = Arena::prepare(place, (round, processes), args.lock);
    let actors: Vec<Actor<'_>> = arena.while_git_clears_up(|| {
        std::thread::scope(|scope| {
            let start = |number| {
                let arena = &arena;
                scope.spawn(move || Actor::new(arena, number).act(args.commands))
            };
            let threads: Vec<_> = (0..processes).map(start).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    });
    let broken = outcome::judge(&arena, &actors);
    let lock = if args.lock == Lock::On { "" } else { "-unlocked" };
    let mode = format!("{}{lock}", arena.base_is().name());
    println!("round {round} of {processes}, {mode}: {}", arena.figures());
    let entry = Entry {
        scenario: format!("mix-{processes}"),
        mode,
        at: round.to_string(),
        broken,
        ..Entry::default()
    };
    if !entry.broken.is_empty() {
        std::fs::write(place.top().join("commands"), arena.protocol()).unwrap();
    }
    let lock = if args.lock == Lock::On { "" } else { " --lock off" };
    let again = format!("mix --processes {processes} --commands {} --seed {round}{lock}", args.commands);
    ledger.record(entry, place, &again);
}
