//! A task's name and record: exactly one process gets each name.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::git::refs::{self, RefChange};
use crate::git::{Repo, RepoLock};
use crate::model::{Events, Name, Route, Session, SessionState, Target, Task, TaskState, Time, Viewpoint};
use crate::run::Scene;
use crate::session::{SessionLock, TaskLock, pause, workplace};
use crate::store::tasks::With;
use crate::store::{self, Stored};

/// What a new task is.
#[derive(Clone, Debug)]
pub struct Order {
    /// What is asked for.
    pub text: String,
    /// Paths it is expected to touch.
    pub targets: Vec<Target>,
    /// Why it goes where it goes; absent when a person chose.
    pub route: Option<Route>,
    /// Who does it.
    pub session: Session,
    /// The agent, where one runs.
    pub agent: Option<String>,
    /// The task that has to have a result before it begins.
    pub after: Option<Name>,
    /// The result that it shall make fit its base, and what there is to say of that.
    pub resolves: Option<(Name, String)>,
    /// The viewpoints whose approval is asked for with it.
    pub needs: Vec<Viewpoint>,
    /// Whether a task with the same text may be open already.
    pub again: bool,
}

/// A task that this process carries out.
#[derive(Debug)]
pub struct Claimed {
    /// The record.
    pub task: Stored<Task>,
    /// Tells others that this process lives.
    pub lock: TaskLock,
    /// What becomes of it where it can't begin.
    pub unbegun: Unbegun,
}

/// What becomes of a claimed task that can't begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unbegun {
    /// It is taken back: nobody knows of it yet.
    TakenBack,
    /// It is put down why: somebody was told of it and went away.
    PutDown,
    /// It stays as it is: it was there before.
    Stays,
}

/// Makes the record of a new task.
///
/// # Errors
/// Refused while a task with the same text is open, and when the session was
/// removed meanwhile.
pub fn claim(repo: &Repo, order: Order, events: Events<'_>, now: Time) -> Result<Claimed> {
    let lock = RepoLock::take(repo, "task", events)?;
    let tasks = store::tasks::load(repo)?;
    refuse_twin(&order, &tasks)?;
    require_session(repo, &order.session)?;
    refuse_review_branch(repo)?;
    let name = free_name(repo, &order.text)?;
    let held = TaskLock::try_take(repo, &name)?
        .map_err(|holder| Error::refused(format!("the task `{name}` is held by {holder}")))?;
    let (resolves, requested) = order.resolves.unzip();
    let mut task = Task {
        version: store::record::VERSION,
        uid: uid()?,
        text: order.text,
        state: TaskState::Queued,
        agent: order.agent,
        base: order.session.base.clone(),
        base_oid: order.session.base_oid,
        branch: order.session.branch.clone(),
        session: order.session.name,
        review_branch: None,
        tip: None,
        superseded: Vec::new(),
        on_top_of: None,
        resolves,
        after: order.after,
        commits: Vec::new(),
        targets: order.targets,
        touched: Vec::new(),
        runs: Vec::new(),
        needs: order.needs,
        viewpoints: Vec::new(),
        altered: Vec::new(),
        answers: Vec::new(),
        handoffs: Vec::new(),
        notes: Vec::new(),
        elsewhere: Vec::new(),
        requested,
        route: order.route,
        published: None,
        landed: None,
        created: now,
        updated: now,
        name,
    };
    let change = store::tasks::prepare(repo, &mut task, With::default(), "queued")?;
    let tip = change.new.expect("a new record points somewhere");
    refs::apply(repo, &lock, &[change], "task")?;
    Ok(Claimed { task: Stored { value: task, tip }, lock: held, unbegun: Unbegun::TakenBack })
}

/// Refuses a session that somebody took away, or paused, since it was chosen.
fn require_session(repo: &Repo, session: &Session) -> Result<()> {
    if is_archived(repo, &session.name)? {
        return Err(Error::refused(format!("session `{}` was removed meanwhile", session.name))
            .hint("run the command again"));
    }
    pause::refuse(&store::sessions::require(repo, session.name.as_str())?.value)?;
    let Err(error) = workplace::require(repo, session) else { return Ok(()) };
    // Whoever has its worktree away at the moment holds it, and is named.
    SessionLock::take(repo, &session.name, "task").and(Err(error))
}

/// Whether a session that could not take a task is no longer there, or takes none; whoever
/// has its worktree away by now, as an undo, is waited for.
///
/// # Errors
/// Interrupted while waiting.
pub fn is_gone(scene: Scene<'_>, session: &Session) -> Result<bool> {
    if workplace::require(scene.repo, session).is_err() {
        drop(SessionLock::wait(scene.repo, &session.name, "task", scene.interrupt, scene.events)?);
    }
    let found = store::sessions::find(scene.repo, &session.name)?;
    Ok(found.is_none_or(|found| matches!(found.value.state, SessionState::Archived | SessionState::Paused)))
}

fn is_archived(repo: &Repo, session: &Name) -> Result<bool> {
    let found = store::sessions::find(repo, session)?;
    Ok(found.is_none_or(|found| found.value.state == SessionState::Archived))
}

/// Refuses where git has no room for a result.
///
/// # Errors
/// Refused, with the way to make room.
pub fn refuse_review_branch(repo: &Repo) -> Result<()> {
    if repo.read().find_ref("refs/heads/review")?.is_some() {
        return Err(Error::refused("there is a branch `review`, so git can't hold `review/…` branches")
            .hint("rename it: `git branch -m review NEW-NAME`"));
    }
    Ok(())
}

/// Takes back a claim that nothing came of, however far its record came. The
/// task must be held.
pub fn withdraw(repo: &Repo, task: &Name, events: Events<'_>) -> Result<()> {
    let lock = RepoLock::take(repo, "task, withdrawn", events)?;
    let Some(found) = store::tasks::find(repo, task)? else { return Ok(()) };
    let gone = RefChange::delete(store::tasks::record_ref(task), found.tip);
    refs::apply(repo, &lock, &[gone], "task, withdrawn")
}

fn refuse_twin(order: &Order, tasks: &[Stored<Task>]) -> Result<()> {
    let open = |task: &&Stored<Task>| task.value.text == order.text && !task.value.state.is_over();
    match tasks.iter().find(open) {
        Some(twin) if !order.again => {
            let (name, state) = (&twin.value.name, twin.value.state.word());
            Err(Error::refused(format!("the same task is open already: `{name}` ({state})"))
                .hint(format!("look at it: `git orch show {name}`; or make another: `--again`")))
        }
        _ => Ok(()),
    }
}

/// The first free name for a text: its slug, then `-2`, `-3`…
pub fn free_name(repo: &Repo, text: &str) -> Result<Name> {
    Ok(free_among(&taken_names(repo)?, text))
}

/// The names that tasks, fan-outs and results have.
pub fn taken_names(repo: &Repo) -> Result<BTreeSet<String>> {
    let mut taken = BTreeSet::new();
    for prefix in [refs::TASKS, refs::FANOUTS, "refs/heads/review/"] {
        taken.extend(repo.read().refs(prefix)?.into_iter().map(|(name, _)| name[prefix.len()..].to_owned()));
    }
    Ok(taken)
}

/// The first name for a text that is not taken.
pub fn free_among(taken: &BTreeSet<String>, text: &str) -> Name {
    let stem = Name::slug(text).unwrap_or_else(|| "task".parse().expect("this is a name"));
    let numbered = Name::slug(text).is_none();
    let first = (!numbered).then(|| stem.clone()).filter(|name| !taken.contains(name.as_str()));
    let from = if numbered { 1 } else { 2 };
    let mut rest = (from..).map(|number| stem.numbered(number)).filter(|name| !taken.contains(name.as_str()));
    first.or_else(|| rest.next()).expect("numbers do not run out")
}

/// Sixteen random hex digits.
pub fn uid() -> Result<String> {
    let mut bytes = [0; 8];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut bytes))
        .map_err(|error| Error::unusable("could not draw a random number").because(error))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
