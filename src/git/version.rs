//! Which version git has, kept beside the repository: asking takes a process.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The version that a program had when it was asked last, if it is the same file still.
pub(super) fn recall(file: &Path, program: &Path) -> Option<(u32, u32)> {
    let text = std::fs::read_to_string(file).ok()?;
    let (version, rest) = text.strip_suffix('\n')?.split_once(' ')?;
    let (major, minor) = version.split_once('.')?;
    (rest == identity(program)?).then_some((major.parse().ok()?, minor.parse().ok()?))
}

/// Keeps it; where it can't be, git is asked again.
pub(super) fn keep(file: &Path, program: &Path, (major, minor): (u32, u32)) {
    if let Some(identity) = identity(program) {
        drop(std::fs::write(file, format!("{major}.{minor} {identity}\n")));
    }
}

/// What changes with the program. What a script starts can be another one each time.
fn identity(program: &Path) -> Option<String> {
    let mut start = [0; 2];
    File::open(program).ok()?.read_exact(&mut start).ok()?;
    let meta = program.metadata().ok().filter(|_| &start != b"#!")?;
    let (size, changed) = (meta.size(), (meta.ctime(), meta.ctime_nsec()));
    Some(format!("{}:{} {size} {}.{:09} {}", meta.dev(), meta.ino(), changed.0, changed.1, program.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_holds_for_the_file_that_told_it() {
        let folder = tempfile::tempdir().unwrap();
        let (file, program) = (folder.path().join("version"), folder.path().join("git"));
        assert_eq!(recall(&file, &program), None);
        std::fs::write(&program, "\x7fELF").unwrap();
        keep(&file, &program, (2, 50));
        assert_eq!(recall(&file, &program), Some((2, 50)));
        std::fs::write(&program, "\x7fELF, another one").unwrap();
        assert_eq!(recall(&file, &program), None);
        for odd in ["", "2.50", "2.50 x\n", "2.x y\n"] {
            std::fs::write(&file, odd).unwrap();
            assert_eq!(recall(&file, &program), None);
        }
        std::fs::write(&program, "#!/bin/sh\nexec git-2.50\n").unwrap();
        keep(&file, &program, (2, 50));
        assert_eq!(recall(&file, &program), None);
    }
}
