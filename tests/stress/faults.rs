//! The preloaded library that makes system calls fatal, and the plan it reads.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum;

/// What is preloaded, as source.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/faults/faults.c");
/// How long the text of a call may be.
const TEXT: usize = 992;

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Victim {
    /// git-orch and every git that it started.
    Group,
    /// The process that makes the call.
    Process,
    /// git-orch alone.
    Main,
}

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// Somebody is killed.
    Kill(Victim),
    /// The call fails, and it alone.
    Once(Errno),
    /// The call fails, and all behind it.
    Sticky(Errno),
}

impl Mode {
    /// Its name, for people and ledgers.
    pub(crate) fn name(self) -> String {
        let name = |value: Option<clap::builder::PossibleValue>| value.unwrap().get_name().to_owned();
        match self {
            Self::Kill(victim) => name(victim.to_possible_value()),
            Self::Once(error) => name(error.to_possible_value()),
            Self::Sticky(error) => name(error.to_possible_value()) + "-sticky",
        }
    }

    /// The action, the error, how many calls it hits and which kinds of calls
    /// count, as `faults.c` takes them.
    fn terms(self) -> [u32; 4] {
        match self {
            Self::Kill(victim) => [1 + victim as u32, 0, 1, u32::MAX],
            Self::Once(error) => [4, error.number(), 1, error.kinds()],
            // What interrupts a call lets it be tried again.
            Self::Sticky(Errno::Eintr) => [4, Errno::Eintr.number(), 3, Errno::Eintr.kinds()],
            Self::Sticky(error) => [4, error.number(), u32::MAX, error.kinds()],
        }
    }
}

/// An error that the system may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Errno {
    Enospc,
    Eacces,
    Eio,
    Emfile,
    Eintr,
    Erofs,
}

impl Errno {
    /// Its number on Linux.
    fn number(self) -> u32 {
        match self {
            Self::Enospc => 28,
            Self::Eacces => 13,
            Self::Eio => 5,
            Self::Emfile => 24,
            Self::Eintr => 4,
            Self::Erofs => 30,
        }
    }

    /// What the system says of it, or git.
    pub(crate) fn texts(self) -> &'static [&'static str] {
        match self {
            Self::Enospc => &["No space left on device"],
            Self::Eacces => &["Permission denied", "insufficient permission for adding an object"],
            Self::Eio => &["Input/output error"],
            Self::Emfile => &["Too many open files"],
            Self::Eintr => &["Interrupted system call"],
            Self::Erofs => &["Read-only file system"],
        }
    }

    /// The kinds of calls that give it, as in `faults.c`.
    fn kinds(self) -> u32 {
        const OPEN: u32 = 1;
        const WRITE: u32 = 2;
        const NAME: u32 = 4;
        const DROP: u32 = 8;
        const SYNC: u32 = 16;
        const META: u32 = 32;
        match self {
            Self::Enospc => OPEN | WRITE | NAME | SYNC,
            Self::Eacces | Self::Erofs => OPEN | NAME | DROP,
            Self::Eio => OPEN | WRITE | NAME | DROP | SYNC | META,
            Self::Emfile => OPEN,
            Self::Eintr => OPEN | WRITE | SYNC,
        }
    }
}

/// The built library and the plan of one worker.
pub(crate) struct Faults {
    library: PathBuf,
    plan: PathBuf,
}

/// What came of a strike.
#[derive(Clone, Debug, Default)]
pub(crate) struct Struck {
    /// How many calls there were.
    pub(crate) calls: u32,
    /// The call that was struck.
    pub(crate) call: Option<String>,
}

impl Faults {
    /// Builds the library; without a compiler, why not.
    pub(crate) fn build(state: &Path) -> Result<PathBuf, String> {
        let library = state.join("faults.so");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([library.as_path(), Path::new(SOURCE)])
            .arg("-ldl")
            .output()
            .map_err(|error| format!("no C compiler `cc`: {error}"))?;
        match built.status.success() {
            true => Ok(library),
            false => Err(format!("`cc` can't build {SOURCE}:\n{}", String::from_utf8_lossy(&built.stderr))),
        }
    }

    /// The library, for one worker with its folder.
    pub(crate) fn new(library: &Path, folder: &Path) -> Self {
        Self { library: library.to_owned(), plan: folder.join("plan") }
    }

    /// Lets what a command starts be struck at its `at`th call; none is the 0th.
    pub(crate) fn arm(&self, command: &mut Command, mode: Mode, at: u32) {
        let [action, error, times, kinds] = mode.terms();
        let action = if at == 0 { 0 } else { action };
        let mut plan: Vec<u8> = [at, action, error, times, kinds, 0, 0, 0].map(u32::to_le_bytes).concat();
        plan.resize(plan.len() + TEXT, 0);
        fs::write(&self.plan, plan).unwrap();
        command.env("LD_PRELOAD", &self.library).env("FAULTS_PLAN", &self.plan);
        // What opens a terminal is no git, and takes the plan out.
        command.env("FAULTS_AT_TERMINAL", &self.plan);
    }

    /// What came of it.
    pub(crate) fn struck(&self) -> Struck {
        let plan = fs::read(&self.plan).unwrap();
        let number = |index: usize| u32::from_le_bytes(plan[4 * index..4 * index + 4].try_into().unwrap());
        let text = plan[32..].split(|byte| *byte == 0).next().unwrap_or_default();
        let call = (number(6) != 0).then(|| String::from_utf8_lossy(text).into_owned());
        Struck { calls: number(5), call }
    }
}
