//! The `git-orch` program: parse, run, report, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    git_orch::commands::main(std::env::args_os())
}
