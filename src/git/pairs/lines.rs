//! Which lines of a file two changes clash in, for people.

use serde::Serialize;

use crate::error::Result;
use crate::git::hunks::{Hunk, between};
use crate::git::repo::Repo;
use crate::model::Oid;

/// Some lines of a file, counted from 1; where there are none, the place
/// behind the line before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// The first of them; one more than the line before them.
    pub first: usize,
    /// How many.
    pub count: usize,
}

impl std::fmt::Display for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.count {
            0 => write!(f, "cut before {}", self.first),
            1 => write!(f, "{}", self.first),
            count => write!(f, "{}-{}", self.first, self.first + count - 1),
        }
    }
}

/// The lines in question, as ours and as theirs has them, of a file that is
/// there in a base, ours and theirs, or not.
pub(super) fn of(repo: &Repo, blobs: [Option<Oid>; 3]) -> Result<(Vec<Lines>, Vec<Lines>)> {
    let read = |blob: Option<Oid>| blob.map(|blob| repo.read().blob(blob)).transpose();
    let [base, ours, theirs] = blobs;
    let (base, ours, theirs) = (read(base)?, read(ours)?, read(theirs)?);
    let is_binary = |text: &Option<Vec<u8>>| text.as_ref().is_some_and(|text| text.contains(&0));
    if [&base, &ours, &theirs].into_iter().any(is_binary) {
        return Ok((Vec::new(), Vec::new()));
    }
    let new = |hunks: Vec<Hunk>| hunks.into_iter().map(|hunk| lines(hunk.new)).collect();
    Ok(match (base, ours, theirs) {
        (Some(base), Some(ours), Some(theirs)) => shared(&between(&base, &ours)?, &between(&base, &theirs)?),
        (None, Some(ours), Some(theirs)) => {
            between(&ours, &theirs)?.into_iter().map(|hunk| (lines(hunk.old), lines(hunk.new))).unzip()
        }
        (Some(base), Some(ours), None) => (new(between(&base, &ours)?), Vec::new()),
        (Some(base), None, Some(theirs)) => (Vec::new(), new(between(&base, &theirs)?)),
        _ => (Vec::new(), Vec::new()),
    })
}

fn lines((start, end): (usize, usize)) -> Lines {
    Lines { first: start + 1, count: end - start }
}

/// Where hunks of both meet or touch: those lines of the base as each has them.
fn shared(ours: &[Hunk], theirs: &[Hunk]) -> (Vec<Lines>, Vec<Lines>) {
    let mut found = (Vec::new(), Vec::new());
    let (mut one, mut other) = (0, 0);
    while one < ours.len() || other < theirs.len() {
        let start = |hunks: &[Hunk], at: usize| hunks.get(at).map_or(usize::MAX, |hunk| hunk.old.0);
        let from = start(ours, one).min(start(theirs, other));
        let (first, second) = (one, other);
        let mut end = from;
        loop {
            let before = (one, other);
            for (hunks, at) in [(ours, &mut one), (theirs, &mut other)] {
                while let Some(hunk) = hunks.get(*at).filter(|hunk| hunk.old.0 <= end) {
                    end = end.max(hunk.old.1);
                    *at += 1;
                }
            }
            if before == (one, other) {
                break;
            }
        }
        if one > first && other > second {
            found.0.push(as_new(&ours[first..one], (from, end)));
            found.1.push(as_new(&theirs[second..other], (from, end)));
        }
    }
    found
}

/// What lines of the base became, which hold these hunks whole.
fn as_new(hunks: &[Hunk], (from, end): (usize, usize)) -> Lines {
    let (first, last) = (hunks[0], hunks[hunks.len() - 1]);
    lines((first.new.0 - (first.old.0 - from), last.new.1 + (end - last.old.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_question_are_counted_on_both_sides() {
        let base = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        for (ours, theirs, expected) in [
            ("1\n2\n3\n4\nx\n6\n7\n8\n9\n", "1\n2\n3\n4\ny\nz\n6\n7\n8\n9\n", "5 / 5-6"),
            ("0\n1\n2\n3\n4\nx\n6\n7\n8\n9\n", "1\n2\n3\n4\n6\n7\n8\n9\n", "6 / cut before 5"),
            ("1\na\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\nb\n4\n5\n6\n7\n8\n9\n", "2-3 / 2-3"),
            ("1\n2\n3\n4\n5\n6\n7\n8\n9\nx\n", "1\n2\n3\n4\n5\n6\n7\n8\n9\ny\nz\n", "10 / 10-11"),
            ("x\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\ny\n", ""),
        ] {
            let hunks = |text: &str| between(base.as_bytes(), text.as_bytes()).unwrap();
            let (mine, other) = shared(&hunks(ours), &hunks(theirs));
            let told: Vec<String> = mine.iter().zip(&other).map(|(a, b)| format!("{a} / {b}")).collect();
            assert_eq!(told.join(", "), expected, "{ours:?} {theirs:?}");
        }
    }
}
