//! Every mined commit of the repository, kept between runs.
//!
//! Columns by position: a commit, a path and an author keep the position that
//! they were given first. The words of messages and paths are indexed as they
//! come, so that a question reads only the lists of its own words.
//!
//! **Invariant:** a cache: whatever is missing or damaged is mined again, and
//! nothing is said about it.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::words::Words;
use crate::model::{Author, Mined, Oid, RepoPath, Status, Strings, Time};

/// What a word of a subject counts, relative to one of a body.
const IN_SUBJECT: u32 = 2;
/// What a word of a file's name counts, then of its folders, then of its ending.
const IN_NAME: [u32; 3] = [4, 2, 1];

/// Where a mined commit was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the base.
    Base,
    /// Only in a session's own commits.
    Side,
}

/// Mined commits.
#[derive(Debug, Default)]
pub struct Log {
    pub(super) tips: Vec<Oid>,
    pub(super) horizon: usize,
    pub(super) paths: Interned,
    pub(super) names: Words,
    pub(super) name_lengths: Vec<u32>,
    pub(super) authors: Interned,
    pub(super) commits: Columns,
    pub(super) messages: Words,
    positions: OnceCell<HashMap<Oid, u32>>,
    /// Positions of commits that moved to the base since they were written.
    pub(super) landed: Vec<u32>,
    pub(super) written: Written,
}

/// What is known of each commit.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) oids: Vec<Oid>,
    pub(super) times: Vec<Time>,
    pub(super) authors: Vec<u32>,
    pub(super) places: Vec<Place>,
    pub(super) subjects: Strings,
    /// How many words its message counts.
    pub(super) lengths: Vec<u32>,
    /// Where its changes end.
    pub(super) ends: Vec<u32>,
    pub(super) changed: Vec<u32>,
    pub(super) statuses: Vec<Status>,
    pub(super) renames: Vec<Rename>,
}

/// A file that a commit gave another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rename {
    /// The commit's position.
    pub commit: u32,
    /// The old path's.
    pub from: u32,
    /// The new path's.
    pub to: u32,
}

/// How much of a log its file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) commits: usize,
    pub(super) paths: usize,
    pub(super) authors: usize,
    pub(super) renames: usize,
    /// Chunks in the file; none where it has to be written anew.
    pub(super) chunks: usize,
    /// The file's length.
    pub(super) bytes: u64,
}

/// A mined commit, as the log has it.
#[derive(Clone, Copy, Debug)]
pub struct Logged<'a> {
    /// The commit's position.
    pub position: u32,
    /// The commit.
    pub oid: Oid,
    /// Its committer time.
    pub time: Time,
    /// Its author's position.
    pub author: u32,
    /// Where it was found.
    pub place: Place,
    /// The first line of its message.
    pub subject: &'a str,
    /// What it changed, as positions in [`Log::paths`].
    pub paths: &'a [u32],
    /// What happened to each of them.
    pub statuses: &'a [Status],
}

impl Log {
    /// The tips that the base was mined up to; none while mining goes on.
    pub fn tips(&self) -> &[Oid] {
        &self.tips
    }

    /// How far back the base was mined.
    pub fn horizon(&self) -> usize {
        self.horizon
    }

    /// The base is mined up to `tips`.
    pub fn reach(&mut self, tips: &[Oid], horizon: usize) {
        self.tips = tips.to_vec();
        self.horizon = horizon;
    }

    /// Adds a commit, unless it is there; one that was found beside the base may be on it now.
    pub fn add(&mut self, mined: &Mined, place: Place) {
        if let Some(position) = self.positions().get(&mined.oid).copied() {
            let known = &mut self.commits.places[position as usize];
            if *known == Place::Side && place == Place::Base {
                *known = Place::Base;
                self.landed.push(position);
            }
            return;
        }
        let position = self.commits.oids.len() as u32;
        if let Some(positions) = self.positions.get_mut() {
            positions.insert(mined.oid, position);
        }
        for change in &mined.changes {
            let path = self.add_path(change.path.as_bytes());
            self.commits.changed.push(path);
            self.commits.statuses.push(change.status);
        }
        for (from, to) in &mined.renames {
            let (from, to) = (self.add_path(from.as_bytes()), self.add_path(to.as_bytes()));
            self.commits.renames.push(Rename { commit: position, from, to });
        }
        let author = self.authors.intern(format!("{} <{}", mined.author.name, mined.author.email).as_bytes());
        let parts = [(mined.subject.as_str(), IN_SUBJECT), (mined.body.as_str(), 1)];
        let length = self.messages.add(position, &parts);
        let columns = &mut self.commits;
        columns.oids.push(mined.oid);
        columns.times.push(mined.time);
        columns.authors.push(author);
        columns.places.push(place);
        columns.subjects.push(mined.subject.as_bytes());
        columns.lengths.push(length);
        columns.ends.push(columns.changed.len() as u32);
    }

    /// Adds a path, unless it is there; its position.
    pub fn add_path(&mut self, path: &[u8]) -> u32 {
        let position = self.paths.intern(path);
        if position as usize == self.name_lengths.len() {
            let text = String::from_utf8_lossy(path);
            let (folder, name) = text.rsplit_once('/').unwrap_or(("", &text));
            let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
            let [in_stem, in_folder, in_ending] = IN_NAME;
            let parts = [(stem, in_stem), (folder, in_folder), (ending, in_ending)];
            self.name_lengths.push(self.names.add(position, &parts));
        }
        position
    }

    /// Whether this commit is in the log.
    pub fn contains(&self, oid: Oid) -> bool {
        self.positions().contains_key(&oid)
    }

    /// Every path that is known.
    pub fn paths(&self) -> &Strings {
        &self.paths.list
    }

    /// The position of a path in [`Log::paths`].
    pub fn find_path(&self, path: &RepoPath) -> Option<u32> {
        self.paths.find(path.as_bytes())
    }

    /// How many authors there are.
    pub fn authors(&self) -> impl ExactSizeIterator<Item = Author> {
        self.authors.list.iter().map(|author| {
            let text = String::from_utf8_lossy(author);
            let (name, email) = text.rsplit_once(" <").unwrap_or((&text, ""));
            Author { name: name.to_owned(), email: email.to_owned() }
        })
    }

    /// How many commits there are.
    pub fn len(&self) -> usize {
        self.commits.oids.len()
    }

    /// How many of them are on the base.
    pub fn on_base(&self) -> usize {
        self.commits.places.iter().filter(|place| **place == Place::Base).count()
    }

    /// Which commits count: the newest on the base, so many, and all beside it.
    pub(super) fn within(&self, horizon: usize) -> Vec<bool> {
        let mut counts = vec![true; self.len()];
        let base = |commit: &usize| self.commits.places[*commit] == Place::Base;
        let mut base: Vec<usize> = (0..self.len()).filter(base).collect();
        if base.len() > horizon {
            let newest =
                |commit: &usize| std::cmp::Reverse((self.commits.times[*commit], self.commits.oids[*commit]));
            base.select_nth_unstable_by_key(horizon, newest);
            base[horizon..].iter().for_each(|commit| counts[*commit] = false);
        }
        counts
    }

    /// Whether there is no commit.
    pub fn is_empty(&self) -> bool {
        self.commits.oids.is_empty()
    }

    /// All commits, oldest first.
    pub fn commits(&self) -> Vec<Logged<'_>> {
        let mut commits: Vec<Logged<'_>> = (0..self.len()).map(|position| self.at(position)).collect();
        commits.sort_by_key(|commit| (commit.time, commit.oid));
        commits
    }

    /// One commit.
    pub fn find_commit(&self, oid: Oid) -> Option<Logged<'_>> {
        self.positions().get(&oid).map(|position| self.at(*position as usize))
    }

    /// How many words the message of a commit counts.
    pub fn words_of(&self, position: usize) -> u32 {
        self.commits.lengths[position]
    }

    /// The commits whose messages hold a token, and how often.
    pub fn messages_with(&self, token: &str) -> Vec<(u32, u32)> {
        self.messages.list(token)
    }

    /// The paths that hold a token, and how often.
    pub fn names_with(&self, token: &str) -> Vec<(u32, u32)> {
        self.names.list(token)
    }

    /// How many words each path counts.
    pub fn name_lengths(&self) -> &[u32] {
        &self.name_lengths
    }

    /// The renames, in the order of positions.
    pub fn renames(&self) -> &[Rename] {
        &self.commits.renames
    }

    /// Where the changes of a commit begin, among those of all.
    pub(super) fn first_change(&self, position: usize) -> u32 {
        if position == 0 { 0 } else { self.commits.ends[position - 1] }
    }

    /// The commit at a position.
    pub fn at(&self, position: usize) -> Logged<'_> {
        let columns = &self.commits;
        let range = self.first_change(position) as usize..columns.ends[position] as usize;
        Logged {
            position: position as u32,
            oid: columns.oids[position],
            time: columns.times[position],
            author: columns.authors[position],
            place: columns.places[position],
            subject: std::str::from_utf8(columns.subjects.get(position)).unwrap_or_default(),
            paths: &columns.changed[range.clone()],
            statuses: &columns.statuses[range],
        }
    }

    /// Tells this log from one that numbers its commits otherwise.
    pub fn mark(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        self.commits.oids.iter().for_each(|oid| hasher.update(oid.as_bytes()));
        hasher.update(&(self.paths.list.len() as u64).to_le_bytes());
        hasher.finalize()
    }

    fn positions(&self) -> &HashMap<Oid, u32> {
        self.positions.get_or_init(|| (0..).zip(&self.commits.oids).map(|(at, oid)| (*oid, at)).collect())
    }
}

/// Byte strings by position, each once.
#[derive(Debug, Default)]
pub(super) struct Interned {
    pub(super) list: Strings,
    positions: OnceCell<HashMap<Box<[u8]>, u32>>,
}

impl Interned {
    /// Adds some that are not there yet.
    pub(super) fn extend(&mut self, others: &Strings) {
        self.positions.take();
        self.list.extend(others);
    }

    fn find(&self, value: &[u8]) -> Option<u32> {
        self.positions().get(value).copied()
    }

    fn intern(&mut self, value: &[u8]) -> u32 {
        if let Some(position) = self.find(value) {
            return position;
        }
        let position = self.list.push(value);
        if let Some(positions) = self.positions.get_mut() {
            positions.insert(value.into(), position);
        }
        position
    }

    fn positions(&self) -> &HashMap<Box<[u8]>, u32> {
        let count = || (0..).zip(self.list.iter()).map(|(at, value)| (value.into(), at)).collect();
        self.positions.get_or_init(count)
    }
}

#[cfg(test)]
pub(super) mod testing {
    use proptest::prelude::*;
    use proptest::{collection, sample};

    use super::*;
    use crate::model::Change;

    pub(in crate::history) fn oid(number: u8) -> Oid {
        Oid::from_bytes(&[number; 20]).unwrap()
    }

    /// A commit by `author`, its number as id and as day.
    pub(in crate::history) fn mined(number: u8, author: &str, paths: &[&str]) -> Mined {
        let change = |path: &&str| Change { status: Status::Modified, path: RepoPath::from(*path) };
        Mined {
            oid: oid(number),
            time: Time(i64::from(number) * 86_400),
            author: Author { name: author.to_uppercase(), email: author.to_owned() },
            subject: format!("subject {number}"),
            body: format!("because of {author}"),
            changes: paths.iter().map(change).collect(),
            renames: Vec::new(),
        }
    }

    /// Commits on a few paths, each by its own number, in any order.
    pub(in crate::history) fn any_commits() -> impl Strategy<Value = Vec<Mined>> {
        let paths = sample::subsequence(vec!["d", "s/a", "s/b", "s/t/c", "w/b"], 0..5);
        collection::btree_map(1..=200_u8, ("[ab]", paths), 0..8)
            .prop_map(|commits| {
                commits.into_iter().map(|(number, (author, paths))| mined(number, &author, &paths)).collect()
            })
            .prop_shuffle()
    }

    /// A log of these commits on the base.
    pub(in crate::history) fn log(commits: Vec<Mined>) -> Log {
        let mut log = Log::default();
        commits.iter().for_each(|mined| log.add(mined, Place::Base));
        log.reach(&[oid(255)], 9);
        log
    }

    /// Everything that a log holds.
    pub(in crate::history) fn facts(log: &Log) -> impl PartialEq + std::fmt::Debug + use<> {
        let path = |path: &u32| log.paths().get(*path as usize).to_vec();
        let authors: Vec<Author> = log.authors().collect();
        let commit = |commit: Logged<'_>| {
            let paths: Vec<Vec<u8>> = commit.paths.iter().map(path).collect();
            let author = authors[commit.author as usize].clone();
            let facts = (commit.oid, commit.time, author, commit.place, commit.subject.to_owned());
            (facts, paths, commit.statuses.to_vec())
        };
        let commits: Vec<_> = log.commits().into_iter().map(commit).collect();
        let renames: Vec<_> =
            log.renames().iter().map(|one| (one.commit, path(&one.from), path(&one.to))).collect();
        let words = (log.messages.all(), log.names.all());
        (commits, renames, words, log.commits.lengths.clone(), log.name_lengths.clone(), log.tips().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{log, mined, oid};
    use super::*;

    #[test]
    fn a_commit_is_there_once_and_is_found_on_the_base_once_it_lands() {
        let mut log = log(vec![mined(1, "a", &["x"])]);
        log.add(&mined(2, "a", &["y"]), Place::Side);
        log.add(&mined(1, "a", &["x"]), Place::Side);
        let places = |log: &Log| log.commits().iter().map(|commit| commit.place).collect::<Vec<_>>();
        assert_eq!(places(&log), [Place::Base, Place::Side]);
        log.add(&mined(2, "a", &["y"]), Place::Base);
        assert_eq!(places(&log), [Place::Base, Place::Base]);
        assert_eq!((log.on_base(), log.find_commit(oid(2)).unwrap().position), (2, 1));
    }

    #[test]
    fn words_of_messages_and_paths_count_by_where_they_stand() {
        let mut log = log(vec![mined(3, "me", &["src/login/form.rs"])]);
        assert_eq!(log.messages.list("subject"), [(0, 2)]);
        assert_eq!(log.messages.list("becaus"), [(0, 1)]);
        assert_eq!(log.add_path(b"docs/login.md"), 1);
        assert_eq!(log.names.list("login"), [(0, 2), (1, 4)]);
        assert_eq!(log.names.list("rs"), [(0, 1)]);
        assert_eq!(log.name_lengths, [9, 7]);
    }
}
