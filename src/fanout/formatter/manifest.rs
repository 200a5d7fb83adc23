//! Reads what manifests and settings of formatters say. TOML and JSON become
//! the same value; of YAML only lines are looked at.
//!
//! **Invariant:** what can't be read says nothing; nothing here fails.

use std::ffi::OsString;

pub(super) use serde_json::Value;

use crate::model::RepoPath;

use super::Sources;

/// Reads JSON.
pub(super) fn json(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok()
}

/// Reads TOML.
pub(super) fn toml(bytes: &[u8]) -> Option<Value> {
    toml::from_str(std::str::from_utf8(bytes).ok()?).ok()
}

/// The value behind a chain of keys.
pub(super) fn at<'a>(value: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().try_fold(value, |value, key| value.get(key))
}

/// The license that a manifest at the top names, and which does.
pub fn license(read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Option<(String, &'static str)> {
    let places: [(&str, Reader, &[&str]); 5] = [
        ("Cargo.toml", toml, &["package", "license"]),
        ("Cargo.toml", toml, &["workspace", "package", "license"]),
        ("package.json", json, &["license"]),
        ("pyproject.toml", toml, &["project", "license"]),
        ("pyproject.toml", toml, &["project", "license", "text"]),
    ];
    places.into_iter().find_map(|(manifest, parse, keys)| {
        let value = parse(&read(manifest)?)?;
        let license = at(&value, keys)?.as_str()?.trim();
        let is_expression =
            !license.is_empty() && !license.contains(['\n', '/']) && !license.starts_with("SEE ");
        is_expression.then(|| (license.to_owned(), manifest))
    })
}

type Reader = fn(&[u8]) -> Option<Value>;

/// Whether a TOML file has this table.
pub(super) fn has_table(bytes: &[u8], keys: &[&str]) -> bool {
    toml(bytes).is_some_and(|value| at(&value, keys).is_some_and(Value::is_object))
}

/// Whether a `package.json` depends on a package, or configures it by a key of its own.
pub(super) fn uses_node_package(bytes: &[u8], package: &str) -> bool {
    let Some(value) = json(bytes) else { return false };
    value.get(package).is_some()
        || ["dependencies", "devDependencies", "optionalDependencies"]
            .iter()
            .any(|kind| at(&value, &[kind, package]).is_some())
}

/// Whether a settings file has a line that sets one of these keys.
pub(super) fn has_key(bytes: &[u8], keys: &[&str]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let key = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
    text.lines().any(|line| keys.contains(&key(line).as_str()))
}

/// Whether a pre-commit configuration names this hook.
pub(super) fn has_hook(bytes: &[u8], id: &str) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.lines().any(|line| {
        let line = line.trim_start_matches([' ', '-']);
        let value = line.strip_prefix("id:").map(|rest| rest.split('#').next().unwrap_or_default());
        value.is_some_and(|value| value.trim().trim_matches(['"', '\'']) == id)
    })
}

/// Whether settings take others from elsewhere: `extend = …`, `"extends": …`.
pub(super) fn extends(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.split("extend").skip(1).any(|rest| {
        let rest = rest.strip_prefix('s').unwrap_or(rest);
        rest.trim_start_matches(['"', '\'', ' ', '\t']).starts_with([':', '='])
    })
}

/// What black leaves out by itself when it looks for files.
const BLACK_LEAVES_OUT: &str = r"/(\.direnv|\.eggs|\.git|\.hg|\.ipynb_checkpoints|\.mypy_cache|\.nox|\.pytest_cache|\.ruff_cache|\.tox|\.svn|\.venv|\.vscode|__pypackages__|_build|buck-out|build|dist|venv)/";

/// Black heeds its excludes only for files that it finds by itself; so they
/// are given again for the files it is given.
pub(super) fn black_excludes(directory: &RepoPath, sources: Sources<'_>) -> Vec<OsString> {
    let file = RepoPath::from(directory.as_path().join("pyproject.toml"));
    let value = (sources.read)(&file).and_then(|bytes| toml(&bytes)).unwrap_or_default();
    let setting = |key: &str| at(&value, &["tool", "black", key]).and_then(Value::as_str);
    let exclude = setting("exclude").unwrap_or(BLACK_LEAVES_OUT);
    let patterns: Vec<String> = [Some(exclude), setting("extend-exclude"), setting("force-exclude")]
        .into_iter()
        .flatten()
        .filter(|pattern| !pattern.trim().is_empty())
        .map(|pattern| format!("(?:{pattern})"))
        .collect();
    if patterns.is_empty() {
        return vec!["--".into()];
    }
    vec![format!("--force-exclude={}", patterns.join("|")).into(), "--".into()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_read_for_what_they_say() {
        assert!(has_table(b"[tool.ruff.format]\nquote-style = 'single'", &["tool", "ruff", "format"]));
        assert!(has_table(b"tool.ruff.lint.select = []", &["tool", "ruff"]));
        assert!(!has_table(b"text = '''\n[tool.ruff]\n'''", &["tool", "ruff"]));
        assert!(uses_node_package(br#"{"devDependencies":{"prettier":"3"}}"#, "prettier"));
        assert!(uses_node_package(br#"{"prettier":{}}"#, "prettier"));
        assert!(!uses_node_package(br#"{"name":"prettier"}"#, "prettier"));
        assert!(has_key(b"[*.sh]\nspace_redirects=true\n", &["space_redirects"]));
        assert!(has_hook(b"repos:\n  - repo: x\n    hooks:\n      - id: ruff-format # all\n", "ruff-format"));
        assert!(has_hook(b"- hooks: \n  - id: 'black'", "black"));
        assert!(!has_hook(b"  - id: blacken-docs\n# id: black", "black"));
    }

    #[test]
    fn settings_that_extend_others_are_found() {
        for (text, found) in [
            ("extend = '../ruff.toml'", true),
            ("{\"extends\" : [\"./base.json\"]}", true),
            ("extend-exclude = ['x']", false),
            ("# may be extended", false),
        ] {
            assert_eq!(extends(text.as_bytes()), found, "{text}");
        }
    }

    #[test]
    fn what_is_damaged_says_nothing() {
        let deep = "[".repeat(100_000);
        for bytes in [&b"{"[..], b"\xff\xfe", b"[tool.ruff", b"", deep.as_bytes()] {
            assert!(!has_table(bytes, &["tool", "ruff"]));
            assert!(!uses_node_package(bytes, "prettier"));
        }
    }
}
