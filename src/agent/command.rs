//! What to run, where, with which input.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

/// Git's own repository variables, which no child of ours inherits.
const REPOSITORY_VARIABLES: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// What a command reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Input {
    /// Nothing.
    #[default]
    Nothing,
    /// A file.
    File(PathBuf),
}

/// A command ready to be run.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// The folder it runs in.
    pub folder: PathBuf,
    /// Its whole environment.
    pub environment: BTreeMap<OsString, OsString>,
    /// What it reads.
    pub input: Input,
    /// Where what it prints goes.
    pub log: PathBuf,
    /// Whether that goes behind what is there already.
    pub is_log_continued: bool,
    /// How long it may take.
    pub timeout: Option<Duration>,
}

/// The caller's environment without git's repository variables, with ours.
pub fn environment(
    caller: &BTreeMap<OsString, OsString>,
    ours: &[(&str, &OsStr)],
) -> BTreeMap<OsString, OsString> {
    let inherited = |key: &OsStr| {
        let key = key.to_string_lossy();
        !REPOSITORY_VARIABLES.contains(&&*key)
            && !key.starts_with("GIT_CONFIG_KEY_")
            && !key.starts_with("GIT_CONFIG_VALUE_")
            && !key.starts_with("GIT_ORCH_")
    };
    let mut environment: BTreeMap<OsString, OsString> = caller
        .iter()
        .filter(|(key, _)| inherited(key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    environment.extend(ours.iter().map(|(key, value)| ((*key).into(), (*value).to_owned())));
    environment
}

/// `sh -c TEXT sh ARGS…`: a command that people wrote for a shell.
pub fn shell(text: &str, args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    ["sh", "-c", text, "sh"].into_iter().map(OsString::from).chain(args).collect()
}
