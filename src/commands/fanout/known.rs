//! What is known of files, where they are split by more than their names.

use std::collections::BTreeMap;

use super::{Desk, cores};
use crate::error::{Error, Result};
use crate::fanout::plan::{self, PlannedShard};
use crate::fanout::shard::{By, Facts};
use crate::git::{refs, room};
use crate::model::{Name, PathSet, RepoPath};
use crate::route;
use crate::run::routing;

/// What splitting asks for, and nothing else.
#[derive(Default)]
pub(super) struct Known {
    sizes: BTreeMap<RepoPath, u64>,
    owners: BTreeMap<RepoPath, Name>,
    lists: Vec<PathSet>,
}

impl Known {
    /// Finds what splitting these files by `by` asks for.
    ///
    /// # Errors
    /// Unusable where files or histories can't be read; wrong usage where
    /// shards are to be made by patterns and there are none.
    pub(super) fn find(
        desk: &Desk<'_>,
        by: Option<By>,
        files: &[RepoPath],
        patterns: &[String],
    ) -> Result<Self> {
        let mut known = Self::default();
        match by {
            Some(By::Bytes) => known.sizes = room::of_files(&desk.opened.repo, desk.tree)?,
            Some(By::Owner) => known.owners = owners(desk, files)?,
            Some(By::List) if patterns.is_empty() => {
                return Err(Error::usage("there are no patterns to make shards by")
                    .hint("give them: `--paths GLOB GLOB …`, or `include` in a job of `.orch.yml`"));
            }
            Some(By::List) => {
                let set = |pattern: &String| PathSet::parse(std::slice::from_ref(pattern));
                let lists: std::result::Result<_, _> = patterns.iter().map(set).collect();
                known.lists = lists.map_err(Error::usage)?;
            }
            _ => {}
        }
        Ok(known)
    }

    /// All of it.
    pub(super) fn facts<'a>(&'a self, desk: &'a Desk<'_>) -> Facts<'a> {
        let Self { sizes, owners, lists } = self;
        Facts { tracked: &desk.files.regular, sizes, owners, lists, cores: cores() }
    }

    /// Names with each shard the session that could review it, where there are sessions.
    pub(super) fn name_owners(&self, desk: &Desk<'_>, shards: &mut [PlannedShard]) -> Result<()> {
        if desk.opened.repo.read().refs(refs::SESSIONS)?.is_empty() {
            return Ok(());
        }
        let owners = match self.owners.is_empty() {
            true => &owners(desk, &plan::sampled(shards))?,
            false => &self.owners,
        };
        plan::name_owners(shards, owners);
        Ok(())
    }
}

fn owners(desk: &Desk<'_>, files: &[RepoPath]) -> Result<BTreeMap<RepoPath, Name>> {
    let survey = routing::survey(&desk.opened.repo, &desk.opened.settings, desk.app.now)?;
    let history = routing::refresh(&survey, &|event| desk.app.ui.event(event))?;
    let profiles = history.profiles(files);
    let owner = |file: &RepoPath| {
        let session = route::owner(file, &profiles)?;
        Some((file.clone(), profiles.sessions[session].clone()))
    };
    Ok(files.iter().filter_map(owner).collect())
}
