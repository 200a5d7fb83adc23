//! A checkout that is made equal to a tree, and read back as one.
//!
//! Only for worktrees that hold nothing of anyone's: throwaways.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;

use walkdir::WalkDir;

use super::process::Place;
use super::repo::Repo;
use crate::error::{Error, Result};
use crate::model::Oid;
use crate::model::path::ancestors;

/// How an index says that a path is a submodule.
const SUBMODULE: u32 = 0o160_000;

/// How many files the worktree's index names, where there is one.
pub fn files(place: &Place) -> Option<usize> {
    // Its signature, version and number of entries, four bytes each.
    let mut head = [0; 12];
    File::open(place.git_dir.join("index")).ok()?.read_exact(&mut head).ok()?;
    let [.., a, b, c, d] = head;
    head.starts_with(b"DIRC").then(|| u32::from_be_bytes([a, b, c, d]) as usize)
}

/// Removes every file that is not in the worktree's index, ignored ones too.
pub fn wipe(repo: &Repo, place: &Place) -> Result<()> {
    if has_strays(place) { repo.git_in(place, ["clean", "-ffdxq"]).run().map(drop) } else { Ok(()) }
}

/// Whether anything is there that the index does not name; to look is cheaper
/// than a `git clean` that has nothing to do.
fn has_strays(place: &Place) -> bool {
    let Some(top) = &place.work_tree else { return true };
    let Ok(index) = git2::Index::open(&place.git_dir.join("index")) else { return true };
    let named: HashMap<Vec<u8>, u32> = index.iter().map(|entry| (entry.path, entry.mode)).collect();
    let folders: HashSet<&[u8]> = named.keys().flat_map(|path| ancestors(path)).collect();
    let mut all = WalkDir::new(top).min_depth(1).into_iter();
    while let Some(entry) = all.next() {
        let Ok(entry) = entry else { return true };
        let Ok(path) = entry.path().strip_prefix(top) else { return true };
        let path = path.as_os_str().as_bytes();
        let is_folder = entry.file_type().is_dir();
        match named.get(path) {
            // What is in a submodule is not for git to clean either.
            Some(&SUBMODULE) if is_folder => all.skip_current_dir(),
            Some(_) if !is_folder => {}
            _ if path == b".git" || is_folder && folders.contains(path) => {}
            _ => return true,
        }
    }
    false
}

/// Makes the worktree's index and files those of `tree`, through the
/// repository's filters; files in neither are left.
pub fn set(repo: &Repo, place: &Place, tree: Oid) -> Result<()> {
    repo.reach("throwaway to be set")?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let setting = format!("checkout.workers={workers}");
    // One that is copied has to be whole.
    let command =
        repo.git_in(place, ["-c", &setting, "-c", "core.splitIndex=false", "read-tree", "--reset", "-u"]);
    command.args([tree.to_string()]).run().map(drop)
}

/// The worktree's files as a tree: those in its index, and new ones that are
/// not ignored.
pub fn capture(repo: &Repo, place: &Place) -> Result<Oid> {
    repo.reach("throwaway to be read")?;
    repo.git_in(place, ["-c", "core.splitIndex=false", "add", "--all"]).run()?;
    if let Some(tree) = repo.write_index(&place.git_dir.join("index")) {
        return Ok(tree);
    }
    let line = repo.git_in(place, ["write-tree"]).line()?;
    line.parse().map_err(|_| Error::bug(format!("git gave `{line}` as an object id")))
}
