//! What a commit did to which path.

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
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
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
