//! What every session knew at a moment, advanced commit by commit.
//!
//! **Invariant:** nothing of a later commit shows.

use std::collections::{BTreeMap, HashMap};

use super::cast::Cast;
use super::row::{Place, Row, decay};
use super::story::Story;
use crate::history::MAX_CHANGES;
use crate::history::folders::Folders;
use crate::history::identity::Identities;
use crate::model::path::ancestors;
use crate::model::{HalfLives, Owners, Past, Profiles, RepoPath, Status, Time, Touched, Words};

/// What a word of a path's folder counts; the index counts it twice.
const NAME_UNIT: f64 = 0.5;

/// What is known by now.
pub(super) struct State<'a> {
    story: &'a Story<'a>,
    cast: &'a Cast,
    half_lives: HalfLives,
    folders: Folders<'a>,
    identities: Identities<'a>,
    next: usize,
    files: HashMap<u32, Row>,
    above: HashMap<u32, Row>,
    /// How many commits each session has, and the time of the last.
    commits: Vec<u32>,
    last: Vec<Option<Time>>,
    exists: Vec<bool>,
    /// As the story's, under the names that files have by now.
    changed: Vec<u32>,
    /// By file: its changes.
    changes: Vec<Vec<u32>>,
}

impl<'a> State<'a> {
    /// Before the first commit.
    pub(super) fn new(story: &'a Story<'a>, cast: &'a Cast, half_lives: HalfLives) -> Self {
        let half_lives = if cast.timed { half_lives } else { HalfLives::NEVER };
        let paths = story.log.paths().len();
        Self {
            story,
            cast,
            half_lives,
            folders: Folders::new(story.log.paths()),
            identities: Identities::new(paths, story.log.renames()),
            next: 0,
            files: HashMap::new(),
            above: HashMap::new(),
            commits: vec![0; cast.names.len()],
            last: vec![None; cast.names.len()],
            exists: vec![false; paths],
            changed: story.changed.clone(),
            changes: Vec::new(),
        }
    }

    /// Takes in the commits that were made until `until`, of those before `end`.
    pub(super) fn advance(&mut self, until: Time, end: usize) {
        while self.next < end && self.story.times[self.next] <= until {
            self.take(self.next);
            self.next += 1;
        }
    }

    fn take(&mut self, commit: usize) {
        let range = self.story.range(commit);
        let files = self.identities.take(&self.story.log.at(self.story.position(commit)));
        let paths = &self.story.changed[range.clone()];
        for ((path, status), change) in paths.iter().zip(&self.story.statuses[range.clone()]).zip(range) {
            self.exists[*path as usize] = *status != Status::Deleted;
            if let Some(file) = files[change - self.story.range(commit).start] {
                self.named(file, change as u32);
            }
        }
        if paths.len() > MAX_CHANGES {
            return;
        }
        let count = files.iter().flatten().count().max(1) as f64;
        let time = self.story.times[commit];
        for (session, share) in self.cast.owners.of(commit).to_vec() {
            let touch = f64::from(share) / count;
            let touched = Touched { time, oid: self.story.oids[commit] };
            let place = Place { half_lives: self.half_lives, session, touch, touched };
            for (path, file) in paths.iter().zip(&files) {
                let Some(file) = file else { continue };
                place.add(self.files.entry(*file).or_default());
                for folder in self.folders.above(*path) {
                    place.add(self.above.entry(folder).or_default());
                }
            }
            self.commits[usize::from(session)] += 1;
            self.last[usize::from(session)] = Some(time);
        }
    }

    /// A file has the name that it has now, in all its changes.
    fn named(&mut self, file: u32, change: u32) {
        if self.changes.len() <= file as usize {
            self.changes.resize(file as usize + 1, Vec::new());
        }
        let changes = &mut self.changes[file as usize];
        changes.push(change);
        let Some(path) = self.identities.path(file) else { return };
        // They agree among themselves: all but the newest had the last name.
        if self.changed[changes[0] as usize] != path {
            changes.iter().for_each(|change| self.changed[*change as usize] = path);
        }
    }

    /// The profiles of some sessions at these paths and the folders above them.
    pub(super) fn profiles(&self, paths: &[RepoPath], among: &[u16], now: Time) -> Profiles {
        let mut weights = BTreeMap::new();
        for path in paths {
            let file = self.story.log.find_path(path).and_then(|path| self.identities.at(path));
            if let Some(row) = file.and_then(|file| self.files.get(&file)) {
                weights.insert(path.as_bytes().to_vec(), self.as_of(row, among, now));
            }
            let own = self.folders.find(path.as_bytes()).map(|_| path.as_bytes());
            for folder in own.into_iter().chain(ancestors(path.as_bytes())) {
                let row = self.folders.find(folder).and_then(|folder| self.above.get(&folder));
                if let Some(row) = row.filter(|_| !weights.contains_key(folder)) {
                    weights.insert(folder.to_vec(), self.as_of(row, among, now));
                }
            }
        }
        let of = |session: &u16| usize::from(*session);
        Profiles {
            now,
            sessions: among.iter().map(|session| self.cast.names[of(session)].clone()).collect(),
            commits: among.iter().map(|session| self.commits[of(session)]).collect(),
            last_activity: among.iter().map(|session| self.last(of(session))).collect(),
            weights,
        }
    }

    /// What some sessions, counted anew, have at one place by now.
    fn as_of(&self, row: &Row, among: &[u16], now: Time) -> Row {
        let own = |(session, one): (u16, &u16)| {
            let mut weight = row.iter().find(|weight| weight.session == *one)?.clone();
            weight.session = session;
            decay(&mut weight, now, self.half_lives);
            if let Some(last) = weight.last.as_mut().filter(|_| !self.cast.timed) {
                last.time = now;
            }
            Some(weight)
        };
        (0..).zip(among).filter_map(own).collect()
    }

    /// Whose commits are, of some sessions, counted anew.
    pub(super) fn owners(&self, among: &[u16]) -> Owners {
        let mut owners = Owners::default();
        for commit in 0..self.next {
            let shares = self.cast.owners.of(commit).iter();
            owners.push(shares.filter_map(|(session, share)| {
                among.iter().position(|one| one == session).map(|position| (position as u16, *share))
            }));
        }
        owners
    }

    /// The past by now, with the lists of some tokens; `owners` are by the
    /// sessions that are asked about.
    pub(super) fn past<'b>(&'b self, tokens: &[String], owners: &'b Owners) -> Past<'b> {
        let log = self.story.log;
        let names = tokens.iter().map(|token| (token.clone(), log.names_with(token))).collect();
        let messages = self.story.messages(tokens);
        let lengths = &self.story.lengths[..self.next];
        Past {
            paths: log.paths(),
            exists: &self.exists,
            oids: &self.story.oids[..self.next],
            times: &self.story.times[..self.next],
            ends: &self.story.ends[..self.next],
            changed: &self.changed,
            owners,
            messages: Words::of(messages, lengths, 1.0, |commit| commit < self.next),
            names: Words::of(names, log.name_lengths(), NAME_UNIT, |path| self.exists[path]),
        }
    }

    /// How many commits some sessions made since a moment.
    pub(super) fn active_since(&self, since: Time, among: &[u16]) -> Vec<f64> {
        let mut counts = vec![0.0; self.cast.names.len()];
        let start = self.story.times[..self.next].partition_point(|time| *time < since);
        for commit in start..self.next {
            self.cast.owners.of(commit).iter().for_each(|(session, _)| counts[usize::from(*session)] += 1.0);
        }
        among.iter().map(|session| counts[usize::from(*session)]).collect()
    }

    /// How many commits a session has by now.
    pub(super) fn commits(&self, session: usize) -> u32 {
        self.commits[session]
    }

    /// When a session last did anything, where that matters.
    pub(super) fn last(&self, session: usize) -> Option<Time> {
        self.last[session].filter(|_| self.cast.timed)
    }
}
