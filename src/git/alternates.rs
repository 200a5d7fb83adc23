//! Where a repository borrows objects from: `info/alternates`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// So many are looked through; what further ones hold is not found.
const MAX_FOLDERS: usize = 256;

/// A folder of objects and those that it borrows from, and they from others;
/// each once, however they lead to one another.
pub(super) fn folders(objects: &Path) -> Vec<PathBuf> {
    let mut folders = vec![objects.canonicalize().unwrap_or_else(|_| objects.to_owned())];
    let mut at = 0;
    while let Some(folder) = folders.get(at).cloned() {
        for line in lines(&folder).iter().filter(|line| !line.starts_with(b"\"")) {
            if let Ok(next) = folder.join(OsStr::from_bytes(line)).canonicalize()
                && !folders.contains(&next)
                && folders.len() < MAX_FOLDERS
            {
                folders.push(next);
            }
        }
        at += 1;
    }
    folders
}

/// Whether git2 takes them for the same folders: it knows no quotes, and no
/// relative path that does not begin with a dot.
pub(super) fn are_plain(objects: &Path) -> bool {
    let is_plain = |line: &Vec<u8>| line.starts_with(b"/") || line.starts_with(b".");
    folders(objects).iter().all(|folder| lines(folder).iter().all(is_plain))
}

/// What a folder borrows from, as it is written there.
fn lines(objects: &Path) -> Vec<Vec<u8>> {
    let written = std::fs::read(objects.join("info/alternates")).unwrap_or_default();
    let lines = written.split(|byte| *byte == b'\n');
    lines.filter(|line| !line.is_empty() && !line.starts_with(b"#")).map(<[u8]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn borrowing(lines: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in lines {
            std::fs::create_dir_all(folder.path().join(name).join("info")).unwrap();
            std::fs::write(folder.path().join(name).join("info/alternates"), text).unwrap();
        }
        let top = folder.path().canonicalize().unwrap();
        (folder, top)
    }

    #[test]
    fn each_folder_is_found_once_wherever_it_is_told_of() {
        let (_guard, top) = borrowing(&[
            ("a", "# here\n\n../b\n../b/../b/.\n../nowhere\n\"../quoted\"\n"),
            ("b", "../a\n../c/\ninner"),
            ("c", "../../"),
            ("b/inner", ""),
        ]);
        let found = folders(&top.join("a"));
        let expected = ["a", "b", "c", "b/inner"].map(|name| top.join(name));
        assert_eq!(found[..3], expected[..3]);
        assert!(found.contains(&expected[3]));
        assert_eq!(folders(&top.join("nowhere")), [top.join("nowhere")]);
    }

    #[test]
    fn what_git2_would_take_for_another_folder_is_told() {
        for (lines, is_plain) in [
            (&[("a", "# \"x\"\n/somewhere\n./b\n../c\n")][..], true),
            (&[("a", "\"/somewhere\"\n")], false),
            (&[("a", "inner\n")], false),
            (&[("a", "../b\n"), ("b", "inner\n")], false),
        ] {
            let (_guard, top) = borrowing(lines);
            assert_eq!(are_plain(&top.join("a")), is_plain, "{lines:?}");
        }
    }
}
