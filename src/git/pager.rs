//! The user's own pager and tools, and what a repository's configuration
//! would have run in their place.
//!
//! **Invariant:** what the repository's own configuration names is told apart,
//! so that whoever runs it can ask for trust first.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::repo::Repo;
use crate::error::Result;

/// A value of a setting, and whether the repository itself has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The setting.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Whether it comes with the repository.
    pub is_local: bool,
}

/// All values of settings that match a pattern, in order; ours left out.
pub fn settings(repo: &Repo, pattern: &str) -> Result<Vec<Said>> {
    let output = repo.git(["config", "--show-scope", "-z", "--get-regexp", pattern]).spawn()?;
    // 1 is: there are none.
    if output.code > 1 {
        return Err(output.into_error("config"));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let fields: Vec<&str> = text.split_terminator('\0').collect();
    let said = |pair: &[&str]| {
        let (key, value) = pair[1].split_once('\n').unwrap_or((pair[1], "true"));
        let is_local = matches!(pair[0], "local" | "worktree");
        (pair[0] != "command").then(|| Said { key: key.to_owned(), value: value.to_owned(), is_local })
    };
    Ok(fields.chunks_exact(2).filter_map(said).collect())
}

/// The command that pages what `git diff` would print; `None` where nothing
/// does. `allowed` says whether a value of the repository's own counts.
pub fn choose(
    repo: &Repo,
    environment: &BTreeMap<OsString, OsString>,
    allowed: impl Fn(&Said) -> bool,
) -> Result<Option<String>> {
    let variable = |key: &str| environment.get(OsStr::new(key)).map(|it| it.to_string_lossy().into_owned());
    let said = settings(repo, r"^(core\.pager|pager\.(orch|diff))$")?;
    let last =
        |key: &str| said.iter().rev().find(|said| said.key == key && allowed(said)).map(|it| &it.value);
    let own = last("pager.orch").or_else(|| last("pager.diff"));
    let fallback = || {
        let set = variable("GIT_PAGER").or_else(|| last("core.pager").cloned());
        set.or_else(|| variable("PAGER")).unwrap_or_else(|| "less".to_owned())
    };
    let command = match own.map(|value| value.to_lowercase()).as_deref() {
        Some("false" | "no" | "off" | "0") => return Ok(None),
        None | Some("true" | "yes" | "on" | "1" | "") => fallback(),
        Some(_) => own.cloned().unwrap_or_default(),
    };
    Ok(Some(command).filter(|command| !["", "cat"].contains(&command.trim())))
}
