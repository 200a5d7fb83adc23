//! The JSON that programs read, schema `git-orch/1`.

use serde::Serialize;

use super::safe::is_harmful;
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

/// An error as programs read it.
#[derive(Serialize)]
pub struct Described<'a> {
    kind: &'static str,
    message: String,
    hints: &'a [String],
}

impl<'a> From<&'a Error> for Described<'a> {
    fn from(error: &'a Error) -> Self {
        Self { kind: error.kind.name(), message: error.to_string(), hints: &error.hints }
    }
}

pub(super) fn envelope(command: &str, data: &impl Serialize) -> Result<String> {
    line(&Envelope { schema: SCHEMA, command, data })
}

pub(super) fn error(command: &str, error: &Error) -> String {
    let failure = Failure { schema: SCHEMA, command, error: error.into() };
    line(&failure).expect("strings always serialize")
}

/// A value as one line of JSON.
pub fn line(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string(value);
    text.map(|text| escaped(&text) + "\n").map_err(|error| Error::bug("could not write JSON").because(error))
}

/// A value as indented JSON, for people.
pub fn pretty(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| escaped(&text)).map_err(|error| Error::bug("could not write JSON").because(error))
}

/// Writes what could speak to a terminal as JSON's own escapes: the same to
/// every program that reads it.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_harmful(c) {
            text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_is_as_safe_as_text_and_means_the_same() {
        let value = ["plain é 🦀\t\n", "\u{1b}[31m\u{9b}\u{7f}", "\u{202e}\u{e0041}\u{61c}\\u{7f}"];
        let text = line(&value).expect("strings always serialize");
        assert_eq!(
            text,
            r#"["plain é 🦀\t\n","\u001b[31m\u009b\u007f","\u202e\udb40\udc41\u061c\\u{7f}"]"#.to_owned()
                + "\n"
        );
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).ok(), Some(value.map(str::to_owned).to_vec()));
    }

    proptest! {
        #[test]
        fn any_text_in_json_is_safe_and_reads_back(
            text in "(?s).{0,40}|[\\p{Cf}\\p{Cc}\\p{Co}a\\\\\"]{0,20}",
        ) {
            let json = line(&text).unwrap();
            assert!(!json.trim_end_matches('\n').contains(is_harmful), "{json:?}");
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
