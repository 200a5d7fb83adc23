//! The log's file: a row of chunks, one per refresh, each behind its checksum;
//! now and then it is written anew as one.
//!
//! **Invariant:** one process writes at a time, and only behind what it read;
//! who comes too late leaves the file as it is.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::bytes::{self, Reader, numbers, put_number, put_numbers, put_string};
use super::log::{Columns, Log, Place, Rename, Written};
use super::words::{Table, What};
use crate::model::{Oid, Status, Strings, Time};

const MAGIC: &[u8; 8] = b"orchlog2";
/// A file of more chunks than this is written anew as one.
const MAX_CHUNKS: usize = 32;

impl Log {
    /// Reads the log; what can be believed of it.
    pub fn load(file: &Path) -> Self {
        std::fs::read(file).map(|bytes| Self::from_bytes(&bytes)).unwrap_or_default()
    }

    /// The same from the file's bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut log = Self::default();
        let Some(rest) = bytes.strip_prefix(MAGIC) else { return log };
        let mut reader = Reader(rest);
        while !reader.0.is_empty() {
            let read = bytes::unsealed(&mut reader).and_then(|payload| Chunk::read(&log, payload));
            let Some(chunk) = read else {
                log.written.chunks = 0;
                return log;
            };
            chunk.add_to(&mut log);
            log.written.chunks += 1;
        }
        log.written.bytes = bytes.len() as u64;
        log
    }

    /// Whether its file was read to the end.
    pub(super) fn is_sound(&self) -> bool {
        self.written.chunks > 0
    }

    /// Whether its file lacks anything.
    pub fn is_unsaved(&self) -> bool {
        let Written { commits, paths, .. } = self.written;
        (commits, paths) != (self.len(), self.paths().len()) || !self.landed.is_empty()
    }

    /// Adds what the file lacks to it. Failing to is no error: it is a cache.
    pub fn save(&mut self, file: &Path) -> std::io::Result<()> {
        let what = if (1..MAX_CHUNKS).contains(&self.written.chunks) { What::Fresh } else { What::All };
        let written = match what {
            What::Fresh => {
                let chunk = bytes::sealed(&chunk(self, what));
                append(file, &chunk, self.written.bytes)?;
                self.written.bytes + chunk.len() as u64
            }
            What::All => {
                let bytes = self.to_bytes();
                bytes::replace(file, &bytes)?;
                bytes.len() as u64
            }
        };
        let chunks = if what == What::All { 1 } else { self.written.chunks + 1 };
        self.messages.written(what);
        self.names.written(what);
        self.landed.clear();
        self.written = Written { chunks, bytes: written, ..counts(self) };
        Ok(())
    }

    /// The whole log as one chunk, as [`Log::from_bytes`] reads it.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&MAGIC[..], &bytes::sealed(&chunk(self, What::All))].concat()
    }
}

/// Appends to a file that is as long as it was when it was read.
fn append(path: &Path, chunk: &[u8], length: u64) -> std::io::Result<()> {
    let mut file = File::options().append(true).open(path)?;
    file.lock()?;
    let now = path.metadata()?;
    let is_other = (now.dev(), now.ino()) != {
        let own = file.metadata()?;
        (own.dev(), own.ino())
    };
    // Somebody else has written it since, and all that is here may be there.
    if is_other || now.len() != length { Ok(()) } else { file.write_all(chunk) }
}

/// How much there is.
fn counts(log: &Log) -> Written {
    Written {
        commits: log.len(),
        paths: log.paths().len(),
        authors: log.authors.list.len(),
        renames: log.commits.renames.len(),
        ..log.written
    }
}

fn chunk(log: &Log, what: What) -> Vec<u8> {
    let from = if what == What::All { Written::default() } else { log.written };
    let mut out = Vec::new();
    for number in [from.commits, from.paths, from.authors, log.horizon] {
        put_number(&mut out, number);
    }
    put_oids(&mut out, &log.tips);
    put_strings(&mut out, &log.paths.list, from.paths);
    put_numbers(&mut out, &log.name_lengths[from.paths..]);
    log.names.put(&mut out, what);
    put_strings(&mut out, &log.authors.list, from.authors);
    let columns = &log.commits;
    put_oids(&mut out, &columns.oids[from.commits..]);
    let times = columns.times[from.commits..].iter().flat_map(|time| time.0.to_le_bytes());
    put_string(&mut out, &times.collect::<Vec<u8>>());
    put_numbers(&mut out, &columns.authors[from.commits..]);
    let places = columns.places[from.commits..].iter().map(|place| u8::from(*place == Place::Base));
    put_string(&mut out, &places.collect::<Vec<u8>>());
    put_strings(&mut out, &columns.subjects, from.commits);
    put_numbers(&mut out, &columns.lengths[from.commits..]);
    put_numbers(&mut out, &columns.ends[from.commits..]);
    let changes = if from.commits == 0 { 0 } else { columns.ends[from.commits - 1] as usize };
    put_numbers(&mut out, &columns.changed[changes..]);
    let letters = columns.statuses[changes..].iter().map(|status| status.letter() as u8);
    put_string(&mut out, &letters.collect::<Vec<u8>>());
    let renames = columns.renames[from.renames..].iter().flat_map(|one| [one.commit, one.from, one.to]);
    put_numbers(&mut out, &renames.collect::<Vec<u32>>());
    put_numbers(&mut out, &log.landed);
    log.messages.put(&mut out, what);
    out
}

/// What a chunk adds to a log.
struct Chunk {
    horizon: usize,
    tips: Vec<Oid>,
    paths: Strings,
    name_lengths: Vec<u32>,
    names: Table,
    authors: Strings,
    commits: Columns,
    landed: Vec<u32>,
    messages: Table,
}

impl Chunk {
    /// Reads one that follows upon `log`.
    fn read(log: &Log, payload: &[u8]) -> Option<Self> {
        let mut reader = Reader(payload);
        let before = [reader.number()?, reader.number()?, reader.number()?];
        if before != [log.len(), log.paths().len(), log.authors.list.len()] {
            return None;
        }
        let chunk = Self {
            horizon: reader.number()?,
            tips: oids(&mut reader)?,
            paths: strings(&mut reader)?,
            name_lengths: numbers(reader.string()?)?,
            names: Table::read(&mut reader)?,
            authors: strings(&mut reader)?,
            commits: columns(&mut reader)?,
            landed: numbers(reader.string()?)?,
            messages: Table::read(&mut reader)?,
        };
        (reader.0.is_empty() && chunk.fits(log)).then_some(chunk)
    }

    /// Whether everything that it names is there.
    fn fits(&self, log: &Log) -> bool {
        let paths = log.paths().len() + self.paths.len();
        let authors = log.authors.list.len() + self.authors.len();
        let count = self.commits.oids.len();
        let within = |all: &[u32], end: usize| all.iter().all(|one| (*one as usize) < end);
        let start = log.commits.ends.last().copied().unwrap_or(0);
        let Columns {
            times, authors: by, places, subjects, lengths, ends, changed, statuses, renames, ..
        } = &self.commits;
        [times.len(), by.len(), places.len(), subjects.len(), lengths.len(), ends.len()] == [count; 6]
            && self.name_lengths.len() == self.paths.len()
            && ends.is_sorted()
            && ends.first().is_none_or(|first| *first >= start)
            && ends.last().map_or(0, |last| (last - start) as usize) == changed.len()
            && statuses.len() == changed.len()
            && within(changed, paths)
            && within(by, authors)
            && within(&self.landed, log.len() + count)
            && renames
                .iter()
                .all(|one| within(&[one.from, one.to], paths) && within(&[one.commit], log.len() + count))
    }

    fn add_to(self, log: &mut Log) {
        (log.tips, log.horizon) = (self.tips, self.horizon);
        log.paths.extend(&self.paths);
        log.name_lengths.extend(self.name_lengths);
        log.names.push(self.names);
        log.authors.extend(&self.authors);
        log.messages.push(self.messages);
        let (own, new) = (&mut log.commits, self.commits);
        own.oids.extend(new.oids);
        own.times.extend(new.times);
        own.authors.extend(new.authors);
        own.places.extend(new.places);
        own.subjects.extend(&new.subjects);
        own.lengths.extend(new.lengths);
        own.ends.extend(new.ends);
        own.changed.extend(new.changed);
        own.statuses.extend(new.statuses);
        own.renames.extend(new.renames);
        self.landed.into_iter().for_each(|position| own.places[position as usize] = Place::Base);
        log.written = counts(log);
    }
}

fn columns(reader: &mut Reader<'_>) -> Option<Columns> {
    let oids = oids(reader)?;
    let (times, rest) = reader.string()?.as_chunks();
    rest.is_empty().then_some(())?;
    let place = |byte: &u8| if *byte == 1 { Place::Base } else { Place::Side };
    let mut columns = Columns {
        oids,
        times: times.iter().map(|bytes| Time(i64::from_le_bytes(*bytes))).collect(),
        authors: numbers(reader.string()?)?,
        places: reader.string()?.iter().map(place).collect(),
        subjects: strings(reader)?,
        lengths: numbers(reader.string()?)?,
        ends: numbers(reader.string()?)?,
        changed: numbers(reader.string()?)?,
        statuses: reader
            .string()?
            .iter()
            .map(|letter| Status::from_letter(*letter))
            .collect::<Option<_>>()?,
        renames: Vec::new(),
    };
    let renames = numbers(reader.string()?)?;
    let (renames, rest) = renames.as_chunks();
    rest.is_empty().then_some(())?;
    columns.renames =
        renames.iter().map(|[commit, from, to]| Rename { commit: *commit, from: *from, to: *to }).collect();
    Some(columns)
}

fn put_oids(out: &mut Vec<u8>, oids: &[Oid]) {
    put_number(out, oids.first().map_or(0, |oid| oid.as_bytes().len()));
    put_string(out, &oids.iter().flat_map(|oid| oid.as_bytes()).copied().collect::<Vec<u8>>());
}

fn oids(reader: &mut Reader<'_>) -> Option<Vec<Oid>> {
    let width = reader.number()?;
    let bytes = reader.string()?;
    if width == 0 {
        return bytes.is_empty().then(Vec::new);
    }
    let oids = bytes.chunks(width).map(Oid::from_bytes);
    oids.collect()
}

/// Those from a position on.
fn put_strings(out: &mut Vec<u8>, all: &Strings, from: usize) {
    let (bytes, ends) = all.parts();
    let start = if from == 0 { 0 } else { ends[from - 1] };
    put_string(out, &bytes[start as usize..]);
    put_numbers(out, &ends[from..].iter().map(|end| end - start).collect::<Vec<u32>>());
}

fn strings(reader: &mut Reader<'_>) -> Option<Strings> {
    let bytes = reader.string()?.to_vec();
    Strings::from_parts(bytes, numbers(reader.string()?)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::history::log::testing::{any_commits, facts, log, mined, oid};

    #[test]
    fn a_log_reads_back_from_chunks() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("orch/log");
        let mut log = log(vec![mined(1, "a", &["x", "y/z"]), mined(2, "b", &[])]);
        log.save(&file).unwrap();
        let mut renamed = mined(3, "a", &["y/z", "w"]);
        renamed.renames.push(("y/z".into(), "w".into()));
        log.add(&renamed, Place::Side);
        log.save(&file).unwrap();
        log.add(&mined(4, "c", &["x"]), Place::Base);
        log.add(&renamed, Place::Base);
        log.add_path(b"never/changed");
        log.reach(&[oid(4)], 8);
        assert!(log.is_unsaved());
        log.save(&file).unwrap();
        let loaded = Log::load(&file);
        assert_eq!(facts(&loaded), facts(&log));
        assert_eq!((loaded.horizon(), loaded.is_unsaved(), loaded.written), (8, false, log.written));
        assert_eq!((loaded.written.chunks, loaded.mark()), (3, log.mark()));
        assert_eq!(facts(&Log::from_bytes(&loaded.to_bytes())), facts(&log));
    }

    #[test]
    fn who_comes_too_late_leaves_the_file_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        log(vec![mined(1, "a", &["x"])]).save(&file).unwrap();
        let (mut one, mut other) = (Log::load(&file), Log::load(&file));
        one.add(&mined(2, "a", &["y"]), Place::Base);
        other.add(&mined(3, "a", &["z"]), Place::Base);
        one.save(&file).unwrap();
        other.save(&file).unwrap();
        assert_eq!(facts(&Log::load(&file)), facts(&one));
    }

    #[test]
    fn what_is_damaged_is_not_believed_and_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        let mut log = log(vec![mined(1, "a", &["x"])]);
        log.save(&file).unwrap();
        let first = std::fs::read(&file).unwrap().len();
        log.add(&mined(2, "a", &["y"]), Place::Base);
        log.save(&file).unwrap();
        let whole = std::fs::read(&file).unwrap();
        for (bytes, commits) in [
            (&whole[..whole.len() - 1], 1),
            (&whole[..first + 3], 1),
            (&whole[..first - 1], 0),
            (&whole[..3], 0),
            (&[&whole[..first], &whole[first..], &whole[first..]].concat(), 2),
            (&b"another format"[..], 0),
            (&b""[..], 0),
        ] {
            std::fs::write(&file, bytes).unwrap();
            let mut loaded = Log::load(&file);
            assert_eq!((loaded.len(), loaded.is_sound()), (commits, false), "{}", bytes.len());
            loaded.add(&mined(7, "a", &["z"]), Place::Base);
            loaded.save(&file).unwrap();
            assert_eq!(Log::load(&file).len(), commits + 1);
        }
    }

    #[test]
    fn many_chunks_become_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        let mut log = Log::default();
        for number in 0..=MAX_CHUNKS as u8 {
            log.add(&mined(number, "a", &["x"]), Place::Base);
            log.save(&file).unwrap();
        }
        assert_eq!(log.written.chunks, 1);
        assert_eq!(facts(&Log::load(&file)), facts(&log));
    }

    proptest! {
        #[test]
        fn chunks_are_believed_up_to_where_the_file_is_cut(
            pieces in proptest::collection::vec(any_commits(), 1..4), at: proptest::sample::Index,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("log");
            let mut log = Log::default();
            let mut known = vec![(0, facts(&log))];
            for piece in pieces {
                piece.iter().for_each(|mined| log.add(mined, Place::Side));
                log.save(&file).unwrap();
                known.push((std::fs::read(&file).unwrap().len(), facts(&log)));
            }
            let bytes = std::fs::read(&file).unwrap();
            for end in [at.index(bytes.len() + 1), bytes.len()] {
                let (_, whole) = known.iter().rev().find(|(length, _)| *length <= end).unwrap();
                assert!(facts(&Log::from_bytes(&bytes[..end])) == *whole);
            }
        }
    }
}
