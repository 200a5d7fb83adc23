//! The files of a commit, as jobs and formatters see them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::formatter::{self, Choice, Sources};
use super::plan::PlannedShard;
use super::tracked::Tracked;
use crate::error::Result;
use crate::git::process::find_program;
use crate::git::{EntryKind, Repo};
use crate::model::{Oid, RepoPath};

/// The files of a tree.
#[derive(Debug, Default)]
pub struct Files {
    /// Regular files, in order: what jobs are for.
    pub regular: Vec<RepoPath>,
    /// Submodules.
    pub modules: Vec<RepoPath>,
    /// Symbolic links and where they lead.
    pub links: Vec<(RepoPath, Vec<u8>)>,
    blobs: BTreeMap<RepoPath, Oid>,
}

impl Files {
    /// Reads the names in a tree.
    pub fn load(repo: &Repo, tree: Oid) -> Result<Self> {
        let mut files = Self::default();
        for entry in repo.read().tracked(tree)? {
            match entry.kind {
                EntryKind::File | EntryKind::Executable => {
                    files.regular.push(entry.name.clone());
                    files.blobs.insert(entry.name, entry.oid);
                }
                EntryKind::Link => files.links.push((entry.name, repo.read().blob(entry.oid)?)),
                EntryKind::Submodule => files.modules.push(entry.name),
                EntryKind::Tree => {}
            }
        }
        Ok(files)
    }

    /// Every tracked path, links too.
    pub fn tracked(&self) -> Vec<RepoPath> {
        let mut all: Vec<RepoPath> =
            self.regular.iter().chain(self.links.iter().map(|(link, _)| link)).cloned().collect();
        all.sort();
        all
    }

    /// All that is there, as these shards need it.
    pub fn around(&self, shards: &[PlannedShard]) -> Tracked {
        Tracked::new(self.tracked(), shards).beside(&self.modules)
    }

    /// The license that a manifest names, and which does.
    pub fn license(&self, repo: &Repo) -> Option<(String, &'static str)> {
        formatter::license(&|name| repo.read().blob(*self.blobs.get(&RepoPath::from(name))?).ok())
    }

    /// Chooses formatters by what these files and the machine have.
    pub fn formatters(
        &self,
        repo: &Repo,
        environment: &BTreeMap<OsString, OsString>,
        wanted: &dyn Fn(&RepoPath) -> bool,
    ) -> Choice {
        let read = |path: &RepoPath| self.blobs.get(path).and_then(|oid| repo.read().blob(*oid).ok());
        let find = |program: &str| -> Option<PathBuf> {
            if !program.contains('/') {
                return find_program(program, environment);
            }
            let path = repo.place().work_tree.as_ref()?.join(program);
            path.is_file().then_some(path)
        };
        formatter::choose(
            Sources { files: &self.regular, links: &self.links, read: &read, find: &find },
            wanted,
        )
    }
}
