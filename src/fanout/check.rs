//! Running the check of a job on exactly one tree.

use std::path::{Path, PathBuf};

use super::carry::{self, Site};
use crate::agent::process;
use crate::agent::{Input, Invocation, command};
use crate::error::Result;
use crate::model::job::PASSED;
use crate::model::time::elapsed;
use crate::model::{Event, Oid};
use crate::run::throwaway::Throwaway;

/// What a check says of a tree.
pub(super) struct Verdict {
    pub(super) passed: bool,
    /// `passed in 12s`, `failed (exit 1) no luck`.
    pub(super) told: String,
}

/// A check, and where it is run.
pub(super) struct Judge<'a> {
    pub(super) site: &'a Site<'a>,
    pub(super) throwaway: Throwaway<'a>,
    pub(super) check: &'a str,
}

impl Judge<'_> {
    /// Runs the check on a tree, what it prints kept in `log`.
    ///
    /// # Errors
    /// Interrupted, or unusable where the tree can't be made and checked out.
    pub(super) fn run(&self, tree: impl FnOnce() -> Result<Oid>, log: PathBuf) -> Result<(Oid, Verdict)> {
        let scene = self.site.scene;
        scene.repo.reach("a tree to be checked")?;
        (scene.events)(Event::Checking { name: self.site.name.clone(), check: self.check.to_owned() });
        // No ref keeps a tree that is only tried.
        let fence = scene.repo.fence(scene.events);
        let tree = tree()?;
        self.throwaway.set(tree)?;
        drop(fence);
        let invocation = Invocation {
            argv: command::shell(self.check, []),
            folder: self.throwaway.path().to_owned(),
            environment: command::environment(scene.environment, &[]),
            input: Input::Nothing,
            log,
            is_log_continued: false,
            timeout: None,
        };
        let ended = process::run(&invocation, scene.interrupt, |_| {})?;
        scene.interrupt.check()?;
        let told = match ended.exit_code() {
            Some(0) => format!("{PASSED} in {}", elapsed(ended.elapsed)),
            Some(code) => format!("failed (exit {code}) {}", carry::last_line(&invocation.log)),
            None => "failed (ended by a signal)".to_owned(),
        };
        Ok((tree, Verdict { passed: ended.is_success(), told: told.trim_end().to_owned() }))
    }
}

/// Where the check's last words on the result lie.
pub fn log(logs: &Path) -> PathBuf {
    logs.join("check.log")
}

/// Where its words on a shard lie that makes it fail.
pub fn shard_log(logs: &Path, n: usize) -> PathBuf {
    logs.join(format!("shard-{n}.check.log"))
}
