//! The folders above the paths of a log.

use std::collections::HashMap;

use crate::model::Strings;
use crate::model::path::ancestors;

/// The folders of all paths, by position; the top is the first.
pub struct Folders<'a> {
    names: Vec<&'a [u8]>,
    /// The folder above each; the top is its own.
    above: Vec<u32>,
    /// The folder of each path.
    of: Vec<u32>,
    positions: HashMap<&'a [u8], u32>,
}

impl<'a> Folders<'a> {
    /// The top of the repository.
    pub const TOP: u32 = 0;

    /// Those above these paths.
    pub fn new(paths: &'a Strings) -> Self {
        let positions = HashMap::from([(&b""[..], Self::TOP)]);
        let mut folders = Self { names: vec![b""], above: vec![Self::TOP], of: Vec::new(), positions };
        for path in paths.iter() {
            let above: Vec<&[u8]> = ancestors(path).collect();
            let missing = above.iter().take_while(|folder| !folders.positions.contains_key(*folder)).count();
            for folder in above[..missing].iter().rev() {
                let parent = ancestors(folder).next().and_then(|parent| folders.positions.get(parent));
                folders.above.push(parent.copied().unwrap_or(Self::TOP));
                folders.positions.insert(folder, folders.names.len() as u32);
                folders.names.push(folder);
            }
            folders.of.push(above.first().map_or(Self::TOP, |folder| folders.positions[folder]));
        }
        folders
    }

    /// Its path.
    pub fn name(&self, folder: u32) -> &'a [u8] {
        self.names[folder as usize]
    }

    /// The folder of this name.
    pub fn find(&self, name: &[u8]) -> Option<u32> {
        self.positions.get(name).copied()
    }

    /// The folder of a path, the one above, and so on to the top.
    pub fn above(&self, path: u32) -> impl Iterator<Item = u32> {
        let first = self.of[path as usize];
        let next = |folder: &u32| (*folder != Self::TOP).then(|| self.above[*folder as usize]);
        std::iter::successors(Some(first), next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_found_up_to_the_top() {
        let paths: Strings = [&b"a/b/c"[..], b"a/d", b"e", b"a/b/f/g"].into_iter().collect();
        let folders = Folders::new(&paths);
        let names = |path| folders.above(path).map(|folder| folders.name(folder)).collect::<Vec<_>>();
        assert_eq!(names(0), [&b"a/b"[..], b"a", b""]);
        assert_eq!(names(2), [b""]);
        assert_eq!(names(3), [&b"a/b/f"[..], b"a/b", b"a", b""]);
        assert_eq!((folders.find(b"a/b/f"), folders.find(b"e")), (Some(3), None));
    }
}
