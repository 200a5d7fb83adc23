//! What a change is, wherever it was made: git's patch ids.

use super::repo::Repo;
use crate::error::Result;
use crate::model::Oid;

/// The patch id of everything between two commits; `None` where that is nothing.
pub fn between(repo: &Repo, from: Oid, to: Oid) -> Result<Option<Oid>> {
    let range = [from.to_string(), to.to_string()];
    let ids = ids(repo, repo.git(DIFF).args(range).run()?)?;
    Ok(ids.first().map(|(patch, _)| *patch))
}

/// The same for many pairs of trees.
pub fn between_all(repo: &Repo, pairs: &[(Oid, Oid)]) -> Result<Vec<Option<Oid>>> {
    let differ = || pairs.iter().filter(|(from, to)| from != to);
    let list: String = differ().map(|(from, to)| format!("{from} {to}\n")).collect();
    if list.is_empty() {
        return Ok(vec![None; pairs.len()]);
    }
    let ids = ids(repo, repo.git(DIFF).args(["-r", "--stdin"]).stdin(list).run()?)?;
    // Each is named by its first tree, and those without a patch by none.
    let mut ids = ids.into_iter().peekable();
    let of = |(from, to): &(Oid, Oid)| {
        let is_next = from != to && ids.peek().is_some_and(|(_, tree)| tree == from);
        if is_next { ids.next().map(|(patch, _)| patch) } else { None }
    };
    Ok(pairs.iter().map(of).collect())
}

/// The patch ids of what each of these commits changed, with the commit; those
/// that changed nothing, and merges, have none.
pub fn of_commits(repo: &Repo, commits: &[Oid]) -> Result<Vec<(Oid, Oid)>> {
    let list: String = commits.iter().map(|oid| format!("{oid}\n")).collect();
    ids(repo, repo.git(DIFF).args(["--root", "--stdin"]).stdin(list).run()?)
}

const DIFF: [&str; 6] =
    ["diff-tree", "-p", "--no-ext-diff", "--no-textconv", "--full-index", "--ignore-submodules=none"];

fn ids(repo: &Repo, diff: Vec<u8>) -> Result<Vec<(Oid, Oid)>> {
    let text = repo.git(["patch-id", "--verbatim"]).stdin(diff).run()?;
    let pair = |line: &str| {
        let (patch, commit) = line.split_once(' ')?;
        Some((patch.parse().ok()?, commit.parse().ok()?))
    };
    Ok(String::from_utf8_lossy(&text).lines().filter_map(pair).collect())
}

/// How many lines are added and taken away between two commits; those of
/// binary files can't be told.
pub fn lines(repo: &Repo, from: Oid, to: Oid) -> Result<usize> {
    let args = ["diff-tree", "-r", "-z", "--numstat", "--no-ext-diff", "--no-textconv", "--no-renames"];
    let text = repo.git(args).args([from.to_string(), to.to_string()]).run()?;
    let count = |record: &[u8]| -> usize {
        let text = String::from_utf8_lossy(record);
        text.split('\t').take(2).filter_map(|number| number.parse::<usize>().ok()).sum()
    };
    Ok(text.split(|byte| *byte == 0).map(count).sum())
}
