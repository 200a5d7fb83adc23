//! Problems as objects whose keys have the usual names.

use serde_json::{Map, Value};

use super::Said;
use super::line;

type Object = Map<String, Value>;

/// What checkers call the file, best first.
const PATH: &[&str] = &["file", "filename", "filePath", "file_path", "file_name", "fileName", "path", "uri"];
/// What they call the line.
const LINE: &[&str] =
    &["line", "row", "line_number", "lineNumber", "lineno", "startLine", "line_start", "begin"];
/// What they call the column.
const COLUMN: &[&str] = &["column", "col", "column_number", "startColumn", "col_offset"];
/// What they call the rule.
const CODE: &[&str] = &[
    "ruleId",
    "rule_id",
    "rule",
    "check_id",
    "check_name",
    "test_id",
    "code",
    "message-id",
    "messageId",
    "option",
];
/// How bad they call it.
const SEVERITY: &[&str] = &["severity", "level", "issue_severity", "type", "kind"];
/// What they say.
const MESSAGE: &[&str] = &["message", "msg", "issue_text", "description", "text"];
/// Where any of this may lie deeper.
const INNER: &[&str] = &[
    "location",
    "locations",
    "caret",
    "start",
    "begin",
    "position",
    "range",
    "lines",
    "positions",
    "extra",
    "message",
];

/// How deep it may lie.
const DEEPEST: usize = 4;

/// The file that an object is about.
pub(super) fn path(object: &Object) -> Option<&str> {
    find(object, PATH, 0, &Value::as_str)
}

/// The problem that an object is; without a path where none is known.
pub(super) fn problem(object: &Object, path: Option<&str>) -> Option<Said> {
    let message = find(object, MESSAGE, 0, &Value::as_str)?.to_owned();
    // Go's tools write the whole place into one.
    let place = object.get("posn").and_then(Value::as_str).and_then(|text| line::place(text));
    if let Some((place, _)) = place {
        return Some(Said { message, ..place });
    }
    Some(Said {
        path: path.unwrap_or_default().to_owned(),
        line: find(object, LINE, 0, &number),
        column: find(object, COLUMN, 0, &number),
        code: find(object, CODE, 0, &word),
        severity: find(object, SEVERITY, 0, &severity),
        message,
    })
}

/// The first of these keys that holds such a value, here or further in.
fn find<'a, T>(
    object: &'a Object,
    keys: &[&str],
    depth: usize,
    take: &dyn Fn(&'a Value) -> Option<T>,
) -> Option<T> {
    let here = keys.iter().find_map(|key| take(object.get(*key)?));
    if here.is_some() || depth == DEEPEST {
        return here;
    }
    INNER.iter().find_map(|key| {
        let inner = match object.get(*key)? {
            Value::Array(list) => list.first()?,
            other => other,
        };
        find(inner.as_object()?, keys, depth + 1, take)
    })
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() && !text.contains('\n') => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Some count how bad it is: 1 is a warning, 2 an error.
fn severity(value: &Value) -> Option<String> {
    match value.as_u64() {
        Some(1) => Some("warning".to_owned()),
        Some(2) => Some("error".to_owned()),
        Some(_) => None,
        None => value.as_str().map(str::to_lowercase),
    }
}
