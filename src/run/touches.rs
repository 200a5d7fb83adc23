//! Touch notes on sessions' own commits: the readable cache of who did what.
//!
//! **Invariant:** they follow from records and commits alone, byte for byte.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Scene;
use crate::error::Result;
use crate::git::mine::Miner;
use crate::git::{RefChange, Repo, RepoLock, notes, refs};
use crate::history::notes::TouchNote;
use crate::model::{Change, Look, Name, Oid, Session, Task, Time};
use crate::store::Stored;

/// Whose commits these are.
struct Source<'a> {
    session: &'a Name,
    task: Option<&'a Name>,
    commits: &'a [Oid],
}

/// Notes of one session, each on its commit.
type Notes = BTreeMap<Oid, Vec<u8>>;

/// Notes the commits of one task.
pub fn note(repo: &Repo, lock: &RepoLock, task: &Task, now: Time) -> Result<()> {
    write(repo, lock, &texts(repo, &sources(task).collect::<Vec<_>>())?, now)
}

/// Who made the commits of a task's result.
fn sources(task: &Task) -> impl Iterator<Item = Source<'_>> {
    let own = Source { session: &task.session, task: Some(&task.name), commits: &task.commits };
    let looks = task.viewpoints.iter().map(|look| Source {
        session: &look.session,
        task: Some(&task.name),
        commits: &look.commits,
    });
    let before = task.handoffs.iter().map(|handoff| Source {
        session: &handoff.from,
        task: Some(&task.name),
        commits: &handoff.commits,
    });
    std::iter::once(own).chain(before).chain(looks)
}

/// The changes that note what a look added to a task's result.
pub fn of_look(repo: &Repo, task: &Name, look: &Look, now: Time) -> Result<Option<RefChange>> {
    let source = Source { session: &look.session, task: Some(task), commits: &look.commits };
    let notes = texts(repo, &[source])?.remove(&look.session).unwrap_or_default();
    let notes: Vec<(Oid, Vec<u8>)> = notes.into_iter().collect();
    notes::change(repo, &notes_ref(&look.session), &notes, now)
}

/// Notes commits that a session made outside any task.
pub fn note_strays(repo: &Repo, lock: &RepoLock, session: &Name, commits: &[Oid], now: Time) -> Result<()> {
    write(repo, lock, &texts(repo, &[Source { session, task: None, commits }])?, now)
}

/// The notes of one session that are not as the records have them.
#[derive(Debug, Default)]
pub struct Wrong {
    /// How many are not there.
    pub missing: usize,
    /// How many say something else.
    pub different: usize,
    right: Notes,
}

impl Wrong {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.missing + self.different
    }
}

/// Looks for notes that are not as the records have them, by session. Notes
/// that no record calls for do no harm.
pub fn wrong(
    repo: &Repo,
    sessions: &[Stored<Session>],
    tasks: &[Stored<Task>],
) -> Result<BTreeMap<Name, Wrong>> {
    let of_sessions = sessions.iter().map(|Stored { value, .. }| Source {
        session: &value.name,
        task: None,
        commits: &value.commits,
    });
    let of_tasks = tasks.iter().flat_map(|task| sources(&task.value));
    let mut all = BTreeMap::new();
    for (session, right) in texts(repo, &of_sessions.chain(of_tasks).collect::<Vec<_>>())? {
        let commits: Vec<Oid> = right.keys().copied().collect();
        let mut wrong = Wrong::default();
        let present = notes::find_all(repo, &notes_ref(&session), &commits)?;
        for ((commit, text), present) in right.into_iter().zip(present) {
            match present {
                Some(present) if present == text => continue,
                Some(_) => wrong.different += 1,
                None => wrong.missing += 1,
            }
            wrong.right.insert(commit, text);
        }
        if wrong.count() > 0 {
            all.insert(session, wrong);
        }
    }
    Ok(all)
}

/// Writes such notes as the records have them.
pub fn rewrite(scene: Scene<'_>, wrong: BTreeMap<Name, Wrong>) -> Result<()> {
    if wrong.is_empty() {
        return Ok(());
    }
    let lock = RepoLock::take(scene.repo, "touch notes", scene.events)?;
    let right = wrong.into_iter().map(|(session, wrong)| (session, wrong.right)).collect();
    write(scene.repo, &lock, &right, scene.now)
}

fn notes_ref(session: &Name) -> String {
    format!("{}{session}", refs::TOUCH_NOTES)
}

fn write(repo: &Repo, lock: &RepoLock, texts: &BTreeMap<Name, Notes>, now: Time) -> Result<()> {
    for (session, texts) in texts {
        let texts: Vec<(Oid, Vec<u8>)> = texts.iter().map(|(oid, text)| (*oid, text.clone())).collect();
        notes::set(repo, lock, &notes_ref(session), &texts, now)?;
    }
    Ok(())
}

/// What the notes have to say, by session. Merges have none, and what is gone
/// has none.
fn texts(repo: &Repo, sources: &[Source<'_>]) -> Result<BTreeMap<Name, Notes>> {
    let commits: Vec<Oid> = sources.iter().flat_map(|source| source.commits.iter().copied()).collect();
    let mined = Miner::of(repo).mine_commits(&commits)?.into_iter();
    let mined: HashMap<Oid, BTreeSet<Change>> =
        mined.map(|mined| (mined.oid, mined.changes.into_iter().collect())).collect();
    let mut all: BTreeMap<Name, Notes> = BTreeMap::new();
    for Source { session, task, commits } in sources {
        let notes = all.entry((*session).clone()).or_default();
        for commit in *commits {
            let Some(changes) = mined.get(commit).cloned() else { continue };
            let tasks = task.iter().copied().cloned().collect();
            let note = TouchNote { session: (*session).clone(), tasks, changes };
            notes.insert(*commit, note.to_text().into_bytes());
        }
    }
    Ok(all)
}
