//! `git log --raw -z`, as mining reads it.

use git_orch::git::mine::parse_log;
use git_orch::model::{Author, Mined};

/// Commits that are read are read again from what git would print of them.
pub fn check(bytes: &[u8]) {
    let Ok(commits) = parse_log(bytes) else { return };
    let printed: Vec<u8> = commits.iter().flat_map(printed).collect();
    assert_eq!(parse_log(&printed).expect("commits read back"), commits);
    for commit in commits {
        assert!(commit.changes.is_sorted_by_key(|change| &change.path), "changes come by path");
        assert!(!commit.subject.contains('\n'));
    }
}

fn printed(commit: &Mined) -> Vec<u8> {
    let Mined { oid, time, author: Author { name, email }, subject, body, changes, .. } = commit;
    let message = format!("{subject}\n\n{body}");
    let mut printed = format!("\x01{oid}\0{}\0{name}\0{email}\0{message}\0\0\n", time.0).into_bytes();
    for change in changes {
        let facts = format!(":100644 100644 {oid} {oid} {}\0", change.status.letter());
        printed.extend([facts.as_bytes(), change.path.as_bytes(), b"\0"].concat());
    }
    printed
}
