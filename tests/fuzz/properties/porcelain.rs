//! What git children print, at the mercy of file names and other processes.

use git_orch::git::porcelain;
use git_orch::model::Oid;

/// The bytes are tried as the output of each command; what is read is written
/// in git's form and read again.
pub fn check(bytes: &[u8]) {
    let records = bytes.split(|byte| *byte == 0).count();
    assert!(porcelain::paths(bytes).len() <= records);
    assert!(porcelain::status(bytes).map_or(0, |paths| paths.len()) <= records);
    assert!(porcelain::settings(bytes).len() <= records);
    assert!(porcelain::staged(bytes).map_or(0, |staged| staged.len()) <= records);
    if let Some((tree, paths)) = porcelain::merge_tree(bytes) {
        let printed = paths.iter().fold(format!("{tree}\0").into_bytes(), |mut printed, path| {
            printed.extend([path.as_bytes(), b"\0"].concat());
            printed
        });
        assert_eq!(porcelain::merge_tree(&printed), Some((tree, paths)));
    }
    differences(bytes);
    listing(bytes);
    objects(bytes);
    if let Ok(oid) = porcelain::oid(bytes) {
        assert_eq!(porcelain::oid(oid.to_string().as_bytes()).ok(), Some(oid));
    }
    let _ = porcelain::commit(Oid::from_bytes(&[1; 20]).expect("20 bytes are an id"), bytes);
}

fn differences(bytes: &[u8]) {
    let Ok(edits) = porcelain::differences(bytes) else { return };
    let record = |edit: &git_orch::git::Edit| {
        let (mode, oid) =
            edit.now.map_or_else(|| (0, "0".repeat(40)), |(kind, oid)| (kind.mode(), oid.to_string()));
        let facts = format!(":100644 {mode:06o} {oid} {oid} {}\0", edit.change.status.letter());
        [facts.as_bytes(), edit.change.path.as_bytes(), b"\0"].concat()
    };
    let printed: Vec<u8> = edits.iter().flat_map(record).collect();
    assert_eq!(porcelain::differences(&printed).expect("differences read back"), edits);
}

fn listing(bytes: &[u8]) {
    let Ok(entries) = porcelain::listing(bytes) else { return };
    let record = |entry: &git_orch::git::Entry| {
        let head = format!("{:06o} blob {}\t", entry.kind.mode(), entry.oid);
        [head.as_bytes(), entry.name.as_bytes(), b"\0"].concat()
    };
    let printed: Vec<u8> = entries.iter().flat_map(record).collect();
    assert_eq!(porcelain::listing(&printed).expect("entries read back"), entries);
}

fn objects(bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok(object) = porcelain::next_object(&mut rest) {
        assert!(rest.len() < bytes.len(), "an answer is taken off");
        let Some((_, body)) = object else { continue };
        assert!(bytes.windows(body.len().max(1)).any(|window| window.starts_with(&body)));
    }
}
