//! What of the repository a formatter can be made to execute.
//!
//! **Invariant:** what is not known to be harmless needs trust: a setting that
//! can't be read, a link in its place, a key that is not listed here.

use crate::model::RepoPath;
use crate::model::wording::tick;

use super::super::shard::within;
use super::manifest::Value;
use super::table::{Executes, has_extension};
use super::{Sources, manifest};

/// Why a program found at this place of the checkout is the repository's own.
pub(super) fn tracked_program(place: &str, sources: Sources<'_>) -> Option<String> {
    let folder = place.rsplit_once("/bin/").or_else(|| place.rsplit_once("/.bin/"))?.0.as_bytes();
    let files = sources.files.iter().find(|file| within(file.as_bytes(), folder));
    let links = sources.links.iter().map(|(link, _)| link);
    let link =
        links.into_iter().find(|link| within(link.as_bytes(), folder) || within(folder, link.as_bytes()));
    files.or(link).map(|tracked| format!("the repository brings its own `{place}` ({tracked} is tracked)"))
}

/// Why a formatter may execute what the repository names, if it may.
pub(super) fn executes(executes: Executes, directory: &RepoPath, sources: Sources<'_>) -> Option<String> {
    match executes {
        Executes::Nothing => None,
        Executes::Always(why) => Some(why.to_owned()),
        Executes::Prettier => prettier(directory, sources),
        Executes::Cargo => cargo(directory, sources),
    }
}

fn prettier(directory: &RepoPath, sources: Sources<'_>) -> Option<String> {
    // The search for settings goes up from each file, so those above count too.
    let near = |path: &RepoPath| {
        within(path.as_bytes(), directory.as_bytes())
            || within(directory.as_bytes(), path.parent().as_bytes())
    };
    let is_settings = |path: &RepoPath| {
        let name = path.file_name();
        name.starts_with(b".prettierrc")
            || name.starts_with(b"prettier.config.")
            || name == b"package.json"
            || name == b"package.yaml"
    };
    let link = sources.links.iter().find(|(link, _)| near(link) && is_settings(link));
    if let Some((link, _)) = link {
        return Some(format!("`{link}` is a symbolic link"));
    }
    sources.files.iter().filter(|file| near(file) && is_settings(file)).find_map(|file| {
        let why = match (sources.read)(file) {
            None => Some("can't be read"),
            Some(bytes) => prettier_settings(file, &bytes),
        };
        why.map(|why| format!("`{file}` {why}"))
    })
}

fn prettier_settings(file: &RepoPath, bytes: &[u8]) -> Option<&'static str> {
    if has_extension(file, &["js", "cjs", "mjs", "ts", "cts", "mts"]) {
        return Some("is a program");
    }
    let text = String::from_utf8_lossy(bytes);
    match file.file_name() {
        b"package.json" => match manifest::json(bytes) {
            None => Some("is not plain JSON"),
            Some(value) => match value.get("prettier") {
                None => None,
                Some(Value::String(_)) => Some("takes its prettier settings from elsewhere"),
                // Serialised again, so that an escaped key is no longer one.
                Some(settings) => names_code(&settings.to_string()),
            },
        },
        b"package.yaml" if !text.contains("prettier") && !text.contains('\\') => None,
        b"package.yaml" => Some("may name code"),
        _ if !starts_a_mapping(&text) => Some("takes its settings from elsewhere"),
        _ => names_code(&text),
    }
}

/// The parsers that come with prettier; another name is a module to load.
const PARSERS: [&str; 23] = [
    "babel",
    "babel-flow",
    "babel-ts",
    "flow",
    "typescript",
    "acorn",
    "espree",
    "meriyah",
    "css",
    "less",
    "scss",
    "json",
    "json5",
    "jsonc",
    "json-stringify",
    "graphql",
    "markdown",
    "mdx",
    "vue",
    "yaml",
    "html",
    "angular",
    "lwc",
];

/// Looks at the text, not the meaning, so that it holds for YAML, JSON5 and
/// TOML alike: without a backslash or a tag, a key must stand there as it is.
fn names_code(text: &str) -> Option<&'static str> {
    if text.contains("plugin") {
        return Some("names plugins");
    }
    if text.contains('\\') || text.contains("!!") {
        return Some("is not plain enough to tell what it names");
    }
    let known = |rest: &str| {
        let value = rest.trim_start_matches(|c: char| c.is_whitespace() || "\"':=".contains(c));
        let end = value.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(value.len());
        let next = value[end..].chars().next().unwrap_or('\n');
        PARSERS.contains(&&value[..end]) && (next.is_whitespace() || "\"',}".contains(next))
    };
    text.split("parser").skip(1).any(|rest| !known(rest)).then_some("names a parser of its own")
}

/// Whether settings are keys and values, and not the name of a package that
/// holds them.
fn starts_a_mapping(text: &str) -> bool {
    let first =
        text.trim_start_matches('\u{feff}').lines().map(str::trim).find(|line| {
            !line.is_empty() && !line.starts_with('#') && !line.starts_with("//") && *line != "---"
        });
    let Some(line) = first else { return true };
    let key = line.trim_start_matches(['"', '\'']).trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let key_ends = key.len() < line.len() && {
        let rest = key.trim_start_matches(['"', '\'']).trim_start();
        rest == ":" || rest.starts_with(": ") || rest.starts_with('=')
    };
    line.starts_with('{') || line.starts_with('[') && line.ends_with(']') || key_ends
}

fn cargo(directory: &RepoPath, sources: Sources<'_>) -> Option<String> {
    let folders: Vec<RepoPath> =
        std::iter::once(directory.clone()).chain(directory.ancestors().map(RepoPath::from_bytes)).collect();
    let above = |path: &RepoPath| folders.contains(path);
    if let Some((link, _)) = sources.links.iter().find(|(link, target)| leads_astray(link, target, directory))
    {
        return Some(format!("`{link}` is a symbolic link that leads out of the repository"));
    }
    let is_settings = |path: &RepoPath| match path.file_name() {
        b"config" | b"config.toml" => {
            path.parent().file_name() == b".cargo" && above(&path.parent().parent())
        }
        b"rust-toolchain" | b"rust-toolchain.toml" | b".cargo" => above(&path.parent()),
        _ => false,
    };
    if let Some((link, _)) = sources.links.iter().find(|(link, _)| is_settings(link)) {
        return Some(format!("`{link}` is a symbolic link"));
    }
    sources.files.iter().filter(|file| is_settings(file)).find_map(|file| {
        let bytes = (sources.read)(file).unwrap_or_else(|| b"?".to_vec());
        let why = if file.file_name().starts_with(b"config") { config(&bytes) } else { toolchain(&bytes) };
        why.map(|why| format!("`{file}` {why}"))
    })
}

/// Whether a formatter that follows source files could be led out of the
/// worktree by a link.
fn leads_astray(link: &RepoPath, target: &[u8], directory: &RepoPath) -> bool {
    let target = RepoPath::from_bytes(target);
    within(link.as_bytes(), directory.as_bytes())
        && RepoPath::resolve(link.parent().as_path(), target.as_path()).is_err()
}

/// Why a `.cargo/config.toml` may execute something when formatting.
fn config(bytes: &[u8]) -> Option<String> {
    const HARMLESS: [&str; 8] =
        ["alias", "build", "net", "http", "profile", "target", "term", "future-incompat-report"];
    const COMPILERS: [&str; 4] = ["rustc", "rustc-wrapper", "rustc-workspace-wrapper", "rustdoc"];
    let Some(Value::Object(tables)) = manifest::toml(bytes) else {
        return Some("can't be read".to_owned());
    };
    if let Some(key) = tables.keys().find(|key| !HARMLESS.contains(&key.as_str())) {
        return Some(format!("sets {}", tick(key)));
    }
    let has = |table: &str, key: &str| tables.get(table).is_some_and(|table| table.get(key).is_some());
    if has("alias", "fmt") {
        return Some("redefines `cargo fmt`".to_owned());
    }
    COMPILERS.iter().find(|key| has("build", key)).map(|key| format!("sets {}", tick(key)))
}

/// Why a `rust-toolchain` file names programs of the repository.
fn toolchain(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text.trim().chars().all(word) {
        return None;
    }
    match manifest::toml(bytes) {
        None => Some("can't be read".to_owned()),
        Some(value) if manifest::at(&value, &["toolchain", "path"]).is_some() => {
            Some("names a toolchain by its path".to_owned())
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prettier_settings_that_name_code_are_told_from_plain_ones() {
        for (file, text, needs_trust) in [
            (".prettierrc", "semi: false\nsingleQuote: true\n", false),
            (".prettierrc", "# ours\n---\ntrailingComma: none\n", false),
            (".prettierrc", "{ \"semi\": false }", false),
            (".prettierrc", "", false),
            (".prettierrc.toml", "semi = false\n", false),
            (".prettierrc.json5", "// x\n{ semi: false }", false),
            (".prettierrc", "overrides:\n  - files: '*.foo'\n    options:\n      parser: babel\n", false),
            (".prettierrc", "overrides:\n  - files: '*.foo'\n    options:\n      parser: ./evil.js\n", true),
            (".prettierrc", "overrides:\n  - files: '*.foo'\n    options:\n      parser: babel.js\n", true),
            (".prettierrc", "parser: *p\n", true),
            (".prettierrc", "plugins: [./evil.js]\n", true),
            (".prettierrc", "{\"plu\\u0067ins\":[\"./evil.js\"]}", true),
            (".prettierrc", "\"./evil.js\"", true),
            (".prettierrc", "./evil:x.js", true),
            (".prettierrc", "@company/prettier-config", true),
            (".prettierrc.json", "\"@company/prettier-config\"", true),
            (".prettierrc.js", "export default {}", true),
            ("prettier.config.ts", "", true),
            ("package.json", "{\"name\":\"x\",\"scripts\":{\"fmt\":\"prettier --plugin x\"}}", false),
            ("package.json", "{\"prettier\":{\"semi\":false}}", false),
            ("package.json", "{\"prettier\":\"./evil.js\"}", true),
            ("package.json", "{\"prettier\":{\"plugins\":[\"./evil.js\"]}}", true),
            (
                "package.json",
                "{\"prettier\":{\"overrides\":[{\"options\":{\"parser\":\"./evil.js\"}}]}}",
                true,
            ),
            ("package.json", "{", true),
            ("package.yaml", "prettier: ./evil.js", true),
            ("package.yaml", "name: x", false),
        ] {
            let why = prettier_settings(&RepoPath::from(file), text.as_bytes());
            assert_eq!(why.is_some(), needs_trust, "{file}: {text} {why:?}");
        }
    }

    #[test]
    fn cargo_settings_that_execute_are_told_from_plain_ones() {
        for (text, why) in [
            ("[alias]\nxtask = \"run -p xtask --\"\n", None),
            ("[build]\ntarget-dir = \"x\"\n", None),
            ("[target.x86_64-unknown-linux-gnu]\nrustflags = []\n", None),
            ("[alias]\nfmt = \"run --bin evil\"\n", Some("redefines `cargo fmt`")),
            ("[build]\nrustc-wrapper = \"./evil\"\n", Some("sets `rustc-wrapper`")),
            ("include = \"evil.toml\"\n", Some("sets `include`")),
            ("[env]\nPATH = \"x\"\n", Some("sets `env`")),
            ("[", Some("can't be read")),
        ] {
            assert_eq!(config(text.as_bytes()).as_deref(), why, "{text}");
        }
        for (text, why) in [
            ("1.75.0\n", None),
            ("[toolchain]\nchannel = \"nightly-2026-01-01\"\n", None),
            ("[toolchain]\npath = \"evil\"\n", Some("names a toolchain by its path")),
            ("toolchain.path = 'evil'", Some("names a toolchain by its path")),
            ("?", Some("can't be read")),
        ] {
            assert_eq!(toolchain(text.as_bytes()).as_deref(), why, "{text}");
        }
    }
}
