//! Which branch a session starts from and merges back to.

use crate::error::{Error, Result};
use crate::git::{Head, Repo, refs, worktree};
use crate::model::wording::unknown;
use crate::model::{Oid, Session};
use crate::store::Stored;

/// A base and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The branch, short.
    pub branch: String,
    /// Its tip.
    pub oid: Oid,
}

/// Chooses the base: the one asked for, else the configured one, else that of
/// the session around the caller, else the branch `origin/HEAD` names, else
/// the one checked out in the main worktree.
///
/// # Errors
/// Usage for an unknown branch; unusable where no commit is there yet or
/// nothing tells the base.
pub fn choose(
    repo: &Repo,
    asked: Option<&str>,
    configured: Option<&str>,
    sessions: &[Stored<Session>],
) -> Result<Base> {
    if let Some(branch) = asked.or(configured) {
        return require(repo, branch);
    }
    let head = repo.read().head()?;
    let around = sessions.iter().find(|session| head.branch() == Some(session.value.branch.as_str()));
    if let Some(session) = around {
        return require(repo, &session.value.base);
    }
    if let Some(base) = of_origin(repo)? {
        return Ok(base);
    }
    match main_head(repo)?.unwrap_or(head) {
        Head::Branch(branch, oid) => Ok(Base { branch, oid }),
        Head::Unborn(branch) => Err(Error::unusable(format!("`{branch}` has no commit yet"))
            .hint("make a first one: `git commit --allow-empty -m 'first commit'`")),
        Head::Detached(_) => Err(Error::unusable("HEAD is on no branch, so nothing tells the base")
            .hint("name the branch to merge back to with `--base`, or set `git config orch.base`")),
    }
}

/// The tip of a base that must be there.
pub fn require(repo: &Repo, branch: &str) -> Result<Base> {
    let short = branch.strip_prefix("refs/heads/").unwrap_or(branch);
    // What stands for another branch is that one: nobody has the name checked out.
    let meant = repo.read().symbolic(&refs::branch(short))?;
    let short = meant.as_deref().and_then(|full| full.strip_prefix("refs/heads/")).unwrap_or(short);
    if let Some(oid) = repo.read().find_ref(&refs::branch(short))? {
        return Ok(Base { branch: short.to_owned(), oid });
    }
    let branches = repo.read().refs("refs/heads/")?;
    if branches.is_empty() {
        return Err(Error::unusable("the repository has no commit yet")
            .hint("make a first one: `git commit --allow-empty -m 'first commit'`"));
    }
    let known = branches.iter().map(|(name, _)| &name["refs/heads/".len()..]);
    let error = Error::usage(unknown("branch", short, known));
    Err(error.hint("a base is a local branch: results merge back into it"))
}

fn of_origin(repo: &Repo) -> Result<Option<Base>> {
    let head = repo.read().symbolic("refs/remotes/origin/HEAD")?;
    let Some(branch) = head.as_deref().and_then(|full| full.strip_prefix("refs/remotes/origin/")) else {
        return Ok(None);
    };
    let oid = repo.read().find_ref(&refs::branch(branch))?;
    Ok(oid.map(|oid| Base { branch: branch.to_owned(), oid }))
}

fn main_head(repo: &Repo) -> Result<Option<Head>> {
    Ok(worktree::list(repo)?.into_iter().find(|one| one.id.is_none()).and_then(|main| main.head))
}
