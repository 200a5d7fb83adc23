//! The `git-orch` program: parse, run, report, exit.

fn main() {}
