//! From words and paths to a route: gathers what the pure router takes.

use crate::config::Settings;
use crate::error::{Error, Result};
use crate::git::mine::Miner;
use crate::git::{Mailmap, Repo, definitions, refs};
use crate::history::{self, Adopts, History, Request, Source};
use crate::model::tokens::tokens;
use crate::model::{
    Events, HalfLives, Name, Oid, PathSet, RepoPath, Route, Session, SessionState, Task, Time, Weights,
    path::is_glob, time,
};
use crate::route::{self, Contender, Known, Question, View};
use crate::store::{self, Stored};

/// How many files a pattern among the given paths may stand for.
const MOST_FILES: usize = 200;

/// A symbol that more files define says nothing.
const MOST_DEFINITIONS: usize = 3;

/// Everything there is to route by, as of one moment.
pub struct Survey {
    /// The sessions that are not archived.
    pub sessions: Vec<Stored<Session>>,
    /// All tasks.
    pub tasks: Vec<Stored<Task>>,
    /// What histories are folded from.
    pub request: Request,
    /// What each signal weighs.
    pub weights: Weights,
}

/// Reads the records; mines nothing yet.
pub fn survey(repo: &Repo, settings: &Settings, now: Time) -> Result<Survey> {
    let sessions = store::sessions::load(repo)?;
    let tasks = store::tasks::load(repo)?;
    let request = request(repo, settings, &sessions, &tasks, now)?;
    let weights = settings.file.routing.weights.into();
    Ok(Survey { sessions, tasks, request, weights })
}

fn request(
    repo: &Repo,
    settings: &Settings,
    sessions: &[Stored<Session>],
    tasks: &[Stored<Task>],
    now: Time,
) -> Result<Request> {
    let mut tips: Vec<Oid> = Vec::new();
    for session in sessions {
        tips.extend(repo.read().find_ref(&refs::branch(&session.value.base))?);
    }
    if tips.is_empty() {
        tips.extend(repo.read().head()?.oid());
    }
    tips.sort();
    tips.dedup();
    let span = |index: usize| time::parse_span(&settings.file.routing.half_lives[index]);
    let default = HalfLives::default();
    let sources = sessions.iter().map(|session| source(&session.value, tasks));
    Ok(Request {
        miner: Miner::of(repo),
        folder: repo.orch_dir()?.join(history::FOLDER),
        log: history::NEAR,
        table: history::SESSIONS,
        mailmap: tips.first().map_or(Ok(Mailmap::default()), |tip| Mailmap::of(repo, *tip))?,
        tips,
        sessions: sources.collect::<Result<_>>()?,
        horizon: settings.horizon(),
        half_lives: HalfLives {
            fast: span(0).unwrap_or(default.fast),
            slow: span(1).unwrap_or(default.slow),
        },
        now,
    })
}

fn source(session: &Session, tasks: &[Stored<Task>]) -> Result<Source> {
    let mut commits: Vec<Oid> = session.commits.clone();
    commits.extend(tasks.iter().flat_map(|task| task.value.commits_of(&session.name)));
    Ok(Source {
        name: session.name.clone(),
        paths: PathSet::parse(&session.paths).map_err(Error::unusable)?,
        adopts: session
            .adopts
            .as_ref()
            .map(|adopts| Adopts { authors: adopts.authors.clone(), until: Some(session.created) }),
        commits,
    })
}

/// Brings the mined histories up to date.
pub fn refresh<'a>(survey: &'a Survey, events: Events<'_>) -> Result<History<'a>> {
    let folder = &survey.request.folder;
    // Where none can be made, what is mined is not kept, and that is told.
    drop(std::fs::create_dir_all(folder));
    history::refresh(&survey.request, events)
}

/// Routes a task: who would get it and why.
///
/// # Errors
/// Unusable where the history can't be read.
pub fn decide(
    repo: &Repo,
    survey: &Survey,
    (text, given): (&str, &[RepoPath]),
    events: Events<'_>,
) -> Result<Route> {
    decide_without(repo, survey, (text, given), &[], events)
}

/// The same without some sessions.
///
/// # Errors
/// Unusable where the history can't be read.
pub fn decide_without(
    repo: &Repo,
    survey: &Survey,
    (text, given): (&str, &[RepoPath]),
    without: &[Name],
    events: Events<'_>,
) -> Result<Route> {
    let mut history = refresh(survey, events)?;
    let mut contenders = contenders(survey, &history);
    contenders.retain(|contender| !without.contains(&contender.name));
    let defined = defined(repo, survey, text)?;
    let known = Known { given, defined: &defined };
    let weights = survey.weights.of_sessions();
    let route = among(&contenders, &mut history, (text, known), &weights, events)?;
    Ok(Route { paused: paused(survey), ..route })
}

/// The sessions that are left out, as they take no tasks.
pub(super) fn paused(survey: &Survey) -> Vec<Name> {
    let sessions = survey.sessions.iter().map(|session| &session.value);
    sessions.filter(|one| one.state == SessionState::Paused).map(|one| one.name.clone()).collect()
}

/// Why there is nobody to `route to`, or to `give it to`.
pub fn nobody(paused: &[Name], what: &str) -> Error {
    match paused {
        [] => Error::refused(format!("there is no session to {what}"))
            .hint("make one: `git orch add-session NAME --paths GLOB --adopt-history`"),
        [first, ..] => Error::refused(format!("there is no session to {what} that is not paused"))
            .hint(format!("let one take tasks again: `git orch resume {first}`")),
    }
}

/// The files that define the symbols a text names; none for one that many define.
pub(super) fn defined(repo: &Repo, survey: &Survey, text: &str) -> Result<Vec<RepoPath>> {
    let mut files = Vec::new();
    let Some(tip) = survey.request.tips.first() else { return Ok(files) };
    for symbol in route::symbols(text) {
        let found = definitions::of(repo, *tip, symbol)?;
        if found.len() <= MOST_DEFINITIONS {
            files.extend(found);
        }
    }
    Ok(files)
}

/// Routes a task among contenders, whose histories these are.
pub(super) fn among(
    contenders: &[Contender],
    history: &mut History<'_>,
    (text, known): (&str, Known<'_>),
    weights: &Weights,
    events: Events<'_>,
) -> Result<Route> {
    if !text.is_empty() {
        history.load_words(events)?;
    }
    let past = if text.is_empty() { None } else { history.past(&tokens(text)) };
    let view = past.as_ref().map(|past| View::new(past, history.now()));
    let expected = route::expect(text, known, view);
    let mut paths: Vec<RepoPath> = expected.targets.iter().map(|target| target.path.clone()).collect();
    // What sessions did anywhere is known at the top.
    paths.push(RepoPath::from(""));
    paths.extend(contenders.iter().flat_map(|one| one.open.iter().flatten().cloned()));
    let profiles = history.profiles(&paths);
    let question = Question { text, expected: &expected, contenders, weights };
    Ok(route::route(question, &profiles))
}

/// The past commits that read most like a text, best first, each with what it changed.
///
/// # Errors
/// Unusable where the history can't be read.
pub fn alike(
    survey: &Survey,
    text: &str,
    most: usize,
    events: Events<'_>,
) -> Result<Vec<(Oid, Vec<RepoPath>)>> {
    let mut history = refresh(survey, events)?;
    history.load_words(events)?;
    let Some(past) = history.past(&tokens(text)) else { return Ok(Vec::new()) };
    let changed = |commit: usize| past.changes(commit).iter().map(|path| past.paths.get(*path as usize));
    let told = |commit: usize| (past.oids[commit], changed(commit).map(RepoPath::from_bytes).collect());
    Ok(route::alike(text, View::new(&past, history.now()), most).into_iter().map(told).collect())
}

/// The files that exist, as the first session's base (or HEAD) has them.
fn files_of_base(repo: &Repo, survey: &Survey) -> Result<Vec<RepoPath>> {
    let Some(tip) = survey.request.tips.first() else { return Ok(Vec::new()) };
    let tree = repo.read().commit(*tip)?.tree;
    Ok(repo.read().tracked(tree)?.into_iter().map(|entry| entry.name).collect())
}

pub(super) fn contenders(survey: &Survey, history: &History<'_>) -> Vec<Contender> {
    let takes_tasks = |session: &&Stored<Session>| session.value.state == SessionState::Idle;
    survey
        .sessions
        .iter()
        .filter(takes_tasks)
        .map(|session| contender(&session.value, survey, history))
        .collect()
}

fn contender(session: &Session, survey: &Survey, history: &History<'_>) -> Contender {
    let own = survey.tasks.iter().map(|task| &task.value).filter(|task| task.session == session.name);
    let open = own.filter(|task| task.state.is_open());
    let targets = |task: &Task| task.targets.iter().map(|target| target.path.clone()).collect();
    Contender {
        name: session.name.clone(),
        paths: PathSet::parse(&session.paths).expect("patterns were checked when the session was made"),
        specialty: session.specialty.clone(),
        open: open.map(targets).collect(),
        last_activity: history.last_activity(&session.name),
        commits: history.commits(&session.name),
    }
}

/// Given paths as targets: a pattern stands for the files it matches.
///
/// # Errors
/// Usage for a pattern that matches nothing.
pub fn given(repo: &Repo, survey: &Survey, patterns: &[String]) -> Result<Vec<RepoPath>> {
    let mut targets = Vec::new();
    for pattern in patterns {
        if !is_glob(pattern) {
            targets.push(RepoPath::from(if pattern == "." { "" } else { pattern.trim_end_matches('/') }));
            continue;
        }
        let set = PathSet::parse(std::slice::from_ref(pattern)).map_err(Error::usage)?;
        let files = files_of_base(repo, survey)?;
        let matched: Vec<RepoPath> =
            files.into_iter().filter(|file| set.contains(file)).take(MOST_FILES).collect();
        if matched.is_empty() {
            return Err(Error::usage(format!("no file matches `{pattern}`")));
        }
        targets.extend(matched);
    }
    Ok(targets)
}

/// The session of a name, among those surveyed.
pub fn find<'a>(survey: &'a Survey, name: &Name) -> Option<&'a Stored<Session>> {
    survey.sessions.iter().find(|session| session.value.name == *name)
}
