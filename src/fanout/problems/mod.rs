//! Lists of problems: what a checker printed, read in whatever form it has.
//!
//! ```text
//! json.rs    values of JSON in the output -> sarif.rs, rustc.rs, keyed.rs   pure
//! text.rs    lines of text, by line.rs                                      pure
//! place.rs   paths as the checker writes them -> tracked files              pure
//! shards.rs  problems -> shards, those of a file in one                     pure
//! ```
//!
//! **Invariant:** the form is told from the content alone; what is not
//! understood is counted, never guessed at.

mod json;
mod keyed;
mod line;
mod place;
mod rustc;
mod sarif;
mod shards;
mod text;

#[cfg(test)]
mod tests;

pub use place::{Found, place};
pub use shards::shards;

/// One problem as a checker says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// The path in the checker's words.
    pub path: String,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The column, as the checker counts.
    pub column: Option<u32>,
    /// The rule.
    pub code: Option<String>,
    /// How bad it is.
    pub severity: Option<String>,
    /// What is wrong.
    pub message: String,
}

/// All that a checker said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// What has a place.
    pub said: Vec<Said>,
    /// How much has none: summaries, and errors of the checker itself.
    pub placeless: usize,
}

/// Reads what a checker printed.
pub fn read(printed: &[u8]) -> Output {
    let printed = without_colours(&String::from_utf8_lossy(printed));
    let (values, rest) = json::values(&printed);
    let mut found = Output::default();
    values.iter().for_each(|value| json::read(value, &mut found));
    if found.said.is_empty() {
        let placeless = found.placeless;
        found = text::read(&rest);
        found.placeless += placeless;
    }
    found
}

/// The text without the escape sequences of terminals.
fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = after.find(|c: char| c.is_ascii_alphabetic()).map_or(after.len(), |end| end + 1);
        rest = &after[end..];
    }
    plain + rest
}
