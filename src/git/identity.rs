//! Who commits: git-orch for its records, the user for everything else.

use super::repo::Repo;
use crate::error::{Error, Result};

/// The identity of record commits, as git writes it.
pub(super) const OURS: &str = "git-orch <git-orch@localhost>";

/// The same as name and address.
pub(super) fn ours() -> (&'static str, &'static str) {
    ("git-orch", "git-orch@localhost")
}

/// The user's identity, `Name <address>`.
///
/// # Errors
/// Refused as unusable when git has none configured.
pub fn require(repo: &Repo) -> Result<String> {
    let git = repo.git(["-c", "user.useConfigOnly=true", "var", "GIT_COMMITTER_IDENT"]);
    let output = git.spawn()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match text.rfind('>') {
        Some(end) if output.code == 0 => Ok(text[..=end].to_owned()),
        _ => Err(Error::unusable("git does not know who commits here")
            .hint("run `git config --global user.name NAME` and `git config --global user.email ADDRESS`")),
    }
}
