//! Keeps `git gc` from beginning while objects wait for a ref that holds them.
//!
//! `git gc --prune=now` deletes whatever no ref holds, however young. Git
//! begins none while `gc.pid` names one on another machine, and passes over
//! that file twelve hours after its date: so ours names a machine that is
//! called `git-orch`, and is dated so that it lapses soon if we are killed.
//!
//! **Invariant:** a clearing up that is at work is waited for, not overtaken;
//! where none can be kept from beginning, what is written is looked for once
//! refs hold it (see the module `written`).

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use super::lock;
use crate::model::time::Stopwatch;
use crate::model::{Event, Events, Time};

/// The machine on which git's own clearing up seems to be at work.
const MACHINE: &str = "git-orch";
/// How long git heeds `gc.pid`.
const HEEDED: Duration = Duration::from_secs(12 * 3_600);
/// How long ours counts from when it was last dated.
const LEASE: Duration = Duration::from_secs(5 * 60);
/// How long a clearing up that is at work is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long one that begins looks whether another has.
const LOOKS: Duration = Duration::from_millis(500);
/// How often the last fence tries to go.
const ATTEMPTS: usize = 5;
/// What the names of files begin with that are to be `gc.pid`.
pub const SCRATCH: &str = "gc-";

/// While it lives no `git gc` begins.
#[derive(Debug)]
pub struct Fence(Arc<Fences>);

/// The fences of this process around one repository.
#[derive(Debug)]
pub(super) struct Fences {
    common_dir: PathBuf,
    standing: Mutex<Standing>,
}

#[derive(Debug, Default)]
struct Standing {
    count: usize,
    /// Locked, shared with other processes that have fences too.
    shared: Option<File>,
}

/// What is at work.
#[derive(Debug, PartialEq, Eq)]
enum AtWork {
    /// Nothing, or a fence.
    Nothing,
    /// A clearing up that takes young objects too: the process.
    Clearing(String),
    /// One that spares them.
    Harmless,
}

impl Fences {
    pub(super) fn around(common_dir: &Path) -> Arc<Self> {
        Arc::new(Self { common_dir: common_dir.to_owned(), standing: Mutex::default() })
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pid_file(&self) -> PathBuf {
        self.common_dir.join("gc.pid")
    }

    /// Where no fence can be put up, none is: what comes of that is told where
    /// it comes up.
    pub(super) fn put_up(fences: &Arc<Self>, events: Events<'_>) -> Fence {
        let mut standing = fences.standing();
        standing.count += 1;
        if standing.count > 1 {
            fences.renew();
            return Fence(Arc::clone(fences));
        }
        let watch = Stopwatch::start();
        while watch.elapsed() < PATIENCE {
            fences.wait(watch, events);
            standing.shared = fences.claim();
            // A clearing up that looked just before may have come first.
            if standing.shared.is_none() || fences.is_ours() || fences.at_work() == AtWork::Harmless {
                break;
            }
        }
        Fence(Arc::clone(fences))
    }

    /// Waits until no clearing up is at work that takes young objects.
    fn wait(&self, watch: Stopwatch, events: Events<'_>) {
        let mut told = false;
        while let AtWork::Clearing(process) = self.at_work()
            && watch.elapsed() < PATIENCE
        {
            if !told && watch.elapsed() > Duration::from_millis(500) {
                events(Event::Waiting(format!("process {process} (git gc)")));
                told = true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Makes `gc.pid` ours, where nobody else has it; the lock that says so.
    fn claim(&self) -> Option<File> {
        let folder = self.common_dir.join("orch");
        let shared = lock::open(&folder.join("fence")).ok()?;
        shared.lock_shared().ok()?;
        let mut file = tempfile::Builder::new().prefix(SCRATCH).tempfile_in(&folder).ok()?;
        write!(file, "{} {MACHINE}", std::process::id()).ok()?;
        date(file.as_file()).ok()?;
        let pid_file = self.pid_file();
        if self.at_work() == AtWork::Nothing && !self.is_ours() {
            // What a killed git left counts for nothing, to git either.
            drop(std::fs::remove_file(&pid_file));
        }
        if file.persist_noclobber(&pid_file).is_err() {
            self.renew();
        }
        let watch = Stopwatch::start();
        while pid_file.with_extension("pid.lock").exists() && watch.elapsed() < LOOKS {
            std::thread::sleep(Duration::from_millis(1));
        }
        Some(shared)
    }

    /// Dates `gc.pid` anew, where it is ours.
    fn renew(&self) {
        if self.is_ours() {
            drop(File::open(self.pid_file()).and_then(|file| date(&file)));
        }
    }

    /// Whether a fence stands, or stood when its process was killed.
    pub(super) fn is_ours(&self) -> bool {
        std::fs::read_to_string(self.pid_file()).is_ok_and(|text| text.ends_with(&format!(" {MACHINE}")))
    }

    fn at_work(&self) -> AtWork {
        let text = std::fs::read_to_string(self.pid_file()).unwrap_or_default();
        let process = text.split(' ').next().unwrap_or_default();
        if process.is_empty() || self.is_ours() {
            return AtWork::Nothing;
        }
        let Ok(line) = std::fs::read(format!("/proc/{process}/cmdline")) else {
            let is_here = Path::new("/proc/self").exists();
            return if is_here { AtWork::Nothing } else { AtWork::Harmless };
        };
        let takes_all = line.split(|byte| *byte == 0).any(|word| word.starts_with(b"--prune="));
        if takes_all { AtWork::Clearing(process.to_owned()) } else { AtWork::Harmless }
    }

    fn take_down(&self) {
        let mut standing = self.standing();
        standing.count -= 1;
        if standing.count > 0 {
            return;
        }
        let Some(shared) = standing.shared.take() else { return };
        // Whoever is the last takes it away; nobody begins meanwhile. A child that
        // another thread starts has the lock too until it is a program.
        for _ in 0..ATTEMPTS {
            if shared.unlock().and_then(|()| shared.try_lock().map_err(Into::into)).is_ok() {
                if self.is_ours() {
                    drop(std::fs::remove_file(self.pid_file()));
                }
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        self.0.take_down();
    }
}

/// Dates `gc.pid` so that git heeds it for a lease from now.
fn date(file: &File) -> std::io::Result<()> {
    let now = Duration::from_secs(Time::now().0.unsigned_abs());
    file.set_modified(UNIX_EPOCH + (now + LEASE).saturating_sub(HEEDED))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;
    use crate::git::mine::testing::Scratch;

    fn scratch() -> Scratch {
        let scratch = Scratch::new();
        scratch.repo().orch_dir().unwrap();
        scratch
    }

    /// What `git gc` says while something is at work.
    #[expect(clippy::disallowed_methods, reason = "git is what is kept out")]
    fn clear_up(scratch: &Scratch) -> String {
        let mut command = Command::new("git");
        command.args(["gc", "--quiet", "--prune=now"]).current_dir(scratch.0.path());
        let output = command.output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    }

    #[test]
    fn no_clearing_up_begins_until_the_last_fence_is_gone() {
        let scratch = scratch();
        let (one, other) = (scratch.repo(), scratch.repo());
        let blob = one.unremembered().write_blob(b"held by nothing").unwrap();
        let told = format!("gc is already running on machine '{MACHINE}'");
        let first = one.fence(&|_| {});
        assert!(clear_up(&scratch).contains(&told));
        let (second, third) = (one.fence(&|_| {}), other.fence(&|_| {}));
        drop((first, second));
        assert!(clear_up(&scratch).contains(&told));
        assert!(one.read().has(blob).unwrap());
        drop(third);
        assert!(!scratch.git_dir().join("gc.pid").exists());
        assert_eq!(clear_up(&scratch), "");
        assert!(!scratch.repo().read().has(blob).unwrap());
    }

    #[test]
    fn what_a_killed_process_left_lapses_and_is_taken_over() {
        let scratch = scratch();
        let (repo, pid_file) = (scratch.repo(), scratch.git_dir().join("gc.pid"));
        for left in [format!("1 {MACHINE}"), "4194305 elsewhere".to_owned(), String::new()] {
            std::fs::write(&pid_file, left).unwrap();
            let fence = repo.fence(&|_| {});
            assert!(clear_up(&scratch).contains(MACHINE));
            let age = pid_file.metadata().unwrap().modified().unwrap().elapsed().unwrap();
            assert!(age < HEEDED && age > HEEDED - 2 * LEASE, "{age:?}");
            drop(fence);
            assert!(!pid_file.exists());
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "something has to be at work")]
    fn a_clearing_up_that_is_at_work_is_waited_for_unless_it_spares_young_objects() {
        let scratch = scratch();
        let (repo, pid_file) = (scratch.repo(), scratch.git_dir().join("gc.pid"));
        for (word, comes_first) in [("--prune=now", true), ("--quiet", false)] {
            let mut command = Command::new("sh");
            command.args(["-c", "read -r line", "gc", word]).stdin(Stdio::piped());
            let mut child = command.spawn().unwrap();
            let line = format!("/proc/{}/cmdline", child.id());
            while !std::fs::read_to_string(&line).unwrap().contains(word) {}
            std::fs::write(&pid_file, format!("{} here", child.id())).unwrap();
            std::thread::scope(|scope| {
                let (told, telling) = std::sync::mpsc::channel();
                let repo = &repo;
                let waiting = scope.spawn(move || {
                    let tell = |event| {
                        if let Event::Waiting(what) = event {
                            told.send(what).unwrap();
                        }
                    };
                    drop(repo.fence(&tell));
                });
                if comes_first {
                    let what = telling.recv().unwrap();
                    assert_eq!(what, format!("process {} (git gc)", child.id()));
                    assert!(!waiting.is_finished());
                } else {
                    waiting.join().unwrap();
                }
                drop(child.stdin.take());
                child.wait().unwrap();
            });
            let is_gone = |_: &u32| {
                drop(repo.fence(&|_| {}));
                !pid_file.exists()
            };
            assert!(pid_file.exists() != comes_first || (0..100).any(|n| is_gone(&n)));
            std::fs::remove_file(&pid_file).ok();
        }
    }
}
