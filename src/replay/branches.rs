//! Sessions that are topic branches: the last commit of a branch is asked
//! about, among those branches that were open when it was made.
//!
//! The nearest that a history comes to sessions of an hour or a day: they are
//! short, and most of them work at one thing. Nothing decays, and nobody is
//! told who worked last: a branch is asked about because it is at work.

use std::sync::Arc;

use super::cast::{Asked, Cast, MOST_CHANGES, SESSIONS, names};
use super::story::Story;
use crate::git::topics::Topic;
use crate::model::{Owners, PathSet, Time};

/// Longer branches are lines of development, not sessions.
const MOST_COMMITS: usize = 100;

/// A branch by the story's commits.
struct Branch {
    name: String,
    commits: Vec<usize>,
    merged: Time,
}

/// The branches that were merged, asked about with the last `last` questions.
pub fn branches(story: &Story<'_>, topics: &[Topic], last: usize) -> Cast {
    let mut owned: Vec<Option<u16>> = vec![None; story.len()];
    let mut all: Vec<Branch> = topics.iter().filter_map(|topic| branch(story, topic)).collect();
    all.sort_by_key(|branch| branch.commits.last().copied());
    let from = all.len().saturating_sub(usize::from(u16::MAX));
    all.drain(..from);
    for (session, branch) in (0..).zip(&all) {
        branch.commits.iter().for_each(|commit| owned[*commit] = Some(session));
    }
    let newest = (0..all.len()).rev().filter_map(|answer| asked(story, &all, answer));
    let mut questions: Vec<Asked> = newest.take(last).collect();
    questions.reverse();
    let mut owners = Owners::default();
    owned.into_iter().for_each(|session| owners.push(session.map(|session| (session, 1.0))));
    let declared = vec![PathSet::default(); all.len()];
    let names = names(all.iter().map(|branch| branch.name.as_str()));
    Cast { names, owners, declared, questions, timed: false, years: false }
}

/// The commits of people that a branch brought, oldest first.
fn branch(story: &Story<'_>, topic: &Topic) -> Option<Branch> {
    let mut commits: Vec<usize> = topic.commits.iter().filter_map(|oid| story.find(*oid)).collect();
    commits.sort_unstable();
    let name = format!("topic-{}", topic.merge.short());
    (2..=MOST_COMMITS).contains(&commits.len()).then_some(Branch { name, commits, merged: topic.time })
}

/// The last commit of a branch, among those that were open then and worked last.
fn asked(story: &Story<'_>, all: &[Branch], answer: usize) -> Option<Asked> {
    let commit = *all[answer].commits.last()?;
    if !(1..=MOST_CHANGES).contains(&story.range(commit).len()) {
        return None;
    }
    let now = story.times[commit];
    let latest = |session: usize| {
        let branch = &all[session];
        let begun = branch.commits.partition_point(|one| *one < commit);
        let is_open = session != answer && begun > 0 && branch.merged > now;
        is_open.then(|| (branch.commits[begun - 1], session))
    };
    let mut open: Vec<(usize, usize)> = (0..all.len()).filter_map(latest).collect();
    open.sort_unstable();
    let mut among: Vec<usize> =
        open.into_iter().rev().take(SESSIONS - 1).map(|(_, session)| session).collect();
    if among.len() < SESSIONS - 1 {
        return None;
    }
    among.push(answer);
    among.sort_unstable();
    let answer = among.iter().position(|session| *session == answer)?;
    Some(Asked {
        commit,
        among: among.into_iter().map(|session| session as u16).collect::<Arc<[u16]>>(),
        answer,
    })
}
