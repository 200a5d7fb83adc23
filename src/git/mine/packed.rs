//! Objects out of packs: inflated, and put together from deltas.
//!
//! **Invariant:** whatever a pack holds, this ends, without a panic and in
//! bounded room; what it can't make out is `None`, and git2's to judge.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasherDefault;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use flate2::{Decompress, FlushDecompress, Status};

use super::delta;
use super::pack::{Packs, WIDTH};
use super::walk::OidHasher;
use crate::model::Oid;

/// What mining reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A commit.
    Commit,
    /// A tree.
    Tree,
}

/// An object's bytes.
pub type Content = Rc<Vec<u8>>;

/// Bytes of decoded objects that are kept: they are the next ones' bases.
const CACHE: usize = 16 << 20;
/// No commit or tree of more bytes is read here, nor deltas of more in all.
pub(super) const MAX_SIZE: usize = 32 << 20;
/// Git makes no longer chains of deltas.
const MAX_CHAIN: usize = 4_096;
/// Bytes of a pack that are read at once, and how often they are kept.
const WINDOW: usize = 16 << 10;
const WINDOWS: usize = 128;
/// An entry's size, and how far back or by which id its base is found.
const MAX_HEADER: usize = 10 + WIDTH;

/// zlib is fast as long as there is room for one more of its longest copies.
const SLACK: usize = 320;

/// One thread's view of the packs.
pub struct Packed {
    /// The pack that had the last object.
    last: usize,
    windows: Windows,
    bases: Bases,
    inflater: Decompress,
    /// What was inflated last.
    inflated: Vec<u8>,
}

/// What is read of packs, a piece at a time.
struct Windows {
    packs: Arc<Packs>,
    windows: Vec<Window>,
}

#[derive(Default)]
struct Window {
    /// Pack and offset; `None` before the first use.
    place: Option<(usize, u64)>,
    bytes: Vec<u8>,
}

/// Where an entry's data begins, its size, and what it is.
struct Header {
    data: u64,
    size: usize,
    sort: Sort,
}

enum Sort {
    Whole(Kind),
    /// A delta to what begins there.
    Delta(u64),
}

impl Packed {
    /// The packs below a folder of objects, without git2 behind them.
    pub fn below(objects: &Path) -> Self {
        Self::new(Arc::new(Packs::open(objects)))
    }

    pub(super) fn new(packs: Arc<Packs>) -> Self {
        let windows = Windows { packs, windows: (0..WINDOWS).map(|_| Window::default()).collect() };
        let (inflater, inflated) = (Decompress::new(true), Vec::new());
        Self { last: 0, windows, bases: Bases::default(), inflater, inflated }
    }

    /// A commit or tree; `None` where no pack has it, or not as expected.
    pub fn read(&mut self, oid: Oid) -> Option<(Kind, Content)> {
        let (pack, offset) = self.windows.packs.find(oid, self.last).next()?;
        let before = std::mem::replace(&mut self.last, pack);
        self.decode(pack, offset).or_else(|| {
            // Where this one is damaged, another may be whole.
            let packs = Arc::clone(&self.windows.packs);
            packs.find(oid, before).skip(1).find_map(|(pack, offset)| self.decode(pack, offset))
        })
    }

    /// Whether an object lies beyond its pack, or leans on what does or on
    /// itself: git2 reads on in other memory, or for ever.
    pub(super) fn is_trap(&mut self, oid: Oid) -> bool {
        let packs = Arc::clone(&self.windows.packs);
        packs.find(oid, self.last).any(|(pack, mut offset)| {
            for _ in 0..=MAX_CHAIN {
                let is_inside = packs.pack(pack).is_some_and(|pack| offset < pack.end);
                match self.header(pack, offset).filter(|_| is_inside) {
                    Some(Header { sort: Sort::Delta(base), .. }) => offset = base,
                    _ => return !is_inside,
                }
            }
            true
        })
    }

    fn decode(&mut self, pack: usize, mut offset: u64) -> Option<(Kind, Content)> {
        let (mut deltas, mut room, mut mark) = (Vec::new(), MAX_SIZE, None);
        let (kind, mut content) = loop {
            // A chain that leads round comes by a mark again before long.
            if deltas.len() > MAX_CHAIN || mark == Some(offset) {
                return None;
            }
            if deltas.len().is_power_of_two() {
                mark = Some(offset);
            }
            if let Some(found) = self.bases.find(key(pack, offset)?) {
                break found;
            }
            let header = self.header(pack, offset)?;
            match header.sort {
                Sort::Whole(kind) => {
                    let content = Rc::new(self.inflate(pack, header.data, header.size)?.to_vec());
                    // Few commits are anything's base.
                    if kind == Kind::Tree || !deltas.is_empty() {
                        self.bases.keep(key(pack, offset)?, (kind, Rc::clone(&content)));
                    }
                    break (kind, content);
                }
                Sort::Delta(base) => {
                    room = room.checked_sub(header.size)?;
                    deltas.push((offset, self.inflate(pack, header.data, header.size)?.to_vec()));
                    offset = base;
                }
            }
        };
        for (offset, delta) in deltas.iter().rev() {
            content = Rc::new(delta::apply(&content, delta)?);
            self.bases.keep(key(pack, *offset)?, (kind, Rc::clone(&content)));
        }
        Some((kind, content))
    }

    fn header(&mut self, pack: usize, offset: u64) -> Option<Header> {
        let mut bytes = [0; MAX_HEADER];
        let len = self.windows.copy(pack, offset, &mut bytes)?;
        let mut rest = bytes[..len].iter().copied();
        let first = rest.next()?;
        let (mut size, mut shift, mut byte) = (u64::from(first & 15), 4, first);
        while byte & 0x80 != 0 {
            byte = rest.next()?;
            size |= u64::from(byte & 0x7f).checked_shl(shift).filter(|_| shift < 57)?;
            shift += 7;
        }
        let size = usize::try_from(size).ok()?;
        let sort = match first >> 4 & 7 {
            1 => Sort::Whole(Kind::Commit),
            2 => Sort::Whole(Kind::Tree),
            6 => Sort::Delta(offset.checked_sub(back(&mut rest)?)?),
            7 => {
                let id: Vec<u8> = rest.by_ref().take(WIDTH).collect();
                Sort::Delta(self.windows.packs.pack(pack)?.find(&id)?)
            }
            _ => return None,
        };
        Some(Header { data: offset + (len - rest.len()) as u64, size, sort })
    }

    fn inflate(&mut self, pack: usize, mut at: u64, size: usize) -> Option<&[u8]> {
        if size > MAX_SIZE {
            return None;
        }
        let Self { windows, inflater, inflated, .. } = self;
        inflater.reset(true);
        if inflated.len() < size + SLACK {
            inflated.resize(size + SLACK, 0);
        }
        loop {
            let (read, made) = (inflater.total_in(), inflater.total_out());
            let output = &mut inflated[made as usize..size + SLACK];
            let status = inflater.decompress(windows.rest(pack, at)?, output, FlushDecompress::Finish);
            at += inflater.total_in() - read;
            let is_stuck = (read, made) == (inflater.total_in(), inflater.total_out());
            match status {
                Ok(Status::StreamEnd) => break,
                Ok(_) if !is_stuck && inflater.total_out() <= size as u64 => {}
                _ => return None,
            }
        }
        (inflater.total_out() == size as u64).then(|| &inflated[..size])
    }
}

impl Windows {
    /// Copies what begins at `offset`; how many bytes there were.
    fn copy(&mut self, pack: usize, offset: u64, bytes: &mut [u8]) -> Option<usize> {
        let mut len = 0;
        while len < bytes.len() {
            let Some(rest) = self.rest(pack, offset + len as u64) else { break };
            let count = rest.len().min(bytes.len() - len);
            bytes[len..len + count].copy_from_slice(&rest[..count]);
            len += count;
        }
        (len > 0).then_some(len)
    }

    /// What is read of a pack from an offset on: a byte at least.
    fn rest(&mut self, pack: usize, offset: u64) -> Option<&[u8]> {
        let number = offset / WINDOW as u64;
        let (start, slot) = (number * WINDOW as u64, number as usize % WINDOWS);
        let window = &mut self.windows[slot];
        if window.place != Some((pack, start)) {
            window.place = None;
            self.packs.pack(pack)?.fill(start, &mut window.bytes, WINDOW)?;
            window.place = Some((pack, start));
        }
        window.bytes.get((offset - start) as usize..).filter(|rest| !rest.is_empty())
    }
}

/// How far before a delta its base begins.
fn back(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut byte = bytes.next()?;
    let mut far = u64::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        byte = bytes.next()?;
        far = far.checked_add(1)?.checked_mul(128)? | u64::from(byte & 0x7f);
    }
    (far > 0).then_some(far)
}

/// An entry's place as one number, its bits well spread.
fn key(pack: usize, offset: u64) -> Option<u64> {
    let place = (offset < 1 << 48).then_some((pack as u64) << 48 | offset)?;
    // An odd factor: no two places become one.
    Some(place.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The objects decoded last.
#[derive(Default)]
struct Bases {
    kept: HashMap<u64, (Kind, Content), BuildHasherDefault<OidHasher>>,
    order: VecDeque<u64>,
    size: usize,
}

impl Bases {
    fn find(&self, key: u64) -> Option<(Kind, Content)> {
        self.kept.get(&key).map(|(kind, content)| (*kind, Rc::clone(content)))
    }

    fn keep(&mut self, key: u64, object: (Kind, Content)) {
        self.size += object.1.len();
        if let Some((_, before)) = self.kept.insert(key, object) {
            self.size -= before.len();
        } else {
            self.order.push_back(key);
        }
        while self.size > CACHE {
            let Some(oldest) = self.order.pop_front() else { break };
            self.size -= self.kept.remove(&oldest).map_or(0, |(_, content)| content.len());
        }
    }
}

#[cfg(test)]
mod tests;
