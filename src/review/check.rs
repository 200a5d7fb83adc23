//! Running the configured checks on exactly one tree.
//!
//! A result is noted on the tree; only a green one is used again, and only in
//! the same environment.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::agent::command::{self, shell};
use crate::agent::process::{self, End};
use crate::agent::{Input, Invocation};
use crate::error::{IoContext, Result};
use crate::git::{RepoLock, notes, refs, room};
use crate::model::{Event, Name, Oid, Time};
use crate::run::Scene;
use crate::run::throwaway::Throwaway;
use crate::store::record;

/// What the checks said of a tree.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Checked {
    /// No check is configured.
    Unconfigured,
    /// All passed on this very tree before.
    Reused,
    /// All passed.
    Passed {
        /// In how many seconds.
        seconds: f64,
    },
    /// One failed.
    Failed {
        /// Its command.
        check: String,
        /// Its exit code, where it ended by itself.
        #[serde(skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
        /// The last lines it printed.
        tail: String,
        /// The file with all it printed.
        log: std::path::PathBuf,
    },
}

impl Checked {
    /// Whether the tree may land.
    pub fn is_green(&self) -> bool {
        !matches!(self, Self::Failed { .. })
    }
}

#[derive(Serialize, Deserialize)]
struct Noted {
    check: String,
    environment: String,
    outcome: String,
    time: Time,
}

/// A commit to be checked, for whom.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The task or fan-out.
    pub name: Name,
    /// A commit that is reachable from some ref.
    pub commit: Oid,
    /// Its tree.
    pub tree: Oid,
    /// What its logs are called.
    pub log: &'static str,
}

/// Runs all checks on the candidate's tree in a throwaway worktree, until one fails.
pub fn run(scene: Scene<'_>, candidate: &Candidate, checks: &[String]) -> Result<Checked> {
    if checks.is_empty() {
        return Ok(Checked::Unconfigured);
    }
    let green = green_before(scene, candidate.tree)?;
    let open: Vec<&String> = checks.iter().filter(|check| !green.contains(check)).collect();
    if open.is_empty() {
        return Ok(Checked::Reused);
    }
    room::require(scene.throwaways, room::of_tree(scene.repo, candidate.tree)?, "the worktree of the check")?;
    let throwaway = Throwaway::make(scene.repo, scene.throwaways, candidate.commit, scene.events)?;
    throwaway.set(candidate.tree)?;
    let mut total = Duration::ZERO;
    for (number, check) in open.iter().enumerate() {
        let (failed, elapsed) = one(scene, candidate, &throwaway, check, number + 1)?;
        if let Some(failed) = failed {
            return Ok(failed);
        }
        total += elapsed;
    }
    note_green(scene, candidate.tree, &open)?;
    Ok(Checked::Passed { seconds: total.as_secs_f64() })
}

fn one(
    scene: Scene<'_>,
    candidate: &Candidate,
    throwaway: &Throwaway<'_>,
    check: &str,
    number: usize,
) -> Result<(Option<Checked>, Duration)> {
    let folder = scene.repo.orch_dir()?.join("check").join(candidate.name.as_str());
    std::fs::create_dir_all(&folder).doing("could not make", &folder)?;
    let log = folder.join(format!("{}-{number}.log", candidate.log));
    let invocation = Invocation {
        argv: shell(check, []),
        folder: throwaway.path().to_owned(),
        environment: command::environment(scene.environment, &[]),
        input: Input::Nothing,
        log: log.clone(),
        is_log_continued: false,
        timeout: None,
    };
    let event = || Event::Checking { name: candidate.name.clone(), check: check.to_owned() };
    (scene.events)(event());
    let ended = process::run(&invocation, scene.interrupt, |_| (scene.events)(event()))?;
    if ended.end == End::Interrupted {
        scene.interrupt.check()?;
    }
    if ended.is_success() {
        return Ok((None, ended.elapsed));
    }
    let tail = tail(&std::fs::read(&log).unwrap_or_default());
    let failed = Checked::Failed { check: check.to_owned(), exit_code: ended.exit_code(), tail, log };
    Ok((Some(failed), ended.elapsed))
}

/// The last lines of a log, for people.
fn tail(log: &[u8]) -> String {
    let text = String::from_utf8_lossy(log);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

/// Where a check's result holds: it may differ on another kind of machine.
fn environment() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

fn green_before(scene: Scene<'_>, tree: Oid) -> Result<Vec<String>> {
    Ok(green(&notes::find(scene.repo, refs::CHECK_NOTES, tree)?.unwrap_or_default()))
}

/// The checks that a note says passed here; lines that say nothing of the kind
/// are passed over.
pub fn green(note: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(note);
    let noted = text.lines().filter_map(record::parse_line::<Noted>);
    let here = noted.filter(|noted| noted.outcome == "green" && noted.environment == environment());
    here.map(|noted| noted.check).collect()
}

fn note_green(scene: Scene<'_>, tree: Oid, checks: &[&String]) -> Result<()> {
    let note = notes::find(scene.repo, refs::CHECK_NOTES, tree)?.unwrap_or_default();
    let mut lines: Vec<String> = String::from_utf8_lossy(&note).lines().map(str::to_owned).collect();
    for check in checks {
        let (check, outcome) = ((*check).clone(), "green".to_owned());
        lines.push(record::line(&Noted { check, environment: environment(), outcome, time: scene.now })?);
    }
    lines.sort();
    lines.dedup();
    let text = lines.join("\n") + "\n";
    let lock = RepoLock::take(scene.repo, "check", scene.events)?;
    notes::set(scene.repo, &lock, refs::CHECK_NOTES, &[(tree, text.into_bytes())], scene.now)
}
