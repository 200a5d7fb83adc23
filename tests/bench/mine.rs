//! Mining against `git log --raw`, taken in turns, each a process of its own.
//!
//! `GIT_ORCH_BENCH_REPO=/path/to/.git cargo bench --bench mine`, several paths
//! with `:` between them. Each round tells wall time, CPU time and the most
//! memory of both; totals that differ from git's are a failure.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use git_orch::git::mine::{Sink, Span, mine};
use git_orch::model::{Mined, Oid, Status};

const ROUNDS: usize = 3;
/// How many of the newest commits are mined.
const SPANS: [usize; 3] = [usize::MAX, 10_000, 100];
/// Asks this program to be the one that mines: its value is the horizon and the tip.
const CHILD: &str = "GIT_ORCH_BENCH_CHILD";

#[expect(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods, reason = "a benchmark")]
fn main() -> ExitCode {
    let Some(repositories) = std::env::var_os("GIT_ORCH_BENCH_REPO") else {
        eprintln!("GIT_ORCH_BENCH_REPO names no repository");
        return ExitCode::SUCCESS;
    };
    if let Ok(asked) = std::env::var(CHILD) {
        let (horizon, tip) = asked.split_once(' ').expect("a horizon and a tip");
        let horizon = horizon.parse().expect("a horizon is a number");
        println!("{:?}", mined(Path::new(&repositories), horizon, tip));
        return ExitCode::SUCCESS;
    }
    let repositories: Vec<PathBuf> = std::env::split_paths(&repositories).collect();
    for repository in &repositories {
        for horizon in SPANS {
            let newest = if horizon == usize::MAX { "all".to_owned() } else { horizon.to_string() };
            println!("{}: {newest} commits", repository.display());
            if !compare(repository, horizon) {
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Prints the rounds of one span; whether the totals agree.
#[expect(clippy::print_stdout, reason = "a benchmark")]
fn compare(repository: &Path, horizon: usize) -> bool {
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    let tip = tip(repository);
    for _ in 0..ROUNDS {
        let program = std::env::current_exe().expect("this program has a path");
        let mut command = timed(program.as_os_str());
        command.env("GIT_ORCH_BENCH_REPO", repository).env(CHILD, format!("{horizon} {tip}"));
        let ours = run(command);
        let mut command = timed("git".as_ref());
        command.arg("--git-dir").arg(repository).args(log(horizon));
        let theirs = run(command);
        if ours.printed.trim() != format!("{:?}", logged(&theirs.printed)) {
            println!("totals differ: {} and git says {:?}", ours.printed, logged(&theirs.printed));
            return false;
        }
        println!("  mine {}, git {}", ours.told(), theirs.told());
        walls.push(theirs.wall / ours.wall);
        cpus.push(theirs.cpu / ours.cpu.max(0.01));
    }
    println!("  median: {:.2}x git log --raw, {:.2}x by CPU time", median(walls), median(cpus));
    true
}

fn log(horizon: usize) -> Vec<String> {
    let fixed = ["log", "--raw", "--no-renames", "--no-merges", "--format=tformat:commit"];
    let count = (horizon < usize::MAX).then(|| format!("-{horizon}"));
    fixed.map(str::to_owned).into_iter().chain(count).collect()
}

/// What a process took, and what it printed.
struct Taken {
    wall: f64,
    cpu: f64,
    memory: u64,
    printed: String,
}

impl Taken {
    fn told(&self) -> String {
        format!("{:.3} s ({:.2} CPU) {} MB", self.wall, self.cpu, self.memory / 1_024)
    }
}

/// A command whose last line on stderr is its user and system seconds and its memory in KB.
#[expect(clippy::disallowed_methods, reason = "a benchmark")]
fn timed(program: &std::ffi::OsStr) -> Command {
    let mut command = Command::new("/usr/bin/time");
    command.args(["-f", "%U %S %M"]).arg(program);
    command
}

#[expect(clippy::disallowed_methods, reason = "a benchmark")]
fn run(mut command: Command) -> Taken {
    let start = Instant::now();
    let output = command.output().expect("/usr/bin/time is there");
    let wall = start.elapsed().as_secs_f64();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let facts: Vec<f64> =
        told.lines().last().unwrap_or_default().split(' ').filter_map(|f| f.parse().ok()).collect();
    let [user, system, memory] = facts[..] else { panic!("{told}") };
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    Taken { wall, cpu: user + system, memory: memory as u64, printed }
}

/// Commits, then changes of status A, M, D and T.
type Totals = [usize; 5];

#[expect(clippy::disallowed_methods, reason = "git is the yardstick")]
fn tip(repository: &Path) -> String {
    let mut command = Command::new("git");
    let output = command.arg("--git-dir").arg(repository).args(["rev-parse", "HEAD"]).output();
    String::from_utf8_lossy(&output.expect("git runs").stdout).trim().to_owned()
}

fn mined(repository: &Path, horizon: usize, tip: &str) -> Totals {
    let tip: Oid = tip.parse().expect("HEAD is a commit");
    let span = Span { tips: &[tip], hide: &[], horizon };
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

fn logged(printed: &str) -> Totals {
    let mut totals = [0; 5];
    for line in printed.lines() {
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

fn median(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_unstable_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}
