//! Two trees side by side: which paths differ.
//!
//! **Invariant:** equal subtrees are never read; the changes come out sorted by path.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasherDefault;
use std::rc::Rc;

use super::walk::OidHasher;
use crate::error::{Error, Result};
use crate::model::{Change, Oid, RepoPath, Status};

/// Bytes of decoded trees that are kept: a commit's tree is the next one's old side.
const CACHE: usize = 16 << 20;
/// Git's own limit; a deeper tree is an attack.
const MAX_DEPTH: usize = 2_048;

/// Reads trees, keeping the last ones.
pub(super) struct Trees<'r> {
    odb: &'r git2::Odb<'r>,
    cache: HashMap<Oid, Tree<'r>, BuildHasherDefault<OidHasher>>,
    order: VecDeque<Oid>,
    size: usize,
}

type Tree<'r> = Rc<git2::OdbObject<'r>>;

impl<'r> Trees<'r> {
    pub(super) fn new(odb: &'r git2::Odb<'r>) -> Self {
        Self { odb, cache: HashMap::default(), order: VecDeque::new(), size: 0 }
    }

    /// What changed from `old` (nothing, for a root commit) to `new`.
    pub(super) fn changes(&mut self, old: Option<Oid>, new: Oid) -> Result<Vec<Change>> {
        let mut found = Found { changes: Vec::new(), path: Vec::new(), depth: 0 };
        if old != Some(new) {
            self.compare(old, Some(new), &mut found)?;
        }
        Ok(found.changes)
    }

    fn compare(&mut self, old: Option<Oid>, new: Option<Oid>, found: &mut Found) -> Result<()> {
        found.depth += 1;
        if found.depth > MAX_DEPTH {
            return Err(Error::unusable("could not read history: a tree is nested too deeply"));
        }
        let old = old.map(|oid| self.read(oid)).transpose()?;
        let new = new.map(|oid| self.read(oid)).transpose()?;
        let width = self.width();
        let mut sides = Sides {
            old: Cursor { rest: old.as_ref().map_or(&[], |tree| tree.data()), width },
            new: Cursor { rest: new.as_ref().map_or(&[], |tree| tree.data()), width },
        };
        while let Some((old, new)) = sides.next_difference()? {
            self.report(old, new, found)?;
        }
        found.depth -= 1;
        Ok(())
    }

    /// Reports one difference; entries of one name and sort come together.
    fn report(&mut self, old: Option<Entry<'_>>, new: Option<Entry<'_>>, found: &mut Found) -> Result<()> {
        let Some(any) = old.or(new) else { return Ok(()) };
        let length = found.path.len();
        if length > 0 {
            found.path.push(b'/');
        }
        found.path.extend_from_slice(any.name);
        if any.is_tree() {
            let oid = |entry: Option<Entry<'_>>| entry.and_then(|entry| Oid::from_bytes(entry.oid));
            self.compare(oid(old), oid(new), found)?;
        } else {
            let status = match (old, new) {
                (None, _) => Status::Added,
                (_, None) => Status::Deleted,
                (Some(old), Some(new)) if old.mode >> 12 != new.mode >> 12 => Status::TypeChanged,
                _ => Status::Modified,
            };
            let path = RepoPath::from_bytes(found.path.as_slice());
            found.changes.push(Change { status, path });
        }
        found.path.truncate(length);
        Ok(())
    }

    fn read(&mut self, oid: Oid) -> Result<Tree<'r>> {
        if let Some(tree) = self.cache.get(&oid) {
            return Ok(Rc::clone(tree));
        }
        let fail = |why: &str| Error::unusable(format!("could not read tree {oid}: {why}"));
        let id = git2::Oid::from_bytes(oid.as_bytes()).map_err(|error| fail(error.message()))?;
        let object = self.odb.read(id).map_err(|error| fail(error.message()))?;
        if object.kind() != git2::ObjectType::Tree {
            return Err(fail("it is no tree"));
        }
        let tree = Rc::new(object);
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

struct Found {
    changes: Vec<Change>,
    path: Vec<u8>,
    depth: usize,
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
    let nul = raw.iter().skip(7).position(|byte| *byte == 0)? + 7;
    let end = nul + 1 + width;
    (end <= raw.len()).then_some(end)
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
