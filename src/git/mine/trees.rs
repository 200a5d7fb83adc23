//! Two trees side by side: which paths differ.
//!
//! **Invariant:** equal subtrees are never read; the changes come out sorted by path.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use super::objects::Objects;
use super::packed::{Content, Kind};
use super::renames;
use super::walk::OidHasher;
use crate::error::{Error, Result};
use crate::git::read::MAX_DEPTH;
use crate::model::{Change, Oid, RepoPath, Status};

/// Bytes of decoded trees that are kept: a commit's tree is the next one's old side.
const CACHE: usize = 16 << 20;

/// Reads trees, keeping the last ones.
pub(super) struct Trees<'r> {
    objects: &'r mut Objects,
    cache: HashMap<Oid, Content, BuildHasherDefault<OidHasher>>,
    order: VecDeque<Oid>,
    size: usize,
}

impl<'r> Trees<'r> {
    pub(super) fn new(objects: &'r mut Objects) -> Self {
        Self { objects, cache: HashMap::default(), order: VecDeque::new(), size: 0 }
    }

    /// What changed from `old` (nothing, for a root commit) to `new`.
    pub(super) fn differences(&mut self, old: Option<Oid>, new: Oid) -> Result<Differences> {
        let (mut differences, mut path) = (Differences::default(), Vec::new());
        let mut levels = Vec::new();
        if old != Some(new) {
            levels.push(self.level(old, Some(new), 0)?);
        }
        // No recursion: how deep folders go is for the repository to say.
        while let Some(level) = levels.last_mut() {
            path.truncate(level.path);
            let Some((old, new)) = level.next_difference()? else {
                levels.pop();
                continue;
            };
            let Some(any) = old.or(new) else { continue };
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(any.name);
            let oid = |entry: Option<Entry<'_>>| entry.and_then(|entry| Oid::from_bytes(entry.oid));
            if !any.is_tree() {
                differences.add(status(old, new), RepoPath::from_bytes(path.as_slice()), oid(Some(any)));
                continue;
            }
            let below = self.level(oid(old), oid(new), path.len())?;
            if levels.len() == MAX_DEPTH {
                return Err(Error::unusable("could not read history: a tree is nested too deeply"));
            }
            levels.push(below);
        }
        Ok(differences)
    }

    /// Two trees from their beginning, at a path of so many bytes.
    fn level(&mut self, old: Option<Oid>, new: Option<Oid>, path: usize) -> Result<Level> {
        let old = old.map(|oid| self.read(oid)).transpose()?;
        let new = new.map(|oid| self.read(oid)).transpose()?;
        let all = |tree: &Option<Content>| tree.as_ref().map_or(0, |tree| tree.len());
        Ok(Level { left: (all(&old), all(&new)), old, new, path, width: self.width() })
    }

    fn read(&mut self, oid: Oid) -> Result<Content> {
        if let Some(tree) = self.cache.get(&oid) {
            return Ok(Rc::clone(tree));
        }
        let missing = || Error::unusable(format!("could not read tree {oid}: it is missing"));
        let tree = self.objects.read(oid, Kind::Tree)?.ok_or_else(missing)?;
        self.size += tree.len();
        self.cache.insert(oid, Rc::clone(&tree));
        self.order.push_back(oid);
        while self.size > CACHE {
            let Some(oldest) = self.order.pop_front() else { break };
            self.size -= self.cache.remove(&oldest).map_or(0, |tree| tree.len());
        }
        Ok(tree)
    }

    /// Bytes of an object id in a tree.
    fn width(&self) -> usize {
        self.order.back().map_or(20, |oid| oid.as_bytes().len())
    }
}

/// What differs, and which files came and went.
#[derive(Debug, Default)]
pub(super) struct Differences {
    pub(super) changes: Vec<Change>,
    deleted: Vec<renames::Side>,
    added: Vec<renames::Side>,
}

impl Differences {
    pub(super) fn add(&mut self, status: Status, path: RepoPath, contents: Option<Oid>) {
        if let Some(contents) = contents {
            match status {
                Status::Added => self.added.push((path.clone(), contents)),
                Status::Deleted => self.deleted.push((path.clone(), contents)),
                Status::Modified | Status::TypeChanged => {}
            }
        }
        self.changes.push(Change { status, path });
    }

    /// Files that only changed their name.
    pub(super) fn renames(&self) -> Vec<(RepoPath, RepoPath)> {
        renames::find(&self.deleted, &self.added)
    }
}

/// Two trees side by side, and how many bytes of each are still to be read.
struct Level {
    old: Option<Content>,
    new: Option<Content>,
    left: (usize, usize),
    path: usize,
    width: usize,
}

impl Level {
    /// The next difference; entries of one name and sort come together.
    fn next_difference(&mut self) -> Result<Option<Pair<'_>>> {
        fn rest(tree: &Option<Content>, left: usize) -> &[u8] {
            tree.as_ref().map_or(&[], |tree| &tree[tree.len() - left..])
        }
        let width = self.width;
        let old = Cursor { rest: rest(&self.old, self.left.0), width };
        let new = Cursor { rest: rest(&self.new, self.left.1), width };
        let mut sides = Sides { old, new };
        let found = sides.next_difference()?;
        self.left = (sides.old.rest.len(), sides.new.rest.len());
        Ok(found)
    }
}

fn status(old: Option<Entry<'_>>, new: Option<Entry<'_>>) -> Status {
    match (old, new) {
        (None, _) => Status::Added,
        (_, None) => Status::Deleted,
        (Some(old), Some(new)) if old.mode >> 12 != new.mode >> 12 => Status::TypeChanged,
        _ => Status::Modified,
    }
}

/// An entry of a raw tree.
#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    /// As git reads it: some old trees have group-writable files.
    mode: u32,
    name: &'a [u8],
    oid: &'a [u8],
    /// Bytes of the whole entry.
    len: usize,
}

impl Entry<'_> {
    fn is_same(&self, other: &Self) -> bool {
        self.mode == other.mode && self.oid == other.oid
    }

    fn is_tree(&self) -> bool {
        self.mode == 0o040_000
    }

    /// Git's order: folders sort as if their name ended in a slash.
    fn order(&self, other: &Self) -> Ordering {
        let common = self.name.len().min(other.name.len());
        let next = |entry: &Self| match entry.name.get(common) {
            Some(byte) => *byte,
            None if entry.is_tree() => b'/',
            None => 0,
        };
        self.name[..common].cmp(&other.name[..common]).then_with(|| next(self).cmp(&next(other)))
    }
}

/// What is left of a raw tree.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    rest: &'a [u8],
    width: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Result<Option<Entry<'a>>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.parse().map(Some).ok_or_else(|| Error::unusable("could not read history: a tree is damaged"))
    }

    fn parse(&self) -> Option<Entry<'a>> {
        let end = entry_end(self.rest, self.width)?;
        let name_end = end - self.width - 1;
        let space = self.rest[..name_end].iter().position(|byte| *byte == b' ')?;
        let digit = |sum: u32, byte: &u8| match byte {
            b'0'..=b'7' => sum.checked_mul(8).map(|sum| sum + u32::from(byte - b'0')),
            _ => None,
        };
        let raw = self.rest[..space].iter().try_fold(0, digit)?;
        let mode = match raw >> 12 {
            0o10 if raw & 0o100 != 0 => 0o100_755,
            0o10 => 0o100_644,
            0o12 => 0o120_000,
            0o04 => 0o040_000,
            _ => 0o160_000,
        };
        let (name, oid) = (&self.rest[space + 1..name_end], &self.rest[name_end + 1..end]);
        Some(Entry { mode, name, oid, len: end })
    }
}

/// Where the first entry ends.
fn entry_end(raw: &[u8], width: usize) -> Option<usize> {
    // A mode has five digits at least, then a space and a letter.
    let nul = 7 + find_nul(raw.get(7..)?)?;
    let end = nul + 1 + width;
    (end <= raw.len()).then_some(end)
}

/// Where the first NUL is, eight bytes at a time: names are too short for more.
fn find_nul(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xff;
    let (words, _) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The lowest bit that is left belongs to the first NUL.
        let nuls = word.wrapping_sub(ONES) & !word & ONES << 7;
        if nuls != 0 {
            return Some(8 * index + nuls.trailing_zeros() as usize / 8);
        }
    }
    let start = 8 * words.len();
    bytes[start..].iter().position(|byte| *byte == 0).map(|place| start + place)
}

struct Sides<'a> {
    old: Cursor<'a>,
    new: Cursor<'a>,
}

type Pair<'a> = (Option<Entry<'a>>, Option<Entry<'a>>);

impl<'a> Sides<'a> {
    /// The next entries that differ, both where their names agree.
    fn next_difference(&mut self) -> Result<Option<Pair<'a>>> {
        loop {
            self.skip_equal();
            let (old, new) = (self.old.peek()?, self.new.peek()?);
            let order = match (&old, &new) {
                (None, None) => return Ok(None),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => old.order(new),
            };
            let old = old.filter(|_| order.is_le());
            let new = new.filter(|_| order.is_ge());
            self.old.rest = &self.old.rest[old.map_or(0, |entry| entry.len)..];
            self.new.rest = &self.new.rest[new.map_or(0, |entry| entry.len)..];
            // Modes that git reads alike are no difference.
            if !matches!((&old, &new), (Some(old), Some(new)) if old.is_same(new)) {
                return Ok(Some((old, new)));
            }
        }
    }

    /// Skips the entries that both sides begin with, byte by byte the same.
    fn skip_equal(&mut self) {
        let same = common_prefix(self.old.rest, self.new.rest);
        let mut skipped = 0;
        while let Some(end) = entry_end(&self.old.rest[skipped..], self.old.width) {
            if skipped + end > same {
                break;
            }
            skipped += end;
        }
        self.old.rest = &self.old.rest[skipped..];
        self.new.rest = &self.new.rest[skipped..];
    }
}

/// How many bytes two slices have in common at the start.
fn common_prefix(one: &[u8], two: &[u8]) -> usize {
    // Whole blocks of a fixed size compare without a call.
    const BLOCK: usize = 32;
    let blocks = one.as_chunks::<BLOCK>().0.iter().zip(two.as_chunks::<BLOCK>().0);
    let start = blocks.take_while(|(one, two)| one == two).count() * BLOCK;
    let bytes = one[start..].iter().zip(&two[start..]);
    start + bytes.take_while(|(one, two)| one == two).count()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// A tree's entries: which mode and id, by name and whether it is a folder.
    type Listing = BTreeMap<(Vec<u8>, bool), (u32, [u8; 20])>;

    fn any_listing() -> impl Strategy<Value = Listing> {
        let kind = proptest::sample::select(vec![0o100_644, 0o100_755, 0o120_000, 0o040_000, 0o160_000]);
        let one = ("[ab.\\-]{1,2}", kind, proptest::sample::select(vec![[1; 20], [2; 20], [0; 20]]));
        proptest::collection::vec(one, 0..9).prop_map(|all| {
            let names: BTreeMap<String, (u32, [u8; 20])> =
                all.into_iter().map(|(name, mode, oid)| (name, (mode, oid))).collect();
            let entry =
                |(name, (mode, oid)): (String, _)| ((name.into_bytes(), mode == 0o040_000), (mode, oid));
            names.into_iter().map(entry).collect()
        })
    }

    /// As git stores it: folders sort as if their name ended in a slash.
    fn raw(listing: &Listing) -> Vec<u8> {
        let mut entries: Vec<_> = listing.iter().collect();
        entries.sort_by_key(|((name, is_tree), _)| {
            [name.as_slice(), if *is_tree { b"/" } else { b"" }].concat()
        });
        let mut raw = Vec::new();
        for ((name, _), (mode, oid)) in entries {
            raw.extend([format!("{mode:o} ").as_bytes(), name, b"\0", oid].concat());
        }
        raw
    }

    /// An entry's name and mode.
    type Named = (Vec<u8>, u32);

    fn differences(old: &[u8], new: &[u8]) -> Result<Vec<[Option<Named>; 2]>> {
        let cursor = |rest| Cursor { rest, width: 20 };
        let mut sides = Sides { old: cursor(old), new: cursor(new) };
        let mut found = Vec::new();
        while let Some((old, new)) = sides.next_difference()? {
            found.push([old, new].map(|entry| entry.map(|entry| (entry.name.to_vec(), entry.mode))));
        }
        Ok(found)
    }

    proptest! {
        #[test]
        fn the_entries_that_differ_are_found_and_no_others(old in any_listing(), new in any_listing()) {
            let mut found = differences(&raw(&old), &raw(&new)).unwrap();
            found.sort();
            let keys: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
            let side = |listing: &Listing, key: &(Vec<u8>, bool)| {
                listing.get(key).map(|(mode, _)| (key.0.clone(), *mode))
            };
            let differing = keys.into_iter().filter(|key| old.get(key) != new.get(key));
            let mut expected: Vec<_> = differing.map(|key| [side(&old, key), side(&new, key)]).collect();
            expected.sort();
            assert_eq!(found, expected);
        }

        #[test]
        fn a_damaged_tree_is_an_error_or_another_tree(
            (old, new) in (any_listing(), any_listing()), at: proptest::sample::Index, byte: u8,
        ) {
            let (old, mut new) = (raw(&old), raw(&new));
            let at = at.index(new.len() + 1);
            let _ = differences(&old, &new[..at]);
            if let Some(bent) = new.get_mut(at) {
                *bent = byte;
            }
            let _ = differences(&old, &new);
        }
    }
}
