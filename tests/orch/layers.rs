//! Imports point down, outside crates come in by their doors, files stay small
//! and carry the project's words.
//!
//! Everything here reads the source as text; a breach is one line of the
//! failure, as `src/model/name.rs:12: model may not import git`.

use std::fs;
use std::path::Path;

/// Rooms, and the rooms that they may import; `*` is any.
const LAYERS: &[(&str, &str)] = &[
    ("model", ""),
    ("error route", "model"),
    ("git config agent ui", "model error"),
    ("history store", "model error git"),
    ("handoff", "model error store history"),
    ("replay", "model error git history route"),
    ("session", "model error git store history config agent"),
    ("run", "model error git store history config agent handoff route session"),
    ("fanout review", "model error git store history config agent handoff route session run"),
    ("sync metrics", "model error git store history"),
    ("recover", "model error git store history session run review fanout"),
    ("mcp", "model error agent"),
    ("dash", "model error handoff session run fanout review sync recover metrics ui"),
    ("app", "model error git config store ui"),
    ("commands", "*"),
];

/// Outside crates, and the rooms and files of `src/` that may name them; `*` is any.
const DOORS: &[(&str, &str)] = &[
    ("anstyle", "ui/ commands/"),
    ("clap", "commands/ main.rs"),
    ("clap_complete", "commands/"),
    ("clap_mangen", "commands/"),
    ("comfy_table", "ui/table.rs"),
    ("crc32fast", "history/"),
    (
        "duct",
        "git/process.rs agent/again.rs agent/ask.rs agent/detach.rs agent/hold.rs agent/process.rs agent/supervisor.rs",
    ),
    ("flate2", "git/mine/packed.rs run/transcript.rs"),
    ("git2", "git/"),
    ("globset", "model/path.rs"),
    ("indicatif", "ui/progress.rs"),
    ("jiff", "model/time.rs"),
    ("memchr", "git/pairs/apart.rs"),
    ("percent_encoding", "fanout/problems/place.rs"),
    ("regex", "run/redact.rs commands/log/grep.rs"),
    (
        "rustix",
        "error.rs git/fault.rs agent/again.rs agent/detach.rs agent/supervisor.rs run/overlay.rs ui/table.rs",
    ),
    ("schemars", "config/"),
    ("serde", "*"),
    (
        "serde_json",
        "mcp/ store/record.rs ui/json.rs fanout/formatter/manifest.rs fanout/problems/json.rs fanout/problems/keyed.rs review/forge/answer.rs run/told.rs",
    ),
    ("serde_yaml", "config/"),
    ("sha2", "config/trust.rs fanout/cache.rs history/"),
    ("signal_hook", "agent/"),
    ("strsim", "model/wording.rs"),
    (
        "tempfile",
        "run/throwaway.rs run/report.rs run/transcript.rs agent/ask.rs agent/hold.rs fanout/remote/ssh.rs commands/demo.rs git/ config/ store/ history/ review/forge/patches.rs",
    ),
    ("toml", "fanout/formatter/manifest.rs"),
    ("walkdir", "git/checkout.rs git/worktree.rs"),
];

/// The most lines of code in a file; tests, comments and blank lines are free.
const FILE_CAP: usize = 400;

/// Data tables, which may exceed the cap.
const DATA_TABLES: &[&str] = &[];

/// The most lines in `src/main.rs`, all counted.
const MAIN_CAP: usize = 25;

/// Words that say nothing about what a file holds.
const EMPTY_WORDS: &str = "util utils helpers common core manager service engine handler types";

/// One source file, by its path from the top of the repository.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The room of `src/model/name.rs` is `model`, that of `src/error.rs` is `error`.
    fn room(&self) -> &str {
        self.inside().split(['/', '.']).next().unwrap_or_default()
    }

    /// The path below `src/`.
    fn inside(&self) -> &str {
        self.path.strip_prefix("src/").unwrap_or(&self.path)
    }

    /// Numbered lines without their comments.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines().map(|line| line.split("//").next().unwrap_or_default()))
    }

    /// The same, without the tests at the file's end.
    fn shipped_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let shipped = self.text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
        self.lines().take(shipped.lines().count())
    }

    /// A breach at `line`.
    fn breach(&self, line: usize, what: impl std::fmt::Display) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

/// Every Rust file below a directory, in order of path.
fn sources(directory: &str) -> Vec<Source> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![top.join(directory)];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                sources.push(Source { path: path.strip_prefix(top).unwrap().display().to_string(), text });
            }
        }
    }
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

/// The word that follows each `marker` in a line.
fn words_after<'a>(line: &'a str, marker: &str) -> impl Iterator<Item = &'a str> {
    line.split(marker).skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

/// Whether a line of a table lists `word`.
fn lists(words: &str, word: &str) -> bool {
    words.split(' ').any(|listed| listed == word)
}

/// Imports of rooms that the table does not allow.
fn layer_breaches(source: &Source) -> Vec<String> {
    let room = source.room();
    let free = ["main", "lib"].contains(&room);
    let row = LAYERS.iter().find(|(rooms, _)| lists(rooms, room));
    let mut breaches = Vec::new();
    if row.is_none() && !free {
        breaches.push(source.breach(1, format!("room {room} is not in the table of layers")));
    }
    let allowed = row.map_or("*", |(_, allowed)| allowed);
    for (number, line) in source.lines() {
        for target in words_after(line, "crate::") {
            if target.is_empty() {
                breaches.push(source.breach(number, "write `use crate::room::…`, once for each room"));
            } else if !LAYERS.iter().any(|(rooms, _)| lists(rooms, target)) {
                breaches.push(source.breach(number, format!("`{target}` is not in the table of layers")));
            } else if target != room && allowed != "*" && !lists(allowed, target) {
                breaches.push(source.breach(number, format!("{room} may not import {target}")));
            }
        }
    }
    breaches
}

/// Outside crates named away from their doors.
fn door_breaches(source: &Source) -> Vec<String> {
    let mut breaches = Vec::new();
    for (number, line) in source.shipped_lines() {
        for (name, doors) in DOORS {
            let open = doors.split(' ').any(|door| match door.strip_suffix('/') {
                Some(room) => source.room() == room,
                None => door == "*" || door == source.inside(),
            });
            if !open && names_crate(line, name) {
                breaches.push(source.breach(number, format!("{name} comes in by {doors} only")));
            }
        }
    }
    breaches
}

/// Whether a line holds `name::` or `use name;` as a whole word.
fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = &line[start + name.len()..];
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || "_:.".contains(c))
            && (after.starts_with("::") || (after.starts_with(';') && line[..start].ends_with("use ")))
    })
}

/// Files that are too long, or do not say what they are for.
fn shape_breaches(source: &Source) -> Vec<String> {
    let mut breaches = Vec::new();
    let code = source.shipped_lines().filter(|(_, line)| !line.trim().is_empty()).count();
    // Most lines of an end-to-end test are the output it expects.
    let counts = source.path.starts_with("src/");
    if counts && code > FILE_CAP && !DATA_TABLES.contains(&source.path.as_str()) {
        breaches.push(source.breach(1, format!("{code} lines of code, {FILE_CAP} at most")));
    }
    let all = source.text.lines().count();
    if source.path == "src/main.rs" && all > MAIN_CAP {
        breaches.push(source.breach(1, format!("{all} lines, {MAIN_CAP} at most")));
    }
    if !source.text.starts_with("//!") {
        breaches.push(source.breach(1, "the first line is not `//!`"));
    }
    breaches
}

/// File and function names that break the vocabulary.
fn word_breaches(source: &Source) -> Vec<String> {
    let mut breaches = Vec::new();
    for part in source.path.split('/') {
        let word = part.strip_suffix(".rs").unwrap_or(part);
        if lists(EMPTY_WORDS, word) {
            breaches.push(source.breach(1, format!("`{word}` says nothing about what the file holds")));
        }
    }
    for (number, line) in source.lines() {
        for name in words_after(line, "fn ").filter(|name| name.starts_with("get_")) {
            breaches
                .push(source.breach(number, format!("`{name}`: a bare noun, `find_` or `load_` says more")));
        }
    }
    breaches
}

/// Fails with one line for each breach in these directories.
fn assert_none(directories: &[&str], breaches: fn(&Source) -> Vec<String>) {
    let sources = directories.iter().flat_map(|directory| sources(directory));
    let found: Vec<String> = sources.flat_map(|source| breaches(&source)).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn imports_point_down() {
    assert_none(&["src"], layer_breaches);
}

#[test]
fn outside_crates_come_in_by_their_doors() {
    assert_none(&["src"], door_breaches);
}

#[test]
fn every_dependency_has_a_door() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let dependencies = section.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name);
    let names: Vec<String> = dependencies.map(|name| name.replace('-', "_")).collect();
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(sorted, DOORS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    assert_none(&["src", "tests"], shape_breaches);
}

#[test]
fn names_use_the_projects_words() {
    assert_none(&["src", "tests"], word_breaches);
}

#[test]
fn a_breach_is_found_and_named_by_its_line() {
    let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let breaches = |source: Source| {
        [layer_breaches, door_breaches, shape_breaches, word_breaches].map(|check| check(&source)).concat()
    };
    let name = source(
        "src/model/name.rs",
        "//! Names.\nuse crate::git::Repo;\nuse crate::{error::Error, git::Oid};\nuse git2::Oid;\n\
         // crate::git in a comment\nuse crate::model::Name;\nfn get_name() {}\nlet x: crate::Error;\n",
    );
    assert_eq!(
        breaches(name),
        [
            "src/model/name.rs:2: model may not import git",
            "src/model/name.rs:3: write `use crate::room::…`, once for each room",
            "src/model/name.rs:8: `Error` is not in the table of layers",
            "src/model/name.rs:4: git2 comes in by git/ only",
            "src/model/name.rs:7: `get_name`: a bare noun, `find_` or `load_` says more",
        ]
    );
    let core = source("src/core.rs", "use duct;\n#[cfg(test)]\nmod tests {\nuse git2::Oid;\n}\n");
    assert_eq!(
        breaches(core),
        [
            "src/core.rs:1: room core is not in the table of layers",
            "src/core.rs:1: duct comes in by git/process.rs agent/again.rs agent/ask.rs agent/detach.rs agent/hold.rs agent/process.rs agent/supervisor.rs only",
            "src/core.rs:1: the first line is not `//!`",
            "src/core.rs:1: `core` says nothing about what the file holds",
        ]
    );
    let long = source("src/git/refs.rs", &format!("//! Refs.\n\n{}", "let x = 1; // one\n".repeat(401)));
    assert_eq!(breaches(long), ["src/git/refs.rs:1: 401 lines of code, 400 at most"]);
}
