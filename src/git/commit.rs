//! Making commits in a worktree, and commits of ready trees.

use super::process::Place;
use super::repo::Repo;
use super::{refs, worktree, written};
use crate::error::{Error, IoContext, Result};
use crate::model::Oid;

/// Whether the user's hooks and signing run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// `orch.hooks`: run the repository's hooks.
    pub hooks: bool,
    /// `orch.sign`: sign as the user does.
    pub sign: bool,
}

/// How often a commit is made again that a `git gc` took parts of.
const ATTEMPTS: usize = 3;

/// Commits everything that is left in a worktree on top of `tip`, through the
/// repository's clean filters; the new commit.
pub fn everything(repo: &Repo, place: &Place, tip: Oid, message: &str, habits: Habits) -> Result<Oid> {
    for _ in 0..ATTEMPTS {
        let made = once(repo, place, message, habits);
        let cleared = written::wait_for_clearing(repo);
        match made {
            Ok(made) if refs::is_whole(repo, made, &[tip])? => return Ok(made),
            Err(error) if !cleared && find_tip(repo, place)?.is_some() => return Err(error),
            _ => {}
        }
        // The files are still there: they are read anew.
        repo.git_in(place, ["update-ref", "HEAD"]).args([tip.to_string()]).run()?;
        let index = place.git_dir.join("index");
        std::fs::remove_file(&index).doing("could not remove", &index)?;
        repo.git_in(place, ["read-tree"]).args([tip.to_string()]).run()?;
    }
    Err(Error::unusable("git clears away what is being committed")
        .hint("let `git gc` end, then run the command again"))
}

fn once(repo: &Repo, place: &Place, message: &str, habits: Habits) -> Result<Oid> {
    repo.reach("work to be committed")?;
    repo.git_in(place, ["add", "--all"]).run()?;
    let mut commit = repo.git_in(place, ["commit", "--quiet", "--allow-empty-message", "--file=-"]);
    if !habits.hooks {
        commit = commit.args(["--no-verify"]);
    }
    if !habits.sign {
        commit = commit.args(["--no-gpg-sign"]);
    }
    if habits.hooks || habits.sign {
        commit = commit.with_hooks_and_signing();
    }
    commit.stdin(message).run()?;
    repo.reach("work committed")?;
    tip(repo, place)
}

/// The commit a worktree's HEAD is at.
pub fn tip(repo: &Repo, place: &Place) -> Result<Oid> {
    if let Some(tip) = worktree::head_commit(repo, place) {
        return Ok(tip);
    }
    let line = repo.git_in(place, ["rev-parse", "--verify", "HEAD^{commit}"]).line()?;
    line.parse().map_err(|_| Error::bug(format!("git gave `{line}` as an object id")))
}

/// The same, or `None` where HEAD is a branch without a commit.
pub fn find_tip(repo: &Repo, place: &Place) -> Result<Option<Oid>> {
    if let Some(tip) = worktree::head_commit(repo, place) {
        return Ok(Some(tip));
    }
    let output = repo.git_in(place, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).spawn()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
}

/// Commits ready trees, one on top of the other and the first on `base`, by the
/// user's identity; without a process for each.
pub fn chain(repo: &Repo, base: Oid, links: &[(Oid, String)]) -> Result<Vec<Oid>> {
    let who = |variable| repo.git(["var", variable]).line();
    let (author, committer) = (who("GIT_AUTHOR_IDENT")?, who("GIT_COMMITTER_IDENT")?);
    let mut parent = base;
    let mut made = Vec::new();
    for (tree, message) in links {
        let head = format!("tree {tree}\nparent {parent}\nauthor {author}\ncommitter {committer}\n");
        parent = repo.write().write_commit(format!("{head}\n{message}").as_bytes())?;
        made.push(parent);
    }
    Ok(made)
}

/// Commits a ready tree on top of a commit by the user's identity, for an author
/// as a commit's header names one: the user, where none is given.
pub fn by(repo: &Repo, (tree, parent): (Oid, Oid), author: Option<&[u8]>, message: &str) -> Result<Oid> {
    let committer = repo.git(["var", "GIT_COMMITTER_IDENT"]).line()?;
    let mut raw = format!("tree {tree}\nparent {parent}\nauthor ").into_bytes();
    raw.extend(author.unwrap_or(committer.as_bytes()));
    raw.extend(format!("\ncommitter {committer}\n\n{message}").bytes());
    repo.write().write_commit(&raw)
}

/// Commits a ready tree, by the user's identity; git refuses a tree that is
/// not all there.
pub fn tree(repo: &Repo, tree: Oid, parents: &[Oid], message: &str) -> Result<Oid> {
    let mut command = repo.git(["commit-tree"]).args([tree.to_string()]);
    for parent in parents {
        command = command.args(["-p".to_owned(), parent.to_string()]);
    }
    let text = command.stdin(message).run()?;
    let line = String::from_utf8_lossy(&text).trim().to_owned();
    line.parse().map_err(|_| Error::bug(format!("git gave `{line}` as an object id")))
}
