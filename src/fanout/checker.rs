//! The command that says what is wrong, in a throwaway of its own.
//!
//! **Invariant:** it sees exactly the tree it is asked about, never the user's
//! checkout; what it has built stays for the next time.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::carry::{self, Site};
use super::problems::{self, Found};
use crate::agent::{Input, Invocation, command, process};
use crate::error::{Error, IoContext, Result};
use crate::git::EntryKind;
use crate::model::wording::{few, tick};
use crate::model::{Event, Oid, RepoPath};
use crate::run::throwaway::Throwaway;

/// Runs a text and puts what it prints on standard output into a file, where
/// no line of another stream comes between.
const APART: &str = r#"exec sh -c "$1" sh >"$2""#;

/// A checker at its place.
pub(super) struct Checker<'a> {
    throwaway: Throwaway<'a>,
    /// Its command, for a shell.
    text: &'a str,
    /// Ignored folders of the user's checkout that it needs.
    share: &'a [RepoPath],
}

impl<'a> Checker<'a> {
    /// Makes a place for a checker.
    ///
    /// # Errors
    /// Unusable where worktrees can't be made.
    pub(super) fn make(site: &Site<'a>, text: &'a str, share: &'a [RepoPath]) -> Result<Self> {
        let scene = site.scene;
        let throwaway = Throwaway::make(scene.repo, scene.throwaways, site.order.commit, scene.events)?;
        Ok(Self { throwaway, text, share })
    }

    /// A folder for what it prints that goes with it.
    ///
    /// # Errors
    /// Unusable where it can't be made.
    pub(super) fn beside(&self) -> Result<PathBuf> {
        let folder = self.throwaway.beside();
        std::fs::create_dir(&folder).doing("could not make", &folder)?;
        Ok(folder)
    }

    /// The problems of a tree.
    ///
    /// # Errors
    /// Failed where it says that something is wrong and not in which tracked file.
    pub(super) fn ask(&self, site: &Site<'_>, tree: Oid) -> Result<Found> {
        site.scene.repo.reach("checker to be asked")?;
        let told = Event::Checking { name: site.name.clone(), check: self.text.to_owned() };
        (site.scene.events)(told);
        self.throwaway.turn(tree)?;
        let (out, log) = (site.logs.join("checker.out"), site.logs.join("checker.log"));
        let ended = self.run(site, &out, &log)?;
        site.scene.interrupt.check()?;
        let mut printed = std::fs::read(&out).unwrap_or_default();
        printed.push(b'\n');
        printed.extend(std::fs::read(&log).doing("could not read", &log)?);
        let found = self.place(site, tree, &printed)?;
        match ended.exit_code() {
            Some(0) => Ok(found),
            _ if !found.problems.is_empty() => Ok(found),
            code => Err(self.not_understood(code, &found, [&log, &out].map(|file| carry::last_line(file)))),
        }
    }

    fn run(&self, site: &Site<'_>, out: &Path, log: &Path) -> Result<process::Ended> {
        // What it printed the last time is not what it says now.
        drop(std::fs::remove_file(out));
        let path = carry::search_path(site);
        let ours: [(&str, &OsStr); 3] = [
            ("GIT_ORCH_TASK", OsStr::new(site.name.as_str())),
            ("GIT_ORCH_ROOT", site.scene.repo.main_folder().as_os_str()),
            ("PATH", &path),
        ];
        let invocation = Invocation {
            argv: command::shell(APART, [self.text.into(), out.into()]),
            folder: self.throwaway.path().to_owned(),
            environment: command::environment(&carry::callers(site), &ours),
            input: Input::Nothing,
            log: log.to_owned(),
            is_log_continued: false,
            timeout: None,
        };
        let links = carry::share(site, &self.throwaway, self.share);
        let ended = process::run(&invocation, site.scene.interrupt, |_| {});
        links.iter().for_each(|link| drop(std::fs::remove_file(link)));
        ended
    }

    fn place(&self, site: &Site<'_>, tree: Oid, printed: &[u8]) -> Result<Found> {
        let entries = site.scene.repo.read().tracked(tree)?.into_iter();
        let files = entries.filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Executable));
        let tracked: BTreeSet<RepoPath> = files.map(|entry| entry.name).collect();
        let top = self.throwaway.path();
        let real = top.canonicalize().unwrap_or_else(|_| top.to_owned());
        Ok(problems::place(problems::read(printed), &[top, &real], &tracked))
    }

    fn not_understood(&self, code: Option<i32>, found: &Found, last: [String; 2]) -> Error {
        let text = tick(self.text);
        if !found.foreign.is_empty() {
            return Error::failed(format!(
                "{text} names no tracked file, only {}",
                few(found.foreign.iter().map(tick))
            ))
            .hint("paths are read from the top of the repository");
        }
        let code = code.map_or("ended by a signal".to_owned(), |code| format!("exit {code}"));
        if last.iter().all(String::is_empty) && code == "exit 1" {
            return Error::failed(format!("{text} printed nothing, yet it failed ({code})"))
                .hint("where that means that nothing is wrong, say so: `grep -n … || test $? = 1`");
        }
        let said = last.into_iter().find(|line| !line.is_empty()).map(|line| format!(": {line}"));
        Error::failed(format!("{text} names no problem, yet it failed ({code}){}", said.unwrap_or_default()))
            .hint("it has to print problems as `path:line: message`, as JSON or as SARIF")
    }
}
