//! Results of which one makes the check fail, landed at once: the others land,
//! and few checks find it.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::ledger::{Entry, Ledger};
use crate::place::Place;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// No two files claim the same; the check writes down each of its runs.
const WORLD: &str = r#"
git config --global user.name Test; git config --global user.email test@example.com
git init -q -b main .
mkdir claims; echo none >claims/0-none
cat >check.sh <<'.'
echo run >>"$1"
[ -z "$(ls claims | sed 's/-.*//' | sort | uniq -d)" ]
.
printf "version: 1\nbase: main\nchecks: ['sh check.sh %s/runs']\n" "$(dirname "$PWD")" >.orch.yml
git add .; git commit -qm 'all there is'; git switch -q -c desk; git-orch -q trust --yes
"#;

/// Land results of which one is at fault
#[derive(Debug, clap::Args)]
pub(crate) struct CulpritsArgs {
    /// How many times
    #[arg(long, value_name = "N", default_value_t = 20)]
    count: usize,
    /// How many results at most
    #[arg(long, value_name = "N", default_value_t = 24)]
    most: usize,
    /// What chance begins with
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Begin nothing new after so many minutes
    #[arg(long, value_name = "M")]
    minutes: Option<f64>,
    /// Where the repository is made and results are kept
    #[arg(long, value_name = "DIR", default_value_os_t = crate::sweep::default_state())]
    state: PathBuf,
}

/// Lands them; whether nothing is broken.
pub(crate) fn run(args: &CulpritsArgs) -> Result<bool, String> {
    let ledger = Ledger::open(&args.state, "culprits");
    let mut rng = fastrand::Rng::with_seed(args.seed);
    let (began, mut broken) = (std::time::Instant::now(), Vec::new());
    let place = Place::new(args.state.join("culprits"));
    for _ in 0..args.count {
        if args.minutes.is_some_and(|minutes| began.elapsed().as_secs_f64() > minutes * 60.0) {
            break;
        }
        let count = rng.usize(2..=args.most.max(2));
        let culprit = rng.usize(1..=count);
        let arguments =
            rng.choice([&["merge"][..], &["merge"], &["merge", "--each"], &["merge", "--squash"]]);
        broken.extend(once(&place, count, culprit, arguments.expect("there are some")));
    }
    broken.iter().for_each(|line| println!("BROKEN {line}"));
    let is_whole = broken.is_empty();
    let entry =
        Entry { scenario: "culprits".to_owned(), at: args.seed.to_string(), broken, ..Entry::default() };
    ledger.record(
        entry,
        &place,
        &format!("culprits --count {} --most {} --seed {}", args.count, args.most, args.seed),
    );
    Ok(is_whole)
}

/// So many results, of which one claims what another one does; what is wrong.
fn once(place: &Place, count: usize, culprit: usize, arguments: &[&str]) -> Vec<String> {
    let mut world = WORLD.to_owned();
    for number in 1..=count {
        let claim = if number != culprit { number } else { 1 + usize::from(culprit == 1) };
        writeln!(
            world,
            "git-orch -q add-session s{number} --paths src/{number}
             git-orch -q task 'claim {number}' --session s{number} -- touch claims/{claim}-{number}"
        )
        .unwrap();
    }
    place.prepare(&world);
    let ended = place.start(place.orch(arguments)).end(PATIENCE);
    let runs = fs::read_to_string(place.top().join("runs")).unwrap_or_default().lines().count();
    let states = place.script("git-orch tasks --all").stdout;
    let landed = states.lines().filter(|line| line.split_whitespace().nth(1) == Some("merged")).count();
    let most = count + count.ilog2() as usize;
    println!(
        "{count} results, the {culprit}. at fault, {arguments:?}: {landed} landed, {runs} checks of {most} at most"
    );
    let mut broken = Vec::new();
    if ended.code != 1 || landed != count - 1 {
        broken.push(format!("P4 {landed} of {count} landed, the {culprit}. is at fault: {}", ended.why()));
    }
    if runs > most {
        broken.push(format!("P4 {runs} checks for {count} results, the {culprit}. is at fault"));
    }
    broken
}
