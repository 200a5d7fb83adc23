//! Combining two tips in memory, and moving a base to the result.

use super::lock::RepoLock;
use super::read::Head;
use super::refs::{self, RefChange};
use super::repo::Repo;
use super::worktree;
use crate::error::{Error, Result};
use crate::model::wording::{few, tick};
use crate::model::{Oid, RepoPath};

/// What merging two tips gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// A tree.
    Clean(Oid),
    /// Paths that both sides changed in ways that do not fit.
    Conflict(Vec<RepoPath>),
}

/// Merges two commits without touching any working tree.
pub fn combine(repo: &Repo, ours: Oid, theirs: Oid) -> Result<Merged> {
    let args = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"];
    let output = repo.git(args).args([ours.to_string(), theirs.to_string()]).spawn()?;
    let mut fields = output.stdout.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    let tree = fields.next().and_then(|hex| String::from_utf8_lossy(hex).trim().parse().ok());
    match (output.code, tree) {
        (0, Some(tree)) => Ok(Merged::Clean(tree)),
        (1, Some(_)) => Ok(Merged::Conflict(fields.map(RepoPath::from_bytes).collect())),
        _ => Err(output.into_error("merge-tree")),
    }
}

/// Moves the branch `base` from the commit that was tested to the result.
///
/// Where a worktree has it checked out, git itself fast-forwards there, so
/// that the checkout follows and unrelated uncommitted work is kept.
///
/// # Errors
/// Refused when the base moved meanwhile, or when uncommitted or ignored files
/// in the checkout stand in the way.
pub fn land(repo: &Repo, lock: &RepoLock, base: &str, from: Oid, to: Oid) -> Result<()> {
    let name = refs::branch(base);
    if repo.read().find_ref(&name)? != Some(from) {
        return Err(Error::refused(format!("`{base}` moved meanwhile")).hint("run the command again"));
    }
    let holder =
        worktree::list(repo)?.into_iter().find(|one| one.head.as_ref().and_then(Head::branch) == Some(base));
    let Some(holder) = holder else {
        return refs::apply(repo, lock, &[RefChange::update(name, to, from)], "land");
    };
    if holder.path == repo.place().common_dir {
        return Err(Error::refused(format!(
            "`{base}` is checked out in the main worktree, and nothing tells where that is"
        ))
        .hint("run the command in the main worktree"));
    }
    let place = holder.place(repo);
    let merge = repo.git_in(&place, ["merge", "--ff-only", "--no-overwrite-ignore", "--no-stat", "--quiet"]);
    let output = merge.args([to.to_string()]).spawn()?;
    if output.code == 0 {
        return Ok(());
    }
    let paths = blocking_paths(&String::from_utf8_lossy(&output.stderr));
    let at = holder.path.display();
    if paths.is_empty() {
        return Err(Error::refused(format!("`{base}` is checked out in `{at}`, where git can't move it"))
            .because(output.complaint())
            .hint("finish or undo what is going on there"));
    }
    let files = few(paths.iter().map(tick));
    Err(Error::refused(format!(
        "`{base}` is checked out in `{at}` with changes to {files}, which it also changes"
    ))
    .hint("commit or stash them there, then run the command again"))
}

/// Paths that git lists, indented, under "would be overwritten".
fn blocking_paths(complaint: &str) -> Vec<String> {
    complaint.lines().filter_map(|line| line.strip_prefix('\t')).map(str::to_owned).collect()
}
