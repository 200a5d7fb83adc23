//! Mining against `git log --raw`, taken in turns in one process.
//!
//! `GIT_ORCH_BENCH_REPO=/path/to/.git cargo bench --bench mine`; totals that
//! differ from git's are a failure.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use git_orch::git::mine::{Sink, Span, mine};
use git_orch::model::{Mined, Oid, Status};

const ROUNDS: usize = 3;

#[expect(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods, reason = "a benchmark")]
fn main() -> ExitCode {
    let Some(repository) = std::env::var_os("GIT_ORCH_BENCH_REPO").map(PathBuf::from) else {
        eprintln!("GIT_ORCH_BENCH_REPO names no repository");
        return ExitCode::SUCCESS;
    };
    let tip = git(&repository, &["rev-parse", "HEAD"]).trim().parse().expect("HEAD is a commit");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let start = Instant::now();
        let mined = mined(&repository, tip);
        ours.push(start.elapsed());
        let start = Instant::now();
        let logged = logged(&repository);
        theirs.push(start.elapsed());
        let (mine, git) = (ours[round - 1].as_secs_f64(), theirs[round - 1].as_secs_f64());
        println!("round {round}: mine {mine:.2}s, git log {git:.2}s, {:.2}x; {mined:?}", git / mine);
        if mined != logged {
            eprintln!("totals differ: git says {logged:?}");
            return ExitCode::FAILURE;
        }
    }
    println!("median: {:.2}x git log --raw", median(theirs) / median(ours));
    ExitCode::SUCCESS
}

/// Commits, then changes of status A, M, D and T.
type Totals = [usize; 5];

fn mined(repository: &Path, tip: Oid) -> Totals {
    let span = Span { tips: &[tip], hide: &[], horizon: usize::MAX };
    let mut totals = [0; 5];
    mine(repository, &span, &mut Counting(&mut totals), &|_| ()).expect("the repository can be mined");
    totals
}

struct Counting<'a>(&'a mut Totals);

impl Sink for Counting<'_> {
    fn has(&mut self, _: Oid) -> bool {
        false
    }

    fn take(&mut self, commits: Vec<Mined>) {
        self.0[0] += commits.len();
        commits
            .iter()
            .flat_map(|mined| &mined.changes)
            .for_each(|change| self.0[position(change.status)] += 1);
    }
}

fn logged(repository: &Path) -> Totals {
    let format = ["log", "--raw", "--no-renames", "--no-merges", "--format=tformat:commit"];
    let mut totals = [0; 5];
    for line in git(repository, &format).lines() {
        let letter = line.strip_prefix(':').and_then(|facts| facts.split(' ').nth(4)?.bytes().next());
        match letter.and_then(Status::from_letter) {
            Some(status) => totals[position(status)] += 1,
            None => totals[0] += usize::from(line == "commit"),
        }
    }
    totals
}

fn position(status: Status) -> usize {
    match status {
        Status::Added => 1,
        Status::Modified => 2,
        Status::Deleted => 3,
        Status::TypeChanged => 4,
    }
}

#[expect(clippy::disallowed_methods, reason = "git is the yardstick")]
fn git(repository: &Path, args: &[&str]) -> String {
    let output = std::process::Command::new("git").arg("--git-dir").arg(repository).args(args).output();
    String::from_utf8_lossy(&output.expect("git runs").stdout).into_owned()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}
