//! Paths as a checker writes them, found among the tracked files.

use std::collections::BTreeSet;
use std::path::Path;

use percent_encoding::percent_decode_str;

use super::{Output, Said};
use crate::model::wording::excerpt;
use crate::model::{Problem, RepoPath};

/// The longest message that is kept, in characters.
const LONGEST: usize = 500;

/// The problems that can be worked on, and what is beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Problems of tracked files, each once, in order.
    pub problems: Vec<Problem>,
    /// Paths that are none of the tracked files, as the checker wrote them.
    pub foreign: BTreeSet<String>,
    /// How much was said without a place.
    pub placeless: usize,
}

/// Finds the files of what a checker said in the folder `top`, which may have
/// another name with its links resolved.
pub fn place(output: Output, tops: &[&Path], tracked: &BTreeSet<RepoPath>) -> Found {
    let mut found = Found { placeless: output.placeless, ..Found::default() };
    for said in output.said {
        match file(&said.path, tops, tracked) {
            Some(path) => found.problems.push(problem(path, said)),
            None => drop(found.foreign.insert(said.path)),
        }
    }
    found.problems.sort();
    found.problems.dedup();
    found
}

fn problem(path: RepoPath, said: Said) -> Problem {
    let message = excerpt(&said.message.split_whitespace().collect::<Vec<_>>().join(" "), LONGEST);
    Problem { path, line: said.line, column: said.column, code: said.code, severity: said.severity, message }
}

/// The tracked file: by its whole text, else by its last words, before which
/// some tools say who speaks (`vet: ./a.go`).
fn file(text: &str, tops: &[&Path], tracked: &BTreeSet<RepoPath>) -> Option<RepoPath> {
    let text = text.strip_prefix("file://").unwrap_or(text);
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    let tails = text.match_indices(' ').map(|(at, _)| &text[at + 1..]);
    let mut all = [text, &decoded].into_iter().chain(tails);
    all.find_map(|text| below(text, tops).filter(|path| tracked.contains(path)))
}

fn below(text: &str, tops: &[&Path]) -> Option<RepoPath> {
    let path = Path::new(text);
    let path = match path.is_absolute() {
        true => tops.iter().find_map(|top| path.strip_prefix(top).ok())?,
        false => path,
    };
    RepoPath::resolve(Path::new(""), path).ok()
}
