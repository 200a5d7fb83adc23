//! Carrying ignored files (`.env` and the like) into a new session, as
//! `.worktreeinclude` lists them.
//!
//! **Invariant:** only plain files that are both listed and ignored; no link
//! is followed, at no level; nothing is overwritten.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::copy;
use std::path::Path;

use crate::error::{IoContext, Result};
use crate::git::Repo;
use crate::model::RepoPath;

/// The file that lists what is carried, in gitignore's language.
pub const FILE: &str = ".worktreeinclude";

/// Copies what the main worktree lists; the copied paths.
pub fn carry(repo: &Repo, from: &Path, to: &Path) -> Result<Vec<RepoPath>> {
    if !from.join(FILE).symlink_metadata().is_ok_and(|meta| meta.is_file()) {
        return Ok(Vec::new());
    }
    let place = crate::git::worktree::place(repo, from, None);
    let list = |exclude: &str| -> Result<BTreeSet<RepoPath>> {
        let text = repo.git_in(&place, ["ls-files", "--others", "--ignored", "-z", exclude]).run()?;
        let paths = text.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        Ok(paths.map(RepoPath::from_bytes).collect())
    };
    let listed = list(&format!("--exclude-from={FILE}"))?;
    let ignored = list("--exclude-standard")?;
    let mut carried = Vec::new();
    for path in listed.intersection(&ignored) {
        if copy_plain(from, to, path)? {
            carried.push(path.clone());
        }
    }
    Ok(carried)
}

fn copy_plain(from: &Path, to: &Path, path: &RepoPath) -> Result<bool> {
    let (source, target) = (from.join(path.as_path()), to.join(path.as_path()));
    if !has_plain_way(from, path) || !has_plain_way(to, path) {
        return Ok(false);
    }
    let Ok(meta) = source.symlink_metadata() else { return Ok(false) };
    if !meta.is_file() || target.symlink_metadata().is_ok() {
        return Ok(false);
    }
    let parent = target.parent().expect("the path lies in a worktree");
    std::fs::create_dir_all(parent).doing("could not make", parent)?;
    let mut reader = File::open(&source).doing("could not read", &source)?;
    let mut writer =
        File::options().write(true).create_new(true).open(&target).doing("could not make", &target)?;
    copy(&mut reader, &mut writer).doing("could not write", &target)?;
    std::fs::set_permissions(&target, meta.permissions()).doing("could not set the mode of", &target)?;
    Ok(true)
}

/// Whether every folder on the way that is there is a folder, not a link.
fn has_plain_way(top: &Path, path: &RepoPath) -> bool {
    let mut at = top.to_owned();
    let Some(parent) = path.as_path().parent() else { return true };
    for part in parent.components() {
        at.push(part);
        match at.symlink_metadata() {
            Ok(meta) if !meta.is_dir() => return false,
            Ok(_) => {}
            Err(_) => return true,
        }
    }
    true
}
