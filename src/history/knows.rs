//! The few folders or files that tell most of what a session knows.

use std::collections::HashMap;

use super::fold::{FoldedSession, FoldedWeight};
use crate::model::path::ancestors;
use crate::model::{Known, RepoPath};

/// The most that are told.
const MOST: usize = 4;
/// Less than this part of a session's whole weight is not told.
const LEAST: f64 = 0.05;
/// A folder is split where its folders hold this part of its weight…
const IN_FOLDERS: f64 = 0.75;
/// …and the heaviest of them this part.
const IN_ONE: f64 = 0.25;
/// As in routing: history that belongs to nobody.
const NOBODY: f64 = 0.3;

type Weights = [(Vec<u8>, Vec<FoldedWeight>)];

/// Fills in what each session knows.
pub(super) fn knows(weights: &Weights, sessions: &mut [FoldedSession]) {
    let mut inside: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (index, (path, _)) in weights.iter().enumerate() {
        if let Some(above) = ancestors(path).next() {
            inside.entry(above).or_default().push(index);
        }
    }
    for (session, summary) in sessions.iter_mut().enumerate() {
        let walk = Walk { weights, inside: &inside, session };
        summary.knows = walk.best();
    }
}

struct Walk<'a> {
    weights: &'a Weights,
    inside: &'a HashMap<&'a [u8], Vec<usize>>,
    session: usize,
}

impl Walk<'_> {
    fn best(&self) -> Vec<Known> {
        let Some(top) = self.weights.iter().position(|(path, _)| path.is_empty()) else { return Vec::new() };
        let all = self.weight(top);
        let (mut found, mut waiting) = (Vec::new(), self.children(top));
        while let Some(index) = waiting.pop() {
            let weight = self.weight(index);
            if weight <= 0.0 || weight < LEAST * all {
                continue;
            }
            match self.parts(index) {
                Some(parts) => waiting.extend(parts),
                None => found.push((weight * self.share(index), index)),
            }
        }
        if let [(_, only)] = found[..]
            && let Some(parts) = self.telling_parts(only)
        {
            found = parts;
        }
        found.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let known = |(_, index): (f64, usize)| Known {
            path: RepoPath::from_bytes(self.weights[index].0.as_slice()),
            weight: self.weight(index),
        };
        found.into_iter().take(MOST).map(known).collect()
    }

    /// The folders of a folder, where they tell more than it does.
    fn parts(&self, index: usize) -> Option<Vec<usize>> {
        let whole = self.weight(index);
        let folders = self.children(index).into_iter().filter(|child| !self.children(*child).is_empty());
        let folders: Vec<usize> = folders.collect();
        let all: f64 = folders.iter().map(|child| self.weight(*child)).sum();
        let most = folders.iter().map(|child| self.weight(*child)).fold(0.0, f64::max);
        (all >= IN_FOLDERS * whole && most >= IN_ONE * whole).then_some(folders)
    }

    /// A session that works in one folder only: what it knows best inside, where
    /// something there stands out.
    fn telling_parts(&self, index: usize) -> Option<Vec<(f64, usize)>> {
        let whole = self.weight(index);
        let inside = self.children(index).into_iter().filter(|child| self.weight(*child) >= LEAST * whole);
        let parts: Vec<(f64, usize)> =
            inside.map(|child| (self.weight(child) * self.share(child), child)).collect();
        parts.iter().any(|(_, child)| self.weight(*child) >= IN_ONE * whole).then_some(parts)
    }

    fn children(&self, index: usize) -> Vec<usize> {
        self.inside.get(self.weights[index].0.as_slice()).cloned().unwrap_or_default()
    }

    fn weight(&self, index: usize) -> f64 {
        let own = self.weights[index].1.iter().find(|weight| usize::from(weight.session) == self.session);
        own.map_or(0.0, FoldedWeight::slow)
    }

    fn share(&self, index: usize) -> f64 {
        let all: f64 = self.weights[index].1.iter().map(FoldedWeight::slow).sum();
        self.weight(index) / (all + NOBODY)
    }
}

#[cfg(test)]
mod tests {
    use crate::history::credit::testing::source;
    use crate::history::fold::fold;
    use crate::history::fold::testing::request;
    use crate::history::log::testing::{log, mined};

    #[test]
    fn the_telling_folders_are_told() {
        for (files, expected) in [
            (&["src/api/auth/a", "src/api/auth/b", "src/api/db/c"][..], "src/api/auth src/api/db"),
            (&["docs/a", "docs/b", "docs/c"], "docs/a docs/b docs/c"),
            (&["a", "b"], "a b"),
            (&["src/a", "src/b", "web/c"], "src web"),
            (&["x/1/a", "x/2/a", "x/3/a", "x/4/a", "x/5/a"], "x"),
        ] {
            let commits = (1..).zip(files).map(|(number, file)| mined(number, "a", &[file])).collect();
            let folded = fold(&request(9, vec![source("s", &[])]), &log(commits), &[]);
            let mut paths: Vec<String> =
                folded.sessions[0].knows.iter().map(|known| known.path.quoted()).collect();
            paths.sort();
            assert_eq!(paths.join(" "), expected);
        }
    }

    #[test]
    fn the_best_known_comes_first_and_no_more_than_a_few() {
        let files = ["a/1", "b/1", "c/1", "d/1", "e/1", "e/2"];
        let commits = (1..).zip(files).map(|(number, file)| mined(number, "a", &[file])).collect();
        let folded = fold(&request(9, vec![source("s", &[]), source("none", &["x"])]), &log(commits), &[]);
        assert_eq!(folded.sessions[0].knows.len(), super::MOST);
        assert_eq!(folded.sessions[0].knows[0].path.quoted(), "e");
        assert!(folded.sessions[1].knows.is_empty());
    }
}
