//! Moving a branch where somebody has it checked out, so that files follow.
//!
//! Git writes the files first, then the index, then the branch; killed in the
//! middle it leaves some of them behind. [`settle`] takes that back, or moves
//! the branch where only that was missing.
//!
//! **Invariant:** nothing that git had not written itself is overwritten:
//! a file that is neither as before, nor as after, nor a part of that stays.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::lock::RepoLock;
use super::process::Place;
use super::read::{EntryKind, Head};
use super::refs::{self, RefChange};
use super::repo::Repo;
use super::worktree::{self, Worktree};
use super::{partial, porcelain};
use crate::error::{Error, IoContext, Result};
use crate::model::touch::Status;
use crate::model::wording::{few, tick};
use crate::model::{Change, Effect, Oid, RepoPath};

/// The worktree that has a branch checked out.
///
/// # Errors
/// Refused where nothing tells where that worktree is, or it is not there.
pub fn holder(repo: &Repo, branch: &str) -> Result<Option<Worktree>> {
    let on_it = |one: &Worktree| one.head.as_ref().and_then(Head::branch) == Some(branch);
    let holder = worktree::list(repo)?.into_iter().find(on_it);
    if holder.as_ref().is_some_and(|one| one.path == repo.place().common_dir) {
        return Err(Error::refused(format!(
            "`{branch}` is checked out in the main worktree, and nothing tells where that is"
        ))
        .hint("run the command in the main worktree"));
    }
    if let Some(one) = holder.as_ref().filter(|one| !one.path.is_dir()) {
        let at = one.path.display();
        return Err(Error::refused(format!("`{branch}` is checked out in `{at}`, which is not there")).hint(
            "`git worktree repair` tells git where it is now, `git worktree prune` that it is no more",
        ));
    }
    Ok(holder)
}

/// Refuses where uncommitted or ignored files lie where the branch's move
/// from one commit to the other writes.
///
/// # Errors
/// Refused, naming them.
pub fn require_clear(repo: &Repo, holder: &Worktree, branch: &str, from: Oid, to: Oid) -> Result<()> {
    Dirt::of(holder.clone()).require_clear(repo, branch, from, to)
}

/// So many files are looked at one by one.
const FEW: usize = 200;

/// What is uncommitted where a branch is checked out.
#[derive(Debug)]
pub struct Dirt {
    holder: Worktree,
}

impl Dirt {
    /// Looks at a worktree.
    pub fn of(holder: Worktree) -> Self {
        Self { holder }
    }

    /// Refuses where it lies where a move from one commit to another writes.
    ///
    /// # Errors
    /// Refused, naming the files.
    pub fn require_clear(&self, repo: &Repo, branch: &str, from: Oid, to: Oid) -> Result<()> {
        let (from, to) = (repo.read().commit(from)?.tree, repo.read().commit(to)?.tree);
        let changes = repo.read().changes(Some(from), to)?;
        let place = self.holder.place(repo);
        // To look at a few files costs less than at all.
        let dirty = if changes.is_empty() {
            return Ok(());
        } else if changes.len() <= FEW {
            let paths: Vec<RepoPath> = changes.iter().map(|change| change.path.clone()).collect();
            worktree::dirty_at(repo, &place, &paths)?
        } else {
            worktree::dirty(repo, &place)?
        };
        let dirty: BTreeSet<RepoPath> = dirty.into_iter().collect();
        let in_the_way = |change: &Change| {
            let is_there = || self.holder.path.join(change.path.as_path()).symlink_metadata().is_ok();
            dirty.contains(&change.path) || change.status == Status::Added && is_there()
        };
        let paths: Vec<String> =
            changes.iter().filter(|change| in_the_way(change)).map(|one| tick(&one.path)).collect();
        if paths.is_empty() {
            return Ok(());
        }
        let (at, files) = (self.holder.path.display(), few(paths));
        Err(Error::refused(format!(
            "`{branch}` is checked out in `{at}` with changes to {files}, which it also changes"
        ))
        .hint("commit or stash them there, then run the command again"))
    }
}

/// Which way a branch moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To a commit that has the present one behind it.
    Forward,
    /// To any commit.
    Back,
}

/// Moves a branch where it is checked out, from the first commit to the second;
/// unrelated uncommitted work is kept. What fails is taken back.
///
/// # Errors
/// Refused when something stands in the way.
pub fn go(
    repo: &Repo,
    lock: &RepoLock,
    holder: &Worktree,
    (branch, direction): (&str, Direction),
    way: (Oid, Oid),
) -> Result<()> {
    repo.reach("checkout to be moved")?;
    let (place, to) = (holder.place(repo), way.1.to_string());
    let command = match direction {
        Direction::Forward => {
            let merge = ["merge", "--ff-only", "--no-overwrite-ignore", "--no-stat", "--quiet"];
            repo.git_in(&place, merge).args([to])
        }
        Direction::Back => worktree::switching(repo, &place, branch, way.1),
    };
    let output = command.spawn()?;
    if output.code == 0 {
        // It has moved, whatever comes next.
        let _ = repo.reach("checkout moved");
        return Ok(());
    }
    settle(repo, lock, branch, way, if output.code < 0 { Git::MayHaveDied } else { Git::Ended })?;
    if repo.read().find_ref(&refs::branch(branch))? == Some(way.1) {
        return Ok(());
    }
    let at = holder.path.display();
    Err(Error::refused(format!("`{branch}` is checked out in `{at}`, where git can't move it"))
        .because(output.complaint_with_paths())
        .hint("finish or undo what is going on there"))
}

/// Whether a git that moved a branch lived to its own end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Git {
    /// It did, and left no lock.
    Ended,
    /// Nobody knows.
    MayHaveDied,
}

/// Sets right what a git left that was killed between `from` and `to`; the
/// files that were changed since, which stay as they are.
pub fn settle(
    repo: &Repo,
    lock: &RepoLock,
    branch: &str,
    way: (Oid, Oid),
    git: Git,
) -> Result<Vec<RepoPath>> {
    let (name, (from, to)) = (refs::branch(branch), way);
    let Some(holder) = holder(repo, branch)? else { return Ok(Vec::new()) };
    let place = holder.place(repo);
    if git == Git::MayHaveDied {
        worktree::unlock(repo, &place, branch)?;
    }
    let at = repo.read().find_ref(&name)?;
    if git == Git::MayHaveDied && at == Some(to) {
        let effect = Effect::Ref { name, old: Some(from), new: at };
        return refs::apply_with(repo, lock, &[], &[effect], "recover").map(|()| Vec::new());
    }
    if at != Some(from) {
        return Ok(Vec::new());
    }
    let half = Half::look(repo, &place, from, to)?;
    if half.index_is_at(&half.after) {
        refs::apply(repo, lock, &[RefChange::update(name, to, from)], "recover")?;
        return Ok(Vec::new());
    }
    half.take_back(repo)
}

type Files = BTreeMap<RepoPath, (EntryKind, Oid)>;

/// What differs between the two commits: before, after and as the index has it.
struct Half<'a> {
    place: &'a Place,
    paths: BTreeSet<RepoPath>,
    before: Files,
    after: Files,
    index: BTreeMap<RepoPath, Oid>,
}

impl<'a> Half<'a> {
    fn look(repo: &Repo, place: &'a Place, from: Oid, to: Oid) -> Result<Self> {
        let (from, to) = (repo.read().commit(from)?.tree, repo.read().commit(to)?.tree);
        let paths: BTreeSet<_> =
            repo.read().changes(Some(from), to)?.into_iter().map(|change| change.path).collect();
        let files = |tree| -> Result<Files> {
            let tracked = repo.read().tracked(tree)?.into_iter().filter(|entry| paths.contains(&entry.name));
            Ok(tracked.map(|entry| (entry.name, (entry.kind, entry.oid))).collect())
        };
        let (before, after) = (files(from)?, files(to)?);
        let listed = repo.git_in(place, ["ls-files", "--stage", "-z"]).run()?;
        let index = porcelain::staged(&listed)?.into_iter().filter(|(path, _)| paths.contains(path));
        let index = index.collect();
        Ok(Self { place, paths, before, after, index })
    }

    fn index_is_at(&self, files: &Files) -> bool {
        self.paths.iter().all(|path| self.index.get(path) == files.get(path).map(|(_, oid)| oid))
    }

    /// Brings the files back to what they were; those that git did not write.
    fn take_back(&self, repo: &Repo) -> Result<Vec<RepoPath>> {
        let top = self.place.work_tree.as_deref().expect("a branch is checked out in a worktree");
        let differs = partial::differs(repo, self.place)?;
        let (mut back, mut strange) = (Vec::new(), Vec::new());
        for path in &self.paths {
            let file = top.join(path.as_path());
            let is_there = file.symlink_metadata().is_ok();
            let as_before = if self.before.contains_key(path) { !differs.contains(path) } else { !is_there };
            if as_before {
                continue;
            }
            let written = self.after.get(path);
            if !is_there || written.is_some_and(|after| partial::is_part(repo, self.place, path, *after)) {
                back.push(path);
            } else {
                strange.push(path.clone());
            }
        }
        back.iter().try_for_each(|path| remove(top, path))?;
        let written = back.into_iter().filter(|path| self.before.contains_key(path));
        partial::write(repo, self.place, written)?;
        Ok(strange)
    }
}

/// Removes a file, and the folders that are empty then.
fn remove(top: &Path, path: &RepoPath) -> Result<()> {
    let file = top.join(path.as_path());
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).doing("could not remove", &file);
        }
        _ => {}
    }
    let mut folder = file.parent();
    while let Some(inside) = folder.filter(|inside| *inside != top && std::fs::remove_dir(inside).is_ok()) {
        folder = inside.parent();
    }
    Ok(())
}
