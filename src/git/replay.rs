//! Commits made anew on top of another one, in memory, as a rebase would.
//!
//! **Invariant:** authors, their times and messages stay; a commit that is where
//! it shall be already stays as it is.

use super::merge::{self, Merged};
use super::repo::Repo;
use crate::error::Result;
use crate::model::{Oid, RepoPath};

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replayed {
    /// Each commit and what it became, oldest first; those that change nothing
    /// any more are left out.
    Clean(Vec<(Oid, Oid)>),
    /// Paths that a commit and what lies below it now changed in ways that do not fit.
    Conflict(Vec<RepoPath>),
    /// One of them is a merge, and what that decided is in no patch.
    Merge(Oid),
}

/// Makes commits, oldest first, anew on top of `onto`.
pub fn replay(repo: &Repo, commits: &[Oid], onto: Oid) -> Result<Replayed> {
    let committer = repo.git(["var", "GIT_COMMITTER_IDENT"]).line()?;
    let mut made = Vec::new();
    let mut tip = onto;
    for oid in commits {
        let commit = repo.read().commit(*oid)?;
        let parent = match commit.parents[..] {
            [parent] => parent,
            _ => return Ok(Replayed::Merge(*oid)),
        };
        if parent == tip {
            tip = *oid;
            made.push((*oid, tip));
            continue;
        }
        let tree = match merge::combine_since(repo, parent, tip, *oid)? {
            Merged::Clean(tree) => tree,
            Merged::Conflict(paths) => return Ok(Replayed::Conflict(paths)),
        };
        let was_empty = repo.read().commit(parent)?.tree == commit.tree;
        if tree == repo.read().commit(tip)?.tree && !was_empty {
            continue;
        }
        let raw = repo.git(["cat-file", "commit"]).args([oid.to_string()]).run()?;
        tip = repo.write().write_commit(&rewritten(&raw, tree, &[tip], &committer))?;
        made.push((*oid, tip));
    }
    Ok(Replayed::Clean(made))
}

/// A commit with another tree, other parents and committer; its signature, which
/// would hold no more, goes.
fn rewritten(raw: &[u8], tree: Oid, parents: &[Oid], committer: &str) -> Vec<u8> {
    let end = raw.windows(2).position(|two| two == b"\n\n").map_or(raw.len(), |end| end + 1);
    let (header, message) = raw.split_at(end);
    let mut text = format!("tree {tree}\n").into_bytes();
    for parent in parents {
        text.extend(format!("parent {parent}\n").bytes());
    }
    let stays = |line: &&[u8]| line.starts_with(b"author ") || line.starts_with(b"encoding ");
    for line in header.split_inclusive(|byte| *byte == b'\n').filter(stays) {
        text.extend(line);
        if line.starts_with(b"author ") {
            text.extend(format!("committer {committer}\n").bytes());
        }
    }
    text.extend(message);
    text
}

/// Who wrote a commit and when, as its header has it.
pub fn author(repo: &Repo, commit: Oid) -> Result<Vec<u8>> {
    let raw = repo.git(["cat-file", "commit"]).args([commit.to_string()]).run()?;
    let line = raw.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"author "));
    Ok(line.unwrap_or_default().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::mine::testing::{Scratch, commit};

    fn subjects(repo: &Repo, commits: &[Oid]) -> Vec<String> {
        commits.iter().map(|oid| repo.read().commit(*oid).unwrap().subject().to_owned()).collect()
    }

    #[test]
    fn a_header_is_made_anew_and_the_message_stays() {
        let raw =
            b"tree 1\nparent 2\nauthor A <a@b> 7 +0100\ncommitter C <c@d> 8 +0000\nencoding ISO-8859-1\n\
            gpgsig -----BEGIN\n author X\n -----END\n\nsubject\n\ngpgsig in the text\n";
        let (tree, parent) = ("a".repeat(40).parse().unwrap(), "b".repeat(40).parse().unwrap());
        let made = String::from_utf8(rewritten(raw, tree, &[parent], "N <n@o> 9 +0000")).unwrap();
        let expected = format!(
            "tree {tree}\nparent {parent}\nauthor A <a@b> 7 +0100\ncommitter N <n@o> 9 +0000\n\
             encoding ISO-8859-1\n\nsubject\n\ngpgsig in the text\n"
        );
        assert_eq!(made, expected);
    }

    #[test]
    fn commits_go_on_top_of_another_and_stay_where_they_are_there_already() {
        let scratch = Scratch::new();
        for (key, value) in [("user.name", "N"), ("user.email", "n@o.p")] {
            scratch.git(&["config", key, value], b"");
        }
        // main is 1 - 2; the topic 3 - 4 began at 1.
        let at = |path: &str, text: &str| format!("M 100644 inline {path}\ndata <<E\n{text}\nE\n");
        scratch.import(
            &[
                commit(1, &[], &at("a", "one")),
                commit(2, &[1], &at("b", "two")),
                commit(3, &[1], &at("c", "three")),
                commit(4, &[3], &at("a", "four")),
                commit(5, &[2, 4], ""),
            ]
            .concat(),
        );
        let repo = scratch.repo();
        let [two, three, four] = ["main^1", "main^2^1", "main^2"].map(|revision| scratch.oid(revision));
        let Replayed::Clean(pairs) = replay(&repo, &[three, four], two).unwrap() else { panic!() };
        let (old, made): (Vec<Oid>, Vec<Oid>) = pairs.into_iter().unzip();
        assert_eq!(old, [three, four]);
        assert_eq!(subjects(&repo, &made), subjects(&repo, &[three, four]));
        assert_eq!(repo.read().commit(made[0]).unwrap().parents, [two]);
        let tree = repo.read().commit(made[1]).unwrap().tree;
        let files = repo.read().tracked(tree).unwrap().into_iter().map(|entry| entry.name.quoted());
        assert_eq!(files.collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(
            replay(&repo, &made, two).unwrap(),
            Replayed::Clean(made.iter().map(|oid| (*oid, *oid)).collect())
        );
        assert_eq!(
            replay(&repo, &[three], made[1]).unwrap(),
            Replayed::Clean(Vec::new()),
            "it is there already"
        );
        assert_eq!(replay(&repo, &[scratch.oid("main")], two).unwrap(), Replayed::Merge(scratch.oid("main")));
    }
}
