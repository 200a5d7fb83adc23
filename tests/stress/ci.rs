//! A sample of what holds at each commit, in minutes. `inject`, `mix` and `soak`
//! are left running by hand: a minute of them says little.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::Parser as _;

use crate::{Cli, dispatch, scenario};

/// The parts, the share of the time that is left then, and how many scenarios.
const PARTS: [(&str, f64, usize); 4] = [
    ("culprits --count 4 --most 9", 0.2, 0),
    ("landings --count 40", 0.3, 0),
    ("sweep --sample 7", 0.5, 6),
    ("points", 0.95, 0),
];

/// Try a sample of everything
#[derive(Debug, clap::Args)]
pub(crate) struct CiArgs {
    /// How long, about
    #[arg(long, value_name = "M", default_value_t = 9.0)]
    minutes: f64,
    /// What chance begins with; by chance without it
    #[arg(long)]
    seed: Option<u64>,
    /// Where repositories are made and results are kept
    #[arg(long, value_name = "DIR", default_value_os_t = crate::sweep::default_state())]
    state: PathBuf,
}

/// Tries all parts; whether nothing is broken.
pub(crate) fn run(args: &CiArgs) -> Result<bool, String> {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(1..1_000_000));
    let state = args.state.join("ci");
    drop(fs::remove_dir_all(&state));
    let (began, mut rng, mut whole) = (Instant::now(), fastrand::Rng::with_seed(seed), true);
    for (part, share, scenarios) in PARTS {
        let left = args.minutes - began.elapsed().as_secs_f64() / 60.0;
        let mut line = format!("{part} --seed {seed} --minutes {:.2}", share * left.max(0.0));
        for scenario in rng.choose_multiple(scenario::all(), scenarios) {
            line += &format!(" --scenario {}", scenario.name);
        }
        println!("\n== {line}");
        let words = ["stress"].into_iter().chain(line.split(' ')).map(str::to_owned);
        let words = words.chain(["--state".to_owned(), state.display().to_string()]);
        let command = Cli::try_parse_from(words).map_err(|error| error.to_string())?.command;
        whole &= dispatch(&command)?;
    }
    println!(
        "\nin {:.1} minutes: {}",
        began.elapsed().as_secs_f64() / 60.0,
        if whole { "all is well" } else { "BROKEN" }
    );
    Ok(whole)
}
