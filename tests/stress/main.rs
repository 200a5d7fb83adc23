//! Proves that nothing is ever lost: kills, failing calls, races, for hours.
//!
//! `cargo test --locked --test stress -- sweep --runs 500`; git-orch is a black
//! box here. Everything happens in folders made for it, below `--state`.

#![expect(clippy::unwrap_used, reason = "a harness that can't go on may panic")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it reports to people")]
#![expect(clippy::disallowed_methods, reason = "it runs and times programs")]

mod ci;
mod culprits;
mod faults;
mod inject;
mod inventory;
mod landings;
mod ledger;
mod mix;
mod place;
mod points;
mod processes;
mod promises;
mod real;
mod scenario;
mod soak;
mod sweep;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Prove that nothing is ever lost
#[derive(Debug, Parser)]
#[command(name = "stress")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Sweep(sweep::SweepArgs),
    Inject(inject::InjectArgs),
    Points(points::PointsArgs),
    Mix(mix::MixArgs),
    Landings(landings::LandingsArgs),
    Culprits(culprits::CulpritsArgs),
    Soak(soak::SoakArgs),
    Ci(ci::CiArgs),
}

fn main() -> ExitCode {
    match dispatch(&Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Does it; whether nothing is broken.
fn dispatch(command: &Command) -> Result<bool, String> {
    match command {
        Command::Sweep(args) => sweep::run(args),
        Command::Inject(args) => inject::run(args),
        Command::Points(args) => points::run(args),
        Command::Mix(args) => mix::run(args),
        Command::Landings(args) => landings::run(args),
        Command::Culprits(args) => culprits::run(args),
        Command::Soak(args) => soak::run(args),
        Command::Ci(args) => ci::run(args),
    }
}

/// The library that is preloaded; nothing, said loudly, where it can't be
/// built, but for CI, where that is an error.
fn library(state: &Path) -> Result<Option<PathBuf>, String> {
    match faults::Faults::build(state) {
        Ok(library) => Ok(Some(library)),
        Err(why) if std::env::var_os("CI").is_some() => Err(why),
        Err(why) => {
            eprintln!("SKIPPED: {why}");
            Ok(None)
        }
    }
}
