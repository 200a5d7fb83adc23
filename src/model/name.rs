//! The names that git-orch mints: sessions, tasks, jobs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest name, in bytes.
pub const MAX_NAME: usize = 63;

/// A name that is safe as a ref component, a directory and an argument:
/// `[a-z0-9][a-z0-9._-]*`, at most 63 bytes, no `..`, no final `.lock` or `.`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The slug of a task's text: `Fix login!` becomes `fix-login`; `None`
    /// where nothing is left of it.
    pub fn slug(text: &str) -> Option<Self> {
        let mut slug = String::new();
        for word in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
            if slug.len() + word.len() + 1 > 40 {
                break;
            }
            if !slug.is_empty() {
                slug.push('-');
            }
            slug.push_str(&word.to_ascii_lowercase());
        }
        slug.parse().ok()
    }

    /// This name with `-2`, `-3`… behind it, cut to stay a name.
    pub fn numbered(&self, number: u32) -> Self {
        let suffix = format!("-{number}");
        let stem = &self.0[..self.0.len().min(MAX_NAME - suffix.len())];
        Self(format!("{stem}{suffix}"))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no name.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAName(&'static str);

impl fmt::Display for NotAName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NotAName {}

impl FromStr for Name {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        if text.is_empty() {
            Err(NotAName("a name can't be empty"))
        } else if text.len() > MAX_NAME {
            Err(NotAName("a name has at most 63 characters"))
        } else if !text.chars().all(fits) {
            Err(NotAName("a name holds only a-z, 0-9, `.`, `_` and `-`"))
        } else if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            Err(NotAName("a name starts with a letter or a digit"))
        } else if text.contains("..") || text.ends_with('.') || text.ends_with(".lock") {
            Err(NotAName("a name holds no `..` and does not end in `.` or `.lock`"))
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_names_are_refused() {
        let long = "a".repeat(300);
        for text in [
            "",
            ".",
            "..",
            "-x",
            "--help",
            "a/b",
            "/a",
            "a/../b",
            "a.lock",
            "a..b",
            "@",
            "@{-1}",
            "HEAD",
            "refs/heads/x",
            "a:b",
            "a b",
            "a\tb",
            "a\nb",
            "a\0b",
            "\u{1b}",
            "\u{7f}",
            "\u{202e}x",
            "\u{200b}",
            "é",
            "🦀",
            "Aa",
            "$(id)",
            "`id`",
            ";",
            "~",
            ".x",
            "x.",
            &long,
        ] {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
        }
        for text in ["a", "backend", "fix-login-2", "0.1", "a_b", &"a".repeat(63)] {
            assert_eq!(text.parse::<Name>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_slug_keeps_what_can_be_a_name() {
        for (text, slug) in [
            ("fix login", Some("fix-login")),
            ("  Fix: the LOGIN!  ", Some("fix-the-login")),
            ("--output=x", Some("output-x")),
            ("修复登录", None),
            ("", None),
            (
                "refactor the whole authentication and session subsystem",
                Some("refactor-the-whole-authentication-and"),
            ),
        ] {
            assert_eq!(Name::slug(text).as_ref().map(Name::as_str), slug, "{text}");
        }
    }

    #[test]
    fn a_numbered_name_stays_a_name() {
        let name: Name = "a".repeat(63).parse().unwrap();
        assert_eq!(name.numbered(12).as_str().len(), 63);
        assert_eq!("fix".parse::<Name>().unwrap().numbered(2).as_str(), "fix-2");
    }

    proptest! {
        #[test]
        fn whatever_is_made_of_a_text_is_a_name(
            text in "\\PC{0,80}|[a-z0-9._ -]{0,90}|[a-z0-9][a-z0-9._-]{0,62}", number: u32,
        ) {
            if let Some(slug) = Name::slug(&text) {
                assert_eq!(slug.as_str().parse().as_ref(), Ok(&slug));
                assert_eq!(Name::slug(slug.as_str()), Some(slug.clone()));
                assert_eq!(slug.numbered(number).as_str().parse(), Ok(slug.numbered(number)));
            }
            if let Ok(name) = text.parse::<Name>() {
                assert_eq!(name.numbered(number).as_str().parse(), Ok(name.numbered(number)));
                // Git's own rule for a component of a ref.
                assert!(git2::Reference::is_valid_name(&format!("refs/heads/orch/{name}")));
            }
        }
    }
}
