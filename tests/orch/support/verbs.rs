//! Every subcommand and every git, for tests that must leave none out.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::call::machine_path;
use super::repo::TestRepo;

/// Every verb that needs a repository, with arguments that are otherwise right.
pub(crate) const VERBS: &[&[&str]] = &[
    &["add-session", "backend", "--paths", "src"],
    &["sessions"],
    &["show", "backend"],
    &["pause", "backend"],
    &["resume", "backend"],
    &["remove-session", "backend"],
    &["history", "backend"],
    &["route", "fix login"],
    &["task", "fix login"],
    &["plan", "fix login"],
    &["tasks"],
    &["brief", "fix-login"],
    &["note", "x", "--task", "fix-login"],
    &["log", "fix-login"],
    &["done", "fix-login"],
    &["report", "working"],
    &["cancel", "fix-login"],
    &["retry", "fix-login"],
    &["handoff", "fix-login", "--to", "docs"],
    &["wait", "fix-login"],
    &["answer", "fix-login", "yes"],
    &["attach", "fix-login", "--dry-run"],
    &["agents"],
    &["conflicts"],
    &["fanout", "touch", "--run", "true"],
    &["review"],
    &["review", "fix-login", "--by", "docs", "--", "true"],
    &["merge"],
    &["init"],
    &["config"],
    &["trust"],
    &["undo"],
    &["trash"],
    &["gc"],
    &["doctor"],
];

/// Those that need none.
const WITHOUT: [&str; 7] = ["demo", "mcp", "skill", "man", "completions", "__header", "__clear"];

#[test]
fn every_subcommand_is_among_the_verbs() {
    let cli = git_orch::commands::cli();
    let missing: Vec<&str> = cli
        .get_subcommands()
        .map(|command| command.get_name())
        .filter(|name| !WITHOUT.contains(name) && !VERBS.iter().any(|verb| verb[0] == *name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// A folder for each version of git on this machine, the first on the `PATH`
/// first; only that one outside CI and `GIT_ORCH_TEST_GITS=all`, for time.
pub(crate) fn gits(repo: &TestRepo) -> Vec<PathBuf> {
    let mut versions = Vec::new();
    let mut folders = Vec::new();
    for folder in machine_path().split(':').filter(|folder| Path::new(folder).join("git").is_file()) {
        let version = repo.shell(&format!("'{folder}/git' --version")).run().stdout;
        if !versions.contains(&version) {
            let at = repo.top().join(format!("git-{}", versions.len()));
            std::fs::create_dir_all(&at).unwrap();
            std::os::unix::fs::symlink(Path::new(folder).join("git"), at.join("git")).unwrap();
            versions.push(version);
            folders.push(at);
        }
    }
    let all = std::env::vars_os().any(|(key, _)| key == "CI" || key == "GIT_ORCH_TEST_GITS");
    if !all {
        folders.truncate(1);
        skip("versions of git behind the first; GIT_ORCH_TEST_GITS=all tries them");
    } else if folders.len() == 1 {
        skip(&format!("this machine has no second git beside {}", versions[0].trim()));
    }
    folders
}

/// Says what a test leaves out, where the test harness does not swallow it.
pub(crate) fn skip(why: &str) {
    drop(writeln!(std::io::stderr(), "SKIPPED: {why}"));
}
