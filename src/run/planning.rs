//! From several texts to a plan: each is routed as if those before it were
//! open already, and waits for those that are in its way.

use std::collections::BTreeSet;

use super::claim;
use super::routing::{Survey, among, contenders, defined, given, nobody, paused, refresh};
use crate::error::{Error, Result};
use crate::git::Repo;
use crate::model::{Behind, Event, Events, Name, Plan, Planned, Route, Target, Task, TaskState, Wanted};
use crate::route::context::context;
use crate::route::plan::{Part, Place, likely, order};
use crate::route::{Contender, Known};
use crate::session::TaskLock;
use crate::store;

/// Plans new tasks, beside those that are being worked on.
///
/// # Errors
/// Refused where there is no session; unusable where the history can't be read.
pub fn plan(repo: &Repo, survey: &Survey, wanted: &[Wanted], events: Events<'_>) -> Result<Plan> {
    let open = open(repo, survey);
    let (old, new): (Vec<&Wanted>, Vec<&Wanted>) =
        wanted.iter().partition(|wanted| open.iter().any(|task| task.text == wanted.text));
    let is_asked_for = |text: &String| old.iter().any(|wanted| wanted.text == *text);
    let concerns = |task: &&&Task| is_at_work(task) || is_asked_for(&task.text);
    let mut entries: Vec<Entry> = open.iter().filter(concerns).map(|task| Entry::of(task)).collect();
    entries.extend(fresh(repo, survey, &new, events)?);
    let mut tasks = placed(entries);
    let waited_for: BTreeSet<Name> =
        tasks.iter().flat_map(|task| &task.behind).map(|behind| behind.task.clone()).collect();
    // What else goes on is no part of it.
    tasks.retain(|task| task.is_new() || is_asked_for(&task.text) || waited_for.contains(&task.name));
    Ok(Plan { tasks: marked(survey, tasks) })
}

/// The plan of the tasks that are open.
pub fn of_open(repo: &Repo, survey: &Survey) -> Plan {
    let open = open(repo, survey).into_iter().filter(|task| task.state.is_open());
    Plan { tasks: marked(survey, placed(open.map(Entry::of).collect())) }
}

/// Marks what is queued for a session that takes no tasks.
fn marked(survey: &Survey, mut tasks: Vec<Planned>) -> Vec<Planned> {
    let paused = paused(survey);
    for task in &mut tasks {
        task.paused = task.state == Some(TaskState::Queued) && paused.contains(&task.session);
    }
    tasks
}

/// A task that has no place yet.
struct Entry {
    name: Name,
    text: String,
    state: Option<TaskState>,
    session: Name,
    targets: Vec<Target>,
    after: Option<Name>,
    route: Option<Route>,
}

impl Entry {
    fn of(task: &Task) -> Self {
        Self {
            name: task.name.clone(),
            text: task.text.clone(),
            state: Some(task.state),
            session: task.session.clone(),
            targets: task.targets.clone(),
            after: task.after.clone(),
            route: task.route.clone(),
        }
    }

    /// Whether something is left to do.
    fn is_ahead(&self) -> bool {
        self.state.is_none_or(is_under_way)
    }
}

fn is_under_way(state: TaskState) -> bool {
    matches!(state, TaskState::Queued | TaskState::Running | TaskState::Input)
}

fn is_at_work(task: &Task) -> bool {
    is_under_way(task.state)
}

/// The tasks that are not over, those that are being worked on first; without
/// those whose process died.
fn open<'a>(repo: &Repo, survey: &'a Survey) -> Vec<&'a Task> {
    let is_dead = |task: &Task| {
        let carried = task.agent.is_some() || task.state == TaskState::Queued;
        carried
            && is_at_work(task)
            && task.state != TaskState::Input
            && TaskLock::holder(repo, &task.name).is_none()
    };
    let all = survey.tasks.iter().map(|task| &task.value);
    let mut open: Vec<&Task> = all.filter(|task| !task.state.is_over() && !is_dead(task)).collect();
    open.sort_by_key(|task| (task.state == TaskState::Queued, task.created, &task.name));
    open
}

/// New tasks, each with the session that would get it.
fn fresh(repo: &Repo, survey: &Survey, wanted: &[&Wanted], events: Events<'_>) -> Result<Vec<Entry>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut history = refresh(survey, events)?;
    let mut contenders = contenders(survey, &history);
    let weights = survey.weights.of_sessions();
    let mut taken = claim::taken_names(repo)?;
    let mut entries: Vec<Entry> = Vec::new();
    for (done, one) in (1..).zip(wanted) {
        let text = &one.text;
        let given = given(repo, survey, &one.paths)?;
        let defined = defined(repo, survey, text)?;
        let known = Known { given: &given, defined: &defined };
        let route = among(&contenders, &mut history, (text, known), &weights, events)?;
        let route = Route { paused: paused(survey), ..route };
        let after = one.after.as_deref().map(|before| earlier(survey, &entries, before)).transpose()?;
        let said = one.session.as_deref().map(|name| store::sessions::require(repo, name)).transpose()?;
        let said = said.map(|session| session.value.name);
        let name = claim::free_among(&taken, text);
        let entry = Entry { after, ..entry(&mut contenders, text, (route, said), name)? };
        taken.insert(entry.name.to_string());
        entries.push(entry);
        events(Event::Asking { done, total: wanted.len() });
    }
    Ok(entries)
}

/// The task that another one comes after: one before it in the list, by its words, or by name.
fn earlier(survey: &Survey, entries: &[Entry], before: &str) -> Result<Name> {
    let listed = entries.iter().find(|entry| entry.text == before || entry.name.as_str() == before);
    let made =
        || survey.tasks.iter().find(|task| task.value.name.as_str() == before || task.value.text == before);
    let name = listed.map(|entry| entry.name.clone()).or_else(|| made().map(|task| task.value.name.clone()));
    name.ok_or_else(|| {
        Error::usage(format!("no task `{before}` comes before"))
            .hint("`after` names one further up in the list by its words, or a task by its name")
    })
}

/// A routed task, which from now on is open work of its session.
fn entry(
    contenders: &mut [Contender],
    text: &str,
    (route, said): (Route, Option<Name>),
    name: Name,
) -> Result<Entry> {
    let is_said = said.is_some();
    let session = said.or_else(|| route.choice.clone());
    let session = session.ok_or_else(|| nobody(&route.paused, "give tasks to"))?;
    let paths = route.targets.iter().map(|target| target.path.clone()).collect();
    contenders.iter_mut().filter(|one| one.name == session).for_each(|one| one.open.push(Vec::clone(&paths)));
    let targets = route.targets.clone();
    let route = Some(route).filter(|_| !is_said);
    Ok(Entry { name, text: text.to_owned(), state: None, session, targets, after: None, route })
}

/// Gives each task its place; those that need none keep theirs in the list.
fn placed(entries: Vec<Entry>) -> Vec<Planned> {
    let ahead: Vec<&Entry> = entries.iter().filter(|entry| entry.is_ahead()).collect();
    let position = |name: &Name| ahead.iter().position(|one| one.name == *name);
    let parts = ahead.iter().map(|entry| Part {
        session: &entry.session,
        files: likely(&entry.targets),
        after: entry.after.as_ref().and_then(position),
    });
    let places = order(&parts.collect::<Vec<_>>());
    let names: Vec<Name> = ahead.iter().map(|entry| entry.name.clone()).collect();
    let mut places = places.into_iter();
    let planned = |entry: Entry| {
        let place = if entry.is_ahead() { places.next() } else { None };
        planned(entry, place, &names)
    };
    entries.into_iter().map(planned).collect()
}

fn planned(entry: Entry, place: Option<Place>, names: &[Name]) -> Planned {
    let wave = place.as_ref().map(|place| place.wave);
    let behind = place.into_iter().flat_map(|place| place.behind);
    let behind = behind.map(|before| Behind {
        task: names[before.task].clone(),
        because: before.because,
        shared: before.shared,
    });
    Planned {
        context: context(&entry.text),
        name: entry.name,
        text: entry.text,
        state: entry.state,
        session: entry.session,
        wave,
        behind: behind.collect(),
        route: entry.route,
        targets: entry.targets,
        paused: false,
    }
}
