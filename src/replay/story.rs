//! A mined history in the order of time.

use std::collections::HashMap;

use crate::history::Log;
use crate::history::log::Place;
use crate::model::{Author, Oid, Status, Time};

/// The rank of a commit that is not in the story.
const LEFT_OUT: u32 = u32::MAX;

/// The commits of a log, oldest first; a commit is known by its position.
#[derive(Debug)]
pub struct Story<'a> {
    /// The log they are from.
    pub log: &'a Log,
    /// The commits.
    pub oids: Vec<Oid>,
    /// The committer time of each.
    pub times: Vec<Time>,
    /// The first line of each message.
    pub subjects: Vec<&'a str>,
    /// The author of each, by position in [`Story::people`].
    pub authors: Vec<u32>,
    /// Where the changes of each end.
    pub ends: Vec<u32>,
    /// What they changed, as positions in the log's paths.
    pub changed: Vec<u32>,
    /// What happened to each of these.
    pub statuses: Vec<Status>,
    /// How many words each message counts.
    pub lengths: Vec<u32>,
    /// Who is behind each author.
    pub people: Vec<Author>,
    /// The position of each commit, by that in the log.
    ranks: Vec<u32>,
    positions: Vec<u32>,
}

impl<'a> Story<'a> {
    /// Puts what landed in order, or everything; `people` are the log's authors,
    /// aliases resolved.
    pub fn new(log: &'a Log, people: Vec<Author>, is_whole: bool) -> Self {
        let mut commits = log.commits();
        commits.retain(|commit| is_whole || commit.place == Place::Base);
        let mut story = Self {
            log,
            oids: commits.iter().map(|commit| commit.oid).collect(),
            times: commits.iter().map(|commit| commit.time).collect(),
            subjects: commits.iter().map(|commit| commit.subject).collect(),
            authors: commits.iter().map(|commit| commit.author).collect(),
            ends: Vec::with_capacity(commits.len()),
            changed: Vec::new(),
            statuses: Vec::new(),
            lengths: commits.iter().map(|commit| log.words_of(commit.position as usize)).collect(),
            people,
            ranks: vec![LEFT_OUT; log.len()],
            positions: commits.iter().map(|commit| commit.position).collect(),
        };
        for (rank, commit) in (0..).zip(&commits) {
            story.ranks[commit.position as usize] = rank;
            story.changed.extend(commit.paths);
            story.statuses.extend(commit.statuses);
            story.ends.push(story.changed.len() as u32);
        }
        story
    }

    /// How many commits there are.
    pub fn len(&self) -> usize {
        self.oids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.oids.is_empty()
    }

    /// Where a commit stands in the log.
    pub fn position(&self, commit: usize) -> usize {
        self.positions[commit] as usize
    }

    /// The commit of an id, where it is by a person and changes something.
    pub fn find(&self, oid: Oid) -> Option<usize> {
        let rank = self.ranks[self.log.find_commit(oid)?.position as usize];
        let commit = (rank != LEFT_OUT).then_some(rank as usize)?;
        let is_telling = !self.author(commit).is_bot() && !self.range(commit).is_empty();
        is_telling.then_some(commit)
    }

    /// The changes of a commit, as a range of all.
    pub fn range(&self, commit: usize) -> std::ops::Range<usize> {
        let start = if commit == 0 { 0 } else { self.ends[commit - 1] };
        start as usize..self.ends[commit] as usize
    }

    /// The person who made a commit.
    pub fn author(&self, commit: usize) -> &Author {
        &self.people[self.authors[commit] as usize]
    }

    /// Commits by people that change something, oldest first.
    pub fn telling(&self) -> Vec<usize> {
        let bots: Vec<bool> = self.people.iter().map(Author::is_bot).collect();
        let is_telling =
            |commit: &usize| !bots[self.authors[*commit] as usize] && !self.range(*commit).is_empty();
        (0..self.len()).filter(is_telling).collect()
    }

    /// The messages that hold each of these tokens, in order, and how often.
    pub fn messages(&self, tokens: &[String]) -> HashMap<String, Vec<(u32, u32)>> {
        let list = |token: &String| {
            let mut list = self.log.messages_with(token);
            list.iter_mut().for_each(|(commit, _)| *commit = self.ranks[*commit as usize]);
            list.retain(|(commit, _)| *commit != LEFT_OUT);
            list.sort_unstable();
            (token.clone(), list)
        };
        tokens.iter().map(list).collect()
    }
}
