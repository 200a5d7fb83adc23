//! The topic branches that were merged into a history, with the commits that
//! each of them brought.

use std::collections::{HashMap, HashSet};

use super::repo::Repo;
use crate::error::Result;
use crate::model::{Oid, Time};

/// A branch that was merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The merge.
    pub merge: Oid,
    /// Its committer time.
    pub time: Time,
    /// Its own line of what the first parent did not have, newest first; merges too.
    pub commits: Vec<Oid>,
}

struct Node {
    time: Time,
    parents: Vec<Oid>,
}

/// The branches that were merged into the history of `tip`, and those that had
/// been merged into such a branch before; merges of several at once are passed over.
///
/// # Errors
/// Unusable where git can't walk the history.
pub fn topics(repo: &Repo, tip: Oid) -> Result<Vec<Topic>> {
    let args = ["rev-list", "--parents", "--timestamp"];
    let output = repo.git(args).args([tip.to_string(), "--".to_owned()]).run()?;
    let text = String::from_utf8_lossy(&output);
    let nodes: HashMap<Oid, Node> = text.lines().filter_map(node).collect();
    let mut reached = HashSet::new();
    let mut topics = Vec::new();
    let mut lines: Vec<(Option<Oid>, Oid)> = vec![(None, tip)];
    while let Some((merge, tip)) = lines.pop() {
        let mut line = Vec::new();
        let mut next = Some(tip);
        while let Some((oid, node)) = next.and_then(|oid| nodes.get_key_value(&oid))
            && reached.insert(*oid)
        {
            line.push(*oid);
            // From the newest on, so that the oldest merge's is taken up next.
            if let [_, sides @ ..] = &node.parents[..] {
                let merge = (sides.len() == 1).then_some(*oid);
                lines.extend(sides.iter().map(|side| (merge, *side)));
            }
            next = node.parents.first().copied();
        }
        if let Some((merge, node)) = merge.and_then(|merge| nodes.get_key_value(&merge))
            && !line.is_empty()
        {
            topics.push(Topic { merge: *merge, time: node.time, commits: line });
        }
    }
    Ok(topics)
}

/// `TIME OID PARENT…`
fn node(line: &str) -> Option<(Oid, Node)> {
    let mut words = line.split(' ');
    let time = Time(words.next()?.parse().ok()?);
    let oid = words.next()?.parse().ok()?;
    Some((oid, Node { time, parents: words.filter_map(|word| word.parse().ok()).collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::mine::testing::{Scratch, commit};

    #[test]
    fn a_merge_brings_the_line_that_its_first_parent_had_not() {
        let scratch = Scratch::new();
        // main is 1 - 2 - 7 - 9. The topic 3 - 5 - 6, which 7 merges, has merged 4
        // in 5; 8, which 9 merges, has merged main's 7 before: that is no topic's.
        let commits = [
            commit(1, &[], ""),
            commit(2, &[1], ""),
            commit(3, &[1], ""),
            commit(4, &[3], ""),
            commit(5, &[3, 4], ""),
            commit(6, &[5], ""),
            commit(7, &[2, 6], ""),
            commit(8, &[3, 7], ""),
            commit(9, &[7, 8], ""),
        ];
        scratch.import(&commits.concat());
        let found = topics(&scratch.repo(), scratch.oid("main")).unwrap();
        let of = |merge: &str, commits: &[&str]| {
            let commits: Vec<Oid> = commits.iter().map(|commit| scratch.oid(commit)).collect();
            (scratch.oid(merge), commits)
        };
        let expected = [
            of("main~1", &["main~1^2", "main~1^2~1", "main~1^2~2"]),
            of("main~1^2~1", &["main~1^2~1^2"]),
            of("main", &["main^2"]),
        ];
        assert_eq!(found.into_iter().map(|one| (one.merge, one.commits)).collect::<Vec<_>>(), expected);
    }
}
