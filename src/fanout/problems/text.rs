//! Lines of text, and what some of them say of others.

use super::line;
use super::{Output, Said};

/// Reads the lines that a checker printed.
pub(super) fn read(text: &str) -> Output {
    let mut reader = Reader::default();
    text.lines().map(str::trim_end).filter(|line| !line.is_empty()).for_each(|line| reader.take(line));
    reader.found
}

/// What was read so far.
#[derive(Default)]
struct Reader<'a> {
    found: Output,
    /// The last line that was not indented and named no place.
    heading: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, text: &'a str) {
        let inner = text.trim_start();
        if let Some(place) = inner.strip_prefix("--> ").and_then(line::place) {
            // `--> src/main.rs:2:42` below what is wrong, as rustc and ruff print it.
            return self.add(line::describe(self.heading, place.0));
        }
        if inner.len() < text.len() {
            return self.found.said.extend(below(self.heading, inner));
        }
        match line::read(text) {
            Some(said) => self.add(said),
            None => {
                self.heading = text;
                self.found.placeless += usize::from(text.starts_with("error") || text.starts_with("warning"));
            }
        }
    }

    /// Adds a problem; a note without a rule belongs to the one before.
    fn add(&mut self, said: Said) {
        let is_note = matches!(said.severity.as_deref(), Some("note" | "help")) && said.code.is_none();
        match self.found.said.last_mut() {
            Some(last) if is_note => last.message.push_str(&format!("; {}", said.message)),
            _ if is_note => self.found.placeless += 1,
            _ => self.found.said.push(said),
        }
    }
}

/// `2:5  error  what is wrong  rule` below the path, as eslint prints it.
fn below(path: &str, text: &str) -> Option<Said> {
    let (number, rest) = line::digits(text)?;
    let (column, rest) = line::digits(rest.strip_prefix(':')?)?;
    if !rest.starts_with(' ') || !line::is_like_a_path(path) {
        return None;
    }
    let (severity, rest) = rest.trim_start().split_once(' ')?;
    let (message, code) = rest.trim().rsplit_once("  ").unwrap_or((rest.trim(), ""));
    Some(Said {
        path: path.to_owned(),
        line: Some(number),
        column: Some(column),
        code: Some(code.to_owned()).filter(|code| !code.is_empty()),
        severity: Some(severity.to_owned()),
        message: message.trim().to_owned(),
    })
}
