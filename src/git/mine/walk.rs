//! Commits from tips downwards, newest first by committer date.
//!
//! **Invariant:** each commit object is read once; what was emitted before a
//! badly dated commit hid it is told apart by [`Walk::is_hidden`].

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use super::Span;
use super::commit::{self, RawCommit};
use super::objects::Objects;
use super::packed::Kind;
use crate::error::{Error, Result};
use crate::model::{Oid, Time};

/// A commit to compare with its parent.
pub(super) struct Step {
    pub(super) oid: Oid,
    pub(super) commit: RawCommit,
    pub(super) parent_tree: Option<Oid>,
}

/// Reached from a tip.
const WANTED: u8 = 1;
/// Reached from, or is, a hidden commit.
const HIDDEN: u8 = 2;
/// Reached from another hidden commit.
const COVERED: u8 = 4;
/// No longer waits in the heap.
const PASSED: u8 = 8;

struct Seen {
    flags: u8,
    tree: Oid,
    time: Time,
    /// Until it is passed.
    rest: Option<Box<RawCommit>>,
}

/// The state of a walk.
pub(super) struct Walk<'r> {
    objects: &'r mut Objects,
    shallow: HashSet<Oid>,
    seen: HashMap<Oid, Seen, BuildHasherDefault<OidHasher>>,
    /// By time, and in the order they were found.
    heap: BinaryHeap<(Time, std::cmp::Reverse<u32>, Oid)>,
    /// How many in the heap are wanted and not hidden.
    open: usize,
    left: usize,
}

impl<'r> Walk<'r> {
    pub(super) fn new(objects: &'r mut Objects, shallow: HashSet<Oid>, span: &Span<'_>) -> Result<Self> {
        let (seen, heap) = (HashMap::default(), BinaryHeap::new());
        let mut walk = Self { objects, shallow, seen, heap, open: 0, left: span.horizon };
        for hidden in span.hide {
            // A hidden commit that is gone hides nothing.
            if let Some(raw) = read(walk.objects, &walk.shallow, *hidden)? {
                walk.mark(*hidden, raw, HIDDEN);
            }
        }
        for tip in span.tips {
            walk.reach(*tip, WANTED)?;
        }
        Ok(walk)
    }

    /// The next non-merge commits, `count` of them where there are so many.
    pub(super) fn take_steps(&mut self, count: usize) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        while steps.len() < count && !self.is_over() {
            let Some(step) = self.pass()? else { continue };
            self.left -= 1;
            steps.push(step);
        }
        Ok(steps)
    }

    /// What it reads from.
    pub(super) fn objects(&mut self) -> &mut Objects {
        self.objects
    }

    /// Whether there are no more commits to mine.
    pub(super) fn is_over(&self) -> bool {
        self.open == 0 || self.left == 0
    }

    /// Whether a hidden commit reaches this one.
    pub(super) fn is_hidden(&self, oid: Oid) -> bool {
        self.seen.get(&oid).is_some_and(|seen| seen.flags & HIDDEN != 0)
    }

    /// Those of the hidden commits that neither a tip nor another of them reaches.
    pub(super) fn unreached(&mut self, hidden: &[Oid]) -> Result<Vec<Oid>> {
        let is_reached =
            |walk: &Self, oid: &Oid| walk.seen.get(oid).is_some_and(|s| s.flags & (WANTED | COVERED) != 0);
        let mut left: Vec<Oid> = hidden.iter().copied().filter(|oid| !is_reached(self, oid)).collect();
        // Only newer commits can reach one: look at those that still wait.
        let oldest = left.iter().filter_map(|oid| self.seen.get(oid)).map(|seen| seen.time).min();
        while !left.is_empty() && self.heap.peek().is_some_and(|(time, ..)| Some(*time) >= oldest) {
            self.pass()?;
            left.retain(|oid| !is_reached(self, oid));
        }
        Ok(left)
    }

    /// Passes the newest waiting commit; gives it where it is to be mined.
    fn pass(&mut self) -> Result<Option<Step>> {
        let Some((_, _, oid)) = self.heap.pop() else { return Ok(None) };
        let Some(seen) = self.seen.get_mut(&oid) else { return Ok(None) };
        seen.flags |= PASSED;
        let flags = seen.flags;
        let Some(raw) = seen.rest.take() else { return Ok(None) };
        let is_open = flags & (WANTED | HIDDEN) == WANTED;
        self.open -= usize::from(is_open);
        let pass_on = flags & WANTED | if flags & HIDDEN == 0 { 0 } else { HIDDEN | COVERED };
        let mut parent_tree = None;
        for parent in &raw.parents {
            parent_tree = Some(self.reach(*parent, pass_on)?);
        }
        if !is_open || raw.parents.len() > 1 {
            return Ok(None);
        }
        Ok(Some(Step { oid, commit: *raw, parent_tree }))
    }

    /// Marks a commit; gives its tree.
    fn reach(&mut self, oid: Oid, flags: u8) -> Result<Oid> {
        if let Some(seen) = self.seen.get_mut(&oid) {
            let is_open = |flags: u8| flags & (WANTED | HIDDEN | PASSED) == WANTED;
            let before = seen.flags;
            seen.flags |= flags;
            let (was, is) = (is_open(before), is_open(seen.flags));
            self.open = self.open + usize::from(is) - usize::from(was);
            return Ok(seen.tree);
        }
        let raw = read(self.objects, &self.shallow, oid)?
            .ok_or_else(|| Error::unusable(format!("could not read commit {oid}: it is missing")))?;
        Ok(self.mark(oid, raw, flags))
    }

    fn mark(&mut self, oid: Oid, raw: RawCommit, flags: u8) -> Oid {
        let tree = raw.tree;
        self.heap.push((raw.time, std::cmp::Reverse(self.seen.len() as u32), oid));
        self.open += usize::from(flags & (WANTED | HIDDEN) == WANTED);
        self.seen.insert(oid, Seen { flags, tree, time: raw.time, rest: Some(Box::new(raw)) });
        tree
    }
}

/// The tree of a commit.
pub(super) fn tree(objects: &mut Objects, oid: Oid) -> Result<Oid> {
    let raw = read(objects, &HashSet::new(), oid)?;
    raw.map(|raw| raw.tree)
        .ok_or_else(|| Error::unusable(format!("could not read commit {oid}: it is missing")))
}

/// One commit by itself; `None` where it is missing or a merge.
pub(super) fn step(objects: &mut Objects, shallow: &HashSet<Oid>, oid: Oid) -> Result<Option<Step>> {
    let Some(raw) = read(objects, shallow, oid)? else { return Ok(None) };
    let parent_tree = match raw.parents.as_slice() {
        [] => None,
        [parent] => match read(objects, shallow, *parent)? {
            Some(parent) => Some(parent.tree),
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(Step { oid, commit: raw, parent_tree }))
}

/// Reads a commit without the parents that a shallow clone lacks; `None` where it is missing.
fn read(objects: &mut Objects, shallow: &HashSet<Oid>, oid: Oid) -> Result<Option<RawCommit>> {
    let Some(content) = objects.read(oid, Kind::Commit)? else { return Ok(None) };
    let damaged = || Error::unusable(format!("could not read commit {oid}: it is damaged"));
    let mut raw = commit::parse(&content).ok_or_else(damaged)?;
    if shallow.contains(&oid) {
        raw.parents.clear();
    }
    Ok(Some(raw))
}

/// Object ids are hashes already.
#[derive(Default)]
pub(super) struct OidHasher(u64);

impl Hasher for OidHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
