//! The built-in job `fmt`: which formatters the repository uses, on which of
//! its files, and what may run before anyone has trusted the repository.
//!
//! A formatter is taken where the repository says so: by its own
//! configuration file, a dependency, a pre-commit hook, or a manifest of a
//! language with one formatter (Rust, Go). Being installed is no reason. It
//! runs in the outermost folder that says so, as a person would run it there.
//!
//! **Invariant:** a file belongs to one formatter at most; what a repository
//! can make a formatter execute is named in `needs_trust`.

mod evidence;
mod manifest;
mod packages;
mod table;
mod trust;

use std::ffi::OsString;
use std::path::PathBuf;

use crate::model::RepoPath;
use crate::model::path::PathSet;

pub use manifest::license;
pub use packages::Package;

use super::job::Command;
use super::shard::within;
use evidence::{Evidence, Index};
use table::{ROWS, Row, Unit};

/// What there is to look at. Nothing else is read.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// The tracked regular files.
    pub files: &'a [RepoPath],
    /// The tracked symbolic links and where they lead.
    pub links: &'a [(RepoPath, Vec<u8>)],
    /// The content of a tracked regular file.
    pub read: &'a dyn Fn(&RepoPath) -> Option<Vec<u8>>,
    /// Where a program is: a plain name is looked up in the search path, one
    /// with a slash in the user's checkout.
    pub find: &'a dyn Fn(&str) -> Option<PathBuf>,
}

/// A formatter that the repository uses and that is installed.
#[derive(Clone, Debug, PartialEq)]
pub struct Formatter {
    /// What people call it.
    pub name: &'static str,
    /// What says that the repository uses it: `from package.json`.
    pub why: String,
    /// The folder it runs in.
    pub directory: RepoPath,
    /// The command; a shard's files, or its package's manifest, come behind.
    pub command: Command,
    /// The command that prints its version, where there is one.
    pub version: Option<Vec<OsString>>,
    /// Why it may execute code that the repository names.
    pub needs_trust: Option<String>,
    /// Ignored folders of the user's checkout that it then needs.
    pub share: Vec<RepoPath>,
    /// Whether it reads nothing but its files and what lies in the folders
    /// above them.
    pub is_local: bool,
    /// Which files are its settings.
    pub settings: PathSet,
    /// What it is to format.
    pub work: Work,
}

/// What a formatter is to format, and so how it can be split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Files, each by itself.
    Files(Vec<RepoPath>),
    /// Packages: the formatter finds their files by itself.
    Packages(Vec<Package>),
}

impl Work {
    /// How many files there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Files(files) => files.len(),
            Self::Packages(packages) => packages.iter().map(|package| package.files.len()).sum(),
        }
    }
}

/// A formatter that the repository uses and that is not installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What people call it.
    pub name: &'static str,
    /// What says that the repository uses it.
    pub why: String,
    /// How many files stay as they are.
    pub files: usize,
    /// How it gets installed.
    pub install: &'static str,
}

/// All formatters of a repository.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// Those to run, in order; their files are disjoint.
    pub chosen: Vec<Formatter>,
    /// Those that are used but not installed.
    pub missing: Vec<Missing>,
}

/// Chooses the formatters of a repository. `wanted` narrows the files; what is
/// used is decided by all of them.
pub fn choose(sources: Sources<'_>, wanted: &dyn Fn(&RepoPath) -> bool) -> Choice {
    let index = Index::new(sources);
    let mut open: Vec<&RepoPath> = sources.files.iter().filter(|file| !is_vendored(file)).collect();
    let mut choice = Choice::default();
    for row in ROWS {
        for evidence in evidence::find_all(row, &index) {
            let mut work = claim(row, &evidence, &mut open, sources);
            work.narrow(wanted);
            if work.count() == 0 {
                continue;
            }
            match find_program(row, &evidence, sources) {
                Some(program) => choice.chosen.push(formatter(row, evidence, (program, work), sources)),
                None => choice.missing.push(Missing {
                    name: row.name,
                    why: evidence.why(),
                    files: work.count(),
                    install: row.install,
                }),
            }
        }
    }
    choice
}

impl Work {
    fn narrow(&mut self, wanted: &dyn Fn(&RepoPath) -> bool) {
        match self {
            Self::Files(files) => files.retain(wanted),
            Self::Packages(packages) => packages.retain(|package| package.files.iter().any(wanted)),
        }
    }
}

/// Takes the files that a row formats below its folder out of the open ones.
fn claim(row: &Row, evidence: &Evidence, open: &mut Vec<&RepoPath>, sources: Sources<'_>) -> Work {
    let patterns: Vec<String> = row.exclude.iter().map(|&pattern| pattern.to_owned()).collect();
    let exclude = PathSet::parse(&patterns).expect("the table's patterns are good");
    let is_own = |file: &RepoPath| {
        within(file.as_bytes(), evidence.directory.as_bytes())
            && table::has_extension(file, row.extensions)
            && !exclude.contains(file)
    };
    let mut files = Vec::new();
    open.retain(|file| {
        let own = is_own(file);
        if own {
            files.push((*file).clone());
        }
        !own
    });
    match row.unit {
        Unit::File => Work::Files(files),
        Unit::CargoPackage => Work::Packages(packages::find_all(&evidence.directory, &files, sources)),
    }
}

/// Looks beside the folder and above it before the search path.
fn find_program(row: &Row, evidence: &Evidence, sources: Sources<'_>) -> Option<(String, PathBuf)> {
    let folders = std::iter::once(evidence.directory.as_bytes()).chain(evidence.directory.ancestors());
    for folder in folders {
        for beside in row.beside {
            let folder = RepoPath::from_bytes(folder);
            let path = folder.as_path().join(beside).join(row.program).to_str()?.to_owned();
            if let Some(program) = (sources.find)(&path) {
                return Some((path, program));
            }
        }
    }
    if !row.requires.iter().all(|program| (sources.find)(program).is_some()) {
        return None;
    }
    (sources.find)(row.program).map(|program| (row.program.to_owned(), program))
}

fn formatter(
    row: &Row,
    evidence: Evidence,
    ((place, program), work): ((String, PathBuf), Work),
    sources: Sources<'_>,
) -> Formatter {
    let argv = |arguments: &[&str]| -> Vec<OsString> {
        std::iter::once(program.clone().into_os_string())
            .chain(arguments.iter().map(OsString::from))
            .collect()
    };
    let needs_trust = trust::tracked_program(&place, sources)
        .or_else(|| trust::executes(row.executes, &evidence.directory, sources));
    let share = match (&needs_trust, row.share) {
        (Some(_), Some(folder)) => {
            vec![RepoPath::from(evidence.directory.as_path().join(folder))]
        }
        _ => Vec::new(),
    };
    let mut command = argv(row.arguments);
    if row.name == "black" {
        command.extend(manifest::black_excludes(&evidence.directory, sources));
    }
    let is_local = matches!(work, Work::Files(_))
        && needs_trust.is_none()
        && !evidence::names_another_file(row, &evidence, sources);
    Formatter {
        name: row.name,
        why: evidence.why(),
        is_local,
        settings: evidence::settings(row),
        directory: evidence.directory,
        command: Command::Argv(command),
        version: (!row.version.is_empty()).then(|| argv(row.version)),
        needs_trust,
        share,
        work,
    }
}

/// Whether a path belongs to somebody else's code that is kept here.
fn is_vendored(path: &RepoPath) -> bool {
    let folders = path.parent();
    folders.as_bytes().split(|byte| *byte == b'/').any(|part| part == b"node_modules" || part == b"vendor")
}

#[cfg(test)]
mod tests;
