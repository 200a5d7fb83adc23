//! Packs, and the deltas in them: whole ones against what they were made of,
//! damaged ones against themselves.

use std::fs;
use std::path::Path;

use git_orch::git::mine::{Kind, Packed, Span, delta, mine};
use git_orch::model::Oid;

/// Bytes of all objects together: longer ones tell nothing more.
const ENOUGH: usize = 1 << 20;

/// The first byte says what is tried: a delta; a pack of what the rest lists;
/// one and the same pack, changed here and there, or cut.
pub fn check(bytes: &[u8]) {
    let Some((how, rest)) = bytes.split_first() else { return };
    let is_far = how & 4 != 0;
    match how & 3 {
        0 => deltas(rest),
        1 => made(&entries(rest), is_far),
        2 => changed(files(&story(), is_far), rest),
        _ => cut(files(&story(), is_far), rest),
    }
}

/// A delta is refused, or makes just as much as it says of just such a base.
fn deltas(bytes: &[u8]) {
    let Some((len, rest)) = bytes.split_first() else { return };
    let (base, rest) = rest.split_at(usize::from(*len).min(rest.len()));
    for delta in [rest.to_vec(), [&number(base.len()), rest].concat()] {
        let Some(object) = delta::apply(base, &delta) else { continue };
        let (from, rest) = read_number(&delta).expect("a delta says what it is to");
        let (to, _) = read_number(rest).expect("and what it makes");
        assert_eq!((from, to), (base.len(), object.len()));
    }
    let mut whole = [number(base.len()), number(rest.len())].concat();
    for piece in rest.chunks(127) {
        whole.push(piece.len() as u8);
        whole.extend_from_slice(piece);
    }
    assert_eq!(delta::apply(base, &whole).as_deref(), Some(rest), "new bytes are taken as they are");
}

/// Objects are what their entries make, or are not read.
fn made(entries: &[Entry], is_far: bool) {
    let mut objects = Objects { entries, known: vec![Known::Not; entries.len()], size: 0 };
    let expected: Vec<Object> = (0..entries.len()).map(|number| objects.find(number)).collect();
    if objects.size > ENOUGH {
        return;
    }
    let git_dir = git_dir(&files(entries, is_far));
    assert_eq!(read(git_dir.path(), 0..entries.len()), expected);
    mined(git_dir.path(), entries.len());
}

/// Whatever was changed, all is read alike in whichever order.
fn changed(mut files: Files, changes: &[u8]) {
    for change in changes.as_chunks::<4>().0 {
        let [which, high, low, byte] = *change;
        let file = if which & 1 == 0 { &mut files.pack } else { &mut files.index };
        let at = usize::from(u16::from_be_bytes([high, low])) % file.len();
        file[at] = if which & 2 == 0 { byte } else { file[at] ^ byte };
    }
    let (git_dir, count) = (git_dir(&files), story().len());
    let forwards = read(git_dir.path(), 0..count);
    let mut backwards = read(git_dir.path(), (0..count).rev());
    backwards.reverse();
    assert_eq!(forwards, backwards);
    mined(git_dir.path(), count);
}

/// What is still there of a pack and its index is read rightly, or not at all.
fn cut(mut files: Files, lengths: &[u8]) {
    let [high, low, index_high, index_low, ..] = *lengths else { return };
    let before = git_dir(&files);
    let whole = read(before.path(), 0..story().len());
    assert!(whole.iter().all(Option::is_some));
    assert_eq!(mined(before.path(), whole.len()), Some(3));
    files.pack.truncate(usize::from(u16::from_be_bytes([high, low])));
    files.index.truncate(usize::from(u16::from_be_bytes([index_high, index_low])));
    for (read, whole) in read(git_dir(&files).path(), 0..whole.len()).iter().zip(&whole) {
        assert!(read.is_none() || read == whole);
    }
}

type Object = Option<(Kind, Vec<u8>)>;

/// Reads objects by their numbers.
fn read(git_dir: &Path, numbers: impl Iterator<Item = usize>) -> Vec<Object> {
    let mut packed = Packed::below(&git_dir.join("objects"));
    let read = |number| packed.read(id(number)).map(|(kind, content)| (kind, content.to_vec()));
    numbers.map(read).collect()
}

/// How many commits the last object tells of. There is no repository behind
/// these packs: what is missing there is an error.
fn mined(git_dir: &Path, count: usize) -> Option<usize> {
    let span = Span { tips: &[id(count.checked_sub(1)?)], hide: &[], horizon: usize::MAX };
    let mut commits = Vec::new();
    mine(git_dir, &span, &mut commits, &|_| ()).ok()?;
    Some(commits.len())
}

/// What is in a pack.
struct Entry {
    sort: Sort,
    payload: Vec<u8>,
    /// Whether it is as long as it says.
    is_honest: bool,
}

#[derive(Clone, Copy)]
enum Sort {
    Whole(Kind),
    Blob,
    /// A delta to the entry so many before.
    Back(usize),
    /// A delta to an entry by its id.
    ById(usize),
}

impl Entry {
    /// The number of its base.
    fn base(&self, number: usize) -> Option<usize> {
        match self.sort {
            Sort::Whole(_) | Sort::Blob => None,
            Sort::Back(far) => number.checked_sub(far),
            Sort::ById(base) => Some(base),
        }
    }

    /// The length of its object.
    fn size(&self) -> usize {
        let told = || read_number(read_number(&self.payload)?.1);
        match self.sort {
            Sort::Whole(_) | Sort::Blob => self.payload.len(),
            Sort::Back(_) | Sort::ById(_) => told().map_or(0, |(size, _)| size),
        }
    }
}

/// Reads entries: of each its sort, a number for its base, and what is in it.
fn entries(mut bytes: &[u8]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    while let [sort, base, len, rest @ ..] = bytes {
        let (payload, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        bytes = rest;
        // Many times the same is long enough to be read in pieces.
        let times = if sort & 0x80 == 0 { 1 } else { 200 };
        let is_honest = sort & 0x40 == 0;
        let base = usize::from(*base);
        let sort = match sort & 7 {
            0 => Sort::Blob,
            1 => Sort::Whole(Kind::Commit),
            2 => Sort::Whole(Kind::Tree),
            3..=5 => Sort::Back(base),
            _ => Sort::ById(base),
        };
        let mut entry = Entry { sort, payload: payload.to_vec(), is_honest };
        match entry.base(entries.len()) {
            // It is a delta to just such a base, most often.
            Some(base) if len % 8 != 0 => {
                let size = number(entries.get(base).map_or(0, Entry::size));
                entry.payload.splice(..0, size);
            }
            Some(_) => {}
            None => entry.payload = payload.repeat(times),
        }
        entries.push(entry);
    }
    entries
}

/// A history of three commits, with deltas of every sort.
fn story() -> Vec<Entry> {
    let hex = |number: usize| id(number).to_string();
    let file = |name: &str, mode: &str, number: usize| {
        [mode.as_bytes(), b" ", name.as_bytes(), b"\0", id(number).as_bytes()].concat()
    };
    let folder = [file("x", "100644", 90), file("y", "100755", 91)].concat();
    let top = [file("a", "100644", 92), file("d", "40000", 0), file("z", "120000", 93)].concat();
    let commit = |tree: usize, parent: &str, time: u32| {
        let who = format!("A <a@b.c> {time} +0000");
        format!("tree {}\n{parent}author {who}\ncommitter {who}\n\nsubject\n\nbody\n", hex(tree)).into_bytes()
    };
    let (first, last) = (commit(1, "", 1), commit(4, &format!("parent {}\n", hex(5)), 3));
    let whole = |kind, payload: &[u8]| (Sort::Whole(kind), payload.to_vec());
    let copy = |from: usize, len: usize| vec![0x91, from as u8, len as u8];
    let delta = |base: &[u8], size: usize, pieces: &[Vec<u8>]| {
        [number(base.len()), number(size), pieces.concat()].concat()
    };
    let insert = |bytes: &[u8]| [&[bytes.len() as u8], bytes].concat();
    // Another id for `x`; another folder; that folder gone again.
    let other_folder = delta(&folder, folder.len(), &[copy(0, 9), insert(id(94).as_bytes()), copy(29, 29)]);
    let other_top = delta(&top, top.len(), &[copy(0, 37), insert(id(2).as_bytes()), copy(57, 29)]);
    let no_folder = delta(&top, top.len() - 28, &[copy(0, 29), copy(57, 29)]);
    let parent = format!("tree {}\nparent {}\n", hex(3), hex(6));
    let second = delta(&first, first.len() + 48, &[insert(parent.as_bytes()), copy(46, first.len() - 46)]);
    let entries = [
        whole(Kind::Tree, &folder),
        whole(Kind::Tree, &top),
        (Sort::ById(0), other_folder),
        (Sort::Back(2), other_top),
        (Sort::Back(1), no_folder),
        (Sort::ById(6), second),
        whole(Kind::Commit, &first),
        whole(Kind::Commit, &last),
    ];
    let honest = |(sort, payload)| Entry { sort, payload, is_honest: true };
    entries.into_iter().map(honest).collect()
}

/// What entries make, found otherwise than the reader does.
struct Objects<'a> {
    entries: &'a [Entry],
    known: Vec<Known>,
    /// Bytes of all.
    size: usize,
}

#[derive(Clone)]
enum Known {
    Not,
    Is(Object),
}

impl Objects<'_> {
    fn find(&mut self, number: usize) -> Object {
        let entry = self.entries.get(number)?;
        if let Known::Is(object) = &self.known[number] {
            return object.clone();
        }
        // What leans on itself is nothing.
        self.known[number] = Known::Is(None);
        let object = match entry.sort {
            _ if !entry.is_honest || self.size > ENOUGH => None,
            Sort::Whole(kind) => Some((kind, entry.payload.clone())),
            Sort::Blob | Sort::Back(0) => None,
            Sort::Back(_) | Sort::ById(_) => entry.base(number).and_then(|base| {
                let (kind, base) = self.find(base)?;
                Some((kind, delta::apply(&base, &entry.payload)?))
            }),
        };
        self.size += object.as_ref().map_or(0, |(_, content)| content.len());
        self.known[number] = Known::Is(object.clone());
        object
    }
}

/// A pack and its index.
struct Files {
    pack: Vec<u8>,
    index: Vec<u8>,
}

fn files(entries: &[Entry], is_far: bool) -> Files {
    let count = (entries.len() as u32).to_be_bytes();
    let mut pack = [&b"PACK\0\0\0\x02"[..], &count].concat();
    let mut offsets: Vec<usize> = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        let offset = pack.len();
        let size = entry.payload.len() + usize::from(!entry.is_honest);
        let (sort, base) = match entry.sort {
            Sort::Whole(Kind::Commit) => (1, Vec::new()),
            Sort::Whole(Kind::Tree) => (2, Vec::new()),
            Sort::Blob => (3, Vec::new()),
            Sort::Back(far) => {
                let base =
                    number.checked_sub(far).map_or(0, |base| offsets.get(base).copied().unwrap_or(offset));
                (6, far_back(offset - base))
            }
            Sort::ById(base) => (7, id(base).as_bytes().to_vec()),
        };
        let mut head = number_after(sort, size);
        head.extend(base);
        pack.extend(head);
        pack.extend(stored(&entry.payload));
        offsets.push(offset);
    }
    pack.extend([0; 20]);
    Files { pack, index: index(&offsets, is_far) }
}

/// An index, its offsets in the table of far ones where `is_far`.
fn index(offsets: &[usize], is_far: bool) -> Vec<u8> {
    let mut sorted: Vec<(Oid, usize)> =
        offsets.iter().enumerate().map(|(number, at)| (id(number), *at)).collect();
    sorted.sort();
    let mut index = b"\xfftOc\0\0\0\x02".to_vec();
    for first in 0..=255 {
        let count = sorted.iter().filter(|(id, _)| id.as_bytes()[0] <= first).count();
        index.extend((count as u32).to_be_bytes());
    }
    index.extend(sorted.iter().flat_map(|(id, _)| id.as_bytes()));
    index.extend(vec![0; 4 * sorted.len()]);
    let near =
        |(place, (_, at)): (usize, &(Oid, usize))| if is_far { 1 << 31 | place as u32 } else { *at as u32 };
    index.extend(sorted.iter().enumerate().flat_map(|entry| near(entry).to_be_bytes()));
    if is_far {
        index.extend(sorted.iter().flat_map(|(_, at)| (*at as u64).to_be_bytes()));
    }
    index.extend([0; 40]);
    index
}

/// A git directory with nothing but a pack, gone with its value.
fn git_dir(files: &Files) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("there is room");
    let packs = folder.path().join("objects/pack");
    fs::create_dir_all(&packs).expect("there is room");
    fs::write(packs.join("pack-1.pack"), &files.pack).expect("there is room");
    fs::write(packs.join("pack-1.idx"), &files.index).expect("there is room");
    folder
}

/// Ids as evenly spread as real ones.
fn id(number: usize) -> Oid {
    let spread = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    Oid::from_bytes(&[&spread[..], &[7; 12]].concat()).expect("20 bytes are an id")
}

/// A number as deltas hold it: seven bits a byte, the lowest first.
fn number(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn read_number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let len = bytes.iter().take(5).position(|byte| byte & 0x80 == 0)? + 1;
    let (bytes, rest) = bytes.split_at(len);
    Some((bytes.iter().rev().fold(0, |number, byte| number << 7 | usize::from(byte & 0x7f)), rest))
}

/// The same behind what an entry is.
fn number_after(sort: u8, size: usize) -> Vec<u8> {
    let first = sort << 4 | (size & 0x0f) as u8;
    if size < 16 { vec![first] } else { [vec![first | 0x80], number(size >> 4)].concat() }
}

/// How far back a base is, as entries hold it: the highest bits first.
fn far_back(mut far: usize) -> Vec<u8> {
    let mut bytes = vec![(far & 0x7f) as u8];
    while far > 0x7f {
        far = (far >> 7) - 1;
        bytes.insert(0, far as u8 | 0x80);
    }
    bytes
}

/// A zlib stream in which nothing is compressed.
fn stored(payload: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut pieces = payload.chunks(0xffff).peekable();
    while let Some(piece) = pieces.next() {
        let len = piece.len() as u16;
        stream.push(u8::from(pieces.peek().is_none()));
        stream.extend([len.to_le_bytes(), (!len).to_le_bytes()].concat());
        stream.extend_from_slice(piece);
    }
    if payload.is_empty() {
        stream.extend([1, 0, 0, 0xff, 0xff]);
    }
    let (low, high) = payload.iter().fold((1, 0), |(low, high): (u32, u32), byte| {
        let low = (low + u32::from(*byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    stream.extend((high << 16 | low).to_be_bytes());
    stream
}
