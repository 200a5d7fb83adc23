//! Objects that only an answer needs: they lie in a folder that is gone with it.
//!
//! **Invariant:** what is written aside is in no ref and in no record. A
//! repository that git2 does not read, as one that fetches what it lacks, has
//! no such folder: there git writes where it always does.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use super::process::Command;
use super::repo::{Backend, Repo};
use super::room;
use super::snapshot::SCRATCH;
use crate::error::{IoContext, Result};

/// Where files lie in memory, on Linux.
pub const MEMORY: &str = "/dev/shm";
/// What folders there begin with.
pub const MEMORY_SCRATCH: &str = "git-orch-aside-";
/// So many bytes have to be free there.
const ROOM: u64 = 512 << 20;

/// The folder, as long as it is needed.
#[derive(Debug)]
pub struct Aside {
    scratch: Option<tempfile::TempDir>,
    objects: OsString,
}

impl Aside {
    /// Makes it, and has it read too.
    ///
    /// # Errors
    /// Unusable where nothing can be written.
    pub fn make(repo: &Repo) -> Result<Self> {
        let objects = quoted(&repo.place().common_dir.join("objects"));
        if repo.backend() != Backend::Library {
            return Ok(Self { scratch: None, objects });
        }
        let scratch = match in_memory() {
            Some(scratch) => scratch,
            None => {
                let folder = repo.orch_dir()?;
                let scratch = tempfile::Builder::new().prefix(SCRATCH).tempdir_in(&folder);
                scratch.doing("could not make a folder in", &folder)?
            }
        };
        // Large files are packed at once; only a folder that is there is looked into.
        let packs = scratch.path().join("pack");
        std::fs::create_dir(&packs).doing("could not make", &packs)?;
        repo.read_also(scratch.path())?;
        Ok(Self { scratch: Some(scratch), objects })
    }

    /// Has a command write its objects aside.
    pub fn hold<'a>(&self, command: Command<'a>) -> Command<'a> {
        let Some(scratch) = &self.scratch else { return command };
        let command = command.env("GIT_OBJECT_DIRECTORY", scratch.path());
        command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", &self.objects)
    }
}

/// A folder in memory, where there is one with room: many small files come and
/// go there several times as fast as on a disk.
fn in_memory() -> Option<tempfile::TempDir> {
    let memory = Path::new(MEMORY);
    room::require(memory, ROOM, "objects aside").ok()?;
    tempfile::Builder::new().prefix(MEMORY_SCRATCH).tempdir_in(memory).ok()
}

/// A path as git takes it in a list of them: one may have a colon in it.
fn quoted(path: &Path) -> OsString {
    let mut text = vec![b'"'];
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'"' | b'\\' => text.extend([b'\\', *byte]),
            b'\n' => text.extend(b"\\n"),
            _ => text.push(*byte),
        }
    }
    text.push(b'"');
    OsString::from_vec(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::mine::testing::{Scratch, commit, file};

    #[test]
    fn what_another_process_packs_is_found_after_an_answer() {
        let scratch = Scratch::new();
        scratch.import(&commit(1, &[], &file("a", 1)));
        let repo = scratch.repo();
        let first = scratch.oid("main");
        assert_eq!(repo.read().commit(first).unwrap().time.0, 1);
        let aside = Aside::make(&repo).unwrap();
        assert_eq!(repo.read().commit(first).unwrap().time.0, 1);
        drop(aside);
        scratch.git(&["checkout", "-q", "main"], b"");
        scratch.shell("git -c user.name=x -c user.email=x commit -q --allow-empty -m x && git repack -adq");
        let second = scratch.oid("main");
        assert_eq!(repo.read().commit(second).unwrap().parents, [first]);
    }
}
