//! Whose processes live, and their ends.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

/// The variable that all processes of one place have.
pub(crate) const MARK: &str = "ORCH_STRESS_PLACE";
/// The one that all processes of its other machine have.
const ELSEWHERE: &str = "ORCH_STRESS_ELSEWHERE";

/// The living processes that have a place's mark, with what they run.
pub(crate) fn living(mark: &str) -> Vec<(u32, String)> {
    marked(&format!("{MARK}={mark}"))
}

fn marked(wanted: &str) -> Vec<(u32, String)> {
    let wanted = wanted.as_bytes();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process that just ended has no environment any more.
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|variable| variable == wanted) {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push((process, String::from_utf8_lossy(&line).replace('\0', " ")));
        }
    }
    found
}

/// Whether the process that started this one lives.
pub(crate) fn has_parent(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1));
    parent.is_some_and(|parent| {
        fs::read_to_string(format!("/proc/{parent}/comm")).is_ok_and(|name| name.starts_with("git-orch"))
    })
}

/// Waits until no process with the mark lives; those that stay after the limit.
pub(crate) fn wait_for_none(mark: &str, limit: Duration) -> Vec<(u32, String)> {
    wait_for(&format!("{MARK}={mark}"), limit)
}

/// The same for a place's other machine.
pub(crate) fn wait_for_none_elsewhere(mark: &str, limit: Duration) -> Vec<(u32, String)> {
    wait_for(&format!("{ELSEWHERE}={mark}"), limit)
}

fn wait_for(wanted: &str, limit: Duration) -> Vec<(u32, String)> {
    let began = Instant::now();
    loop {
        let left = marked(wanted);
        if left.is_empty() || began.elapsed() > limit {
            return left;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Kills a process.
pub(crate) fn kill(process: u32) {
    if let Some(pid) = pid(process) {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
}

/// Kills a whole group.
pub(crate) fn kill_group(leader: u32) {
    if let Some(pid) = pid(leader) {
        let _ = rustix::process::kill_process_group(pid, Signal::KILL);
    }
}

fn pid(process: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(process).ok()?)
}
