//! JSON in what a checker printed: one value or many, among other lines.

use serde::Deserialize as _;
use serde_json::{Deserializer, Value};

use super::{Output, keyed, rustc, sarif};

/// The objects and lists that begin a line, and the text without them.
pub(super) fn values(text: &str) -> (Vec<Value>, String) {
    let (mut values, mut other) = (Vec::new(), String::new());
    let mut rest = text;
    while !rest.is_empty() {
        let line = rest.find('\n').map_or(rest.len(), |end| end + 1);
        match value(rest) {
            Some((value, length)) => {
                values.push(value);
                rest = &rest[length..];
            }
            None => {
                other.push_str(&rest[..line]);
                rest = &rest[line..];
            }
        }
    }
    (values, other)
}

fn value(text: &str) -> Option<(Value, usize)> {
    if !text.trim_start_matches([' ', '\t']).starts_with(['{', '[']) {
        return None;
    }
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    let value = values.next()?.ok()?;
    let holds = match &value {
        Value::Array(list) => list.iter().all(Value::is_object),
        other => other.is_object(),
    };
    holds.then(|| (value, values.byte_offset()))
}

/// Adds the problems of one value, whichever of the forms it has.
pub(super) fn read(value: &Value, found: &mut Output) {
    if let Some(runs) = value.get("runs").filter(|runs| runs.is_array())
        && let Ok(runs) = Vec::<sarif::Run>::deserialize(runs)
    {
        return sarif::read(runs, found);
    }
    walk(value, None, found, 0);
}

/// How deep problems are looked for.
const DEEPEST: usize = 16;

/// Adds the problems of a value inside of one that names the file `path`.
fn walk(value: &Value, path: Option<&str>, found: &mut Output, depth: usize) {
    if depth == DEEPEST {
        return;
    }
    match value {
        Value::Array(list) => list.iter().for_each(|one| walk(one, path, found, depth + 1)),
        Value::Object(object) => {
            if let Ok(printed) = rustc::Printed::deserialize(value) {
                return rustc::read(printed, found);
            }
            let path = keyed::path(object).or(path);
            match keyed::problem(object, path) {
                Some(said) if said.path.is_empty() => found.placeless += 1,
                Some(said) => found.said.push(said),
                None => object.values().for_each(|inner| walk(inner, path, found, depth + 1)),
            }
        }
        _ => {}
    }
}
