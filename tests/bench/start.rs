//! What one look costs: `git orch sessions` and `git orch route --paths`
//! against `git worktree list`, taken in turns.
//!
//! `GIT_ORCH_BENCH_REPO=/path/to/checkout cargo bench --bench start`; the
//! checkout needs sessions, and what they know has to be mined once.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 30;

#[expect(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods, reason = "a benchmark")]
fn main() -> ExitCode {
    let Some(repository) = std::env::var_os("GIT_ORCH_BENCH_REPO").map(PathBuf::from) else {
        eprintln!("GIT_ORCH_BENCH_REPO names no repository");
        return ExitCode::SUCCESS;
    };
    let path = std::env::var("GIT_ORCH_BENCH_PATH").unwrap_or_else(|_| "README.md".to_owned());
    let orch = env!("CARGO_BIN_EXE_git-orch");
    let commands: [&[&str]; 4] = [
        &["git", "worktree", "list"],
        &[orch, "sessions"],
        &[orch, "route", "--paths", &path],
        &[orch, "route", "fix the broken build", "--paths", &path],
    ];
    let mut times: [Vec<Duration>; 4] = Default::default();
    for round in 0..=ROUNDS {
        for (command, times) in commands.iter().zip(&mut times) {
            let Some(taken) = timed(&repository, command) else {
                eprintln!("failed: {command:?}");
                return ExitCode::FAILURE;
            };
            // The first round warms up.
            if round > 0 {
                times.push(taken);
            }
        }
    }
    let peer = median(&mut times[0]);
    for (command, times) in commands.iter().zip(&mut times) {
        let ours = median(times);
        let words = command[1..].join(" ");
        println!("{words:<50} {:>7.2} ms  {:>5.2}x git worktree list", ours * 1e3, ours / peer);
    }
    ExitCode::SUCCESS
}

#[expect(clippy::disallowed_methods, reason = "a benchmark runs and times commands")]
fn timed(folder: &Path, command: &[&str]) -> Option<Duration> {
    let start = Instant::now();
    let mut child = Command::new(command[0]);
    let ended =
        child.args(&command[1..]).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ended.ok()?.success().then(|| start.elapsed())
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}
