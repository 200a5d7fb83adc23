//! What a commit did to which path.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Oid, RepoPath, Time};

/// What happened to a path, in git's letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Added.
    #[serde(rename = "A")]
    Added,
    /// Modified.
    #[serde(rename = "M")]
    Modified,
    /// Deleted.
    #[serde(rename = "D")]
    Deleted,
    /// Type changed: file, link, submodule.
    #[serde(rename = "T")]
    TypeChanged,
}

impl Status {
    /// Git's letter.
    pub fn letter(self) -> char {
        match self {
            Self::Added => 'A',
            Self::Modified => 'M',
            Self::Deleted => 'D',
            Self::TypeChanged => 'T',
        }
    }

    /// Reads git's letter.
    pub fn from_letter(letter: u8) -> Option<Self> {
        Some(match letter {
            b'A' => Self::Added,
            b'M' => Self::Modified,
            b'D' => Self::Deleted,
            b'T' => Self::TypeChanged,
            _ => return None,
        })
    }
}

/// One changed path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Change {
    /// What happened.
    pub status: Status,
    /// To which path.
    pub path: RepoPath,
}

/// Who made a commit, as the commit says.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

/// Names and parts of addresses that programs commit under.
const BOTS: [&str; 9] = [
    "dependabot",
    "renovate",
    "github actions",
    "github-actions",
    "github",
    "weblate",
    "greenkeeper",
    "snyk-bot",
    "pre-commit-ci",
];

impl Author {
    /// One position for all that are one person: one address, or one full name.
    pub fn one_each(authors: &[Self]) -> Vec<u32> {
        let (mut addresses, mut full_names) = (HashMap::new(), HashMap::new());
        let one = |(position, author): (u32, &Self)| {
            let by_address = *addresses.entry(author.email.to_lowercase()).or_insert(position);
            let name = author.name.trim().to_lowercase();
            if name.contains(' ') { *full_names.entry(name).or_insert(by_address) } else { by_address }
        };
        (0..).zip(authors).map(one).collect()
    }

    /// Whether a program, not a person, commits under this name, as far as
    /// names tell.
    pub fn is_bot(&self) -> bool {
        let name = self.name.to_lowercase();
        let local = self.email.to_lowercase();
        let local = local.split('@').next().unwrap_or_default().rsplit('+').next().unwrap_or_default();
        let is_bot = |text: &str| {
            text.ends_with("[bot]")
                || BOTS.contains(&text)
                || text.rsplit(|c: char| !c.is_alphanumeric()).next() == Some("bot")
        };
        is_bot(&name) || is_bot(local)
    }
}

impl std::fmt::Display for Author {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} <{}>", self.name, self.email)
    }
}

/// A mined commit: who changed which paths when. Merges are never mined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mined {
    /// The commit.
    pub oid: Oid,
    /// Its committer time.
    pub time: Time,
    /// Its author.
    pub author: Author,
    /// The first line of its message.
    pub subject: String,
    /// The rest of its message, cut where it is long.
    pub body: String,
    /// What it changed against its parent, by path.
    pub changes: Vec<Change>,
    /// Files that it gave another name, from where to where, by the new one;
    /// each is among the changes as a deletion and an addition.
    pub renames: Vec<(RepoPath, RepoPath)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_people() {
        for (name, email, bot) in [
            ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com", true),
            ("Renovate Bot", "renovate@whitesourcesoftware.com", true),
            ("k8s-ci-robot", "k8s-ci-robot@users.noreply.github.com", false),
            ("GitHub", "noreply@github.com", true),
            ("Release", "release-bot@example.com", true),
            ("Ann Abbot", "abbot@example.com", false),
            ("", "", false),
        ] {
            let author = Author { name: name.to_owned(), email: email.to_owned() };
            assert_eq!(author.is_bot(), bot, "{author}");
        }
    }
}
