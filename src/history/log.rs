//! Every mined commit of the repository, kept between runs.
//!
//! The file is a row of self-contained chunks, one per refresh, each with its
//! own paths and authors; now and then it is rewritten as one.
//!
//! **Invariant:** a cache: whatever is missing or damaged is mined again, and
//! nothing is said about it.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

use super::bytes::{self, Reader, put_number, put_string};
use crate::model::{Mined, Oid, RepoPath, Status, Time};

const MAGIC: &[u8; 8] = b"orchlog1";
/// A file of more chunks than this is rewritten as one.
const MAX_CHUNKS: usize = 64;

/// Where a mined commit was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the base.
    Base,
    /// Only in a session's own commits.
    Side,
}

/// Mined commits with interned paths and authors.
#[derive(Debug, Default)]
pub struct Log {
    tips: Vec<Oid>,
    horizon: usize,
    paths: Interned<RepoPath>,
    authors: Interned<String>,
    commits: Vec<Entry>,
    positions: HashMap<Oid, u32>,
    changed: Vec<u32>,
    statuses: Vec<Status>,
    /// Positions of commits that the file does not have yet, or has in another place.
    unsaved: Vec<u32>,
    /// Chunks in the file; `None` where it has to be rewritten.
    chunks: Option<usize>,
}

#[derive(Debug)]
struct Entry {
    oid: Oid,
    time: Time,
    author: u32,
    place: Place,
    subject: String,
    changes: Range<u32>,
}

/// A mined commit, as the log has it.
#[derive(Clone, Copy, Debug)]
pub struct Logged<'a> {
    /// The commit.
    pub oid: Oid,
    /// Its committer time.
    pub time: Time,
    /// Its author, as a position in [`Log::authors`].
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
    /// Reads the log; what can be believed of it.
    pub fn load(file: &Path) -> Self {
        std::fs::read(file).map(|bytes| Self::from_bytes(&bytes)).unwrap_or_default()
    }

    /// The same from the file's bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut log = Self::default();
        let Some(rest) = bytes.strip_prefix(MAGIC) else { return log };
        let (mut reader, mut chunks) = (Reader(rest), 0);
        while !reader.0.is_empty() {
            let read = bytes::unsealed(&mut reader).and_then(|payload| log.read_chunk(payload));
            if read.is_none() {
                return log;
            }
            chunks += 1;
        }
        log.unsaved.clear();
        log.chunks = Some(chunks);
        log
    }

    /// Whether its file was read to the end.
    pub(super) fn is_sound(&self) -> bool {
        self.chunks.is_some()
    }

    /// Adds what the file lacks to it. Failing to is no error: it is a cache.
    pub fn save(&mut self, file: &Path) -> std::io::Result<()> {
        let saved = match self.chunks {
            Some(chunks) if chunks < MAX_CHUNKS => {
                let chunk = bytes::sealed(&self.chunk(&self.unsaved));
                bytes::append(file, &chunk).map(|()| chunks + 1)
            }
            _ => bytes::replace(file, &self.to_bytes()).map(|()| 1),
        };
        self.chunks = Some(saved?);
        self.unsaved.clear();
        Ok(())
    }

    /// The whole log as one chunk, as [`Log::from_bytes`] reads it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let all: Vec<u32> = (0..self.commits.len() as u32).collect();
        [&MAGIC[..], &bytes::sealed(&self.chunk(&all))].concat()
    }

    /// The tips that the base was mined up to.
    pub fn tips(&self) -> &[Oid] {
        &self.tips
    }

    /// How far back the base was mined.
    pub fn horizon(&self) -> usize {
        self.horizon
    }

    /// Adds commits of the base, newest first, mined up to `tips`.
    pub fn add_base(&mut self, mined: Vec<Mined>, tips: &[Oid], horizon: usize) {
        self.tips = tips.to_vec();
        self.horizon = horizon;
        mined.into_iter().rev().for_each(|mined| self.add(mined, Place::Base));
    }

    /// Adds commits that need not be on the base.
    pub fn add_side(&mut self, mined: Vec<Mined>) {
        mined.into_iter().for_each(|mined| self.add(mined, Place::Side));
    }

    /// Whether anything waits to be saved.
    pub fn is_unsaved(&self) -> bool {
        !self.unsaved.is_empty()
    }

    /// Whether this commit is in the log.
    pub fn contains(&self, oid: Oid) -> bool {
        self.positions.contains_key(&oid)
    }

    /// Every path that any commit changed.
    pub fn paths(&self) -> &[RepoPath] {
        &self.paths.list
    }

    /// Every author's e-mail address.
    pub fn authors(&self) -> &[String] {
        &self.authors.list
    }

    /// The position of a path in [`Log::paths`].
    pub fn find_path(&self, path: &RepoPath) -> Option<u32> {
        self.paths.positions.get(path).copied()
    }

    /// All commits, oldest first.
    pub fn commits(&self) -> Vec<Logged<'_>> {
        let mut commits: Vec<Logged<'_>> = self.commits.iter().map(|entry| self.logged(entry)).collect();
        commits.sort_by_key(|commit| commit.time);
        commits
    }

    /// One commit.
    pub fn find_commit(&self, oid: Oid) -> Option<Logged<'_>> {
        self.positions.get(&oid).map(|position| self.logged(&self.commits[*position as usize]))
    }

    fn logged<'a>(&'a self, entry: &'a Entry) -> Logged<'a> {
        let range = entry.changes.start as usize..entry.changes.end as usize;
        let Entry { oid, time, author, place, ref subject, .. } = *entry;
        let (paths, statuses) = (&self.changed[range.clone()], &self.statuses[range]);
        Logged { oid, time, author, place, subject, paths, statuses }
    }

    fn add(&mut self, mined: Mined, place: Place) {
        let author = self.authors.intern(mined.author);
        let changes = mined.changes.into_iter().map(|change| (change.path, change.status));
        let changes: Vec<(u32, Status)> =
            changes.map(|(path, status)| (self.paths.intern(path), status)).collect();
        let Mined { oid, time, subject, .. } = mined;
        self.add_entry(Entry { oid, time, author, place, subject, changes: 0..0 }, &changes);
    }

    fn add_entry(&mut self, entry: Entry, changes: &[(u32, Status)]) {
        if let Some(position) = self.positions.get(&entry.oid) {
            let known = &mut self.commits[*position as usize];
            if known.place == Place::Side && entry.place == Place::Base {
                known.place = Place::Base;
                self.unsaved.push(*position);
            }
            return;
        }
        let start = self.changed.len() as u32;
        self.changed.extend(changes.iter().map(|(path, _)| path));
        self.statuses.extend(changes.iter().map(|(_, status)| status));
        let position = self.commits.len() as u32;
        self.positions.insert(entry.oid, position);
        self.unsaved.push(position);
        self.commits.push(Entry { changes: start..self.changed.len() as u32, ..entry });
    }

    fn read_chunk(&mut self, payload: &[u8]) -> Option<()> {
        let mut reader = Reader(payload);
        let horizon = reader.number()?;
        let tips = (0..reader.number()?).map(|_| reader.oid()).collect::<Option<_>>()?;
        let path = |reader: &mut Reader<'_>| Some(RepoPath::from_bytes(reader.string()?));
        let paths: Vec<u32> = (0..reader.number()?)
            .map(|_| Some(self.paths.intern(path(&mut reader)?)))
            .collect::<Option<_>>()?;
        let authors: Vec<u32> = (0..reader.number()?)
            .map(|_| Some(self.authors.intern(reader.text()?.to_owned())))
            .collect::<Option<_>>()?;
        let mut changes = Vec::new();
        for _ in 0..reader.number()? {
            let (oid, time) = (reader.oid()?, Time(reader.i64()?));
            let author = *authors.get(reader.number()?)?;
            let place = if reader.u8()? == 1 { Place::Base } else { Place::Side };
            let subject = reader.text()?.to_owned();
            changes.clear();
            for _ in 0..reader.number()? {
                let status = Status::from_letter(reader.u8()?)?;
                changes.push((*paths.get(reader.number()?)?, status));
            }
            self.add_entry(Entry { oid, time, author, place, subject, changes: 0..0 }, &changes);
        }
        (self.tips, self.horizon) = (tips, horizon);
        reader.0.is_empty().then_some(())
    }

    /// A chunk of the commits at these positions.
    fn chunk(&self, positions: &[u32]) -> Vec<u8> {
        let (mut paths, mut authors) = (Local::default(), Local::default());
        let mut body = Vec::new();
        put_number(&mut body, positions.len());
        for position in positions {
            let commit = self.logged(&self.commits[*position as usize]);
            put_string(&mut body, commit.oid.as_bytes());
            body.extend_from_slice(&commit.time.0.to_le_bytes());
            put_number(&mut body, authors.position(commit.author));
            body.push(u8::from(commit.place == Place::Base));
            put_string(&mut body, commit.subject.as_bytes());
            put_number(&mut body, commit.paths.len());
            for (path, status) in commit.paths.iter().zip(commit.statuses) {
                body.push(status.letter() as u8);
                put_number(&mut body, paths.position(*path));
            }
        }
        let mut out = Vec::new();
        put_number(&mut out, self.horizon);
        put_number(&mut out, self.tips.len());
        self.tips.iter().for_each(|tip| put_string(&mut out, tip.as_bytes()));
        put_number(&mut out, paths.list.len());
        paths.list.iter().for_each(|path| put_string(&mut out, self.paths.list[*path as usize].as_bytes()));
        put_number(&mut out, authors.list.len());
        authors.list.iter().for_each(|a| put_string(&mut out, self.authors.list[*a as usize].as_bytes()));
        out.extend_from_slice(&body);
        out
    }
}

/// Values by position, each once.
#[derive(Debug)]
struct Interned<T> {
    list: Vec<T>,
    positions: HashMap<T, u32>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Self { list: Vec::new(), positions: HashMap::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Interned<T> {
    fn intern(&mut self, value: T) -> u32 {
        if let Some(position) = self.positions.get(&value) {
            return *position;
        }
        let position = self.list.len() as u32;
        self.list.push(value.clone());
        self.positions.insert(value, position);
        position
    }
}

/// Positions in the whole log, numbered anew in the order they come.
#[derive(Default)]
struct Local {
    list: Vec<u32>,
    positions: HashMap<u32, usize>,
}

impl Local {
    fn position(&mut self, whole: u32) -> usize {
        let next = self.list.len();
        *self.positions.entry(whole).or_insert_with(|| {
            self.list.push(whole);
            next
        })
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
            author: author.to_owned(),
            subject: format!("subject {number}"),
            changes: paths.iter().map(change).collect(),
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

    /// A log of these commits on the base, oldest first.
    pub(in crate::history) fn log(mut commits: Vec<Mined>) -> Log {
        let mut log = Log::default();
        commits.reverse();
        log.add_base(commits, &[oid(255)], 9);
        log
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::testing::{any_commits, log, mined, oid};
    use super::*;

    fn facts(log: &Log) -> Vec<(Oid, i64, String, Place, String, Vec<String>)> {
        let path = |path: &u32| log.paths()[*path as usize].quoted();
        let facts = |commit: Logged<'_>| {
            let author = log.authors()[commit.author as usize].clone();
            let paths = commit.paths.iter().map(path).collect();
            (commit.oid, commit.time.0, author, commit.place, commit.subject.to_owned(), paths)
        };
        log.commits().into_iter().map(facts).collect()
    }

    #[test]
    fn a_log_reads_back_from_chunks() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("orch/log");
        let mut log = log(vec![mined(1, "a", &["x", "y/z"]), mined(2, "b", &[])]);
        log.save(&file).unwrap();
        log.add_side(vec![mined(3, "a", &["y/z", "w"])]);
        log.add_base(vec![mined(4, "c", &["x"])], &[oid(4)], 9);
        log.save(&file).unwrap();
        let loaded = Log::load(&file);
        assert_eq!(facts(&loaded), facts(&log));
        assert_eq!((loaded.tips(), loaded.horizon(), loaded.is_unsaved()), (&[oid(4)][..], 9, false));
        assert_eq!(loaded.chunks, Some(2));
        assert_eq!(loaded.find_commit(oid(3)).unwrap().place, Place::Side);
    }

    #[test]
    fn a_commit_that_lands_is_found_on_the_base() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        let mut log = log(vec![mined(1, "a", &["x"])]);
        log.add_side(vec![mined(2, "a", &["y"]), mined(1, "a", &["x"])]);
        log.save(&file).unwrap();
        log.add_base(vec![mined(2, "a", &["y"])], &[oid(2)], 9);
        log.save(&file).unwrap();
        let loaded = Log::load(&file);
        assert!(loaded.commits().iter().all(|commit| commit.place == Place::Base), "{:?}", facts(&loaded));
        assert_eq!(loaded.commits().len(), 2);
    }

    #[test]
    fn what_is_damaged_is_not_believed_and_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        let mut log = log(vec![mined(1, "a", &["x"])]);
        log.save(&file).unwrap();
        let first = std::fs::read(&file).unwrap().len();
        log.add_base(vec![mined(2, "a", &["y"])], &[oid(2)], 9);
        log.save(&file).unwrap();
        let whole = std::fs::read(&file).unwrap();
        for (bytes, commits) in [
            (&whole[..whole.len() - 1], 1),
            (&whole[..first + 3], 1),
            (&whole[..first - 1], 0),
            (&whole[..3], 0),
            (&b"another format"[..], 0),
            (&b""[..], 0),
        ] {
            std::fs::write(&file, bytes).unwrap();
            let mut loaded = Log::load(&file);
            assert_eq!((loaded.commits().len(), loaded.chunks), (commits, None), "{}", bytes.len());
            loaded.add_base(vec![mined(7, "a", &["z"])], &[oid(7)], 9);
            loaded.save(&file).unwrap();
            assert_eq!(Log::load(&file).commits().len(), commits + 1);
        }
    }

    #[test]
    fn many_chunks_become_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        let mut log = Log::default();
        for number in 0..=MAX_CHUNKS as u8 {
            log.add_base(vec![mined(number, "a", &["x"])], &[oid(number)], 9);
            log.save(&file).unwrap();
        }
        assert_eq!(log.chunks, Some(1));
        assert_eq!(Log::load(&file).commits().len(), MAX_CHUNKS + 1);
    }

    proptest! {
        #[test]
        fn chunks_are_believed_up_to_where_the_file_is_cut(
            pieces in proptest::collection::vec(any_commits(), 1..4), at: proptest::sample::Index,
        ) {
            let mut log = Log::default();
            let mut file = MAGIC.to_vec();
            let mut known = vec![(file.len(), facts(&log))];
            for piece in pieces {
                log.add_side(piece);
                file.extend(bytes::sealed(&log.chunk(&log.unsaved)));
                log.unsaved.clear();
                known.push((file.len(), facts(&log)));
            }
            assert_eq!(facts(&Log::from_bytes(&log.to_bytes())), facts(&log));
            for end in [at.index(file.len() + 1), file.len()] {
                let cut = Log::from_bytes(&file[..end]);
                let (_, whole) = known.iter().rev().find(|(length, _)| *length <= end).unwrap_or(&known[0]);
                assert_eq!(&facts(&cut), whole);
            }
        }
    }
}
