//! The JSON that programs read, schema `git-orch/1`.

use serde::Serialize;

use crate::error::{Error, Result};

const SCHEMA: &str = "git-orch/1";

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema: &'static str,
    command: &'a str,
    data: &'a T,
}

#[derive(Serialize)]
struct Failure<'a> {
    schema: &'static str,
    command: &'a str,
    error: Described<'a>,
}

#[derive(Serialize)]
struct Described<'a> {
    kind: &'static str,
    message: String,
    hints: &'a [String],
}

pub(super) fn envelope(command: &str, data: &impl Serialize) -> Result<String> {
    line(&Envelope { schema: SCHEMA, command, data })
}

pub(super) fn error(command: &str, error: &Error) -> String {
    let described = Described { kind: error.kind.name(), message: error.to_string(), hints: &error.hints };
    let failure = Failure { schema: SCHEMA, command, error: described };
    line(&failure).expect("strings always serialize")
}

pub(super) fn line(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string(value);
    text.map(|text| text + "\n").map_err(|error| Error::bug("could not write JSON").because(error))
}

/// A value as indented JSON, for people.
pub fn pretty(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value).map_err(|error| Error::bug("could not write JSON").because(error))
}
