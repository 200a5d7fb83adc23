//! Sessions that are the repository's own: the first commit of each of their
//! tasks is asked about.

use std::sync::Arc;

use super::cast::{Asked, Cast, MOST_CHANGES};
use super::story::Story;
use crate::model::{Name, Oid, Owners, PathSet};

/// A session as its records have it.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its name.
    pub name: Name,
    /// The paths it declares.
    pub paths: PathSet,
    /// Its own commits.
    pub commits: Vec<Oid>,
    /// The first commit of each of its tasks.
    pub tasks: Vec<Oid>,
}

/// The sessions, asked about with the newest `last` tasks.
pub fn recorded(story: &Story<'_>, sessions: &[Recorded], last: usize) -> Cast {
    let mut owned: Vec<Vec<u16>> = vec![Vec::new(); story.len()];
    let all: Arc<[u16]> = (0..sessions.len() as u16).collect();
    let mut questions = Vec::new();
    for (answer, session) in sessions.iter().enumerate() {
        for commit in session.commits.iter().filter_map(|oid| story.find(*oid)) {
            if !owned[commit].contains(&(answer as u16)) {
                owned[commit].push(answer as u16);
            }
        }
        let tasks = session.tasks.iter().filter_map(|oid| story.find(*oid));
        let small = tasks.filter(|commit| story.range(*commit).len() <= MOST_CHANGES);
        questions.extend(small.map(|commit| Asked { commit, among: all.clone(), answer }));
    }
    questions.sort_by_key(|asked| (asked.commit, asked.answer));
    questions.drain(..questions.len().saturating_sub(last));
    let mut owners = Owners::default();
    for sessions in owned {
        let share = 1.0 / sessions.len().max(1) as f32;
        owners.push(sessions.into_iter().map(|session| (session, share)));
    }
    let names = sessions.iter().map(|session| session.name.clone()).collect();
    let declared = sessions.iter().map(|session| session.paths.clone()).collect();
    Cast { names, owners, declared, questions, timed: true, years: false }
}
