//! `git log --raw -z`, as mining reads it.

use git_orch::git::mine::parse_log;
use git_orch::model::{Author, Mined, RepoPath, Status};

/// Commits that are read are read again from what git would print of them.
pub fn check(bytes: &[u8]) {
    let Ok(commits) = parse_log(bytes) else { return };
    let printed: Vec<u8> = commits.iter().flat_map(printed).collect();
    // Renames follow from contents, which are not kept and so not printed.
    let plain = |commit: Mined| Mined { renames: Vec::new(), ..commit };
    let again: Vec<Mined> = parse_log(&printed).expect("commits read back").into_iter().map(plain).collect();
    assert_eq!(again, commits.iter().cloned().map(plain).collect::<Vec<_>>());
    for commit in commits {
        for (from, to) in &commit.renames {
            let has = |path: &RepoPath, status| {
                commit.changes.iter().any(|one| one.path == *path && one.status == status)
            };
            assert!(has(from, Status::Deleted) && has(to, Status::Added), "{from} to {to}");
        }
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
