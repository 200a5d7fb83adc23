//! Whether two changes of a text lie so far apart that no way of comparing
//! lines could have them meet.
//!
//! All of the one change lies before a line, all of the other behind it, and
//! that line is there exactly once in all three texts. Whatever is compared
//! how, it stands for itself then, and nothing reaches across it.
//!
//! **Invariant:** a doubt is a no.

use std::collections::HashMap;
use std::rc::Rc;

use crate::error::Result;
use crate::git::repo::Repo;
use crate::model::Oid;

/// A larger file is left to git.
const LARGEST: usize = 8 << 20;
/// Of so many lines between two changes one has to be there once.
const LOOKED_AT: usize = 64;
/// Texts are compared by so many bytes first.
const BLOCK: usize = 4096;

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
        let mut ends: Vec<usize> = memchr::memchr_iter(b'\n', &bytes).map(|at| at + 1).collect();
        if bytes.last().is_some_and(|last| *last != b'\n') {
            ends.push(bytes.len());
        }
        Self { bytes, ends }
    }

    fn start(&self, line: usize) -> usize {
        if line == 0 { 0 } else { self.ends[line - 1] }
    }

    fn line(&self, line: usize) -> &[u8] {
        &self.bytes[self.start(line)..self.ends[line]]
    }

    fn has_once(&self, line: &[u8]) -> bool {
        (0..self.ends.len()).filter(|other| self.line(*other) == line).take(2).count() == 1
    }
}

fn kept(base: &Text, changed: &Text) -> Kept {
    let (one, other) = (&base.bytes[..], &changed.bytes[..]);
    let begins = alike(one.chunks(BLOCK).zip(other.chunks(BLOCK)), |(one, other)| {
        one.iter().zip(other).take_while(|(one, other)| one == other).count()
    });
    let (one, other) = (&one[begins..], &other[begins..]);
    let ends = alike(one.rchunks(BLOCK).zip(other.rchunks(BLOCK)), |(one, other)| {
        one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count()
    });
    let until = |at: usize| base.ends.partition_point(|end| *end <= at);
    // What has no end yet may go on in the other text.
    let is_open = begins == base.bytes.len() && base.bytes.last().is_some_and(|last| *last != b'\n');
    // Behind an end that both have, both begin a line.
    Kept { before: until(begins) - usize::from(is_open), from: until(base.bytes.len() - ends) + 1 }
}

/// How many bytes are alike in two texts, as far as their blocks are, and in the
/// first that is not.
fn alike<'a>(
    blocks: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    within: impl Fn((&[u8], &[u8])) -> usize,
) -> usize {
    let mut alike = 0;
    for (one, other) in blocks {
        if one != other {
            return alike + within((one, other));
        }
        alike += one.len();
    }
    alike
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of `base` that a change to `changed` leaves alone: before, and from.
    fn told(base: &str, changed: &str) -> (usize, usize) {
        let [base, changed] = [base, changed].map(|text| Text::of(text.as_bytes().to_vec()));
        let kept = kept(&base, &changed);
        (kept.before, kept.from)
    }

    #[test]
    fn what_a_change_leaves_alone_is_whole_lines() {
        for (base, changed, kept) in [
            ("a\nb\nc\n", "a\nB\nc\n", (1, 2)),
            // Of an insertion the line behind it counts as changed.
            ("a\nb\nc\n", "a\nx\nb\nc\n", (1, 2)),
            ("a\nb\nc\n", "a\nc\n", (1, 3)),
            ("a\nb\n", "a\nb\nc\n", (2, 3)),
            ("a\nb", "a\nbc\n", (1, 3)),
            ("a\nb", "a\nb\n", (1, 3)),
            ("a\nbc", "a\nxc", (1, 2)),
            ("bc\nd\n", "c\nd\n", (0, 1)),
            ("", "a\n", (0, 1)),
        ] {
            assert_eq!(told(base, changed), kept, "{base:?} {changed:?}");
        }
    }

    #[test]
    fn long_texts_are_compared_by_blocks() {
        let lines = |changed: &[usize]| -> String {
            (0..9_000).map(|n| if changed.contains(&n) { "x\n".into() } else { format!("{n}\n") }).collect()
        };
        for line in [0, 1, 5, 4_000, 8_998, 8_999] {
            assert_eq!(told(&lines(&[]), &lines(&[line])), (line, line + 1));
        }
        assert_eq!(told(&lines(&[]), &lines(&[3_000, 6_000])), (3_000, 6_001));
    }
}
