//! Paths and patterns, each line one of them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use git_orch::model::{PathSet, RepoPath, path};

/// More patterns than this tell nothing more.
const PATTERNS: usize = 6;

/// Quoting loses nothing, resolving stays inside, and a pattern that is taken
/// can be asked.
pub fn check(bytes: &[u8]) {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let paths: Vec<RepoPath> = lines.iter().copied().chain([bytes]).map(RepoPath::from_bytes).collect();
    for path in &paths {
        quoted(path);
        above(path);
    }
    for typed in &lines {
        resolved(lines[0], typed);
    }
    let text = |line: &&[u8]| String::from_utf8_lossy(line).into_owned();
    let patterns: Vec<String> = lines.iter().take(PATTERNS).map(text).collect();
    let sets: Vec<Option<PathSet>> = patterns.iter().map(|pattern| matched(pattern, &paths)).collect();
    if let Ok(whole) = PathSet::parse(&patterns) {
        let sets: Vec<PathSet> = sets.into_iter().map(|set| set.expect("each pattern is good")).collect();
        let any = |path| sets.iter().any(|set| set.contains(path));
        assert!(
            paths.iter().all(|path| whole.contains(path) == any(path)),
            "a set is the sum of its patterns"
        );
    }
}

fn quoted(path: &RepoPath) {
    let text = path.quoted();
    assert!(!text.chars().any(char::is_control), "{text:?}");
    assert_eq!(RepoPath::unquoted(&text).as_ref(), Some(path));
    let Ok(raw) = std::str::from_utf8(path.as_bytes()) else { return };
    if let Some(other) = RepoPath::unquoted(raw) {
        assert_eq!(RepoPath::unquoted(&other.quoted()), Some(other));
    }
}

fn above(path: &RepoPath) {
    let mut below = path.as_bytes();
    for folder in path.ancestors() {
        assert!(below.starts_with(folder) && (folder.is_empty() || below[folder.len()] == b'/'));
        below = folder;
    }
    assert!(below.is_empty(), "the top is above everything");
    if let Some(slash) = path.as_bytes().iter().rposition(|byte| *byte == b'/') {
        assert_eq!(path.parent().as_bytes(), &path.as_bytes()[..slash]);
        assert_eq!(path.file_name(), &path.as_bytes()[slash + 1..]);
    }
}

fn resolved(prefix: &[u8], typed: &[u8]) {
    let as_path = |bytes| Path::new(OsStr::from_bytes(bytes));
    let Ok(found) = RepoPath::resolve(as_path(prefix), as_path(typed)) else { return };
    let is_plain = |component| matches!(component, Component::Normal(_));
    assert!(found.as_path().components().all(is_plain) && !found.as_bytes().ends_with(b"/"));
    assert_eq!(RepoPath::resolve(Path::new(""), found.as_path()), Ok(found));
}

fn matched(pattern: &str, paths: &[RepoPath]) -> Option<PathSet> {
    let set = PathSet::parse(&[pattern.to_owned()]).ok()?;
    assert!(!set.is_empty());
    for path in paths {
        set.contains(path);
    }
    let plain = pattern.trim_end_matches('/').trim_start_matches("./");
    if !path::is_glob(pattern) && plain != "." {
        assert!(set.contains(&RepoPath::from(plain)), "{pattern:?} is itself");
        assert!(
            set.contains(&RepoPath::from(format!("{plain}/x").as_str())),
            "{pattern:?} is what lies under"
        );
        assert!(!set.contains(&RepoPath::from(format!("{plain}x").as_str())), "{pattern:?} is nothing else");
    }
    Some(set)
}
