//! Lists of tasks in YAML, for `git orch plan`.

use serde::Deserialize;
use serde_yaml::Value;

use crate::error::{Error, Result};
use crate::model::Wanted;

/// A list with something around it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    version: Option<u32>,
    tasks: Vec<Value>,
}

/// Reads a list: each task its words, or a map with `text` and what else is
/// said of it; alone, or as `tasks` of a file.
///
/// # Errors
/// Usage where it is no such list.
pub fn parse(text: &str) -> Result<Vec<Wanted>> {
    let items = match serde_yaml::from_str::<Value>(text).map_err(|error| bad(&error))? {
        Value::Sequence(items) => items,
        Value::Null => Vec::new(),
        other => {
            let list: List = serde_yaml::from_value(other).map_err(|error| bad(&error))?;
            if let Some(version) = list.version.filter(|version| *version != 1) {
                return Err(bad(&format!("version {version} is not known here")));
            }
            list.tasks
        }
    };
    let read = |item: Value| match item {
        Value::String(text) => Ok(Wanted { text, ..Wanted::default() }),
        other => serde_yaml::from_value(other).map_err(|error| bad(&error)),
    };
    items.into_iter().map(read).collect()
}

fn bad(why: &dyn std::fmt::Display) -> Error {
    Error::usage(format!("this is no list of tasks: {why}")).hint(
        "each task is its words, or `{ text: fix login, paths: [src/api], session: backend, after: TASK }`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_its_words_or_more() {
        let list =
            "tasks:\n- fix login\n- { text: sort, paths: [src/web], session: web, after: fix login }\n";
        let tasks = parse(list).unwrap();
        assert_eq!(tasks[0], Wanted { text: "fix login".into(), ..Wanted::default() });
        let more = Wanted {
            text: "sort".into(),
            paths: vec!["src/web".into()],
            session: Some("web".into()),
            after: Some("fix login".into()),
        };
        assert_eq!(tasks[1..], [more]);
        assert_eq!(parse("- a\n- b\n").unwrap().len(), 2);
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn anything_else_is_told() {
        for (list, why) in [
            ("- { txt: a }\n", "unknown field `txt`"),
            ("- 7\n", "invalid type"),
            ("tasks: a\n", "invalid type"),
            ("version: 2\ntasks: []\n", "version 2 is not known here"),
            ("- [\n", "this is no list of tasks"),
        ] {
            let told = parse(list).unwrap_err().to_string();
            assert!(told.contains(why), "{list}: {told}");
        }
    }
}
