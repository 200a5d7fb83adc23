//! Problems as the Rust compiler says them in JSON, alone or in cargo's lines.

use serde::Deserialize;

use super::{Output, Said};

/// A message of the compiler, or a line of cargo that holds one.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Printed {
    /// By cargo.
    Line {
        /// The message.
        message: Diagnostic,
    },
    /// By the compiler.
    Alone(Diagnostic),
}

/// A message of the compiler.
#[derive(Deserialize)]
pub(super) struct Diagnostic {
    message: String,
    level: String,
    code: Option<Code>,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    column_start: u32,
    is_primary: bool,
    expansion: Option<Box<Expansion>>,
}

#[derive(Deserialize)]
struct Expansion {
    span: Span,
}

impl Span {
    /// Where a person wrote it: behind all macros.
    fn written(&self) -> &Self {
        self.expansion.as_ref().map_or(self, |expansion| expansion.span.written())
    }
}

/// Adds a message; those that explain others and sum up have no place.
pub(super) fn read(printed: Printed, found: &mut Output) {
    let (Printed::Line { message: diagnostic } | Printed::Alone(diagnostic)) = printed;
    let Some(span) = diagnostic.spans.iter().find(|span| span.is_primary).or(diagnostic.spans.first()) else {
        found.placeless += 1;
        return;
    };
    let span = span.written();
    found.said.push(Said {
        path: span.file_name.clone(),
        line: Some(span.line_start),
        column: Some(span.column_start),
        code: diagnostic.code.map(|code| code.code),
        severity: Some(diagnostic.level),
        message: diagnostic.message,
    });
}
