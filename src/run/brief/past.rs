//! What a session did before, at the files of a task and elsewhere.

use super::known::{Known, at, files, line};
use super::page::{Body, Section};
use crate::error::Result;
use crate::model::{Mined, Oid, RepoPath};

/// So many of its latest commits are looked at.
const LOOKED_AT: usize = 1_000;

/// The latest commits of a session.
pub struct Past {
    commits: Vec<Mined>,
    places: Vec<RepoPath>,
}

impl Past {
    /// Reads them; `places` are the files and folders that count.
    pub fn load(known: &Known<'_>, places: Vec<RepoPath>) -> Result<Self> {
        let own = known.own();
        let commits = known.mine(&own[own.len().saturating_sub(LOOKED_AT)..])?;
        Ok(Self { commits, places })
    }

    /// The files and folders that count.
    pub fn places(&self) -> &[RepoPath] {
        &self.places
    }

    /// The commit that last touched each place, with the places that it did.
    pub fn last_touches(&self) -> Vec<(Oid, Vec<RepoPath>)> {
        let mut left = self.places.clone();
        let mut found = Vec::new();
        for commit in &self.commits {
            let touches = |place: &RepoPath| !at(commit, std::slice::from_ref(place)).is_empty();
            let (touched, rest): (Vec<RepoPath>, Vec<RepoPath>) = left.into_iter().partition(touches);
            left = rest;
            if !touched.is_empty() {
                found.push((commit.oid, touched));
            }
        }
        found
    }

    /// What it did there, before what else it did.
    pub fn sections(&self) -> [Section; 2] {
        let touched = |commit: &&Mined| !at(commit, &self.places).is_empty();
        let (there, elsewhere): (Vec<&Mined>, Vec<&Mined>) = self.commits.iter().partition(touched);
        let there_line = |commit: &&Mined| format!("{}{}", line(commit), files(&at(commit, &self.places)));
        let title =
            if there.is_empty() { "What this session did before" } else { "What else this session did" };
        let elsewhere = elsewhere.into_iter().map(line).collect();
        [
            Section {
                title: "What this session did there".to_owned(),
                body: Body::Lines(there.iter().map(there_line).collect()),
                room: 2_500,
            },
            Section { title: title.to_owned(), body: Body::Lines(elsewhere), room: 1_000 },
        ]
    }
}
