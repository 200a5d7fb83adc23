//! What every session knew at a moment, advanced commit by commit.
//!
//! **Invariant:** nothing of a later commit shows.

use std::collections::{BTreeMap, HashMap};

use super::cast::Cast;
use super::story::Story;
use crate::history::MAX_CHANGES;
use crate::history::folders::Folders;
use crate::history::identity::Identities;
use crate::model::path::ancestors;
use crate::model::{
    HalfLives, Owners, Past, Profiles, RepoPath, SessionWeight, Status, Time, Touched, Words,
};

/// What a word of a path's folder counts; the index counts it twice.
const NAME_UNIT: f64 = 0.5;

/// What sessions have at one place, as of its last touch.
#[derive(Clone, Debug, Default)]
struct Row {
    at: Time,
    weights: Vec<SessionWeight>,
}

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
    owners: &'a Owners,
}

impl<'a> State<'a> {
    /// Before the first commit.
    pub(super) fn new(story: &'a Story<'a>, cast: &'a Cast, half_lives: HalfLives) -> Self {
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
            owners: &cast.owners,
        }
    }

    /// Takes in all commits that were made until `until`.
    pub(super) fn advance(&mut self, until: Time) {
        while self.next < self.story.len() && self.story.times[self.next] <= until {
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
        for (session, share) in self.owners.of(commit).to_vec() {
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

    /// The profiles at these paths and the folders above them.
    pub(super) fn profiles(&self, paths: &[RepoPath], now: Time) -> Profiles {
        let mut weights = BTreeMap::new();
        for path in paths {
            let file = self.story.log.find_path(path).and_then(|path| self.identities.at(path));
            if let Some(row) = file.and_then(|file| self.files.get(&file)) {
                weights.insert(path.as_bytes().to_vec(), row.as_of(now, self.half_lives));
            }
            let own = self.folders.find(path.as_bytes()).map(|_| path.as_bytes());
            for folder in own.into_iter().chain(ancestors(path.as_bytes())) {
                let row = self.folders.find(folder).and_then(|folder| self.above.get(&folder));
                if let Some(row) = row.filter(|_| !weights.contains_key(folder)) {
                    weights.insert(folder.to_vec(), row.as_of(now, self.half_lives));
                }
            }
        }
        Profiles {
            now,
            sessions: self.cast.names.clone(),
            commits: self.commits.clone(),
            last_activity: self.last.clone(),
            weights,
        }
    }

    /// The past by now, with the lists of some tokens.
    pub(super) fn past(&self, tokens: &[String]) -> Past<'_> {
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
            owners: self.owners,
            messages: Words::of(messages, lengths, 1.0, |commit| commit < self.next),
            names: Words::of(names, log.name_lengths(), NAME_UNIT, |path| self.exists[path]),
        }
    }

    /// How many commits each session made since a moment.
    pub(super) fn active_since(&self, since: Time) -> Vec<f64> {
        let mut counts = vec![0.0; self.cast.names.len()];
        let start = self.story.times[..self.next].partition_point(|time| *time < since);
        for commit in start..self.next {
            self.owners.of(commit).iter().for_each(|(session, _)| counts[usize::from(*session)] += 1.0);
        }
        counts
    }

    /// How many commits a session has by now.
    pub(super) fn commits(&self, session: usize) -> u32 {
        self.commits[session]
    }

    /// When a session last did anything.
    pub(super) fn last(&self, session: usize) -> Option<Time> {
        self.last[session]
    }
}

/// A touch to be added somewhere.
struct Place {
    half_lives: HalfLives,
    session: u16,
    touch: f64,
    touched: Touched,
}

impl Place {
    fn add(&self, row: &mut Row) {
        row.decay(self.touched.time, self.half_lives);
        let at = row.weights.iter().position(|weight| weight.session == self.session);
        let at = at.unwrap_or_else(|| {
            row.weights.push(SessionWeight { session: self.session, ..SessionWeight::default() });
            row.weights.len() - 1
        });
        let weight = &mut row.weights[at];
        let is_new = weight.last.as_ref() != Some(&self.touched);
        weight.counts.iter_mut().for_each(|count| *count += self.touch);
        weight.touches += u32::from(is_new);
        weight.last = Some(self.touched.clone());
    }
}

impl Row {
    fn decay(&mut self, now: Time, half_lives: HalfLives) {
        let age = now.since(self.at);
        if age == 0 {
            return;
        }
        let left = half_lives.decay(age);
        for weight in &mut self.weights {
            weight.counts.iter_mut().zip(left).for_each(|(count, left)| *count *= left);
        }
        self.at = now;
    }

    fn as_of(&self, now: Time, half_lives: HalfLives) -> Vec<SessionWeight> {
        let mut row = self.clone();
        row.decay(now, half_lives);
        row.weights
    }
}
