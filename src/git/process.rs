//! The hardened `git` child: the only way git runs.
//!
//! **Invariant:** arguments only, no shell; git's repository variables are
//! cleared and the place is pinned; nothing that a repository's configuration
//! names (hooks, fsmonitor, pager, external diff, signing) is executed.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{executing, version};
use crate::error::{Error, Result, make_room};

/// The oldest git that works.
pub const OLDEST: (u32, u32) = (2, 39);

/// How often a command is run that meets a half-made worktree.
const ATTEMPTS: usize = 5;

/// Settings beside those of [`executing`]: nothing starts by itself, no other
/// repository is entered or verified with, what is written stays, and no file
/// is looked for that is named relatively to a working tree.
const SETTINGS: &[&str] = &[
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "safe.bareRepository=explicit",
    "gc.auto=0",
    "maintenance.auto=false",
    "core.quotePath=true",
    "diff.orderFile=/dev/null",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "log.showSignature=false",
    "merge.verifySignatures=false",
    "advice.detachedHead=false",
    "core.fsync=committed",
    "core.fsyncMethod=batch",
];

/// Variables of git that a child of ours keeps.
const KEPT: &[&str] = &[
    "GIT_AUTHOR_",
    "GIT_COMMITTER_",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_KEY_",
    "GIT_CONFIG_VALUE_",
    "GIT_CONFIG_PARAMETERS",
    "GIT_SSH",
    SYNCING,
];

/// git's own switch for tests, as whose disks need not last: off, nothing waits
/// for a disk.
const SYNCING: &str = "GIT_TEST_FSYNC";

/// Which repository and worktree a git child works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The worktree's own git directory.
    pub git_dir: PathBuf,
    /// The directory shared by all worktrees.
    pub common_dir: PathBuf,
    /// The checkout; absent where none is meant.
    pub work_tree: Option<PathBuf>,
}

/// The user's git and the environment it runs in.
#[derive(Debug)]
pub struct Git {
    program: PathBuf,
    environment: BTreeMap<OsString, OsString>,
    version: OnceLock<std::result::Result<(u32, u32), String>>,
    /// Where the version is kept.
    kept: OnceLock<PathBuf>,
    fetches: AtomicBool,
}

/// What a git child left.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

impl Git {
    /// Finds git on the `PATH` of `environment`; relative entries are passed over.
    pub fn find(environment: &BTreeMap<OsString, OsString>) -> Result<Self> {
        let program = find_program("git", environment).ok_or_else(|| {
            Error::unusable("no `git` on the PATH").hint("install git 2.39 or newer, or put it on the PATH")
        })?;
        let mut kept: BTreeMap<OsString, OsString> =
            environment.iter().filter(|(key, _)| is_kept(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
        for (key, value) in [("LC_ALL", "C"), ("GIT_TERMINAL_PROMPT", "0"), ("GIT_OPTIONAL_LOCKS", "0")] {
            kept.insert(key.into(), value.into());
        }
        let (version, fetches) = (OnceLock::new(), AtomicBool::new(true));
        Ok(Self { program, environment: kept, version, kept: OnceLock::new(), fetches })
    }

    /// The program that is run.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Waits until a file, or what a folder lists, is on its disk.
    pub fn sync(&self, file: &std::fs::File) -> std::io::Result<()> {
        let is_off = self.environment.get(OsStr::new(SYNCING)).is_some_and(|value| value == "0");
        if is_off { Ok(()) } else { file.sync_all() }
    }

    /// Whether the environment brings configuration that only git itself reads.
    pub fn has_own_configuration(&self) -> bool {
        self.environment.keys().any(|key| key.to_string_lossy().starts_with("GIT_CONFIG"))
    }

    /// Whether objects that a partial clone lacks are fetched from now on.
    pub fn set_fetching(&self, wanted: bool) {
        self.fetches.store(wanted, Ordering::Relaxed);
    }

    /// Has the version kept in this file from now on.
    pub fn keep_version(&self, file: PathBuf) {
        // Another one is as good.
        let _ = self.kept.set(file);
    }

    /// The version, as major and minor number.
    pub fn version(&self) -> Result<(u32, u32)> {
        let read = self.version.get_or_init(|| {
            let kept = self.kept.get();
            if let Some(known) = kept.and_then(|file| version::recall(file, &self.program)) {
                return Ok(known);
            }
            let told = self.ask_version()?;
            kept.iter().for_each(|file| version::keep(file, &self.program, told));
            Ok(told)
        });
        read.clone().map_err(|why| Error::unusable("could not read the version of git").because(why))
    }

    fn ask_version(&self) -> std::result::Result<(u32, u32), String> {
        let output = Command::bare(self, ["--version"]).spawn().map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        parse_version(&text).ok_or(format!("`{}` says `{text}`", self.program.display()))
    }

    /// Refuses a git that is too old.
    pub fn require_version(&self) -> Result<()> {
        let (major, minor) = self.version()?;
        if (major, minor) >= OLDEST {
            return Ok(());
        }
        let wanted =
            format!("git {major}.{minor} is too old: git-orch needs {}.{} or newer", OLDEST.0, OLDEST.1);
        Err(Error::unusable(wanted).hint("upgrade git, or put a newer one first on the PATH"))
    }

    /// A command in a folder, before its repository is known.
    pub fn in_folder<I, A>(&self, folder: &Path, args: I) -> Command<'_>
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        let mut command = Command::bare(self, args);
        command.folder = Some(folder.to_owned());
        command
    }

    /// A command pinned to `place`.
    pub fn at<I, A>(&self, place: &Place, args: I) -> Command<'_>
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        let mut command = Command::bare(self, args);
        command.folder = Some(place.work_tree.clone().unwrap_or_else(|| place.common_dir.clone()));
        command = command.env("GIT_DIR", &place.git_dir).env("GIT_COMMON_DIR", &place.common_dir);
        match &place.work_tree {
            Some(work_tree) => command.env("GIT_WORK_TREE", work_tree),
            None => command,
        }
    }
}

/// The first executable of that name in an absolute folder of the `PATH`.
pub fn find_program(name: &str, environment: &BTreeMap<OsString, OsString>) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let path = environment.get(OsStr::new("PATH"))?;
    std::env::split_paths(path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(name)).find(
        |file| file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0),
    )
}

/// Whether a variable of our own environment reaches a git child.
fn is_kept(key: &OsStr) -> bool {
    let key = key.to_string_lossy();
    !(key.starts_with("GIT_") || key.starts_with("LC_") || key == "LANGUAGE")
        || KEPT.iter().any(|kept| key.starts_with(kept))
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.strip_prefix("git version ")?.split(['.', ' ']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// One git command, not yet run.
#[derive(Debug)]
pub struct Command<'a> {
    git: &'a Git,
    args: Vec<OsString>,
    folder: Option<PathBuf>,
    environment: Vec<(OsString, OsString)>,
    stdin: Option<Vec<u8>>,
    relaxed: bool,
}

impl<'a> Command<'a> {
    fn bare<I, A>(git: &'a Git, args: I) -> Self
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        Self { git, args, folder: None, environment: Vec::new(), stdin: None, relaxed: false }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I, A>(mut self, args: I) -> Self
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((key.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Feeds standard input.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Lets the user's hooks and signing run: only where `orch.hooks` or
    /// `orch.sign` says so.
    #[must_use]
    pub fn with_hooks_and_signing(mut self) -> Self {
        self.relaxed = true;
        self
    }

    /// Runs it; only a git that can't be started is an error.
    pub fn spawn(self) -> Result<Output> {
        let once_more = |output: &Output| {
            self.args.first().is_some_and(|verb| verb != "worktree") && output.met_a_half_made_worktree()
        };
        for _ in 1..ATTEMPTS {
            let output = self.once()?;
            if !once_more(&output) {
                return Ok(output);
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        self.once()
    }

    /// Runs it in front of the user, whose terminal it gets; its exit code.
    pub fn attended(self) -> Result<i32> {
        let ended = self.expression().run().map_err(|error| {
            Error::unusable(format!("could not start `{}`", self.git.program.display())).because(error)
        })?;
        Ok(ended.status.code().unwrap_or(-1))
    }

    fn once(&self) -> Result<Output> {
        let expression = match &self.stdin {
            Some(bytes) => self.expression().stdin_bytes(bytes.clone()),
            None => self.expression().stdin_null(),
        };
        let output = expression.stdout_capture().stderr_capture().run().map_err(|error| {
            Error::unusable(format!("could not start `{}`", self.git.program.display())).because(error)
        })?;
        Ok(Output { code: output.status.code().unwrap_or(-1), stdout: output.stdout, stderr: output.stderr })
    }

    fn expression(&self) -> duct::Expression {
        let mut args: Vec<OsString> = Vec::with_capacity(self.args.len() + 80);
        for setting in self.settings() {
            args.extend(["-c".into(), setting.into()]);
        }
        args.extend(self.args.iter().cloned());
        let mut environment = self.git.environment.clone();
        environment.extend(self.environment.iter().cloned());
        if !self.git.fetches.load(Ordering::Relaxed) {
            environment.insert("GIT_NO_LAZY_FETCH".into(), "1".into());
        }
        let mut expression = duct::cmd(&self.git.program, &args).full_env(environment).unchecked();
        if let Some(folder) = &self.folder {
            expression = expression.dir(folder);
        }
        expression
    }

    /// Runs it and takes its standard output; a non-zero exit is an error
    /// that quotes what git said.
    pub fn run(self) -> Result<Vec<u8>> {
        let git = self.git;
        let verb = verb(&self.args);
        let folder = self.folder.clone().unwrap_or_default();
        let output = self.spawn()?;
        if output.code == 0 {
            return Ok(output.stdout);
        }
        git.require_version()?;
        let full = String::from_utf8_lossy(&output.stderr).contains("No space left");
        let mut error = output.into_error(&verb);
        if full {
            error = error.hint(make_room(&folder));
        }
        if !git.fetches.load(Ordering::Relaxed) {
            error = error.hint("what this partial clone lacks is fetched once `git orch trust` allowed how");
        }
        Err(error)
    }

    /// Runs it and takes its standard output as one line of text.
    pub fn line(self) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.run()?).trim_end_matches('\n').to_owned())
    }

    fn settings(&self) -> Vec<String> {
        let all = executing::overrides().chain(SETTINGS.iter().map(|setting| (*setting).to_owned()));
        let spared = |setting: &String| {
            self.relaxed
                && ["core.hookspath", "hook.", "commit.gpgSign"]
                    .iter()
                    .any(|start| setting.starts_with(start))
        };
        all.filter(|setting| !spared(setting)).collect()
    }
}

impl Output {
    /// What git complained of, as one line.
    pub fn complaint(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
        let line = lines().find(|line| line.starts_with("fatal:") || line.starts_with("error:"));
        let line = line.or_else(|| lines().next()).unwrap_or("it said nothing");
        line.trim_start_matches("fatal: ").trim_start_matches("error: ").to_owned()
    }

    /// The same, with the paths that git lists below it.
    pub fn complaint_with_paths(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let paths: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix('\t')).collect();
        format!("{} {}", self.complaint(), paths.join(", ")).trim_end().to_owned()
    }

    /// Whether git gave up at once over a worktree that another process is
    /// making at this moment: it lists them all for much of what it does.
    fn met_a_half_made_worktree(&self) -> bool {
        let text = String::from_utf8_lossy(&self.stderr);
        self.code == 128 && text.contains("/worktrees/") && text.contains("failed to read")
    }

    /// Whether it failed for want of what it runs on, disk, handles or its own
    /// life, and not for what it was given.
    pub fn is_for_want_of_room(&self) -> bool {
        const WANTS: &[&str] = &[
            "No space left",
            "Disk quota exceeded",
            "Read-only file system",
            "Too many open files",
            "Input/output error",
            "adding an object",
            "unable to create temporary file",
            "unable to write",
        ];
        let text = String::from_utf8_lossy(&self.stderr);
        self.code < 0 || WANTS.iter().any(|want| text.contains(want))
    }

    /// The error of a git command that failed.
    pub fn into_error(self, verb: &str) -> Error {
        if self.code < 0 {
            return Error::unusable(format!("`git {verb}` was killed")).hint("run the command again");
        }
        Error::unusable(format!("`git {verb}` failed")).because(self.complaint())
    }
}

/// The verb among git's arguments, behind its own options.
fn verb(args: &[OsString]) -> String {
    let mut words = args.iter().map(|arg| arg.to_string_lossy());
    while let Some(word) = words.next() {
        match word.as_ref() {
            "-c" => drop(words.next()),
            word if word.starts_with('-') => {}
            word => return word.to_owned(),
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_every_vendor() {
        for (text, version) in [
            ("git version 2.39.5", Some((2, 39))),
            ("git version 2.47.3 (Apple Git-145)", Some((2, 47))),
            ("git version 2.55.GIT", Some((2, 55))),
            ("hub version 2", None),
        ] {
            assert_eq!(parse_version(text), version, "{text}");
        }
    }

    #[test]
    fn a_git_that_meets_a_half_made_worktree_is_asked_again() {
        let folder = tempfile::tempdir().unwrap();
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/git/half-made.sh");
        std::os::unix::fs::symlink(program, folder.path().join("git")).unwrap();
        let path = format!("{}:/usr/bin:/bin", folder.path().display());
        let git = Git::find(&BTreeMap::from([("PATH".into(), path.into())])).unwrap();
        assert_eq!(git.in_folder(folder.path(), ["worktree", "add"]).spawn().unwrap().code, 128);
        assert_eq!(git.in_folder(folder.path(), ["rev-list"]).line().unwrap(), "done");
    }

    #[test]
    fn repository_variables_stay_out_and_identity_stays_in() {
        for (key, kept) in [
            ("PATH", true),
            ("HOME", true),
            ("GIT_DIR", false),
            ("GIT_INDEX_FILE", false),
            ("GIT_NAMESPACE", false),
            ("GIT_AUTHOR_NAME", true),
            ("GIT_CONFIG_GLOBAL", true),
            ("GIT_TEST_FSYNC", true),
            ("LC_ALL", false),
        ] {
            assert_eq!(is_kept(OsStr::new(key)), kept, "{key}");
        }
    }
}
