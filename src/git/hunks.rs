//! What differs between two texts, as git2 compares them: for people, and for
//! judgements that take a doubt for a no.

use crate::error::{Error, Result};

/// Lines that took the place of others: from which up to which, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// The lines that were there.
    pub old: (usize, usize),
    /// The lines that are there.
    pub new: (usize, usize),
}

impl Hunk {
    /// Whether two hunks of one text share lines, or put lines at one place.
    pub fn meets(&self, other: &Self) -> bool {
        let (one, other) = (self.old, other.old);
        one == other || (one.0 < other.1 && other.0 < one.1)
    }
}

/// The hunks between two texts, without lines around them.
pub fn between(old: &[u8], new: &[u8]) -> Result<Vec<Hunk>> {
    let failed = |error: git2::Error| {
        Error::unusable("could not compare two files").because(error.message().to_owned())
    };
    let mut options = git2::DiffOptions::new();
    options.context_lines(0).interhunk_lines(0).force_text(true);
    let patch = git2::Patch::from_buffers(old, None, new, None, Some(&mut options)).map_err(failed)?;
    let mut hunks = Vec::new();
    for index in 0..patch.num_hunks() {
        let (hunk, _) = patch.hunk(index).map_err(failed)?;
        let span = |start: u32, count: u32| {
            let (start, count) = (start as usize, count as usize);
            // Where there is no line, git names the one before.
            let start = if count == 0 { start } else { start - 1 };
            (start, start + count)
        };
        let old = span(hunk.old_start(), hunk.old_lines());
        hunks.push(Hunk { old, new: span(hunk.new_start(), hunk.new_lines()) });
    }
    Ok(hunks)
}
