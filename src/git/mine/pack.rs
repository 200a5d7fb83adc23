//! The packs of a repository, and where in them an object lies.
//!
//! **Invariant:** what is not as expected is as if it were not there: whoever
//! asks has git2 to ask next.

use std::cmp::Ordering;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::git::alternates;
use crate::model::Oid;

/// So many are held open, by two files each: a process may have 256 in some
/// places. Objects of further ones are git2's to read.
const MAX_PACKS: usize = 64;
/// Bytes of an object id: other hashes are not read here.
pub(super) const WIDTH: usize = 20;
/// How many objects' places in a pack are read of its index at once.
const BLOCK: u32 = 256;
/// Header and fan-out of an index.
const HEAD: u64 = 8 + 4 * 256;
/// Checksums at the end of an index.
const TAIL: u64 = 2 * WIDTH as u64;

/// Every pack that can be read, for all threads.
#[derive(Debug, Default)]
pub(super) struct Packs(Vec<Pack>);

/// A pack with its index.
#[derive(Debug)]
pub(super) struct Pack {
    index: File,
    data: File,
    /// Where its objects end.
    pub(super) end: u64,
    /// How many objects have a first byte of at most this.
    fanout: Vec<u32>,
    /// Read when an id is first looked for there.
    blocks: Vec<OnceLock<Option<Block>>>,
}

/// A piece of an index.
#[derive(Debug)]
struct Block {
    ids: Vec<u8>,
    offsets: Vec<u8>,
}

impl Packs {
    /// The packs below a folder of objects, and below those it borrows from.
    pub(super) fn open(objects: &Path) -> Self {
        let paths = alternates::folders(objects).into_iter().flat_map(|folder| indexes(&folder));
        Self(paths.filter_map(|index| Pack::open(&index)).take(MAX_PACKS).collect())
    }

    /// Which packs have an object, and where; the one that had the last is asked first.
    pub(super) fn find(&self, oid: Oid, last: usize) -> impl Iterator<Item = (usize, u64)> {
        let order = std::iter::once(last).chain((0..self.0.len()).filter(move |number| *number != last));
        order.filter_map(move |number| Some((number, self.0.get(number)?.find(oid.as_bytes())?)))
    }

    pub(super) fn pack(&self, number: usize) -> Option<&Pack> {
        self.0.get(number)
    }
}

/// The largest first: most objects are there.
fn indexes(objects: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(objects.join("pack")).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "idx")).collect();
    paths.sort_by_cached_key(|path| {
        std::cmp::Reverse((path.metadata().map_or(0, |meta| meta.len()), path.clone()))
    });
    paths
}

impl Pack {
    fn open(index: &Path) -> Option<Self> {
        let (data, index) = (File::open(index.with_extension("pack")).ok()?, File::open(index).ok()?);
        let mut head = [0; 8];
        data.read_exact_at(&mut head, 0).ok()?;
        let is_known = head.starts_with(b"PACK\0\0\0") && [2, 3].contains(&head[7]);
        let end = data.metadata().ok()?.len().checked_sub(WIDTH as u64)?;
        let mut head = [0; HEAD as usize];
        index.read_exact_at(&mut head, 0).ok()?;
        let counts = head[8..].as_chunks::<4>().0.iter();
        let fanout: Vec<u32> = counts.map(|bytes| u32::from_be_bytes(*bytes)).collect();
        let least = HEAD + 28 * u64::from(*fanout.last()?) + TAIL;
        let is_whole = fanout.is_sorted() && index.metadata().ok()?.len() >= least;
        if !is_known || !is_whole || !head.starts_with(b"\xfftOc\0\0\0\x02") {
            return None;
        }
        let blocks = (0..fanout.last()?.div_ceil(BLOCK)).map(|_| OnceLock::new()).collect();
        Some(Self { index, data, end, fanout, blocks })
    }

    /// Where the object with this id begins.
    pub(super) fn find(&self, id: &[u8]) -> Option<u64> {
        let id: &[u8; WIDTH] = id.try_into().ok()?;
        let first = usize::from(id[0]);
        let (mut low, mut high) =
            (first.checked_sub(1).map_or(0, |before| self.fanout[before]), self.fanout[first]);
        // Ids are spread evenly: one lies about there, or in the next block.
        let step = (1 << 56) / u64::from(high - low).max(1);
        let at = low.saturating_add(u32::try_from((start(id) << 8 >> 8) / step).ok()?);
        while low < high {
            let number = at.clamp(low, high - 1) / BLOCK;
            let block = self.blocks[number as usize].get_or_init(|| self.block(number)).as_ref()?;
            let ids = block.ids.as_chunks::<WIDTH>().0;
            match search(ids, id, (at % BLOCK) as usize, step) {
                Ok(place) => return self.offset(*block.offsets.as_chunks().0.get(place)?),
                Err(0) => high = number * BLOCK,
                Err(place) if place == ids.len() => low = (number + 1).saturating_mul(BLOCK),
                Err(_) => break,
            }
        }
        None
    }

    /// What an index says about where an object begins.
    fn offset(&self, written: [u8; 4]) -> Option<u64> {
        let offset = u32::from_be_bytes(written);
        if offset >> 31 == 0 {
            return Some(u64::from(offset));
        }
        // Packs beyond 2 GiB: the rest is the place in a table of longer offsets.
        let place = HEAD + 28 * u64::from(*self.fanout.last()?) + 8 * u64::from(offset & (u32::MAX >> 1));
        let mut long = [0; 8];
        self.index.read_exact_at(&mut long, place).ok()?;
        Some(u64::from_be_bytes(long))
    }

    fn block(&self, number: u32) -> Option<Block> {
        let (start, all) = (number * BLOCK, *self.fanout.last()?);
        let count = BLOCK.min(all - start) as usize;
        let (start, all) = (u64::from(start), u64::from(all));
        let (mut ids, mut offsets) = (vec![0; count * WIDTH], vec![0; count * 4]);
        self.index.read_exact_at(&mut ids, HEAD + WIDTH as u64 * start).ok()?;
        self.index.read_exact_at(&mut offsets, HEAD + 24 * all + 4 * start).ok()?;
        Some(Block { ids, offsets })
    }

    /// Fills a buffer from an offset on, as far as the pack goes.
    pub(super) fn fill(&self, offset: u64, buffer: &mut Vec<u8>, len: usize) -> Option<()> {
        let len = self.end.checked_sub(offset)?.min(len as u64) as usize;
        buffer.resize(len, 0);
        self.data.read_exact_at(buffer, offset).ok()
    }
}

/// Where in sorted ids one is, or would be. Each look tells, by how far apart
/// ids are, where to look next: fewer looks than halving, and closer together.
fn search(ids: &[[u8; WIDTH]], id: &[u8; WIDTH], near: usize, step: u64) -> Result<usize, usize> {
    let (mut low, mut high, mut at) = (0, ids.len(), near);
    while low < high {
        at = at.clamp(low, high - 1);
        let (here, wanted) = (start(&ids[at]), start(id));
        let far = usize::try_from(wanted.abs_diff(here) / step).unwrap_or(usize::MAX);
        match here.cmp(&wanted).then_with(|| ids[at].cmp(id)) {
            Ordering::Less => (low, at) = (at + 1, at.saturating_add(far)),
            Ordering::Equal => return Ok(at),
            Ordering::Greater => (high, at) = (at, at.saturating_sub(far)),
        }
    }
    Err(low)
}

/// The first bytes of an id: those of two compare at once.
fn start(id: &[u8; WIDTH]) -> u64 {
    id.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
