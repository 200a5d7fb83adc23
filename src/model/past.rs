//! Past commits and known paths, as prediction from a task's words reads them.

use std::collections::HashMap;

use super::{Oid, Strings, Time};

/// The words of past commits and the paths they changed.
///
/// **Invariant:** columns of one kind are equally long; positions lie in them.
#[derive(Clone, Debug)]
pub struct Past<'a> {
    /// Every path that exists or that a commit changed.
    pub paths: &'a Strings,
    /// For each of them, whether the file exists now.
    pub exists: &'a [bool],
    /// The commits.
    pub oids: &'a [Oid],
    /// The committer time of each.
    pub times: &'a [Time],
    /// Where the changes of each end.
    pub ends: &'a [u32],
    /// What they changed, as positions in [`Past::paths`].
    pub changed: &'a [u32],
    /// Whose they are.
    pub owners: &'a Owners,
    /// The words of their messages.
    pub messages: Words<'a>,
    /// The words of the paths.
    pub names: Words<'a>,
}

impl<'a> Past<'a> {
    /// How many commits there are.
    pub fn len(&self) -> usize {
        self.oids.len()
    }

    /// Whether there is no commit.
    pub fn is_empty(&self) -> bool {
        self.oids.is_empty()
    }

    /// What a commit changed.
    pub fn changes(&self, commit: usize) -> &'a [u32] {
        let start = if commit == 0 { 0 } else { self.ends[commit - 1] };
        &self.changed[start as usize..self.ends[commit] as usize]
    }

    /// The files that exist now.
    pub fn files(&self) -> impl Iterator<Item = &'a [u8]> {
        self.paths.iter().zip(self.exists).filter(|(_, exists)| **exists).map(|(path, _)| path)
    }
}

/// Texts by their tokens: only those that count are in the lists.
#[derive(Clone, Debug, Default)]
pub struct Words<'a> {
    /// For each token that was asked for: the texts that hold it, in order, and how often.
    pub lists: HashMap<String, Vec<(u32, u32)>>,
    /// How many words each text counts.
    pub lengths: &'a [u32],
    /// What 1 of these counts is worth.
    pub unit: f64,
    /// How many texts count.
    pub texts: usize,
    /// How many words they count together.
    pub words: u64,
}

impl<'a> Words<'a> {
    /// Those of the texts that count.
    pub fn of(
        mut lists: HashMap<String, Vec<(u32, u32)>>,
        lengths: &'a [u32],
        unit: f64,
        counts: impl Fn(usize) -> bool,
    ) -> Self {
        lists.values_mut().for_each(|list| list.retain(|(text, _)| counts(*text as usize)));
        let (mut texts, mut words) = (0, 0);
        for (_, length) in lengths.iter().enumerate().filter(|(text, _)| counts(*text)) {
            texts += 1;
            words += u64::from(*length);
        }
        Self { lists, lengths, unit, texts, words }
    }
}

/// Whose commits are: sessions with their shares, by commit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Owners {
    /// Where those of each commit end.
    pub ends: Vec<u32>,
    /// Positions in [`super::Profiles::sessions`]; the shares of one commit add up to 1 at most.
    pub shares: Vec<(u16, f32)>,
}

impl Owners {
    /// Those of a commit; none where nobody knows.
    pub fn of(&self, commit: usize) -> &[(u16, f32)] {
        let Some(end) = self.ends.get(commit) else { return &[] };
        let start = if commit == 0 { 0 } else { self.ends[commit - 1] };
        &self.shares[start as usize..*end as usize]
    }

    /// Adds those of the next commit.
    pub fn push(&mut self, shares: impl IntoIterator<Item = (u16, f32)>) {
        self.shares.extend(shares);
        self.ends.push(self.shares.len() as u32);
    }
}
