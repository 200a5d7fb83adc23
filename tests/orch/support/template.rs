//! Files kept in memory, to be written again and again.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders and files, a folder before what is in it.
pub(crate) struct Template(Vec<(PathBuf, Option<Vec<u8>>)>);

impl Template {
    /// Everything below a folder; there may be folders and plain files.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut template = Self(Vec::new());
        template.add(folder, Path::new(""));
        template
    }

    fn add(&mut self, top: &Path, inside: &Path) {
        for entry in fs::read_dir(top.join(inside)).unwrap() {
            let entry = entry.unwrap();
            let path = inside.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                self.0.push((path.clone(), None));
                self.add(top, &path);
            } else {
                self.0.push((path, Some(fs::read(entry.path()).unwrap())));
            }
        }
    }

    /// Writes it all to a folder.
    pub(crate) fn copy(&self, folder: &Path) {
        for (path, content) in &self.0 {
            match content {
                Some(content) => fs::write(folder.join(path), content).unwrap(),
                None => fs::create_dir(folder.join(path)).unwrap(),
            }
        }
    }
}
