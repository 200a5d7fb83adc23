//! Lets one system call after the other fail.

use clap::ValueEnum;

use crate::faults::{Errno, Mode};
use crate::real;
use crate::sweep::{Bounds, Recovery, Sweep};

/// Let every k-th call that changes something fail
#[derive(Debug, clap::Args)]
pub(crate) struct InjectArgs {
    /// Only these errors, as `eio` or `eio-sticky`
    #[arg(long, value_parser = mode)]
    mode: Vec<Mode>,
    /// Fill disks, make places read-only and set limits instead
    #[arg(long, conflicts_with = "mode")]
    real: bool,
    #[command(flatten)]
    bounds: Bounds,
}

fn all() -> Vec<Mode> {
    let modes = |error: &Errno| [Mode::Once(*error), Mode::Sticky(*error)];
    Errno::value_variants().iter().flat_map(modes).collect()
}

fn mode(text: &str) -> Result<Mode, String> {
    let names = || all().into_iter().map(Mode::name).collect::<Vec<_>>().join(", ");
    let named = all().into_iter().find(|mode| mode.name() == text);
    named.ok_or_else(|| format!("there are {}", names()))
}

/// Injects errors; whether nothing is broken.
pub(crate) fn run(args: &InjectArgs) -> Result<bool, String> {
    if args.real {
        return real::run(&args.bounds);
    }
    let modes = if args.mode.is_empty() { all() } else { args.mode.clone() };
    Sweep { name: "inject", modes, bounds: &args.bounds, recovery: Recovery::Whole }.run()
}
