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

/// Texts as numbered lines, each read once.
pub(super) struct Texts<'a> {
    repo: &'a Repo,
    texts: HashMap<Oid, Option<Rc<Text>>>,
    numbers: HashMap<Vec<u8>, u32>,
}

struct Text {
    lines: Vec<u32>,
    /// How often each line is there.
    counts: HashMap<u32, u32>,
}

/// Which lines of a base a change leaves alone: those before and those from.
struct Kept {
    before: usize,
    from: usize,
}

impl<'a> Texts<'a> {
    pub(super) fn new(repo: &'a Repo) -> Self {
        Self { repo, texts: HashMap::new(), numbers: HashMap::new() }
    }

    pub(super) fn are_apart(&mut self, base: Oid, ours: Oid, theirs: Oid) -> Result<bool> {
        if [ours, theirs].contains(&base) {
            return Ok(true);
        }
        let (base, ours, theirs) = (self.text(base)?, self.text(ours)?, self.text(theirs)?);
        let (Some(base), Some(ours), Some(theirs)) = (base, ours, theirs) else { return Ok(false) };
        let (one, other) = (kept(&base, &ours), kept(&base, &theirs));
        let is_once =
            |line: u32| [&base, &ours, &theirs].iter().all(|text| text.counts.get(&line) == Some(&1));
        let parts = [one.from..other.before, other.from..one.before];
        Ok(parts.into_iter().flatten().any(|line| is_once(base.lines[line])))
    }

    /// A text by its lines; `None` where it is none, or a large one.
    fn text(&mut self, blob: Oid) -> Result<Option<Rc<Text>>> {
        if let Some(text) = self.texts.get(&blob) {
            return Ok(text.clone());
        }
        let bytes = self.repo.read().blob(blob)?;
        let text = (bytes.len() <= LARGEST && !bytes.contains(&0)).then(|| Rc::new(self.numbered(&bytes)));
        self.texts.insert(blob, text.clone());
        Ok(text)
    }

    fn numbered(&mut self, bytes: &[u8]) -> Text {
        let mut text = Text { lines: Vec::new(), counts: HashMap::new() };
        // The last line of a file may lack its end, and is another one then.
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let next = u32::try_from(self.numbers.len()).expect("lines of a few files can be counted");
            let number = match self.numbers.get(line) {
                Some(number) => *number,
                None => *self.numbers.entry(line.to_vec()).or_insert(next),
            };
            text.lines.push(number);
            *text.counts.entry(number).or_default() += 1;
        }
        text
    }
}

fn kept(base: &Text, changed: &Text) -> Kept {
    let (old, new) = (&base.lines, &changed.lines);
    let before = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let rest = old[before..].iter().rev().zip(new[before..].iter().rev());
    Kept { before, from: old.len() - rest.take_while(|(one, other)| one == other).count() }
}
