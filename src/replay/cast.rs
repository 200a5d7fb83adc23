//! Who plays the sessions in a replay, and which commits are asked about.

use std::collections::HashMap;
use std::sync::Arc;

use super::story::Story;
use crate::model::{Author, Name, Owners, PathSet};

/// How many sessions there are.
pub const SESSIONS: usize = 8;
/// By how many commits before the questions they are chosen.
pub(super) const CHOSEN_BY: usize = 3_000;
/// A commit of more changes is no question.
pub(super) const MOST_CHANGES: usize = 50;

/// Sessions, whose commits are, and what is asked.
#[derive(Debug)]
pub struct Cast {
    /// What the sessions are called.
    pub names: Vec<Name>,
    /// Whose each commit is.
    pub owners: Owners,
    /// What each session declares.
    pub declared: Vec<PathSet>,
    /// The questions, oldest first.
    pub questions: Vec<Asked>,
    /// Whether it matters when something was done: not where a question is
    /// asked just because its session is at work.
    pub timed: bool,
    /// Whether some may be gone since: over years of history people leave and
    /// areas die, but a session that is open is there.
    pub years: bool,
}

impl Cast {
    /// No sessions.
    pub(super) fn nobody() -> &'static Self {
        const NOBODY: &Cast = &Cast {
            names: Vec::new(),
            owners: Owners { ends: Vec::new(), shares: Vec::new() },
            declared: Vec::new(),
            questions: Vec::new(),
            timed: true,
            years: false,
        };
        NOBODY
    }
}

/// A commit, asked about as if it were a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The commit.
    pub commit: usize,
    /// The sessions that it could be of, by position.
    pub among: Arc<[u16]>,
    /// Which of these made it.
    pub answer: usize,
}

/// The telling commits before the questions that sessions are chosen by, and
/// the questions.
pub(super) fn split(telling: &[usize], last: usize) -> (&[usize], &[usize]) {
    let (before, asked) = telling.split_at(telling.len().saturating_sub(last));
    (&before[before.len().saturating_sub(CHOSEN_BY)..], asked)
}

/// The people who made most of the commits just before those asked about.
pub fn authors(story: &Story<'_>, last: usize) -> Cast {
    let telling = story.telling();
    let (before, asked) = split(&telling, last);
    let people = Author::one_each(&story.people);
    let mut counts: HashMap<u32, usize> = HashMap::new();
    for commit in before {
        *counts.entry(people[story.authors[*commit] as usize]).or_default() += 1;
    }
    let mut sorted: Vec<(u32, usize)> = counts.into_iter().collect();
    let address = |person: u32| story.people[person as usize].email.to_lowercase();
    sorted.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| address(one.0).cmp(&address(two.0))));
    sorted.truncate(SESSIONS);
    let sessions: HashMap<u32, u16> = sorted.iter().map(|(person, _)| *person).zip(0..).collect();
    let session = |commit: usize| sessions.get(&people[story.authors[commit] as usize]).copied();
    let mut owners = Owners::default();
    let mut is_telling = vec![false; story.len()];
    telling.iter().for_each(|commit| is_telling[*commit] = true);
    for (commit, telling) in is_telling.into_iter().enumerate() {
        owners.push(session(commit).filter(|_| telling).map(|session| (session, 1.0)));
    }
    let all: Arc<[u16]> = (0..sessions.len() as u16).collect();
    let questions = asked.iter().filter_map(|commit| {
        let is_small = story.range(*commit).len() <= MOST_CHANGES;
        let answer = session(*commit).filter(|_| is_small)?;
        Some(Asked { commit: *commit, among: all.clone(), answer: usize::from(answer) })
    });
    let questions = questions.collect();
    let people = sorted.iter().map(|(person, _)| story.people[*person as usize].name.as_str());
    Cast {
        names: names(people),
        owners,
        declared: vec![PathSet::default(); sessions.len()],
        questions,
        timed: true,
        years: true,
    }
}

/// A name for each, made of these words.
pub(super) fn names<'a>(words: impl Iterator<Item = &'a str>) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for word in words {
        let stem = Name::slug(word).unwrap_or_else(|| "session".parse().expect("this is a name"));
        let mut free = std::iter::once(stem.clone()).chain((2..).map(|number| stem.numbered(number)));
        names.push(free.find(|name| !names.contains(name)).expect("numbers do not run out"));
    }
    names
}
