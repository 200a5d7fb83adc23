//! Answers of forges, which are JSON or nothing.

use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// The longest answer that is read.
const LONGEST: usize = 16 << 20;

/// Reads an answer whole.
///
/// # Errors
/// Unusable where it is something else than was asked for.
pub(super) fn parse<T: DeserializeOwned>(what: &str, text: &str) -> Result<T> {
    require_short(what, text)?;
    serde_json::from_str(text).map_err(|error| unreadable(what, &error))
}

/// Reads all pages of a list, which come one behind the other.
///
/// # Errors
/// Unusable where one is something else.
pub(super) fn pages<T: DeserializeOwned>(what: &str, text: &str) -> Result<Vec<T>> {
    require_short(what, text)?;
    let mut all = Vec::new();
    for page in serde_json::Deserializer::from_str(text).into_iter::<Vec<T>>() {
        all.extend(page.map_err(|error| unreadable(what, &error))?);
    }
    Ok(all)
}

fn require_short(what: &str, text: &str) -> Result<()> {
    if text.len() <= LONGEST {
        return Ok(());
    }
    Err(Error::unusable(format!("`{what}` answered more than can be meant: {} bytes", text.len())))
}

fn unreadable(what: &str, error: &serde_json::Error) -> Error {
    let cut = if error.is_eof() { "it ends too early" } else { "it is not what was asked for" };
    Error::unusable(format!("could not read what `{what}` answered"))
        .because(format!("{cut} (line {}, column {})", error.line(), error.column()))
        .hint("run it by hand to see what it says")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whole_or_refused() {
        assert_eq!(parse::<Vec<u64>>("gh", "[1, 2]").unwrap(), [1, 2]);
        assert_eq!(pages::<u64>("gh", "[1][2,3]\n[]").unwrap(), [1, 2, 3]);
        assert!(pages::<u64>("gh", "").unwrap().is_empty());
        for (text, why) in [
            ("[1, 2", "it ends too early (line 1, column 5)"),
            ("", "it ends too early (line 1, column 0)"),
            ("<html>\u{1b}[31m", "it is not what was asked for (line 1, column 1)"),
            ("[1] x", "it is not what was asked for (line 1, column 5)"),
            ("[\"a\"]", "it is not what was asked for (line 1, column 4)"),
        ] {
            let error = parse::<Vec<u64>>("gh", text).unwrap_err().to_string();
            assert_eq!(error, format!("could not read what `gh` answered: {why}"));
        }
        assert!(pages::<u64>("gh", "[1][2").is_err());
        let long = " ".repeat(LONGEST + 1);
        assert!(parse::<u64>("gh", &long).unwrap_err().message.contains("more than can be meant"));
        let deep = "[".repeat(1_000_000);
        assert!(parse::<Vec<u64>>("gh", &deep).is_err());
    }
}
