//! The commit as which a result lands on top of another one: a merge, a squash,
//! or its own commits made anew.
//!
//! **Invariant:** whatever the style, the tree is the same: what merging gives.

use super::item::Item;
use crate::config::Style;
use crate::error::{Error, Result};
use crate::git::merge::{self, Merged};
use crate::git::replay::{self, Replayed};
use crate::git::{Repo, commit, trailer};
use crate::model::wording::excerpt;
use crate::model::{Oid, RepoPath};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// A commit and its tree.
    Commit(Oid, Oid),
    /// Paths that both sides changed in ways that do not fit.
    Conflict(Vec<RepoPath>),
}

/// Makes the commit that brings a result onto another commit. One that lies
/// straight ahead of it stays as it is.
///
/// # Errors
/// Refused where it can't be done in this style.
pub fn make(repo: &Repo, style: Style, item: &Item, onto: Oid) -> Result<Made> {
    let is_ahead = repo.read().merge_base(onto, item.tip)? == Some(onto);
    if is_ahead && repo.read().commits_between(&[onto], item.tip)?.len() == 1 {
        return Ok(Made::Commit(item.tip, repo.read().commit(item.tip)?.tree));
    }
    let tree = match combined(repo, item, onto, is_ahead)? {
        Merged::Clean(tree) => tree,
        Merged::Conflict(paths) => return Ok(Made::Conflict(paths)),
    };
    // What is there already needs no commit of its own.
    if style != Style::Merge && tree == repo.read().commit(onto)?.tree {
        return Ok(Made::Commit(onto, tree));
    }
    let made = match style {
        Style::Merge => merged(repo, item, tree, &[onto, item.tip])?,
        Style::Squash => squashed(repo, item, tree, onto)?,
        Style::Rebase => match rebased(repo, item, tree, onto)? {
            Replayed::Clean(commits) => commits.last().map_or(onto, |(_, made)| *made),
            Replayed::Conflict(paths) => return Ok(Made::Conflict(paths)),
            Replayed::Merge(merge) => return Err(no_rebase(item, merge)),
        },
    };
    Ok(Made::Commit(made, tree))
}

/// The tree of both. Of a result whose lower one landed in another form, only
/// what came after that one is brought in.
fn combined(repo: &Repo, item: &Item, onto: Oid, is_ahead: bool) -> Result<Merged> {
    if is_ahead {
        return Ok(Merged::Clean(repo.read().commit(item.tip)?.tree));
    }
    match repo.read().merge_base(onto, item.base_oid)? {
        Some(base) if base == item.base_oid => merge::combine(repo, onto, item.tip),
        _ => merge::combine_since(repo, item.base_oid, onto, item.tip),
    }
}

fn merged(repo: &Repo, item: &Item, tree: Oid, parents: &[Oid]) -> Result<Oid> {
    let title = format!("Merge {}: {}", item.branch, excerpt(&item.text, 50));
    commit::tree(repo, tree, parents, &trailer::sign(&title, item.session.as_ref(), &item.name))
}

/// Several results that were checked together land in one commit, as a merge of
/// all: every commit of the base's own line is one that passed.
pub fn together(repo: &Repo, items: &[&Item], tree: Oid, onto: Oid) -> Result<Oid> {
    let mut parents = vec![onto];
    for item in items {
        let above = items.iter().filter(|other| other.on_top_of.as_ref() == Some(&item.name));
        let mut within = false;
        for other in above {
            within |= repo.read().merge_base(other.tip, item.tip)? == Some(item.tip);
        }
        if !within {
            parents.push(item.tip);
        }
    }
    let names = crate::model::wording::few(items.iter().map(|item| item.name.as_str()));
    let mut message = format!("Merge {} results: {names}\n\n", items.len());
    for item in items {
        message += &format!("{}: {}\n", item.branch, excerpt(&item.text, 60));
    }
    message += "\n";
    for item in items {
        message += &format!("{}: {}\n", crate::git::refs::TASK_TRAILER, item.name);
    }
    commit::tree(repo, tree, &parents, &message)
}

fn squashed(repo: &Repo, item: &Item, tree: Oid, onto: Oid) -> Result<Oid> {
    let own = own(repo, item)?;
    let mut authors: Vec<Vec<u8>> = Vec::new();
    let (mut subjects, mut trailers): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for oid in &own {
        let commit = repo.read().commit(*oid)?;
        subjects.push(format!("* {}", commit.subject()));
        trailers.extend(trailer::parse(repo, &commit.message)?);
        authors.push(replay::author(repo, *oid)?);
    }
    let title = excerpt(&item.text, 72);
    let mut message = format!("{title}\n");
    if title != item.text {
        message += &format!("\n{}\n", item.text);
    }
    if subjects.len() > 1 {
        message += &format!("\n{}\n", subjects.join("\n"));
    }
    let first = authors.first().cloned();
    let who =
        |line: &[u8]| String::from_utf8_lossy(line).split('>').next().unwrap_or_default().to_owned() + ">";
    let main = first.as_deref().map(who).unwrap_or_default();
    let others = authors.iter().map(|line| who(line)).filter(|other| *other != main);
    trailers.extend(others.map(|other| format!("Co-authored-by: {other}")));
    message += &format!("\n{}", trailer::block(&trailers, item.session.as_ref(), &item.name));
    commit::by(repo, (tree, onto), first.as_deref(), &message)
}

/// A result's own commits on top of another commit, where that gives the very
/// tree that merging gives.
fn rebased(repo: &Repo, item: &Item, tree: Oid, onto: Oid) -> Result<Replayed> {
    let replayed = replay::replay(repo, &own(repo, item)?, onto)?;
    let Replayed::Clean(commits) = &replayed else { return Ok(replayed) };
    let tip = commits.last().map_or(onto, |(_, made)| *made);
    if repo.read().commit(tip)?.tree == tree {
        return Ok(replayed);
    }
    Err(Error::refused(format!("a rebase of `{}` would not give what merging it gives", item.name))
        .hint(format!("land it another way: `git orch merge --squash {}`", item.name)))
}

fn no_rebase(item: &Item, merge: Oid) -> Error {
    let name = &item.name;
    Error::refused(format!("`{name}` has a merge, {}, which a rebase would lose", merge.short()))
        .hint(format!("land it another way: `git orch merge --squash {name}`, or `--merge`"))
}

/// What lies between the commit that a result began with and its tip.
fn own(repo: &Repo, item: &Item) -> Result<Vec<Oid>> {
    let base = repo.read().find_ref(&crate::git::refs::branch(&item.base))?;
    let hidden: Vec<Oid> = std::iter::once(item.base_oid).chain(base).collect();
    repo.read().commits_between(&hidden, item.tip)
}
