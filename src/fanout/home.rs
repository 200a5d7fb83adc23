//! Whose home and temporary folder commands find: the user's, or for each
//! shard one of its own, empty at first and gone with it.
//!
//! **Invariant:** what one shard's command leaves in its home is never seen by
//! another.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::error::{IoContext, Result};
use crate::run::throwaway::Throwaway;
use crate::session::gone;

/// What says where programs put things, and the folder of a home that it gets.
const FOLDERS: [(&str, &str); 6] = [
    ("HOME", "home"),
    ("TMPDIR", "tmp"),
    ("XDG_CONFIG_HOME", "home/.config"),
    ("XDG_CACHE_HOME", "home/.cache"),
    ("XDG_DATA_HOME", "home/.local/share"),
    ("XDG_STATE_HOME", "home/.local/state"),
];

/// Empties a folder of one's own; what was run before may have locked parts of it.
const EMPTIED: &str = r#"apart=${GIT_ORCH_SHARD_FILES%/*}/apart
[ ! -e "$apart" ] || { chmod -R u+rwX "$apart" && rm -rf "$apart" || exit 70; }
"#;

/// Whose home commands find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Home {
    /// The user's.
    #[default]
    Callers,
    /// One of the shard's own.
    Own,
}

impl Home {
    /// The shard's own, where that is asked for.
    pub fn own_if(asked: bool) -> Self {
        if asked { Self::Own } else { Self::Callers }
    }

    /// The word that tells one from the other.
    pub fn word(self) -> &'static str {
        match self {
            Self::Callers => "caller's home",
            Self::Own => "own home",
        }
    }

    /// Makes it beside a throwaway; it is there for as long as what is given back.
    pub(super) fn make(self, throwaway: &Throwaway<'_>) -> Result<Option<Made>> {
        if self == Self::Callers {
            return Ok(None);
        }
        let made = Made(throwaway.beside());
        gone::clear(&made.0)?;
        for (_, folder) in FOLDERS {
            let folder = made.0.join(folder);
            DirBuilder::new().recursive(true).mode(0o700).create(&folder).doing("could not make", &folder)?;
        }
        Ok(Some(made))
    }

    /// What a shell does first, to have one on a machine where a shard's list of
    /// files lies in a folder that goes with it.
    pub(super) fn script(self) -> String {
        if self == Self::Callers {
            return String::new();
        }
        let mut text = EMPTIED.to_owned();
        for (name, folder) in FOLDERS {
            text.push_str(&format!("mkdir -p \"$apart/{folder}\"\nexport {name}=\"$apart/{folder}\"\n"));
        }
        text
    }

    /// The variables that lead there.
    pub(super) fn variables(self, throwaway: &Throwaway<'_>) -> Vec<(&'static str, PathBuf)> {
        match self {
            Self::Callers => Vec::new(),
            Self::Own => variables(&throwaway.beside()),
        }
    }
}

fn variables(top: &Path) -> Vec<(&'static str, PathBuf)> {
    FOLDERS.iter().map(|(name, folder)| (*name, top.join(folder))).collect()
}

/// A home that goes with this value.
#[derive(Debug)]
pub(super) struct Made(PathBuf);

impl Drop for Made {
    fn drop(&mut self) {
        // What can't be removed now is tried again with its throwaway, which tells of it.
        drop(gone::clear(&self.0));
    }
}
