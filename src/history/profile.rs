//! The profile table: one file with the weights of all sessions, sorted by path.
//!
//! A route reads the file once and looks up only the paths it needs; nothing
//! is parsed up front but a short head.
//!
//! **Invariant:** believed only whole (checksum) and for exactly the key it was made for.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::Request;
use super::bytes::{self, Reader, put_number, put_numbers, put_string};
use super::fold::{Folded, FoldedSession};
use crate::model::path::ancestors;
use crate::model::profile::Touched;
use crate::model::profile::{Counts, SCALES, SLOW};
use crate::model::{HalfLives, Known, Name, Oid, Owners, Profiles, RepoPath, SessionWeight, Time};

const MAGIC: &[u8; 8] = b"orchprf4";
/// session u16, a count f32 for each scale, touches u32, time i64, commit u32.
const ENTRY: usize = 18 + 4 * SCALES;

/// What a table was made for.
pub type Key = [u8; 32];

/// A hash of everything that the table depends on.
pub(super) fn key(request: &Request) -> Key {
    let mut text = Vec::new();
    let oids = |text: &mut Vec<u8>, oids: &[Oid]| {
        put_number(text, oids.len());
        oids.iter().for_each(|oid| put_string(text, oid.as_bytes()));
    };
    let strings = |text: &mut Vec<u8>, strings: &[String]| {
        put_number(text, strings.len());
        strings.iter().for_each(|string| put_string(text, string.as_bytes()));
    };
    oids(&mut text, &request.tips);
    put_number(&mut text, request.horizon);
    put_string(&mut text, request.mailmap.text().as_bytes());
    for half_life in [request.half_lives.fast, request.half_lives.slow] {
        text.extend_from_slice(&half_life.as_secs_f64().to_le_bytes());
    }
    for source in &request.sessions {
        put_string(&mut text, source.name.as_str().as_bytes());
        strings(&mut text, source.paths.patterns());
        oids(&mut text, &source.commits);
        text.push(u8::from(source.adopts.is_some()));
        if let Some(adopts) = &source.adopts {
            strings(&mut text, &adopts.authors);
            let until = adopts.until.unwrap_or(Time(i64::MAX));
            text.extend_from_slice(&until.0.to_le_bytes());
        }
    }
    Sha256::digest(&text).into()
}

/// Whether a file holds a table, whole.
pub(super) fn is_sound(file: &Path) -> bool {
    let bytes = std::fs::read(file).unwrap_or_default();
    bytes.strip_prefix(MAGIC).is_some_and(|sealed| bytes::unsealed(&mut Reader(sealed)).is_some())
}

/// Writes a table's bytes.
pub(super) fn save(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    bytes::replace(file, bytes)
}

impl Folded {
    /// As [`Table`] reads it.
    pub(super) fn to_bytes(&self, key: &Key) -> Vec<u8> {
        let mut out = key.to_vec();
        out.extend_from_slice(&self.reference.0.to_le_bytes());
        for half_life in [self.half_lives.fast, self.half_lives.slow] {
            out.extend_from_slice(&half_life.as_secs_f64().to_le_bytes());
        }
        put_number(&mut out, self.sessions.len());
        for session in &self.sessions {
            put_session(&mut out, session);
        }
        let (mut paths, mut path_ends, mut entry_ends) = (Vec::new(), Vec::new(), Vec::new());
        let (mut entries, mut oids) = (Vec::new(), Oids::default());
        for (path, weights) in &self.weights {
            paths.extend_from_slice(path);
            path_ends.extend_from_slice(&(paths.len() as u32).to_le_bytes());
            for weight in weights {
                entries.extend_from_slice(&weight.session.to_le_bytes());
                weight
                    .counts
                    .iter()
                    .for_each(|count| entries.extend_from_slice(&(*count as f32).to_le_bytes()));
                entries.extend_from_slice(&weight.touches.to_le_bytes());
                entries.extend_from_slice(&weight.time.0.to_le_bytes());
                entries.extend_from_slice(&oids.position(weight.oid).to_le_bytes());
            }
            entry_ends.extend_from_slice(&((entries.len() / ENTRY) as u32).to_le_bytes());
        }
        out.push((oids.bytes.len() / oids.positions.len().max(1)) as u8);
        for part in [path_ends, entry_ends, paths, entries, oids.bytes] {
            put_string(&mut out, &part);
        }
        out.extend_from_slice(&self.mark.to_le_bytes());
        put_string(&mut out, &self.exists.iter().map(|exists| u8::from(*exists)).collect::<Vec<u8>>());
        put_numbers(&mut out, &self.owners.ends);
        let share =
            |(session, share): &(u16, f32)| [&session.to_le_bytes()[..], &share.to_le_bytes()].concat();
        put_string(&mut out, &self.owners.shares.iter().flat_map(share).collect::<Vec<u8>>());
        put_numbers(
            &mut out,
            &self.moved.iter().flat_map(|(change, path)| [*change, *path]).collect::<Vec<u32>>(),
        );
        [&MAGIC[..], &bytes::sealed(&out)].concat()
    }
}

fn put_session(out: &mut Vec<u8>, session: &FoldedSession) {
    put_string(out, session.name.as_str().as_bytes());
    out.extend_from_slice(&session.commits.to_le_bytes());
    out.push(u8::from(session.last.is_some()));
    out.extend_from_slice(&session.last.unwrap_or(Time(0)).0.to_le_bytes());
    put_number(out, session.knows.len());
    for known in &session.knows {
        put_string(out, known.path.as_bytes());
        out.extend_from_slice(&known.weight.to_le_bytes());
    }
}

/// Commits that are named as newest, each once.
#[derive(Default)]
struct Oids {
    bytes: Vec<u8>,
    positions: std::collections::HashMap<Oid, u32>,
}

impl Oids {
    fn position(&mut self, oid: Oid) -> u32 {
        let next = self.positions.len() as u32;
        *self.positions.entry(oid).or_insert_with(|| {
            self.bytes.extend_from_slice(oid.as_bytes());
            next
        })
    }
}

/// A profile table as read from its file.
#[derive(Debug)]
pub struct Table {
    bytes: Vec<u8>,
    reference: Time,
    half_lives: HalfLives,
    sessions: Vec<FoldedSession>,
    parts: Parts,
    mark: u32,
}

type Span = std::ops::Range<usize>;

/// Where in the bytes each part lies.
#[derive(Debug)]
struct Parts {
    path_ends: Span,
    entry_ends: Span,
    paths: Span,
    entries: Span,
    oids: Span,
    oid_width: usize,
    exists: Span,
    owner_ends: Span,
    owners: Span,
    moved: Span,
}

impl Table {
    /// Reads the table in `file`; `None` where there is none for `key`.
    pub(super) fn load(file: &Path, key: &Key) -> Option<Self> {
        Self::new(std::fs::read(file).ok()?, key)
    }

    /// The same from the file's bytes.
    pub fn new(bytes: Vec<u8>, key: &Key) -> Option<Self> {
        // The key first: a table for another key is common, and need not be summed.
        let sealed = bytes.strip_prefix(MAGIC)?;
        if sealed.get(12..12 + key.len())? != key {
            return None;
        }
        let mut file = Reader(sealed);
        let mut reader = Reader(bytes::unsealed(&mut file)?.get(key.len()..)?);
        if !file.0.is_empty() {
            return None;
        }
        let reference = Time(reader.i64()?);
        let mut half_life = || Duration::try_from_secs_f64(reader.f64()?).ok();
        let half_lives = HalfLives { fast: half_life()?, slow: half_life()? };
        let sessions: Vec<FoldedSession> =
            (0..reader.number()?).map(|_| read_session(&mut reader)).collect::<Option<_>>()?;
        let oid_width = usize::from(reader.u8()?);
        let base = bytes.len();
        let part = |reader: &mut Reader<'_>| {
            let length = reader.string()?.len();
            let end = base - reader.0.len();
            Some(end - length..end)
        };
        let mut parts = [const { 0..0 }; 9];
        for span in &mut parts[..5] {
            *span = part(&mut reader)?;
        }
        let mark = reader.u32()?;
        for span in &mut parts[5..] {
            *span = part(&mut reader)?;
        }
        let [path_ends, entry_ends, paths, entries, oids, exists, owner_ends, owners, moved] = parts;
        let parts = Parts {
            path_ends,
            entry_ends,
            paths,
            entries,
            oids,
            oid_width,
            exists,
            owner_ends,
            owners,
            moved,
        };
        Some(Self { bytes, reference, half_lives, sessions, parts, mark })
    }

    /// Which log the table is of, as [`super::Log::mark`] tells.
    pub(super) fn mark(&self) -> u32 {
        self.mark
    }

    /// By the log's paths: whether the file exists.
    pub(super) fn exists(&self) -> Vec<bool> {
        self.bytes[self.parts.exists.clone()].iter().map(|byte| *byte == 1).collect()
    }

    /// Changes of files that have another name now: which, and the path.
    pub(super) fn moved(&self) -> Vec<(u32, u32)> {
        let moved = bytes::numbers(&self.bytes[self.parts.moved.clone()]).unwrap_or_default();
        moved.as_chunks().0.iter().map(|[change, path]| (*change, *path)).collect()
    }

    /// By the log's commits: whose they are; none where that makes no sense.
    pub(super) fn owners(&self) -> Owners {
        const SHARE: usize = 6;
        let ends = bytes::numbers(&self.bytes[self.parts.owner_ends.clone()]).unwrap_or_default();
        let (shares, _) = self.bytes[self.parts.owners.clone()].as_chunks::<SHARE>();
        let share = |[a, b, c, d, e, f]: &[u8; SHARE]| {
            (u16::from_le_bytes([*a, *b]), f32::from_le_bytes([*c, *d, *e, *f]))
        };
        let shares: Vec<(u16, f32)> = shares.iter().map(share).collect();
        let fits = ends.is_sorted() && ends.last().map_or(0, |end| *end as usize) == shares.len();
        if fits { Owners { ends, shares } } else { Owners::default() }
    }

    /// What listings tell about a session.
    pub(super) fn session(&self, name: &Name) -> Option<&FoldedSession> {
        self.sessions.iter().find(|session| session.name == *name)
    }

    /// The few paths that tell most of what a session knows, best first.
    pub fn knows(&self, name: &Name, now: Time) -> Vec<Known> {
        let part = self.half_lives.decay(now.since(self.reference))[SLOW];
        let known = |known: &Known| Known { path: known.path.clone(), weight: known.weight * part };
        self.session(name).map(|session| session.knows.iter().map(known).collect()).unwrap_or_default()
    }

    /// The weights at `paths` and the folders above them, decayed to `now`.
    pub fn profiles(&self, paths: &[RepoPath], now: Time) -> Profiles {
        let left = self.half_lives.decay(now.since(self.reference));
        let mut weights = BTreeMap::new();
        let mut missing = std::collections::HashSet::new();
        for path in paths {
            let path = path.as_bytes();
            for path in std::iter::once(path).chain(ancestors(path)) {
                if weights.contains_key(path) || !missing.insert(path) {
                    continue;
                }
                if let Some(found) = self.find(path).and_then(|index| self.weights(index, &left)) {
                    weights.insert(path.to_vec(), found);
                }
            }
        }
        Profiles {
            now,
            sessions: self.sessions.iter().map(|session| session.name.clone()).collect(),
            commits: self.sessions.iter().map(|session| session.commits).collect(),
            last_activity: self.sessions.iter().map(|session| session.last).collect(),
            weights,
        }
    }

    fn find(&self, path: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, self.parts.path_ends.len() / 4);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.path(middle)?.cmp(path) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    fn path(&self, index: usize) -> Option<&[u8]> {
        let range = self.range(&self.parts.path_ends, index)?;
        self.bytes[self.parts.paths.clone()].get(range)
    }

    /// From the end of the one before to the end of this.
    fn range(&self, ends: &Span, index: usize) -> Option<Span> {
        let ends = &self.bytes[ends.clone()];
        let end = |index: usize| Some(Reader(ends.get(index * 4..)?).u32()? as usize);
        Some(if index == 0 { 0 } else { end(index - 1)? }..end(index)?)
    }

    fn weights(&self, index: usize, left: &Counts) -> Option<Vec<SessionWeight>> {
        let range = self.range(&self.parts.entry_ends, index)?;
        let entries = &self.bytes[self.parts.entries.clone()];
        let entries = entries.get(range.start * ENTRY..range.end * ENTRY)?;
        entries.chunks_exact(ENTRY).map(|entry| self.weight(Reader(entry), left)).collect()
    }

    fn weight(&self, mut entry: Reader<'_>, left: &Counts) -> Option<SessionWeight> {
        let session = entry.u16()?;
        let mut counts = *left;
        for count in &mut counts {
            *count *= f64::from(entry.f32()?);
        }
        let (touches, time) = (entry.u32()?, Time(entry.i64()?));
        let width = self.parts.oid_width;
        let start = entry.u32()? as usize * width;
        let oid = Oid::from_bytes(self.bytes[self.parts.oids.clone()].get(start..start + width)?)?;
        Some(SessionWeight { session, counts, touches, last: Some(Touched { time, oid }) })
    }
}

fn read_session(reader: &mut Reader<'_>) -> Option<FoldedSession> {
    let name = reader.text()?.parse().ok()?;
    let commits = reader.u32()?;
    let (has_last, last) = (reader.u8()? == 1, Time(reader.i64()?));
    let known = |reader: &mut Reader<'_>| {
        Some(Known { path: RepoPath::from_bytes(reader.string()?), weight: reader.f64()? })
    };
    let knows = (0..reader.number()?).map(|_| known(reader)).collect::<Option<_>>()?;
    Some(FoldedSession { name, commits, last: has_last.then_some(last), knows })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::history::credit::testing::source;
    use crate::history::fold::fold;
    use crate::history::fold::testing::{DAY, request};
    use crate::history::log::Place;
    use crate::history::log::testing::{any_commits, log, mined, oid};

    fn commits() -> Vec<crate::model::Mined> {
        vec![mined(1, "a", &["s/a", "w/b"]), mined(8, "a", &["s/a"])]
    }

    fn sample() -> (Key, Vec<u8>) {
        let request = request(8, vec![source("s", &["s"]), source("w", &["w"])]);
        let key = key(&request);
        (key, fold(&request, &log(commits()), &[1]).to_bytes(&key))
    }

    #[test]
    fn weights_are_found_and_decayed_to_the_moment() {
        let (key, bytes) = sample();
        let table = Table::new(bytes, &key).unwrap();
        let paths = [RepoPath::from("s/a"), RepoPath::from("s/new"), RepoPath::from("zzz")];
        let profiles = table.profiles(&paths, Time(15 * DAY));
        let known: Vec<&[u8]> = profiles.weights.keys().map(Vec::as_slice).collect();
        assert_eq!(known, [&b""[..], b"s", b"s/a"]);
        let weight = profiles.of(0, b"s/a").unwrap();
        assert!((weight.fast() - 0.625).abs() < 1e-6, "{weight:?}");
        assert_eq!((weight.touches, weight.last.as_ref().unwrap().oid), (2, oid(8)));
        assert_eq!(profiles.at(b"").len(), 2);
        assert_eq!((profiles.commits.as_slice(), profiles.sessions.len()), (&[2, 1][..], 2));
        assert_eq!(profiles.last_activity, [Some(Time(8 * DAY)), Some(Time(DAY))]);
        assert_eq!((table.exists(), table.mark()), (vec![false, true], log(commits()).mark()));
        assert_eq!(table.owners().of(0), [(0, 0.5), (1, 0.5)]);
        assert_eq!(table.owners().of(1), [(0, 1.0)]);
        assert_eq!(table.knows(&profiles.sessions[1], Time(8 * DAY))[0].path.quoted(), "w/b");
    }

    #[test]
    fn a_table_for_another_key_or_damaged_is_not_believed() {
        let (key, bytes) = sample();
        assert!(Table::new(bytes.clone(), &[0; 32]).is_none());
        let longer = [&bytes[..], b"x"].concat();
        let shorter_than_its_key = [&MAGIC[..], &bytes::sealed(b""), &key].concat();
        assert!(Table::new(longer, &key).is_none() && Table::new(shorter_than_its_key, &key).is_none());
        for index in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[index] ^= 0x40;
            assert!(Table::new(bent, &key).is_none(), "{index}");
            assert!(Table::new(bytes[..index].to_vec(), &key).is_none(), "{index}");
        }
    }

    #[test]
    fn the_key_tells_apart_whatever_the_table_depends_on() {
        let base = request(8, vec![source("s", &["s"])]);
        let mut others = vec![base.clone(); 7];
        others[0].tips.push(oid(1));
        others[1].horizon += 1;
        others[2].half_lives.fast *= 2;
        others[3].sessions[0].commits.push(oid(1));
        others[4].sessions[0].adopts = None;
        others[5].sessions = vec![source("s", &["s", "t"])];
        others[6].sessions.push(source("t", &[]));
        others.push(base.clone());
        let keys: std::collections::HashSet<Key> = others.iter().map(key).collect();
        assert_eq!(keys.len(), others.len());
        assert_eq!(key(&base), key(&Request { now: Time(0), ..base.clone() }), "time passes, tables stay");
    }

    /// The sessions that the commits of `any_commits` are folded for.
    fn request_of(day: i64) -> Request {
        request(day, vec![source("s", &["s"]), source("t", &["s/t", "w"]), source("all", &[])])
    }

    proptest! {
        #[test]
        fn a_table_is_the_same_in_whatever_order_commits_came(
            commits in any_commits(), cut: proptest::sample::Index, day in 0..250_i64,
        ) {
            let request = request_of(day);
            let mut sorted = commits.clone();
            sorted.sort_by_key(|commit| commit.time);
            let once = fold(&request, &log(sorted), &[]);
            let mut pieces = log(commits[..cut.index(commits.len() + 1)].to_vec());
            commits.iter().for_each(|mined| pieces.add(mined, Place::Base));
            let twice = fold(&request, &pieces, &[]);
            assert_eq!((once.weights, once.sessions), (twice.weights, twice.sessions));
        }

        #[test]
        fn a_table_says_what_was_folded_and_time_only_scales_it(
            commits in any_commits(), day in 0..250_i64, later in 0..9_000_i64,
        ) {
            let request = request_of(day);
            let key = key(&request);
            let folded = fold(&request, &log(commits), &[]);
            let table = Table::new(folded.to_bytes(&key), &key).unwrap();
            let paths: Vec<RepoPath> =
                folded.weights.iter().map(|(path, _)| RepoPath::from_bytes(path.as_slice())).collect();
            let (now, then) = (folded.reference, Time(folded.reference.0 + later * DAY));
            let (profiles, decayed) = (table.profiles(&paths, now), table.profiles(&paths, then));
            assert_eq!(profiles.weights.len(), folded.weights.len());
            let left = request.half_lives.decay(later * DAY);
            for (path, weights) in &folded.weights {
                let (at, after) = (profiles.at(path), decayed.at(path));
                assert_eq!((at.len(), after.len()), (weights.len(), weights.len()));
                for ((weight, read), after) in weights.iter().zip(at).zip(after) {
                    let last = read.last.clone().unwrap();
                    assert_eq!((read.session, read.touches), (weight.session, weight.touches));
                    assert_eq!((last.oid, last.time), (weight.oid, weight.time));
                    let counts = read.counts.iter().zip(&after.counts).zip(&weight.counts).zip(&left);
                    for (((count, later), folded), left) in counts {
                        assert_eq!(*count as f32, *folded as f32);
                        assert!((later - count * left).abs() <= 1e-9 * count);
                    }
                }
            }
        }
    }
}
