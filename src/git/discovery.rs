//! Finding the repository around a folder, as git finds it.
//!
//! git2 looks first, as it is in process. Whatever it does not find, can't read
//! or would read otherwise than git is left to git.
//!
//! **Invariant:** what git refuses is refused, with git's own reason; a
//! repository that is a file of another one is not entered.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use git2::{Repository, RepositoryOpenFlags};

use super::alternates;
use super::process::{Command, Git, Output, Place};
use crate::error::{Error, Result};

/// Extensions of the repository format that git2 reads rightly, and that git
/// knows in any version that works.
const READABLE_EXTENSIONS: &[&str] = &["noop", "worktreeconfig", "preciousobjects"];

/// The first git that reads a repository whose worktrees are linked relatively.
const RELATIVE_WORKTREES: (u32, u32) = (2, 48);

/// The variable by which the caller says where the repository is.
const GIT_DIR: &str = "GIT_DIR";
/// Heeded beside it, and for nothing without it.
const BESIDE: &[&str] = &["GIT_WORK_TREE", "GIT_COMMON_DIR"];
/// How far git looks; git2 is told of the ceilings.
const CEILINGS: &str = "GIT_CEILING_DIRECTORIES";
const ACROSS: &str = "GIT_DISCOVERY_ACROSS_FILESYSTEM";

/// What git says of a configuration that it can't read.
const CONFIGURATION: &[&str] = &["bad config", "bad numeric config", "bad boolean config", "include depth"];

/// A repository, and who reads it.
pub(super) enum Found {
    /// git2 reads it as git does.
    Library(Repository),
    /// Only git reads it.
    Child(Place),
}

/// Finds the repository around `folder`.
pub(super) fn find(git: &Git, folder: &Path, environment: &BTreeMap<OsString, OsString>) -> Result<Found> {
    let forced = environment.get(OsStr::new("GIT_ORCH_BACKEND")).map(|value| value.to_string_lossy());
    let is_told = [GIT_DIR, ACROSS].iter().any(|key| environment.contains_key(OsStr::new(key)));
    if forced.as_deref() != Some("cli")
        && !is_told
        && let Some(repository) = open_with_library(git, folder, environment)?
    {
        return Ok(Found::Library(repository));
    }
    let place = ask_git(git, folder, environment)?;
    if forced.as_deref() == Some("git2") && !is_told {
        return Err(Error::unusable("git2 can't read this repository"));
    }
    Ok(Found::Child(place))
}

/// `None` where git2 finds nothing, can't read what it found, or reads it otherwise than git.
fn open_with_library(
    git: &Git,
    folder: &Path,
    environment: &BTreeMap<OsString, OsString>,
) -> Result<Option<Repository>> {
    let ceilings = environment.get(OsStr::new(CEILINGS)).cloned().unwrap_or_default();
    let ceilings: Vec<PathBuf> = std::env::split_paths(&ceilings).collect();
    // What is read is not hashed again, as little as git does: that costs three times the rest.
    git2::opts::strict_hash_verification(false);
    match Repository::open_ext(folder, RepositoryOpenFlags::empty(), ceilings) {
        Ok(repository) if is_shipped(git, folder, repository.path())? => Err(shipped(folder)),
        Ok(repository) if !is_around(&repository, folder) => Ok(None),
        Ok(repository) => Ok(reads_as_git_does(git, &repository)?.then_some(repository)),
        Err(_) => Ok(None),
    }
}

/// Whether a folder lies in the working tree that git2 found for it, or in the
/// git directory, or there is none: of a worktree that was moved it tells the old place.
fn is_around(repository: &Repository, folder: &Path) -> bool {
    let Some(work_tree) = repository.workdir() else { return true };
    let real = [folder, work_tree, repository.path()].map(Path::canonicalize);
    let [Ok(folder), Ok(work_tree), Ok(git_dir)] = real else { return false };
    folder.starts_with(work_tree) || folder.starts_with(git_dir)
}

fn reads_as_git_does(git: &Git, repository: &Repository) -> Result<bool> {
    let common = repository.commondir();
    let is_dir_with_entries =
        |path: PathBuf| path.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    let Ok(config) = repository.config().and_then(|mut config| config.snapshot()) else { return Ok(false) };
    let (mut readable, mut relative) = (true, false);
    if let Ok(entries) = config.entries(Some(r"^(extensions\..*|remote\..*\.promisor)$")) {
        let _ =
            entries.for_each(|entry| match entry.name().unwrap_or_default().strip_prefix("extensions.") {
                Some("relativeworktrees") => relative = true,
                extension => readable &= extension.is_some_and(|name| READABLE_EXTENSIONS.contains(&name)),
            });
    }
    let packed = std::fs::read(common.join("packed-refs")).unwrap_or_default();
    let replaced = is_dir_with_entries(common.join("refs/replace"))
        || packed.windows(14).any(|window| window == b" refs/replace/");
    let readable = readable && !replaced && !common.join("info/grafts").exists();
    let readable = readable && alternates::are_plain(&common.join("objects"));
    let is_known = || {
        let format = config.get_i32("core.repositoryformatversion").unwrap_or(0);
        git.version().map(|version| format > 0 && version >= RELATIVE_WORKTREES)
    };
    Ok(readable && (!relative || is_known()?))
}

/// Whether a folder lies in a git directory that another repository tracks as
/// files: its configuration came with them.
fn is_shipped(git: &Git, folder: &Path, git_dir: &Path) -> Result<bool> {
    let (Ok(folder), Ok(git_dir)) = (folder.canonicalize(), git_dir.canonicalize()) else {
        return Ok(false);
    };
    let (Some(around), Some(name)) = (git_dir.parent(), git_dir.file_name()) else { return Ok(false) };
    if !folder.starts_with(&git_dir) {
        return Ok(false);
    }
    let asked = git.in_folder(around, ["ls-files", "--error-unmatch", "--"]);
    let asked = asked.args([Path::new(name).join("HEAD")]).env("GIT_LITERAL_PATHSPECS", "1");
    Ok(asked.spawn()?.code == 0)
}

/// Where git finds the repository.
fn ask_git(git: &Git, folder: &Path, environment: &BTreeMap<OsString, OsString>) -> Result<Place> {
    let is_told = environment.contains_key(OsStr::new(GIT_DIR));
    let heeded = [GIT_DIR, CEILINGS, ACROSS].iter().chain(BESIDE.iter().filter(|_| is_told));
    let told: Vec<_> = heeded.filter_map(|key| environment.get_key_value(OsStr::new(key))).collect();
    let asked = |before: &[&str], wanted: &[&str]| {
        let words = [before, &["rev-parse", "--path-format=absolute"], wanted].concat();
        let command = git.in_folder(folder, words);
        told.iter().fold(command, |command: Command<'_>, (key, value)| command.env(key, value))
    };
    let wanted = ["--git-dir", "--git-common-dir", "--is-inside-work-tree", "--is-bare-repository"];
    let mut output = asked(&[], &wanted).spawn()?;
    // A bare one is entered unless it is a file of another one.
    let is_bare = output.code != 0 && output.complaint().contains("safe.bareRepository");
    if is_bare {
        output = asked(&["-c", "safe.bareRepository=all"], &wanted).spawn()?;
    }
    if output.code != 0 {
        return Err(refusal(git, folder, &output)?);
    }
    let lines: Vec<&[u8]> = output.stdout.split(|byte| *byte == b'\n').collect();
    let path = |index: usize| PathBuf::from(OsStr::from_bytes(lines.get(index).copied().unwrap_or_default()));
    if is_bare && is_shipped(git, folder, &path(0))? {
        return Err(shipped(folder));
    }
    let mut work_tree = None;
    let says = |index: usize, what: &[u8]| lines.get(index).is_some_and(|line| *line == what);
    if says(2, b"true") {
        work_tree = Some(PathBuf::from(asked(&[], &["--show-toplevel"]).line()?));
    } else if !is_told && says(3, b"false") && path(0).ends_with(".git") {
        // In the git directory itself.
        work_tree = path(0).parent().map(Path::to_owned);
    }
    Ok(Place { git_dir: path(0), common_dir: path(1), work_tree })
}

fn refusal(git: &Git, folder: &Path, output: &Output) -> Result<Error> {
    git.require_version()?;
    let complaint = output.complaint();
    Ok(if complaint.starts_with("not a git repository") {
        outside(folder)
    } else if complaint.contains("dubious ownership") {
        foreign(folder)
    } else if CONFIGURATION.iter().any(|said| complaint.contains(said)) {
        Error::unusable("could not read git's configuration").because(complaint)
    } else {
        Error::unusable(format!("git can't use the repository around `{}`", folder.display()))
            .because(output.complaint_with_paths())
    })
}

fn outside(folder: &Path) -> Error {
    Error::unusable(format!("`{}` is in no git repository", folder.display()))
        .hint("change into one, name one with `-C DIR`, or make one with `git init`")
}

fn shipped(folder: &Path) -> Error {
    Error::unusable(format!("the repository at `{}` is a file of the one around it", folder.display()))
        .hint("its configuration came with those files; change into a folder of the one around it")
}

fn foreign(folder: &Path) -> Error {
    Error::unusable(format!("the repository around `{}` belongs to another user", folder.display()))
        .hint("if it is to be trusted: `git config --global --add safe.directory DIR`")
}
