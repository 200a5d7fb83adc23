//! One line of text that names a place and says what is wrong there:
//! `path:line:column: message`, `path:line: message`, `path(line,column): message`.

use super::Said;

/// Words for how bad it is, longest first where one begins with another.
const SEVERITIES: &[&str] = &[
    "fatal error",
    "fatal",
    "error",
    "warning",
    "note",
    "help",
    "info",
    "hint",
    "style",
    "convention",
    "refactor",
];

/// The problem on a line; `None` where it names no place.
pub(super) fn read(line: &str) -> Option<Said> {
    let (place, rest) = place(line)?;
    let said = describe(rest, place);
    Some(if said.message.is_empty() { Said { message: line.to_owned(), ..said } } else { said })
}

/// The place that a text begins with, and what follows it.
pub(super) fn place(text: &str) -> Option<(Said, &str)> {
    bracketed(text).or_else(|| coloned(text)).filter(|(place, _)| is_like_a_path(&place.path))
}

/// `path(line,column): message`, as tsc prints it.
fn bracketed(text: &str) -> Option<(Said, &str)> {
    let (inside, rest) = text.split_once("): ")?;
    let (path, place) = inside.rsplit_once('(')?;
    let (line, column) = place.split_once(',').map_or((place, None), |(line, column)| (line, Some(column)));
    let line = line.trim().parse().ok()?;
    let column =
        column.map(|column| column.trim().parse().ok()).map_or(Some(None), |column| column.map(Some))?;
    Some((Said { path: path.to_owned(), line: Some(line), column, ..Said::default() }, rest))
}

/// `path:line:column: message`, the column, and what is behind it, where there is one.
fn coloned(text: &str) -> Option<(Said, &str)> {
    for (at, _) in text.match_indices(':').filter(|(at, _)| *at > 0) {
        let Some((line, rest)) = digits(&text[at + 1..]) else { continue };
        let column = rest.strip_prefix(':').and_then(digits);
        // A number at once behind the column is no column: `12:30` in `a:1:12:30`.
        let (column, rest) = column.map_or((None, rest), |(column, rest)| (Some(column), rest));
        let rest = match rest.strip_prefix(':').or(rest.strip_prefix(" - ")).or(rest.strip_prefix(' ')) {
            Some(rest) => rest,
            None if rest.is_empty() => rest,
            None => continue,
        };
        return Some((
            Said { path: text[..at].to_owned(), line: Some(line), column, ..Said::default() },
            rest,
        ));
    }
    None
}

/// The number that a text begins with.
pub(super) fn digits(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// Whether a text can be meant as a file: times, versions and addresses are not.
pub(super) fn is_like_a_path(text: &str) -> bool {
    let is_name = text.contains(['/', '.']) || !text.contains(char::is_whitespace);
    is_name && text.contains(|c: char| c.is_alphabetic()) && !text.contains("://")
}

/// Reads how bad it is and the rule off a text, and keeps the rest as message.
pub(super) fn describe(text: &str, place: Said) -> Said {
    let (severity, text) = severity(text.trim());
    let (before, text) = leading_code(text);
    // Ruff marks so what it can fix itself.
    let text = text.trim_start().trim_start_matches("[*] ");
    let (message, behind) = match before {
        Some(_) => (text, None),
        None => trailing_code(text),
    };
    Said {
        code: before.or(behind).map(str::to_owned),
        severity: severity.map(str::to_owned),
        message: message.trim().to_owned(),
        ..place
    }
}

/// `error: `, and what is behind it; `error[E0308]: ` and `error TS2322: ` keep their rule.
fn severity(text: &str) -> (Option<&'static str>, &str) {
    let begins = |word: &&&str| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let Some(word) = SEVERITIES.iter().find(begins) else { return (None, text) };
    let rest = &text[word.len()..];
    match rest.strip_prefix(": ") {
        Some(message) => (Some(word), message),
        None if rest.starts_with(['[', ' ']) && leading_code(rest.trim_start()).0.is_some() => {
            (Some(word), rest.trim_start())
        }
        None => (None, text),
    }
}

/// `F401 `, `C0114: `, `[I001] ` or `[E0308]: ` at the start.
fn leading_code(text: &str) -> (Option<&str>, &str) {
    if let Some((code, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']'))
        && is_code(code)
    {
        return (Some(code), rest.trim_start_matches(':').trim_start());
    }
    match text.split_once(' ') {
        Some((word, rest)) if is_lettered_number(word.trim_end_matches(':')) => {
            (Some(word.trim_end_matches(':')), rest)
        }
        _ => (None, text),
    }
}

/// ` [-Wformat=]`, `  [return-value]` or ` [SC2086]` at the end.
fn trailing_code(text: &str) -> (&str, Option<&str>) {
    let inside = text.trim_end().strip_suffix(']').and_then(|text| text.rsplit_once(" ["));
    match inside {
        Some((message, code)) if is_code(code) => (message, Some(code)),
        _ => (text, None),
    }
}

fn is_code(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=/.:,+".contains(c);
    text.contains(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain)
}

/// Capitals, then digits: `E302`, `PLR0913`, `TS2322`.
fn is_lettered_number(text: &str) -> bool {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_uppercase());
    (1..=6).contains(&(text.len() - digits.len()))
        && (2..=6).contains(&digits.len())
        && digits.chars().all(|c| c.is_ascii_digit())
}
