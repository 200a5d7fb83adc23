//! Whether two changes of a text lie so far apart that no way of comparing
//! lines could have them meet.
//!
//! All of the one change lies before a line, all of the other behind it, and
//! that line is there exactly once in all three texts. Whatever is compared
//! how, it stands for itself then, and nothing reaches across it.
//!
//! **Invariant:** a doubt is a no.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use crate::error::Result;
use crate::git::repo::Repo;
use crate::model::Oid;

/// A larger file is left to git.
const LARGEST: usize = 8 << 20;
/// Of so many lines between two changes one has to be there once.
const LOOKED_AT: usize = 64;

/// Texts by their lines, each read once.
pub(super) struct Texts<'a> {
    repo: &'a Repo,
    texts: HashMap<Oid, Option<Rc<Text>>>,
}

/// A text, and where its lines end; the last may lack its end, and is another
/// line then.
struct Text {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// Which lines of a base a change leaves alone: those before and those from.
struct Kept {
    before: usize,
    from: usize,
}

impl<'a> Texts<'a> {
    pub(super) fn new(repo: &'a Repo) -> Self {
        Self { repo, texts: HashMap::new() }
    }

    pub(super) fn are_apart(&mut self, base: Oid, ours: Oid, theirs: Oid) -> Result<bool> {
        if [ours, theirs].contains(&base) {
            return Ok(true);
        }
        let (base, ours, theirs) = (self.text(base)?, self.text(ours)?, self.text(theirs)?);
        let (Some(base), Some(ours), Some(theirs)) = (base, ours, theirs) else { return Ok(false) };
        let (one, other) = (kept(&base, &ours), kept(&base, &theirs));
        let is_once = |line: &[u8]| [&base, &ours, &theirs].iter().all(|text| text.has_once(line));
        let between = [one.from..other.before, other.from..one.before];
        Ok(between.into_iter().flat_map(|lines| lines.take(LOOKED_AT)).any(|line| is_once(base.line(line))))
    }

    /// A text by its lines; `None` where it is none, or a large one.
    fn text(&mut self, blob: Oid) -> Result<Option<Rc<Text>>> {
        if let Some(text) = self.texts.get(&blob) {
            return Ok(text.clone());
        }
        let bytes = self.repo.read().blob(blob)?;
        let text = (bytes.len() <= LARGEST && !bytes.contains(&0)).then(|| Rc::new(Text::of(bytes)));
        self.texts.insert(blob, text.clone());
        Ok(text)
    }
}

impl Text {
    fn of(bytes: Vec<u8>) -> Self {
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let ends = lines.scan(0, |end, line| {
            *end += line.len();
            Some(*end)
        });
        let ends = ends.collect();
        Self { bytes, ends }
    }

    fn range(&self, line: usize) -> Range<usize> {
        let start = if line == 0 { 0 } else { self.ends[line - 1] };
        start..self.ends[line]
    }

    fn line(&self, line: usize) -> &[u8] {
        &self.bytes[self.range(line)]
    }

    fn lines(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator {
        (0..self.ends.len()).map(|line| self.line(line))
    }

    fn has_once(&self, line: &[u8]) -> bool {
        self.lines().filter(|other| *other == line).take(2).count() == 1
    }
}

fn kept(base: &Text, changed: &Text) -> Kept {
    let same = |(one, other): &(&[u8], &[u8])| one == other;
    let before = base.lines().zip(changed.lines()).take_while(same).count();
    let rest = base.lines().skip(before).rev().zip(changed.lines().skip(before).rev());
    Kept { before, from: base.ends.len() - rest.take_while(same).count() }
}
