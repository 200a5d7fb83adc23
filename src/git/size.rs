//! How much differs between two trees.

use serde::Serialize;

use super::repo::Repo;
use crate::error::Result;
use crate::model::Oid;

/// So many files and lines; what is binary has no lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Changed files.
    pub files: usize,
    /// Lines that are new.
    pub added: usize,
    /// Lines that are gone.
    pub deleted: usize,
}

/// The sizes of the differences between pairs of trees, by one child.
pub fn between_all(repo: &Repo, pairs: &[(Oid, Oid)]) -> Result<Vec<Size>> {
    let list: String = pairs.iter().map(|(from, to)| format!("{from} {to}\n")).collect();
    let args = ["diff-tree", "-r", "--stdin", "--shortstat", "--no-renames", "--no-ext-diff"];
    let command = repo.git(args).args(["--no-textconv", "--ignore-submodules=none"]);
    let text = if list.is_empty() { Vec::new() } else { command.stdin(list).run()? };
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut sizes = vec![Size::default(); pairs.len()];
    let mut next = 0;
    for line in text.lines() {
        match sizes.get_mut(next.max(1) - 1).filter(|_| line.starts_with(' ') && next > 0) {
            Some(size) => *size = read(line),
            // A pair is told before what differs; one that is equal, alone or not at all.
            None => {
                let is_it = |(from, to): &(Oid, Oid)| line == format!("{from} {to}");
                next = pairs.iter().skip(next).position(is_it).map_or(next, |at| next + at + 1);
            }
        }
    }
    Ok(sizes)
}

/// ` 2 files changed, 3 insertions(+), 1 deletion(-)`.
fn read(line: &str) -> Size {
    let number = |part: &str| part.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0);
    let of = |noun: &str| line.split(',').find(|part| part.contains(noun)).map_or(0, number);
    Size { files: of("file"), added: of("insertion"), deleted: of("deletion") }
}
