//! What is known of files, where they are split by more than their names.

use std::collections::BTreeMap;

use super::{Desk, cores};
use crate::error::Result;
use crate::fanout::shard::{By, Facts};
use crate::git::room;
use crate::model::{Name, RepoPath};
use crate::route;
use crate::run::routing;

/// Found once, for all files.
pub(super) struct Found<'a> {
    tracked: &'a [RepoPath],
    size: Box<dyn Fn(&RepoPath) -> u64 + 'a>,
    owner: Box<dyn Fn(&RepoPath) -> Option<Name> + 'a>,
}

impl Found<'_> {
    /// All of it.
    pub(super) fn all(&self) -> Facts<'_> {
        Facts { tracked: self.tracked, size: &self.size, owner: &self.owner, cores: cores() }
    }
}

/// Finds what splitting by `by` asks for.
///
/// # Errors
/// Unusable where files or histories can't be read.
pub(super) fn facts<'a>(desk: &'a Desk<'_>, by: Option<By>, files: &[RepoPath]) -> Result<Found<'a>> {
    let sizes = match by {
        Some(By::Bytes) => sizes(desk)?,
        _ => BTreeMap::new(),
    };
    let owners = match by {
        Some(By::Owner) => owners(desk, files)?,
        _ => BTreeMap::new(),
    };
    Ok(Found {
        tracked: &desk.files.regular,
        size: Box::new(move |file| sizes.get(file).copied().unwrap_or(0)),
        owner: Box::new(move |file| owners.get(file).cloned()),
    })
}

fn sizes(desk: &Desk<'_>) -> Result<BTreeMap<RepoPath, u64>> {
    room::of_files(&desk.opened.repo, desk.tree)
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
