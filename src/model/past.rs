//! Past commits and present files, as prediction from a task's words reads them.

use super::Time;

/// The words of past commits and the paths they changed.
///
/// **Invariant:** `exists` is as long as `paths`; a commit's `paths` are positions in it.
#[derive(Clone, Debug, Default)]
pub struct Past<'a> {
    /// Every path that exists or that a commit changed.
    pub paths: Vec<&'a [u8]>,
    /// For each of them, whether the file exists now.
    pub exists: Vec<bool>,
    /// The commits, oldest first.
    pub commits: Vec<PastCommit<'a>>,
}

/// A past commit: its words, its paths, whose it is.
#[derive(Clone, Debug)]
pub struct PastCommit<'a> {
    /// Its committer time.
    pub time: Time,
    /// The first line of its message.
    pub subject: &'a str,
    /// What it changed, as positions in [`Past::paths`].
    pub paths: &'a [u32],
    /// The sessions it belongs to, as positions in [`super::Profiles::sessions`],
    /// each with its share of the commit; the shares add up to 1 at most.
    pub owners: Vec<(u16, f32)>,
}

impl<'a> Past<'a> {
    /// The files that exist now.
    pub fn files(&self) -> impl Iterator<Item = &'a [u8]> {
        self.paths.iter().zip(&self.exists).filter(|(_, exists)| **exists).map(|(path, _)| *path)
    }
}
