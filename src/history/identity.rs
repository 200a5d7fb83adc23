//! Files under whatever name: a rename moves a file's record.
//!
//! Commits are taken in the order of time. What a commit renames counts as one
//! touch, of the new name; folders keep what was touched while it lay in them.

use super::log::{Logged, Rename};

/// No file.
const NONE: u32 = u32::MAX;

/// Which file each path is, as of the commits taken so far.
#[derive(Clone, Debug)]
pub struct Identities<'a> {
    /// By path.
    files: Vec<u32>,
    /// The path of each file.
    latest: Vec<u32>,
    renames: &'a [Rename],
}

impl<'a> Identities<'a> {
    /// None taken yet, of a log with so many paths and these renames.
    pub fn new(paths: usize, renames: &'a [Rename]) -> Self {
        Self { files: vec![NONE; paths], latest: Vec::new(), renames }
    }

    /// Takes a commit; the file of each of its changes, none for a name that it
    /// takes away for another.
    pub fn take(&mut self, commit: &Logged<'_>) -> Vec<Option<u32>> {
        let start = self.renames.partition_point(|one| one.commit < commit.position);
        let renames: Vec<Rename> =
            self.renames[start..].iter().take_while(|one| one.commit == commit.position).copied().collect();
        let moved: Vec<(u32, u32)> =
            renames.iter().map(|one| (self.files[one.from as usize], one.to)).collect();
        renames.iter().for_each(|one| self.files[one.from as usize] = NONE);
        for (file, to) in moved.into_iter().filter(|(file, _)| *file != NONE) {
            self.files[to as usize] = file;
            self.latest[file as usize] = to;
        }
        let is_left = |path: u32| {
            renames.iter().any(|one| one.from == path) && !renames.iter().any(|one| one.to == path)
        };
        let mut file = |path: u32| {
            if is_left(path) {
                return None;
            }
            if self.files[path as usize] == NONE {
                self.files[path as usize] = self.latest.len() as u32;
                self.latest.push(path);
            }
            Some(self.files[path as usize])
        };
        commit.paths.iter().map(|path| file(*path)).collect()
    }

    /// The file at a path.
    pub fn at(&self, path: u32) -> Option<u32> {
        self.files.get(path as usize).copied().filter(|file| *file != NONE)
    }

    /// The path where a file lies, unless another has taken its place.
    pub fn path(&self, file: u32) -> Option<u32> {
        let path = self.latest[file as usize];
        (self.at(path) == Some(file)).then_some(path)
    }

    /// How many files there were.
    pub fn len(&self) -> usize {
        self.latest.len()
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.latest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::log::testing::{log, mined};

    #[test]
    fn a_file_is_known_under_its_new_name() {
        let renamed = |number, paths: &[&str], pairs: &[(&str, &str)]| {
            let mut mined = mined(number, "a", paths);
            mined.renames = pairs.iter().map(|(from, to)| ((*from).into(), (*to).into())).collect();
            mined
        };
        let log = log(vec![
            mined(1, "a", &["x", "y"]),
            renamed(2, &["x", "z"], &[("x", "z")]),
            mined(3, "a", &["x", "z"]),
            renamed(4, &["y", "z"], &[("y", "z"), ("z", "y")]),
            renamed(5, &["gone", "w"], &[("gone", "w")]),
        ]);
        let mut identities = Identities::new(log.paths().len(), log.renames());
        let taken: Vec<Vec<Option<u32>>> =
            log.commits().iter().map(|commit| identities.take(commit)).collect();
        let [x, y, new, w] = [0, 1, 2, 3].map(Some);
        assert_eq!(taken, [vec![x, y], vec![None, x], vec![new, x], vec![x, y], vec![None, w]]);
        let path = |path: &str| log.find_path(&path.into()).unwrap();
        assert_eq!(identities.path(0), Some(path("y")));
        assert_eq!(identities.at(path("z")), y);
        assert_eq!((identities.at(path("gone")), identities.len()), (None, 4));
    }
}
