//! What a client gives a tool, as the words of a command.
//!
//! **Invariant:** a value is never read as an option: it stands behind `=`, or
//! behind `--`, or is a name, or begins with a blank that the command drops.

use std::ffi::OsString;

use serde_json::{Map, Value};

use super::tools::{Kind, Param, Place, Tool};
use crate::model::Name;
use crate::model::wording::{list, unknown};

/// The whole command line.
pub(super) fn words(tool: &Tool, given: &Value) -> Result<Vec<OsString>, String> {
    let nothing = Map::new();
    let given = match given {
        Value::Null => &nothing,
        Value::Object(given) => given,
        _ => return Err("`arguments` is no object".to_owned()),
    };
    let is_known = |name: &&String| tool.params.iter().any(|param| param.name == name.as_str());
    if let Some(name) = given.keys().find(|name| !is_known(name)) {
        return Err(unknown("argument", name, tool.params.iter().map(|param| param.name)));
    }
    let (mut words, mut rest): (Vec<String>, Vec<String>) =
        (tool.command.iter().map(|word| (*word).to_owned()).collect(), Vec::new());
    words.extend(["--json".to_owned(), "--quiet".to_owned()]);
    for param in tool.params {
        let values = values(param, given.get(param.name))?;
        match (param.place, param.kind) {
            (Place::Rest, _) => rest.extend(values),
            (Place::Word, Kind::Text) => words.extend(values.iter().map(|value| format!(" {value}"))),
            (Place::Word, _) => words.extend(values),
            (Place::Option(option), Kind::Flag) => words.extend(values.iter().map(|_| option.to_owned())),
            (Place::Option(option), _) => {
                words.extend(values.iter().map(|value| format!("{option}={value}")));
            }
        }
    }
    if !rest.is_empty() {
        words.push("--".to_owned());
    }
    Ok(words.into_iter().chain(rest).map(OsString::from).collect())
}

/// What is given for a parameter; a flag that is set has one value.
fn values(param: &Param, given: Option<&Value>) -> Result<Vec<String>, String> {
    let name = param.name;
    let given = match given {
        None | Some(Value::Null) if param.required => return Err(format!("`{name}` is missing")),
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(given) => given,
    };
    match param.kind {
        Kind::Flag => {
            let is_set = given.as_bool().ok_or_else(|| format!("`{name}` is neither true nor false"))?;
            Ok(is_set.then(String::new).into_iter().collect())
        }
        Kind::List | Kind::Choices(_) => {
            let items = given.as_array().ok_or_else(|| format!("`{name}` is no list"))?;
            items.iter().map(|item| value(param, item)).collect()
        }
        Kind::Text | Kind::Name | Kind::Choice(_) => Ok(vec![value(param, given)?]),
    }
}

fn value(param: &Param, given: &Value) -> Result<String, String> {
    let name = param.name;
    let text = given.as_str().ok_or_else(|| format!("`{name}` is no text"))?;
    if text.contains('\0') {
        return Err(format!("`{name}` holds a null byte"));
    }
    match param.kind {
        Kind::Name => {
            text.parse::<Name>().map(|name| name.to_string()).map_err(|why| format!("`{name}`: {why}"))
        }
        Kind::Choice(choices) | Kind::Choices(choices) if !choices.contains(&text) => {
            Err(format!("`{name}` is one of {}", list(choices)))
        }
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tools::ALL;
    use super::*;

    fn told(tool: &str, given: Value) -> Result<String, String> {
        let tool = ALL.iter().find(|one| one.name == tool).unwrap();
        let words = words(tool, &given)?;
        Ok(words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn values_stand_where_none_is_an_option() {
        let line = |tool: &str, given: Value| told(tool, given).unwrap();
        for option in ["--session=evil", "-C/", "--", "-"] {
            assert_eq!(line("route", json!({ "text": option })), format!("route|--json|--quiet| {option}"));
            assert_eq!(
                line("task", json!({ "text": option, "paths": [option, "src"], "agent": option })),
                format!(
                    "task|--detach|--json|--quiet| {option}|--paths={option}|--paths=src|--agent={option}"
                )
            );
            assert_eq!(line("note", json!({ "text": option })), format!("note|--json|--quiet|--|{option}"));
            assert_eq!(
                line("report", json!({ "state": "input", "text": option })),
                format!("report|--json|--quiet|input|--message={option}")
            );
            assert!(told("show", json!({ "name": option })).is_err(), "{option}");
            assert!(told("task", json!({ "text": "x", "session": option })).is_err(), "{option}");
        }
        assert_eq!(line("tasks", json!({ "all": true })), "tasks|--json|--quiet|--all");
        assert_eq!(line("tasks", json!({ "all": false })), "tasks|--json|--quiet");
        assert_eq!(line("conflicts", Value::Null), "conflicts|--json|--quiet");
        assert_eq!(line("review", json!({ "task": "x", "by": "docs" })), "review|--json|--quiet|x|--by=docs");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (tool, given, why) in [
            ("route", json!({}), "`text` is missing"),
            ("route", json!({ "text": null }), "`text` is missing"),
            ("route", json!({ "text": 7 }), "`text` is no text"),
            ("route", json!({ "text": "x", "paths": "src" }), "`paths` is no list"),
            ("route", json!({ "text": "x", "path": ["src"] }), "no argument `path`; did you mean `paths`?"),
            ("route", json!(["x"]), "`arguments` is no object"),
            ("route", json!({ "text": "x\0y" }), "`text` holds a null byte"),
            ("tasks", json!({ "all": "yes" }), "`all` is neither true nor false"),
            ("report", json!({ "state": "thinking" }), "`state` is one of working, input and done"),
        ] {
            assert_eq!(told(tool, given.clone()), Err(why.to_owned()), "{given}");
        }
    }
}
