//! A job: which command, on which files, split how.
//!
//! **Invariant:** file names reach a command as arguments or in a file, never
//! as part of a shell's text.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::path::PathSet;
use crate::model::{Name, RepoPath};
use crate::run::worker::Program;

use super::header;
use super::home::Home;
use super::plan::Contents;
use super::shard::By;

/// What a shard runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A text for `sh -c`, the shard's files as `"$@"`.
    Shell(String),
    /// A program and its arguments, the shard's files behind them.
    Argv(Vec<OsString>),
    /// Git-orch itself, which puts a header into files.
    Header {
        /// Where the program lies.
        program: PathBuf,
        /// The header's text.
        text: String,
    },
    /// An agent, which finds the shard's files in its brief.
    Agent(Program),
}

impl Command {
    /// The program and arguments for these files, given below `directory`.
    pub fn argv(&self, files: &[RepoPath], directory: &RepoPath) -> Vec<OsString> {
        let mut argv = match self {
            Self::Shell(text) => vec!["sh".into(), "-c".into(), text.into(), "sh".into()],
            Self::Argv(argv) => argv.clone(),
            Self::Header { program, text } => {
                vec![program.into(), header::HEADER.into(), "--".into(), text.into()]
            }
            Self::Agent(program) => return program.argv.clone(),
        };
        argv.extend(files.iter().map(|file| argument(file, directory)));
        argv
    }

    /// The command for people, without files.
    pub fn for_people(&self) -> String {
        match self {
            Self::Shell(text) => text.clone(),
            Self::Argv(argv) => argv.iter().map(|word| quoted_word(word)).collect::<Vec<_>>().join(" "),
            Self::Header { text, .. } => format!("header {}", text.trim_end()),
            Self::Agent(program) => format!("agent {}", program.name),
        }
    }

    /// The agent, where it is one.
    pub fn agent(&self) -> Option<&Program> {
        match self {
            Self::Agent(program) => Some(program),
            Self::Shell(_) | Self::Argv(_) | Self::Header { .. } => None,
        }
    }
}

/// `./path` as seen from `directory`, so that no name reads as an option.
pub fn argument(file: &RepoPath, directory: &RepoPath) -> OsString {
    let mut bytes = b"./".to_vec();
    let below = file.as_bytes().strip_prefix(directory.as_bytes()).unwrap_or(file.as_bytes());
    bytes.extend_from_slice(below.strip_prefix(b"/").unwrap_or(below));
    OsString::from_vec(bytes)
}

/// A word as a shell would take it, for people to copy.
fn quoted_word(word: &OsStr) -> String {
    let text = RepoPath::from(std::path::PathBuf::from(word)).quoted();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// A job as it is carried out: from the configuration, or from the command line.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name.
    pub name: Name,
    /// What each shard runs.
    pub command: Command,
    /// What an agent shall do, in words.
    pub brief: String,
    /// The files it is for; all tracked ones where empty.
    pub include: PathSet,
    /// Files it is not for.
    pub exclude: PathSet,
    /// How its files are split; balanced where absent.
    pub by: Option<By>,
    /// What a shard's worktree holds.
    pub contents: Contents,
    /// A command that the assembled tree must pass.
    pub check: Option<String>,
    /// How long one shard may take.
    pub timeout: Option<Duration>,
    /// How often a shard that fails is run again.
    pub retries: u32,
    /// Whose home its command finds.
    pub home: Home,
    /// What its command finds in its environment, beside the caller's.
    pub env: Vec<(String, String)>,
}

impl Job {
    /// The files of this job among the tracked ones, in order.
    pub fn files(&self, tracked: &[RepoPath]) -> Vec<RepoPath> {
        tracked.iter().filter(|file| self.is_for(file)).cloned().collect()
    }

    /// Whether it is for this file.
    pub fn is_for(&self, file: &RepoPath) -> bool {
        let is_possible = !matches!(self.command, Command::Header { .. }) || header::is_for(file);
        is_possible && is_chosen(file, &self.include, &self.exclude)
    }
}

/// The files that are included, or all, and not excluded.
pub fn chosen(files: &[RepoPath], include: &PathSet, exclude: &PathSet) -> Vec<RepoPath> {
    files.iter().filter(|file| is_chosen(file, include, exclude)).cloned().collect()
}

fn is_chosen(file: &RepoPath, include: &PathSet, exclude: &PathSet) -> bool {
    (include.is_empty() || include.contains(file)) && !exclude.contains(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(patterns: &[&str]) -> PathSet {
        PathSet::parse(&patterns.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn files_are_arguments_whatever_they_are_called() {
        let files = [RepoPath::from("-rf"), RepoPath::from("$(id) x"), RepoPath::from_bytes(*b"a/caf\xe9")];
        let shell = Command::Shell(r#"fmt "$@""#.to_owned());
        let argv = shell.argv(&files, &RepoPath::default());
        assert_eq!(argv[..4], ["sh", "-c", r#"fmt "$@""#, "sh"]);
        assert_eq!(argv[4..6], ["./-rf", "./$(id) x"]);
        assert_eq!(argv[6].clone().into_vec(), b"./a/caf\xe9");
        let list = Command::Argv(vec!["fmt".into(), "--write".into()]);
        assert_eq!(list.argv(&files[..1], &RepoPath::default()), ["fmt", "--write", "./-rf"]);
    }

    #[test]
    fn files_are_named_from_where_the_command_runs() {
        for (file, directory, argument) in
            [("web/a.ts", "web", "./a.ts"), ("web/a.ts", "", "./web/a.ts"), ("a.ts", "", "./a.ts")]
        {
            assert_eq!(super::argument(&RepoPath::from(file), &RepoPath::from(directory)), argument);
        }
    }

    #[test]
    fn a_command_for_people_can_be_copied() {
        let argv = ["prettier", "--write", "a b", "it's", ""].map(OsString::from).to_vec();
        assert_eq!(Command::Argv(argv).for_people(), r"prettier --write 'a b' 'it'\''s' ''");
    }

    #[test]
    fn a_job_is_for_included_files_that_are_not_excluded() {
        let tracked = ["README.md", "web/a.ts", "web/b.css", "web/gen/c.ts"].map(RepoPath::from);
        let job = |include: &[&str], exclude: &[&str]| Job {
            name: "fmt".parse().unwrap(),
            command: Command::Shell("true".to_owned()),
            brief: String::new(),
            include: patterns(include),
            exclude: patterns(exclude),
            by: None,
            contents: Contents::Full,
            check: None,
            timeout: None,
            retries: 0,
            home: Home::Callers,
            env: Vec::new(),
        };
        assert_eq!(job(&["web/**/*.ts"], &["web/gen"]).files(&tracked), [RepoPath::from("web/a.ts")]);
        assert_eq!(job(&[], &["web"]).files(&tracked), [RepoPath::from("README.md")]);
    }
}
