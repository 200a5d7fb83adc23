//! Past messages and file names by token, scored with BM25.
//!
//! **Invariant:** a view as of a moment sees no commit after it.

use std::collections::{HashMap, HashSet};

use crate::model::tokens::{each_token, tokens};
use crate::model::{Past, Time};

const K1: f64 = 1.2;
const B: f64 = 0.75;
/// Commits that change more say nothing about any one file.
pub(super) const MAX_CHANGES: usize = 200;
/// Tokens in a larger share of all messages are ignored, once there are enough messages.
const MAX_SHARE: f64 = 0.4;
const ENOUGH: usize = 20;

/// Past commits and files, indexed by their tokens.
#[derive(Debug)]
pub struct TextIndex<'a> {
    pub(super) past: &'a Past<'a>,
    messages: Postings,
    names: Postings,
}

/// An index as it stood at a moment.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub(super) index: &'a TextIndex<'a>,
    /// Commits before this position are seen.
    pub(super) seen: usize,
    /// The moment that ages are counted from.
    pub(super) now: Time,
}

impl<'a> TextIndex<'a> {
    /// Indexes everything, for many questions.
    pub fn new(past: &'a Past<'a>) -> Self {
        Self::build(past, None)
    }

    /// Indexes only what the one question `text` needs; much faster.
    pub fn for_text(past: &'a Past<'a>, text: &str) -> Self {
        Self::build(past, Some(tokens(text).into_iter().collect()))
    }

    fn build(past: &'a Past<'a>, only: Option<HashSet<String>>) -> Self {
        let mut messages = Postings::new(only.clone());
        for commit in &past.commits {
            let counts = !commit.paths.is_empty() && commit.paths.len() <= MAX_CHANGES;
            messages.push(&[(if counts { commit.subject } else { "" }, 1.0)]);
        }
        let mut names = Postings::new(only);
        for (path, exists) in past.paths.iter().zip(&past.exists) {
            let text = String::from_utf8_lossy(path);
            let (folder, name) = text.rsplit_once('/').unwrap_or(("", &text));
            let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
            let parts = [(stem, 2.0), (folder, 1.0), (extension, 0.5)];
            names.push(if *exists { &parts } else { &[] });
        }
        Self { past, messages, names }
    }

    /// The index as of the commits made until `seen`, for a question asked at `now`.
    pub fn as_of(&'a self, seen: Time, now: Time) -> View<'a> {
        let seen = self.past.commits.partition_point(|commit| commit.time <= seen);
        View { index: self, seen, now }
    }
}

impl View<'_> {
    /// How well each message seen matches the tokens.
    pub(super) fn messages(&self, tokens: &[String]) -> Vec<f64> {
        self.index.messages.scores(tokens, self.seen, MAX_SHARE)
    }

    /// How well each file's path matches the tokens.
    pub(super) fn names(&self, tokens: &[String]) -> Vec<f64> {
        self.index.names.scores(tokens, self.index.past.paths.len(), 1.0)
    }

    /// How well the messages of each file's commits match the tokens, each
    /// message counted 1/√files.
    pub(super) fn messages_by_file(&self, tokens: &[String]) -> Vec<f64> {
        let past = self.index.past;
        let share = |commit: usize| 1.0 / (past.commits[commit].paths.len() as f64).sqrt();
        let mut lengths = vec![0.0; past.paths.len()];
        for commit in 0..self.seen {
            let length = self.index.messages.length(commit);
            if length > 0.0 {
                past.commits[commit]
                    .paths
                    .iter()
                    .for_each(|p| lengths[*p as usize] += length * share(commit));
            }
        }
        let files = lengths.iter().filter(|length| **length > 0.0).count();
        let average = lengths.iter().sum::<f64>() / files.max(1) as f64;
        let mut scores = vec![0.0; past.paths.len()];
        for token in tokens {
            let mut counts = vec![0.0; past.paths.len()];
            for (commit, count) in self.index.messages.seen(token, self.seen, MAX_SHARE) {
                let commit = *commit as usize;
                let count = f64::from(*count) * share(commit);
                past.commits[commit].paths.iter().for_each(|path| counts[*path as usize] += count);
            }
            let found = counts.iter().filter(|count| **count > 0.0).count();
            for (path, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
                scores[path] += rarity(files, found) * saturation(*count, lengths[path] / average);
            }
        }
        scores
    }
}

/// For each token, which texts hold it how often.
#[derive(Debug)]
struct Postings {
    only: Option<HashSet<String>>,
    lists: HashMap<String, Vec<(u32, f32)>>,
    /// Sum of the lengths of all texts before each; one longer than the texts.
    lengths: Vec<f64>,
}

impl Postings {
    fn new(only: Option<HashSet<String>>) -> Self {
        Self { only, lists: HashMap::new(), lengths: vec![0.0] }
    }

    /// Adds the next text, in parts with a weight each.
    fn push(&mut self, parts: &[(&str, f32)]) {
        let text = (self.lengths.len() - 1) as u32;
        let mut length = 0.0;
        for (part, weight) in parts {
            each_token(part, &mut |token| {
                length += f64::from(*weight);
                if self.only.as_ref().is_some_and(|only| !only.contains(token)) {
                    return;
                }
                let list = match self.lists.get_mut(token) {
                    Some(list) => list,
                    None => self.lists.entry(token.to_owned()).or_default(),
                };
                match list.last_mut() {
                    Some((last, count)) if *last == text => *count += weight,
                    _ => list.push((text, *weight)),
                }
            });
        }
        self.lengths.push(self.lengths[self.lengths.len() - 1] + length);
    }

    fn length(&self, text: usize) -> f64 {
        self.lengths[text + 1] - self.lengths[text]
    }

    /// The texts before `end` that hold `token`; none where it is in too many of them.
    fn seen(&self, token: &str, end: usize, max_share: f64) -> &[(u32, f32)] {
        let list = self.lists.get(token).map_or(&[][..], Vec::as_slice);
        let found = list.partition_point(|(text, _)| (*text as usize) < end);
        let is_common = end >= ENOUGH && found as f64 > max_share * end as f64;
        if is_common { &[] } else { &list[..found] }
    }

    fn scores(&self, tokens: &[String], end: usize, max_share: f64) -> Vec<f64> {
        let average = self.lengths[end] / end.max(1) as f64;
        let mut scores = vec![0.0; end];
        for token in tokens {
            let list = self.seen(token, end, max_share);
            for (text, count) in list {
                let text = *text as usize;
                scores[text] +=
                    rarity(end, list.len()) * saturation(f64::from(*count), self.length(text) / average);
            }
        }
        scores
    }
}

/// BM25's inverse document frequency.
fn rarity(all: usize, found: usize) -> f64 {
    (1.0 + (all as f64 - found as f64 + 0.5) / (found as f64 + 0.5)).ln()
}

/// BM25's term frequency, for a text of `length` times the average.
fn saturation(count: f64, length: f64) -> f64 {
    count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PastCommit;

    fn past(subjects: &[&'static str]) -> Past<'static> {
        let commit = |(time, subject): (usize, &&'static str)| PastCommit {
            time: Time(time as i64),
            subject,
            paths: &[0],
            owners: Vec::new(),
        };
        Past {
            paths: vec![b"src/login.rs", b"docs/login/guide.md", b"gone/login.rs"],
            exists: vec![true, true, false],
            commits: subjects.iter().enumerate().map(commit).collect(),
        }
    }

    #[test]
    fn rarer_and_shorter_matches_score_higher() {
        let past = past(&["login login form", "login", "form of the big house", "house"]);
        let index = TextIndex::new(&past);
        let scores = index.as_of(Time(9), Time(9)).messages(&["login".to_owned(), "hous".to_owned()]);
        assert!(scores[1] > scores[2], "{scores:?}");
        assert!(scores[3] > scores[2], "{scores:?}");
        assert!(scores[0] > 0.0);
    }

    #[test]
    fn a_view_sees_nothing_of_later_commits() {
        let past = past(&["login", "login"]);
        let index = TextIndex::new(&past);
        assert_eq!(index.as_of(Time(0), Time(9)).messages(&["login".to_owned()]).len(), 1);
    }

    #[test]
    fn names_weigh_more_than_folders_and_gone_files_nothing() {
        let past = past(&[]);
        let index = TextIndex::new(&past);
        let scores = index.as_of(Time(0), Time(0)).names(&["login".to_owned()]);
        assert!(scores[0] > scores[1] && scores[1] > 0.0, "{scores:?}");
        assert_eq!(scores[2], 0.0);
    }

    #[test]
    fn an_index_for_one_text_scores_as_the_whole_one() {
        let past = past(&["fix login form", "house", "login"]);
        let whole = TextIndex::new(&past);
        let one = TextIndex::for_text(&past, "login page");
        let tokens = crate::model::tokens::tokens("login page");
        let (now, then) = (Time(9), Time(9));
        assert_eq!(whole.as_of(now, then).messages(&tokens), one.as_of(now, then).messages(&tokens));
        assert_eq!(whole.as_of(now, then).names(&tokens), one.as_of(now, then).names(&tokens));
    }
}
