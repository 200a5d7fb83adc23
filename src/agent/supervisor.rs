//! The supervisor of one command: the hidden command `__supervise`.
//!
//! It adopts whatever the command leaves behind (Linux: child subreaper),
//! copies what is printed into a log with a cap, and tells on stdout how it
//! ended: `exit 3`, `signal 9`, `timeout`, `abandoned`, `error WHY`.
//!
//! **Invariant:** nothing of the command lives on when the supervisor ends, but
//! for git-orch itself, detached: what it carries out has a supervisor of its own;
//! and the supervisor ends when its standard input closes: when its parent
//! lets go of it or dies. It keeps the log locked until then.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use rustix::process::{Pid, Signal};

use super::detach;
use crate::model::time::Stopwatch;

/// How much of what is printed is kept at each end of the log.
const KEPT: usize = 5 * 1024 * 1024;
/// How long a command may take to end once asked.
const GRACE: Duration = Duration::from_secs(10);
/// The same, when nobody is left who waits for it.
const ORPHANS_GRACE: Duration = Duration::from_secs(1);

/// What to supervise.
#[derive(Clone, Debug)]
pub struct Order {
    /// Where what is printed goes.
    pub log: PathBuf,
    /// Whether that goes behind what is there already.
    pub is_log_continued: bool,
    /// What the command reads.
    pub stdin: Option<PathBuf>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// The program and its arguments.
    pub argv: Vec<OsString>,
}

enum Message {
    Ended(std::process::ExitStatus),
    ParentGone,
}

/// Supervises to the end; the line that tells it.
pub fn supervise(order: &Order) -> String {
    // Elsewhere than on Linux this fails: then only the group is taken along.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    // What mounting took is not the command's; without it there is nothing to give up.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::clear_ambient_capability_set();
    match start(order) {
        Ok((handle, pump)) => {
            let told = watch(&handle, order.timeout);
            sweep();
            drop(pump.join());
            told
        }
        Err(why) => format!("error {}", why.to_string().replace('\n', " ")),
    }
}

type Started = (std::sync::Arc<duct::Handle>, std::thread::JoinHandle<()>);

fn start(order: &Order) -> std::io::Result<Started> {
    let (program, args) = order.argv.split_first().ok_or_else(|| std::io::Error::other("no command"))?;
    let mut log = File::options();
    let log = log.append(order.is_log_continued).write(true).truncate(!order.is_log_continued);
    let log = log.create(true).mode(0o600).open(&order.log)?;
    log.lock()?;
    let (reader, writer) = std::io::pipe()?;
    let expression =
        duct::cmd(program, args).stdout_file(writer.try_clone()?).stderr_file(writer).unchecked();
    let expression = match &order.stdin {
        Some(file) => expression.stdin_path(file),
        None => expression.stdin_null(),
    };
    let expression = expression.before_spawn(|command| {
        command.process_group(0);
        Ok(())
    });
    let handle = std::sync::Arc::new(expression.start()?);
    drop(expression);
    let pump = std::thread::spawn(move || pump(reader, log));
    Ok((handle, pump))
}

fn watch(handle: &std::sync::Arc<duct::Handle>, timeout: Option<Duration>) -> String {
    let parent = rustix::process::getppid();
    let group = handle.pids().first().and_then(|pid| Pid::from_raw(i32::try_from(*pid).ok()?));
    let (send, receive) = mpsc::channel();
    spawn_waiters(handle, send);
    let first = match timeout {
        Some(timeout) => receive.recv_timeout(timeout),
        None => receive.recv().map_err(|_| RecvTimeoutError::Disconnected),
    };
    match first {
        Ok(Message::Ended(status)) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit {code}"),
            (None, signal) => format!("signal {}", signal.unwrap_or(9)),
        },
        Ok(Message::ParentGone) => {
            let orphaned = rustix::process::getppid() != parent;
            end_group(group, &receive, if orphaned { ORPHANS_GRACE } else { GRACE });
            "abandoned".to_owned()
        }
        Err(_) => {
            end_group(group, &receive, GRACE);
            "timeout".to_owned()
        }
    }
}

fn spawn_waiters(handle: &std::sync::Arc<duct::Handle>, send: Sender<Message>) {
    let parent = send.clone();
    std::thread::spawn(move || {
        let mut byte = [0];
        while std::io::stdin().read(&mut byte).is_ok_and(|read| read > 0) {}
        drop(parent.send(Message::ParentGone));
    });
    let handle = std::sync::Arc::clone(handle);
    std::thread::spawn(move || {
        if let Ok(output) = handle.wait() {
            drop(send.send(Message::Ended(output.status)));
        }
    });
}

/// Asks the command to end, then makes it.
fn end_group(group: Option<Pid>, receive: &Receiver<Message>, grace: Duration) {
    let Some(group) = group else { return };
    for signal in [Signal::INT, Signal::TERM] {
        // It may be gone already.
        let _ = rustix::process::kill_process_group(group, signal);
        let limit = if signal == Signal::INT { grace.min(Duration::from_secs(1)) } else { grace };
        let watch = Stopwatch::start();
        while watch.elapsed() < limit {
            match receive.recv_timeout(Duration::from_millis(100)) {
                Ok(Message::Ended(_)) => return,
                Ok(Message::ParentGone) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    }
    let _ = rustix::process::kill_process_group(group, Signal::KILL);
}

/// Ends every process that descends from this one.
fn sweep() {
    let watch = Stopwatch::start();
    let mut asked = BTreeSet::new();
    loop {
        // Adopted processes are ours to bury. Without any child nothing descends from us.
        let mut buried = rustix::process::wait(rustix::process::WaitOptions::NOHANG);
        while let Ok(Some(_)) = buried {
            buried = rustix::process::wait(rustix::process::WaitOptions::NOHANG);
        }
        if buried.is_err() {
            return;
        }
        let left = descendants();
        if left.is_empty() || watch.elapsed() > GRACE {
            return;
        }
        let hard = watch.elapsed() > Duration::from_millis(500);
        for pid in left {
            if hard || asked.insert(pid) {
                let signal = if hard { Signal::KILL } else { Signal::TERM };
                if let Some(pid) = Pid::from_raw(pid) {
                    let _ = rustix::process::kill_process(pid, signal);
                }
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Living processes below this one, from `/proc`; none where there is none. What
/// went on alone is left out, and what is below it.
fn descendants() -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let mut parents = Vec::new();
    for entry in entries.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // The command's name may hold spaces and brackets; the fields follow the last one.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let mut fields = fields.split_whitespace();
        let state = fields.next().unwrap_or_default();
        if let (Some(parent), true) = (fields.next().and_then(|text| text.parse::<i32>().ok()), state != "Z")
        {
            parents.push((pid, parent));
        }
    }
    let mut family = BTreeSet::from([rustix::process::getpid().as_raw_nonzero().get()]);
    let own = family.clone();
    let spared: BTreeSet<i32> =
        parents.iter().map(|(pid, _)| *pid).filter(|pid| detach::is_detached(*pid)).collect();
    loop {
        let known = family.len();
        family.extend(
            parents
                .iter()
                .filter(|(pid, parent)| family.contains(parent) && !spared.contains(pid))
                .map(|(pid, _)| *pid)
                .collect::<Vec<_>>(),
        );
        if family.len() == known {
            return family.difference(&own).copied().collect();
        }
    }
}

/// Copies what is printed: the beginning as it comes, of a flood only the end.
fn pump(mut reader: impl Read, mut log: File) {
    let mut buffer = vec![0; 64 * 1024];
    let (mut written, mut dropped) = (0, 0);
    let mut tail: Vec<u8> = Vec::new();
    while let Ok(read @ 1..) = reader.read(&mut buffer) {
        let head = read.min(KEPT.saturating_sub(written));
        if log.write_all(&buffer[..head]).is_err() {
            // A full disk must not stop the command; its words are lost.
            written = usize::MAX;
        }
        written = written.saturating_add(head);
        tail.extend_from_slice(&buffer[head..read]);
        if tail.len() > 2 * KEPT {
            let cut = tail.len() - KEPT;
            dropped += cut;
            tail.drain(..cut);
        }
    }
    let cut = tail.len().saturating_sub(KEPT);
    if dropped + cut > 0 {
        drop(writeln!(log, "\n[{} bytes left out]", dropped + cut));
    }
    drop(log.write_all(&tail[cut..]));
}
