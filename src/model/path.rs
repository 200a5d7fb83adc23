//! Paths inside a repository, and patterns over them.
//!
//! **Invariant:** a [`RepoPath`] is relative, holds no `.` or `..` component,
//! and any bytes git allows; as text it is lossless (see [`RepoPath::quoted`]).

use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path inside a repository, from its top, with `/` between components.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// Takes bytes as git gives them.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes as git has them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path as the operating system takes it.
    pub fn as_path(&self) -> &Path {
        Path::new(std::ffi::OsStr::from_bytes(&self.0))
    }

    /// Resolves what a person typed in the folder `prefix` of the repository.
    pub fn resolve(prefix: &Path, typed: &Path) -> Result<Self, NotInRepository> {
        let mut parts: Vec<Vec<u8>> = Vec::new();
        for component in prefix.components().chain(typed.components()) {
            match component {
                std::path::Component::Normal(part) => parts.push(part.as_bytes().to_vec()),
                std::path::Component::CurDir => {}
                std::path::Component::ParentDir => drop(parts.pop().ok_or(NotInRepository)?),
                _ => return Err(NotInRepository),
            }
        }
        Ok(Self(parts.join(&b'/')))
    }

    /// The folders above this path, nearest first, the top (empty) last.
    pub fn ancestors(&self) -> impl Iterator<Item = &[u8]> {
        ancestors(&self.0)
    }

    /// This path, then the folders above it, the top (empty) last.
    pub fn places(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.as_bytes()).chain(self.ancestors())
    }

    /// The last component.
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// The folder that holds this path; empty at the top.
    pub fn parent(&self) -> Self {
        Self(self.ancestors().next().unwrap_or_default().to_vec())
    }

    /// As a file system reads it that knows no case.
    pub fn folded(&self) -> Self {
        match std::str::from_utf8(&self.0) {
            Ok(text) => Self(text.to_lowercase().into_bytes()),
            Err(_) => Self(self.0.to_ascii_lowercase()),
        }
    }

    /// As text: itself where it is plain UTF-8, else quoted as git quotes
    /// (`"caf\351"`). Injective.
    pub fn quoted(&self) -> String {
        match std::str::from_utf8(&self.0) {
            Ok(text) if !text.starts_with('"') && !text.chars().any(char::is_control) => text.to_owned(),
            _ => quote(&self.0),
        }
    }

    /// Reads [`RepoPath::quoted`] back.
    pub fn unquoted(text: &str) -> Option<Self> {
        if text.starts_with('"') { unquote(text).map(Self) } else { Some(Self(text.as_bytes().to_vec())) }
    }
}

/// The folders above `path`, nearest first, the top (empty) last.
pub fn ancestors(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(path);
    std::iter::from_fn(move || {
        let path = rest?;
        let above = match path.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => Some(&path[..slash]),
            None if path.is_empty() => None,
            None => Some(&path[..0]),
        };
        rest = above;
        above
    })
}

fn quote(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            0x20..0x7f => text.push(char::from(*byte)),
            _ => text.push_str(&format!("\\{byte:03o}")),
        }
    }
    text.push('"');
    text
}

fn unquote(text: &str) -> Option<Vec<u8>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?.as_bytes();
    let mut bytes = Vec::with_capacity(inner.len());
    let mut index = 0;
    while index < inner.len() {
        if inner[index] != b'\\' {
            bytes.push(inner[index]);
            index += 1;
            continue;
        }
        let escaped = *inner.get(index + 1)?;
        index += 2;
        bytes.push(match escaped {
            b'n' => b'\n',
            b't' => b'\t',
            b'"' | b'\\' => escaped,
            b'0'..=b'3' => {
                let octal = std::str::from_utf8(inner.get(index - 1..index + 2)?).ok()?;
                index += 2;
                u8::from_str_radix(octal, 8).ok()?
            }
            _ => return None,
        });
    }
    Some(bytes)
}

/// A path that leads out of the repository.
#[derive(Debug, PartialEq, Eq)]
pub struct NotInRepository;

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.quoted())
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.quoted())
    }
}

impl From<&str> for RepoPath {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<PathBuf> for RepoPath {
    fn from(path: PathBuf) -> Self {
        Self(path.into_os_string().into_vec())
    }
}

impl Serialize for RepoPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.quoted())
    }
}

impl<'de> Deserialize<'de> for RepoPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::unquoted(&text).ok_or_else(|| serde::de::Error::custom("badly quoted path"))
    }
}

/// Path patterns. One without glob characters means that path and
/// everything under it; `*` and `?` stay within a component, `**` does not.
#[derive(Clone, Debug, Default)]
pub struct PathSet {
    patterns: Vec<String>,
    set: GlobSet,
}

impl PartialEq for PathSet {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl Eq for PathSet {}

impl PathSet {
    /// Compiles patterns that are already relative to the repository's top.
    pub fn parse(patterns: &[String]) -> Result<Self, String> {
        let mut builder = GlobSetBuilder::new();
        for pattern in patterns {
            let trimmed = check(pattern)?;
            let mut add = |glob: &str| -> Result<(), String> {
                let glob = GlobBuilder::new(glob).literal_separator(true).build();
                builder.add(glob.map_err(|error| format!("bad pattern `{pattern}`: {}", error.kind()))?);
                Ok(())
            };
            if is_glob(trimmed) {
                add(trimmed)?;
            } else if trimmed == "." {
                add("**")?;
            } else {
                // A brace that only closes is a character like any other.
                let plain = globset::escape(trimmed);
                add(&plain)?;
                add(&format!("{plain}/**"))?;
            }
        }
        let set = builder.build().map_err(|error| format!("bad patterns: {}", error.kind()))?;
        Ok(Self { patterns: patterns.to_vec(), set })
    }

    /// Whether any pattern matches `path`.
    pub fn contains(&self, path: &RepoPath) -> bool {
        self.set.is_match(path.as_path())
    }

    /// Whether there are no patterns at all.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The patterns as they were given.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }
}

/// Whether a pattern has glob characters.
pub fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', '{', '\\'])
}

fn check(pattern: &str) -> Result<&str, String> {
    let bad = |why: &str| Err(format!("bad pattern `{pattern}`: {why}"));
    let trimmed = pattern.trim_end_matches('/').trim_start_matches("./");
    if trimmed.is_empty() {
        return bad(if pattern.starts_with('/') { "it is absolute" } else { "it is empty" });
    }
    if pattern.starts_with('/') {
        return bad("it is absolute");
    }
    if pattern.starts_with('!') || pattern.starts_with(':') {
        return bad("`!` and `:` have no meaning here");
    }
    if pattern.contains('\0') || pattern.len() > 4_096 {
        return bad("it is no path");
    }
    if trimmed.split('/').any(|part| part == "..") {
        return bad("it leads out of the repository");
    }
    if trimmed.split('/').any(|part| part == ".git") {
        return bad("it names git's own files");
    }
    Ok(trimmed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_pattern_means_the_path_and_all_under_it() {
        for (pattern, path, hit) in [
            ("src/api", "src/api", true),
            ("src/api/", "src/api/auth/login.rs", true),
            ("src/api", "src/apiary.rs", false),
            ("*.rs", "lib.rs", true),
            ("*.rs", "src/lib.rs", false),
            ("**/*.rs", "src/a/lib.rs", true),
            ("src/{api,web}/**", "src/web/x", true),
            (".", "anything/at/all", true),
            ("a}b]", "a}b]/c", true),
        ] {
            let set = PathSet::parse(&[pattern.to_owned()]).unwrap();
            assert_eq!(set.contains(&RepoPath::from(path)), hit, "{pattern} on {path}");
        }
    }

    #[test]
    fn patterns_that_can_mean_no_good_are_refused() {
        for pattern in [
            "",
            "/",
            "/etc",
            "../x",
            "a/../../b",
            "[",
            "{a,b",
            "!x",
            ":(top)x",
            "a\0b",
            ".git",
            ".git/hooks",
            "a/.git",
        ] {
            assert!(PathSet::parse(&[pattern.to_owned()]).is_err(), "{pattern:?}");
        }
    }

    #[test]
    fn typed_paths_resolve_inside_the_repository() {
        for (prefix, typed, path) in [
            ("", "src/a.rs", Some("src/a.rs")),
            ("src/web", "../api/./x", Some("src/api/x")),
            ("src", "../..", None),
            ("", "/etc/passwd", None),
        ] {
            let resolved = RepoPath::resolve(Path::new(prefix), Path::new(typed)).ok();
            assert_eq!(resolved, path.map(RepoPath::from), "{prefix} {typed}");
        }
    }

    #[test]
    fn any_bytes_survive_quoting() {
        for bytes in [
            &b"src/a b.rs"[..],
            b"caf\xe9",
            b"\"quoted\"",
            b"new\nline\ttab",
            b"back\\slash",
            b"\x1b[31m",
            "é".as_bytes(),
        ] {
            let path = RepoPath::from_bytes(bytes);
            assert_eq!(RepoPath::unquoted(&path.quoted()), Some(path.clone()), "{path}");
            assert!(!path.quoted().chars().any(char::is_control));
        }
    }

    #[test]
    fn ancestors_end_at_the_top() {
        let path = RepoPath::from("a/b/c.rs");
        assert_eq!(path.ancestors().collect::<Vec<_>>(), [&b"a/b"[..], b"a", b""]);
        assert_eq!(RepoPath::from("c.rs").ancestors().collect::<Vec<_>>(), [b""]);
    }

    /// Bytes with many that mean something.
    fn odd_bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![any::<u8>(), proptest::sample::select(b"/.\"\\n\n\t\x1b\xe9ab".to_vec())];
        proptest::collection::vec(byte, 0..24)
    }

    proptest! {
        #[test]
        fn quoting_loses_nothing_and_shows_no_control(bytes in odd_bytes()) {
            let path = RepoPath::from_bytes(bytes);
            let text = path.quoted();
            assert!(!text.chars().any(char::is_control), "{text:?}");
            assert_eq!(RepoPath::unquoted(&text), Some(path.clone()));
            let json = serde_json::to_string(&path).unwrap();
            assert_eq!(serde_json::from_str::<RepoPath>(&json).unwrap(), path);
        }

        #[test]
        fn any_text_is_unquoted_or_refused(text in "\"?[a\\\\0-7nt\"é]{0,12}\"?") {
            if let Some(path) = RepoPath::unquoted(&text) {
                assert_eq!(RepoPath::unquoted(&path.quoted()), Some(path));
            }
        }

        #[test]
        fn what_is_typed_resolves_inside_or_not_at_all(prefix in "[a./]{0,8}", typed in "[ab./]{0,12}") {
            let found = RepoPath::resolve(Path::new(&prefix), Path::new(&typed));
            // The same walk, by hand.
            let mut parts = Vec::new();
            let mut inside = !prefix.starts_with('/') && !typed.starts_with('/');
            for part in prefix.split('/').chain(typed.split('/')) {
                match part {
                    "" | "." => {}
                    ".." => inside &= parts.pop().is_some(),
                    part => parts.push(part),
                }
            }
            assert_eq!(found.ok(), inside.then(|| RepoPath::from(parts.join("/").as_str())));
        }

        #[test]
        fn a_plain_pattern_holds_itself_and_what_lies_under(
            plain in "[^!:*?\\[{\\\\/.\0][^*?\\[{\\\\/.\0]{0,6}(/[^*?\\[{\\\\/.\0]{1,6}){0,2}",
        ) {
            let set = PathSet::parse(std::slice::from_ref(&plain)).unwrap();
            for (path, inside) in [("", true), ("/x", true), ("/x/y", true), ("x", false)] {
                assert_eq!(set.contains(&RepoPath::from(format!("{plain}{path}").as_str())), inside);
            }
            assert!(!set.contains(&RepoPath::from(format!("longer-than-any/{plain}").as_str())));
        }

        #[test]
        fn a_star_stays_in_its_component_and_two_do_not(
            parts in proptest::collection::vec("[ab]{1,2}", 1..5),
        ) {
            let path = RepoPath::from(parts.join("/").as_str());
            let stars = |star: &str| PathSet::parse(&[vec![star; parts.len()].join("/")]).unwrap();
            assert!(stars("*").contains(&path) && stars("**").contains(&path));
            let holds = |pattern: &str| PathSet::parse(&[pattern.to_owned()]).unwrap().contains(&path);
            assert_eq!(holds("*"), parts.len() == 1);
            assert_eq!(holds(&format!("*/{}", parts[parts.len() - 1])), parts.len() == 2);
            assert!(holds(&format!("**/{}", parts[parts.len() - 1])));
        }
    }
}
