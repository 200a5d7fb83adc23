//! What a history got since some commit, at some of its files.

use super::Repo;
use crate::error::Result;
use crate::model::{Oid, RepoPath};

/// The commits that `tip` has and none of `hidden`, newest first and no more
/// than `most`; merges are left out. With paths only those that changed
/// something at one of them, or below it.
pub fn since(repo: &Repo, hidden: &[Oid], tip: Oid, paths: &[RepoPath], most: usize) -> Result<Vec<Oid>> {
    if hidden.contains(&tip) {
        return Ok(Vec::new());
    }
    let command = repo.git(["rev-list", "--no-merges", "--ignore-missing"]);
    let command = command.args([format!("--max-count={most}"), tip.to_string()]);
    let command = command.args(hidden.iter().map(|oid| format!("^{oid}"))).args(["--"]);
    let everywhere = paths.iter().any(|path| path.as_bytes().is_empty());
    let paths = paths.iter().filter(|_| !everywhere).map(|path| path.as_path());
    let listed = command.args(paths).env("GIT_LITERAL_PATHSPECS", "1").run()?;
    Ok(String::from_utf8_lossy(&listed).lines().filter_map(|line| line.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::mine::testing::{Scratch, commit, file};

    #[test]
    fn commits_are_told_by_what_they_changed_and_what_is_known() {
        let scratch = Scratch::new();
        let commits = [
            commit(1, &[], &file("a", 1)),
            commit(2, &[1], &file("b/c", 2)),
            commit(3, &[1], &file("*", 3)),
            commit(4, &[2, 3], &file("*", 3)),
            commit(5, &[4], &file("a", 5)),
        ];
        scratch.import(&commits.concat());
        let (repo, tip) = (scratch.repo(), scratch.oid("main"));
        let found = |hidden: &[&str], paths: &[&str], most: usize| {
            let hidden: Vec<Oid> = hidden.iter().map(|revision| scratch.oid(revision)).collect();
            let paths: Vec<RepoPath> = paths.iter().map(|path| RepoPath::from(*path)).collect();
            let found = since(&repo, &hidden, tip, &paths, most).unwrap();
            found.iter().map(|oid| repo.read().commit(*oid).unwrap().time.0).collect::<Vec<_>>()
        };
        assert_eq!(found(&[], &[], 9), [5, 3, 2, 1]);
        assert_eq!(found(&["main~1^2"], &[], 9), [5, 2]);
        assert_eq!(found(&[], &["a"], 9), [5, 1]);
        assert_eq!(found(&["main~2"], &["a"], 9), [5]);
        assert_eq!(found(&[], &["b"], 9), [2]);
        assert_eq!(found(&[], &["*"], 9), [3]);
        assert_eq!(found(&[], &["a", ""], 2), [5, 3]);
        assert_eq!(found(&["main"], &["a"], 9), [] as [i64; 0]);
    }
}
