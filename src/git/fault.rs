//! Points at which tests strike: a step of an operation fails, takes long, or
//! is the process's last.
//!
//! With the feature `faults` only; else a point is nothing. A point is named
//! by its operation and step, as `remove-session:refs written`.
//!
//! - `GIT_ORCH_FAULT=NAME=N:HOW` strikes when the point is reached the N-th
//!   time; HOW is `kill`, `error` or `delay`.
//! - `GIT_ORCH_FAULT_LOG=FILE` appends the name of each point reached.
//! - `GIT_ORCH_FAULT_LOCK=off` takes no repository lock: what is left then is
//!   comparison alone.

use super::repo::Repo;
use crate::error::Result;

#[cfg(not(feature = "faults"))]
impl Repo {
    /// A step of the present operation is reached.
    #[inline]
    pub fn reach(&self, _step: &str) -> Result<()> {
        Ok(())
    }

    /// Whether the repository lock counts.
    #[inline]
    pub(super) fn is_locked_for_real(&self) -> bool {
        true
    }
}

#[cfg(feature = "faults")]
mod compiled_in {
    use std::collections::HashMap;
    use std::io::Write as _;
    use std::sync::{LazyLock, Mutex, PoisonError};
    use std::time::Duration;

    use super::{Repo, Result};
    use crate::error::Error;
    use crate::git::operation;

    /// How long a delay is: longer than any step takes by itself.
    const DELAY: Duration = Duration::from_millis(300);

    static REACHED: LazyLock<Mutex<HashMap<String, usize>>> = LazyLock::new(Mutex::default);

    #[expect(clippy::disallowed_methods, reason = "a test's switch, compiled in for tests only")]
    fn variable(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    impl Repo {
        /// A step of the present operation is reached.
        pub fn reach(&self, step: &str) -> Result<()> {
            let name = format!("{}:{step}", operation::word(self));
            let times = {
                let mut reached = REACHED.lock().unwrap_or_else(PoisonError::into_inner);
                let times = reached.entry(name.clone()).or_default();
                *times += 1;
                *times
            };
            if let Some(file) = variable("GIT_ORCH_FAULT_LOG") {
                let mut options = std::fs::File::options();
                // Threads reach theirs at once: a line is written whole. A test
                // that can't log sees no point and fails.
                let line = format!("{name}={times}\n");
                let log = options.create(true).append(true).open(file);
                let _ = log.and_then(|mut log| log.write_all(line.as_bytes()));
            }
            let wanted = variable("GIT_ORCH_FAULT").unwrap_or_default();
            match wanted.strip_prefix(&format!("{name}={times}:")) {
                Some("kill") => Err(end()),
                Some("error") => Err(Error::unusable(format!("fault at `{name}`"))),
                Some("delay") => {
                    std::thread::sleep(DELAY);
                    Ok(())
                }
                _ => Ok(()),
            }
        }

        /// Whether the repository lock counts.
        pub(in crate::git) fn is_locked_for_real(&self) -> bool {
            variable("GIT_ORCH_FAULT_LOCK").as_deref() != Some("off")
        }
    }

    /// Ends the process group, as a machine that goes down would.
    fn end() -> Error {
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::KILL);
        Error::bug("nothing lives on behind this")
    }
}
