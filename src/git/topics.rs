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
    /// What it brought that its first parent did not have, in no order; merges too.
    pub commits: Vec<Oid>,
}

struct Node {
    time: Time,
    parents: Vec<Oid>,
}

/// The branches that the first parents of `tip` merged, oldest merge first;
/// merges of several at once are passed over.
///
/// # Errors
/// Unusable where git can't walk the history.
pub fn topics(repo: &Repo, tip: Oid) -> Result<Vec<Topic>> {
    let args = ["rev-list", "--parents", "--timestamp"];
    let output = repo.git(args).args([tip.to_string(), "--".to_owned()]).run()?;
    let text = String::from_utf8_lossy(&output);
    let nodes: HashMap<Oid, Node> = text.lines().filter_map(node).collect();
    let parent = |oid: &Oid| nodes.get(oid).and_then(|node| node.parents.first().copied());
    let mut line: Vec<Oid> = std::iter::successors(Some(tip), parent).collect();
    line.reverse();
    let mut reached = HashSet::new();
    let mut topics = Vec::new();
    for oid in line {
        let Some(node) = nodes.get(&oid) else { continue };
        reached.insert(oid);
        let side = node.parents.get(1..).unwrap_or_default();
        let commits = side.iter().flat_map(|side| bring(*side, &nodes, &mut reached)).collect();
        if side.len() == 1 {
            topics.push(Topic { merge: oid, time: node.time, commits });
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

/// Everything reachable from `side` that was not reached before.
fn bring(side: Oid, nodes: &HashMap<Oid, Node>, reached: &mut HashSet<Oid>) -> Vec<Oid> {
    let (mut brought, mut waiting) = (Vec::new(), vec![side]);
    while let Some(oid) = waiting.pop() {
        if let Some(node) = nodes.get(&oid)
            && reached.insert(oid)
        {
            brought.push(oid);
            waiting.extend(&node.parents);
        }
    }
    brought
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::mine::testing::{Scratch, commit};

    #[test]
    fn a_merge_brings_what_its_first_parent_had_not() {
        let scratch = Scratch::new();
        // 1 - 2 - 5 - 6 with 3 - 4 beside 2 and merged in 5; 6 merges nothing.
        let commits = [
            commit(1, &[], ""),
            commit(2, &[1], ""),
            commit(3, &[1], ""),
            commit(4, &[3], ""),
            commit(5, &[2, 4], ""),
            commit(6, &[5], ""),
        ];
        scratch.import(&commits.concat());
        let repo = scratch.repo();
        let [topic] = &topics(&repo, scratch.oid("main")).unwrap()[..] else { panic!("one was merged") };
        assert_eq!(topic.merge, scratch.oid("main~1"));
        let mut brought = topic.commits.clone();
        brought.sort();
        let mut expected = vec![scratch.oid("main~1^2"), scratch.oid("main~1^2~1")];
        expected.sort();
        assert_eq!(brought, expected);
    }
}
