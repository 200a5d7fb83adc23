//! Files and folders deleted for good.
//!
//! What goes is renamed first, so that nothing that a killed process left half
//! deleted bears its name; whoever does so has it in the journal.
//!
//! **Invariant:** links are not followed.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, IoContext, Result};

/// What the names of things that are being deleted begin with; no session or
/// task is called so.
const GONE: &str = ".gone-";

/// Deletes a file or folder, also what a killed process left of it. What can't
/// be deleted bears its name again, for whoever looks for what is there.
pub fn delete(path: &Path) -> Result<()> {
    let aside = put_aside(path)?;
    clear(&aside).map_err(|error| {
        drop(std::fs::rename(&aside, path));
        Error { message: format!("could not remove `{}`", path.display()), ..error }
    })
}

/// Gives something the name that it has while it is deleted.
pub fn put_aside(path: &Path) -> Result<PathBuf> {
    let aside = aside(path);
    if path.symlink_metadata().is_ok() {
        clear(&aside)?;
        std::fs::rename(path, &aside).doing("could not rename", path)?;
    }
    Ok(aside)
}

/// Whether something is still there under that name.
pub fn is_aside(path: &Path) -> bool {
    aside(path).symlink_metadata().is_ok()
}

/// Whether something is called so while it is deleted.
pub fn is_name_aside(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(GONE.as_bytes())
}

fn aside(path: &Path) -> PathBuf {
    let mut name = OsStr::new(GONE).to_owned();
    name.push(path.file_name().unwrap_or_default());
    path.with_file_name(name)
}

/// Deletes what was put aside.
pub fn clear(aside: &Path) -> Result<()> {
    let Ok(meta) = aside.symlink_metadata() else { return Ok(()) };
    if !meta.is_dir() {
        return std::fs::remove_file(aside).doing("could not remove", aside);
    }
    if std::fs::remove_dir_all(aside).is_err() {
        // A folder without write permission keeps what is in it.
        loosen(aside);
        std::fs::remove_dir_all(aside).doing("could not remove", aside)?;
    }
    Ok(())
}

fn loosen(folder: &Path) {
    // What can't be loosened is reported by the removal that follows.
    drop(std::fs::set_permissions(folder, PermissionsExt::from_mode(0o700)));
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            loosen(&entry.path());
        }
    }
}

/// The folders that processes of this machine work in, where that can be told.
pub fn lived_in() -> Vec<PathBuf> {
    let processes = Path::new("/proc").read_dir().into_iter().flatten().flatten();
    processes.filter_map(|process| std::fs::read_link(process.path().join("cwd")).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_folder_goes_and_what_its_links_lead_to_stays() {
        let top = tempfile::tempdir().unwrap();
        let (kept, folder) = (top.path().join("kept"), top.path().join("folder"));
        std::fs::create_dir_all(folder.join("inside")).unwrap();
        std::fs::create_dir(&kept).unwrap();
        std::fs::write(kept.join("file"), "kept").unwrap();
        std::fs::write(folder.join("inside/file"), "goes").unwrap();
        std::os::unix::fs::symlink(&kept, folder.join("inside/link")).unwrap();
        std::os::unix::fs::symlink(&kept, top.path().join("link")).unwrap();
        std::fs::set_permissions(folder.join("inside"), PermissionsExt::from_mode(0o500)).unwrap();
        delete(&folder).unwrap();
        delete(&folder).unwrap();
        delete(&top.path().join("link")).unwrap();
        assert_eq!(std::fs::read(kept.join("file")).unwrap(), b"kept");
        assert_eq!(top.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn what_was_left_half_deleted_goes_too() {
        let top = tempfile::tempdir().unwrap();
        for name in [".gone-folder", "folder"] {
            std::fs::create_dir_all(top.path().join(name).join("inside")).unwrap();
        }
        delete(&top.path().join("folder")).unwrap();
        assert_eq!(top.path().read_dir().unwrap().count(), 0);
    }
}
