//! Who made which commit, as the records have it, and how one is told.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::error::Result;
use crate::git::Repo;
use crate::git::mine::Miner;
use crate::model::wording::{excerpt, few};
use crate::model::{Mined, Name, Oid, RepoPath, Session, SessionState, Task};
use crate::store::{self, Stored};

/// What the records know.
pub struct Known<'a> {
    /// The repository.
    pub repo: &'a Repo,
    /// The session that the brief is for.
    pub session: &'a Session,
    /// The sessions there are.
    pub sessions: Vec<Stored<Session>>,
    /// All tasks, oldest first.
    pub tasks: Vec<Stored<Task>>,
    makers: HashMap<Oid, Name>,
    /// What a squash or a rebase made of this session's work.
    landings: HashSet<Oid>,
}

impl<'a> Known<'a> {
    /// Reads the records; of one task what is to be recorded counts.
    pub fn load(repo: &'a Repo, session: &'a Session, task: &Task) -> Result<Self> {
        let (sessions, mut tasks) = (store::sessions::load_all(repo)?, store::tasks::load(repo)?);
        if let Some(recorded) = tasks.iter_mut().find(|recorded| recorded.value.name == task.name) {
            recorded.value = task.clone();
        }
        let mut makers = HashMap::new();
        for Stored { value, .. } in &sessions {
            makers.extend(value.commits.iter().map(|oid| (*oid, value.name.clone())));
        }
        for Stored { value, .. } in &tasks {
            makers.extend(value.made().map(|(oid, maker)| (oid, maker.clone())));
        }
        let own = tasks.iter().map(|task| &task.value).filter(|task| task.session == session.name);
        let landings = own.filter_map(|task| Some(task.landed.as_ref()?.to)).collect();
        let sessions = sessions.into_iter().filter(|one| one.value.state != SessionState::Archived).collect();
        Ok(Self { repo, session, sessions, tasks, makers, landings })
    }

    /// The session's own commits, the latest last.
    pub fn own(&self) -> Vec<Oid> {
        let of_tasks = self.tasks.iter().flat_map(|task| task.value.commits_of(&self.session.name));
        self.session.commits.iter().copied().chain(of_tasks).collect()
    }

    /// Whether a commit is the session's own work, in whatever form.
    pub fn is_own(&self, oid: Oid) -> bool {
        self.makers.get(&oid).is_some_and(|maker| *maker == self.session.name) || self.landings.contains(&oid)
    }

    /// What these commits changed, newest first; what is gone is left out.
    pub fn mine(&self, commits: &[Oid]) -> Result<Vec<Mined>> {
        let mut mined = Miner::of(self.repo).mine_commits(commits)?;
        mined.sort_by_key(|one| (std::cmp::Reverse(one.time), one.oid));
        mined.dedup_by_key(|one| one.oid);
        Ok(mined)
    }

    /// `1f0c2d9 2023-11-20 backend: api: rotate tokens`.
    pub fn line_by(&self, mined: &Mined) -> String {
        let who = self.makers.get(&mined.oid).map_or(mined.author.name.as_str(), Name::as_str);
        format!("{} {} {}: {}", mined.oid.short(), mined.time.date(), excerpt(who, 60), subject(mined))
    }
}

/// `1f0c2d9 2023-11-20 api: rotate tokens`.
pub fn line(mined: &Mined) -> String {
    format!("{} {} {}", mined.oid.short(), mined.time.date(), subject(mined))
}

fn subject(mined: &Mined) -> String {
    excerpt(&mined.subject, 100)
}

/// The files of a commit that are at one of some places, or below it.
pub fn at(mined: &Mined, places: &[RepoPath]) -> BTreeSet<RepoPath> {
    let paths = mined.changes.iter().map(|change| &change.path);
    paths.filter(|path| is_at(path, places)).cloned().collect()
}

/// Whether a path is one of some places, or below one.
pub fn is_at(path: &RepoPath, places: &[RepoPath]) -> bool {
    path.places().any(|place| places.iter().any(|one| one.as_bytes() == place))
}

/// ` (src/api/login.rs and src/api/cart.rs)`.
pub fn files(paths: &BTreeSet<RepoPath>) -> String {
    if paths.is_empty() { String::new() } else { format!(" ({})", few(paths)) }
}
