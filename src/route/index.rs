//! Past messages and file names by token, scored with BM25 (Robertson and
//! Zaragoza, 2009).
//!

use crate::model::{Past, Time, Words};

const K1: f64 = 1.2;
const B: f64 = 0.75;
/// Commits that change more say nothing about any one file.
pub const MAX_CHANGES: usize = 200;
/// Tokens in a larger share of all messages are ignored, once there are enough messages.
const MAX_SHARE: f64 = 0.4;
const ENOUGH: usize = 20;

/// The past, as a question at a moment sees it.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    past: &'a Past<'a>,
    /// The moment that ages are counted from.
    now: Time,
}

impl<'a> View<'a> {
    /// The past, for a question asked at `now`.
    pub fn new(past: &'a Past<'a>, now: Time) -> Self {
        Self { past, now }
    }

    /// What is looked at.
    pub fn past(&self) -> &'a Past<'a> {
        self.past
    }

    /// The moment that ages are counted from.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Whether a commit changes so little that its message tells of its files.
    pub fn is_telling(&self, commit: usize) -> bool {
        (1..=MAX_CHANGES).contains(&self.past.changes(commit).len())
    }

    /// How well each message seen matches the tokens.
    pub fn messages(&self, tokens: &[String]) -> Vec<f64> {
        let mut scores = Scorer::new(&self.past.messages, MAX_SHARE).scores(tokens);
        for (commit, score) in scores.iter_mut().enumerate().filter(|(_, score)| **score > 0.0) {
            if !self.is_telling(commit) {
                *score = 0.0;
            }
        }
        scores
    }

    /// How well each file's path matches the tokens.
    pub fn names(&self, tokens: &[String]) -> Vec<f64> {
        Scorer::new(&self.past.names, 1.0).scores(tokens)
    }

    /// How well the messages of each file's commits match the tokens, each
    /// message counted 1/√files.
    pub fn messages_by_file(&self, tokens: &[String]) -> Vec<f64> {
        let past = self.past;
        let share = |commit: usize| 1.0 / (past.changes(commit).len() as f64).sqrt();
        let mut lengths = vec![0.0; past.paths.len()];
        for commit in (0..past.len()).filter(|commit| self.is_telling(*commit)) {
            let length = f64::from(past.messages.lengths[commit]) * share(commit);
            past.changes(commit).iter().for_each(|path| lengths[*path as usize] += length);
        }
        let files = lengths.iter().filter(|length| **length > 0.0).count();
        let average = lengths.iter().sum::<f64>() / files.max(1) as f64;
        let scorer = Scorer::new(&past.messages, MAX_SHARE);
        let mut scores = vec![0.0; past.paths.len()];
        for token in tokens {
            let mut counts = vec![0.0; past.paths.len()];
            for (commit, count) in scorer.list(token) {
                let commit = *commit as usize;
                if self.is_telling(commit) {
                    let count = f64::from(*count) * share(commit);
                    past.changes(commit).iter().for_each(|path| counts[*path as usize] += count);
                }
            }
            let found = counts.iter().filter(|count| **count > 0.0).count();
            for (path, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
                scores[path] += rarity(files, found) * saturation(*count, lengths[path] / average);
            }
        }
        scores
    }
}

/// Scores texts.
struct Scorer<'a> {
    words: &'a Words<'a>,
    max_share: f64,
    /// Of all texts, what one is long.
    average: f64,
}

impl<'a> Scorer<'a> {
    fn new(words: &'a Words<'a>, max_share: f64) -> Self {
        Self { words, max_share, average: words.words as f64 / words.texts.max(1) as f64 }
    }

    /// The texts that hold `token`; none where it is in too many of them.
    fn list(&self, token: &str) -> &'a [(u32, u32)] {
        let list = self.words.lists.get(token).map_or(&[][..], Vec::as_slice);
        let all = self.words.texts;
        let is_common = all >= ENOUGH && list.len() as f64 > self.max_share * all as f64;
        if is_common { &[] } else { list }
    }

    fn scores(&self, tokens: &[String]) -> Vec<f64> {
        let mut scores = vec![0.0; self.words.lengths.len()];
        for token in tokens {
            let list = self.list(token);
            let rarity = rarity(self.words.texts, list.len());
            for (text, count) in list {
                let text = *text as usize;
                let length = f64::from(self.words.lengths[text]) / self.average;
                scores[text] += rarity * saturation(self.words.unit * f64::from(*count), length);
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
    use super::super::testing::Story;
    use super::*;
    use crate::model::tokens::tokens;

    fn story(subjects: &[&'static str]) -> Story {
        let story = Story::of(&["src/login.rs", "docs/login/guide.md", "-gone/login.rs"]);
        (0..).zip(subjects).fold(story, |story, (time, subject)| story.commit(time, subject, &[0], 0))
    }

    #[test]
    fn rarer_and_shorter_matches_score_higher() {
        let story = story(&["login login form", "login", "form of the big house", "house"]);
        let past = story.past();
        let scores = View::new(&past, Time(9)).messages(&tokens("login house"));
        assert!(scores[1] > scores[2], "{scores:?}");
        assert!(scores[3] > scores[2], "{scores:?}");
        assert!(scores[0] > 0.0);
    }

    #[test]
    fn sweeping_commits_tell_of_no_file() {
        let mut paths: Vec<&str> = vec!["a"; MAX_CHANGES];
        paths.push("b");
        let positions: Vec<u32> = (0..=MAX_CHANGES as u32).collect();
        let story =
            Story::of(&paths).commit(1, "login", &positions, 0).commit(2, "login", &positions[1..], 0);
        let past = story.past();
        let view = View::new(&past, Time(9));
        let scores = view.messages(&tokens("login"));
        assert!(scores[0] == 0.0 && scores[1] > 0.0, "{scores:?}");
        let by_file = view.messages_by_file(&tokens("login"));
        assert!(by_file[0] == 0.0 && by_file[1] > 0.0);
    }

    #[test]
    fn gone_files_score_nothing() {
        let story = story(&[]);
        let past = story.past();
        let scores = View::new(&past, Time(0)).names(&tokens("login"));
        assert!(scores[0] > 0.0 && scores[1] > 0.0, "{scores:?}");
        assert_eq!(scores[2], 0.0);
    }
}
