//! Past commits given out as tasks, where the choice becomes the history: what
//! a rule keeps of context, and what that costs in waiting.
//!
//! Sessions start empty. Tasks come and take their time at random, the same
//! for every rule, so that sessions are at work three quarters of it; a session
//! does one task after the other (an M/M queue each). What it was given counts
//! as touched by it from then on: it will have done that before the next.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::ask::{Given, Order, changed};
use super::cast::{Cast, MOST_CHANGES, SESSIONS, names};
use super::row::{Place, Row, decay};
use super::state::State;
use super::story::Story;
use crate::model::tokens::tokens;
use crate::model::{
    Event, Events, HalfLives, Name, Owners, PathSet, Profiles, RepoPath, SessionWeight, Time, Touched,
};
use crate::route::{self, Contender, Known, Question, View};

/// How long a task takes on the mean, in seconds: eight sessions do 300 a week.
const TASK: f64 = 12_096.0;
/// The share of their time that sessions are at work.
const AT_WORK: f64 = 0.75;

/// What one rule keeps and costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kept {
    /// The rule.
    pub rule: String,
    /// Of the files of a task that somebody knew, the share that its session had touched.
    pub known: f64,
    /// The share that its session had touched last: no switch of context.
    pub continuity: f64,
    /// How long a task waited on the mean, in mean times of a task.
    pub waiting: f64,
    /// The share of the tasks that the busiest session got; an even one is 1/8.
    pub busiest: f64,
}

/// What giving tasks out found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Loop {
    /// How many tasks there were.
    pub tasks: usize,
    /// How many sessions.
    pub sessions: usize,
    /// The rules, the router last.
    pub rows: Vec<Kept>,
}

/// What a rule may look at when a task is given out.
pub struct Moment<'a> {
    /// What the task will touch.
    pub paths: &'a [RepoPath],
    /// What sessions were given at these paths until now.
    pub profiles: Profiles,
    /// How many tasks each session has that are not done.
    pub open: Vec<usize>,
    /// How many tasks were given out before.
    pub given: usize,
}

/// A rule and its name: the score of each session; the first of the best gets the task.
pub type Chooser<'a> = (&'a str, &'a dyn Fn(&Moment<'_>) -> Vec<f64>);

/// Simple rules, the simplest first.
pub const CHOOSERS: [Chooser<'static>; 3] =
    [("round robin", &round_robin), ("least loaded", &least_loaded), ("overlap count", &overlap)];

fn round_robin(moment: &Moment<'_>) -> Vec<f64> {
    let next = moment.given % SESSIONS;
    (0..SESSIONS).map(|session| f64::from(u8::from(session == next))).collect()
}

fn least_loaded(moment: &Moment<'_>) -> Vec<f64> {
    moment.open.iter().map(|open| -(*open as f64)).collect()
}

/// How many of the paths a session was ever given; load breaks ties.
fn overlap(moment: &Moment<'_>) -> Vec<f64> {
    let mut counts: Vec<f64> = least_loaded(moment).into_iter().map(|load| 1e-3 * load).collect();
    for path in moment.paths {
        for weight in moment.profiles.at(path.as_bytes()) {
            counts[usize::from(weight.session)] += 1.0;
        }
    }
    counts
}

/// When a task comes and how long it takes, in seconds.
struct Job {
    commit: usize,
    comes: f64,
    takes: f64,
}

/// Gives the newest commits out as tasks, by each rule and by the router.
pub fn closed(
    story: &Story<'_>,
    order: &Order,
    last: usize,
    choosers: &[Chooser<'_>],
    events: Events<'_>,
) -> Loop {
    let telling = story.telling();
    let small = telling.into_iter().filter(|commit| story.range(*commit).len() <= MOST_CHANGES);
    let commits: Vec<usize> = small.collect();
    let jobs = jobs(&commits[commits.len().saturating_sub(last)..]);
    let rules = choosers.iter().map(|chooser| Some(*chooser)).chain([None]);
    let total = jobs.len() * (choosers.len() + 1);
    let mut done = 0;
    let mut row = |chooser: Option<Chooser<'_>>| {
        let mut run = Run::new(story, order);
        for job in &jobs {
            run.give(job, chooser);
            done += 1;
            events(Event::Asking { done, total });
        }
        run.kept(chooser.map_or("git-orch", |(name, _)| name))
    };
    let rows = rules.map(&mut row).collect();
    Loop { tasks: jobs.len(), sessions: SESSIONS, rows }
}

fn jobs(commits: &[usize]) -> Vec<Job> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut spread = |mean: f64| {
        // xorshift64 (Marsaglia, 2003), as times between events that come at random
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        -mean * (1.0 - (state >> 11) as f64 / (1_u64 << 53) as f64).ln()
    };
    let mut now = 0.0;
    let mut job = |commit: &usize| {
        now += spread(TASK / (SESSIONS as f64 * AT_WORK));
        Job { commit: *commit, comes: now, takes: spread(TASK) }
    };
    commits.iter().map(&mut job).collect()
}

/// A task that was given out and is not done.
struct Open {
    ends: f64,
    paths: Vec<RepoPath>,
    commit: usize,
}

/// One rule at work.
struct Run<'a> {
    story: &'a Story<'a>,
    order: &'a Order,
    names: Vec<Name>,
    state: State<'a>,
    /// What each session did, by place…
    did: Places,
    /// …and what it was given.
    was_given: Places,
    /// Whose each commit is that was given out.
    given: HashMap<usize, u16>,
    open: Vec<Vec<Open>>,
    /// When each session is free.
    free: Vec<f64>,
    got: Vec<usize>,
    last: Vec<Option<Time>>,
    commits: Vec<u32>,
    waited: f64,
    /// Files that somebody knew, those that the session had touched, and last.
    files: [f64; 3],
}

impl<'a> Run<'a> {
    fn new(story: &'a Story<'a>, order: &'a Order) -> Self {
        let names = names((1..=SESSIONS).map(|_| "session"));
        Self {
            story,
            order,
            names,
            state: State::new(story, Cast::nobody(), order.half_lives),
            did: Places(HashMap::new(), order.half_lives),
            was_given: Places(HashMap::new(), order.half_lives),
            given: HashMap::new(),
            open: (0..SESSIONS).map(|_| Vec::new()).collect(),
            free: vec![0.0; SESSIONS],
            got: vec![0; SESSIONS],
            last: vec![None; SESSIONS],
            commits: vec![0; SESSIONS],
            waited: 0.0,
            files: [0.0; 3],
        }
    }

    fn give(&mut self, job: &Job, chooser: Option<Chooser<'_>>) {
        self.finish(job.comes);
        self.state.advance(self.story.times[job.commit], job.commit);
        let paths = changed(self.story, job.commit);
        let session = match chooser {
            Some((_, scores)) => best(&scores(&self.moment(job, &paths))),
            None => self.route(job, &paths),
        };
        self.judge(session, &paths);
        let begins = self.free[session].max(job.comes);
        self.waited += begins - job.comes;
        self.free[session] = begins + job.takes;
        self.got[session] += 1;
        self.given.insert(job.commit, session as u16);
        self.was_given.add(session, &paths, self.touched(job.comes, job.commit));
        self.open[session].push(Open { ends: begins + job.takes, paths, commit: job.commit });
    }

    /// What ended by now is history.
    fn finish(&mut self, now: f64) {
        for session in 0..SESSIONS {
            let (ended, open) =
                std::mem::take(&mut self.open[session]).into_iter().partition(|one| one.ends <= now);
            self.open[session] = open;
            let ended: Vec<Open> = ended;
            for Open { ends, paths, commit } in ended {
                let touched = self.touched(ends, commit);
                self.last[session] = Some(touched.time);
                self.did.add(session, &paths, touched);
                self.commits[session] += 1;
            }
        }
    }

    fn touched(&self, when: f64, commit: usize) -> Touched {
        Touched { time: Time(when as i64), oid: self.story.oids[commit] }
    }

    fn moment<'b>(&self, job: &Job, paths: &'b [RepoPath]) -> Moment<'b> {
        let weights = self.was_given.at(paths.iter(), Time(job.comes as i64));
        Moment {
            paths,
            profiles: self.profiles(weights, Time(job.comes as i64)),
            open: self.open.iter().map(Vec::len).collect(),
            given: self.given.len(),
        }
    }

    fn route(&self, job: &Job, paths: &[RepoPath]) -> usize {
        let text = if self.order.given == Given::Paths { "" } else { self.story.subjects[job.commit] };
        let given = if self.order.given == Given::Text { &[] } else { paths };
        let mut owners = Owners::default();
        (0..job.commit)
            .for_each(|commit| owners.push(self.given.get(&commit).map(|session| (*session, 1.0))));
        let past = self.state.past(&tokens(text), &owners);
        let view = (!text.is_empty()).then(|| View::new(&past, self.story.times[job.commit]));
        let expected = route::expect(text, Known { given, defined: &[] }, view);
        let contender = |session: usize| Contender {
            name: self.names[session].clone(),
            paths: PathSet::default(),
            specialty: String::new(),
            open: self.open[session].iter().map(|one| one.paths.clone()).collect(),
            last_activity: self.last[session],
            commits: self.commits[session],
        };
        let contenders: Vec<Contender> = (0..SESSIONS).map(contender).collect();
        let targets = expected.targets.iter().map(|target| &target.path);
        let waiting = self.open.iter().flatten().flat_map(|one| &one.paths);
        let now = Time(job.comes as i64);
        let profiles = self.profiles(self.did.at(targets.chain(waiting), now), now);
        let weights = &self.order.weights.of_sessions();
        let question = Question { text, expected: &expected, contenders: &contenders, weights };
        let choice = route::route(question, &profiles).choice;
        choice.and_then(|choice| self.names.iter().position(|name| *name == choice)).unwrap_or(0)
    }

    fn profiles(&self, weights: BTreeMap<Vec<u8>, Row>, now: Time) -> Profiles {
        let (sessions, commits) = (self.names.clone(), self.commits.clone());
        Profiles { now, sessions, commits, last_activity: self.last.clone(), weights }
    }

    fn judge(&mut self, session: usize, paths: &[RepoPath]) {
        for row in paths.iter().filter_map(|path| self.was_given.0.get(path.as_bytes())) {
            let last = row.iter().max_by_key(|weight| weight.last.as_ref().map(|last| last.time));
            let is_own = |weight: &SessionWeight| usize::from(weight.session) == session;
            self.files[0] += 1.0;
            self.files[1] += f64::from(u8::from(row.iter().any(is_own)));
            self.files[2] += f64::from(u8::from(last.is_some_and(is_own)));
        }
    }

    fn kept(&self, rule: &str) -> Kept {
        let tasks = self.given.len().max(1) as f64;
        let [known, own, last] = self.files;
        Kept {
            rule: rule.to_owned(),
            known: own / known.max(1.0),
            continuity: last / known.max(1.0),
            waiting: self.waited / TASK / tasks,
            busiest: self.got.iter().copied().max().unwrap_or(0) as f64 / tasks,
        }
    }
}

/// What sessions have at places, and how it decays.
struct Places(HashMap<Vec<u8>, Row>, HalfLives);

impl Places {
    fn add(&mut self, session: usize, paths: &[RepoPath], touched: Touched) {
        let touch = 1.0 / paths.len().max(1) as f64;
        let place = Place { half_lives: self.1, session: session as u16, touch, touched };
        for at in paths.iter().flat_map(RepoPath::places) {
            place.add(self.0.entry(at.to_vec()).or_default());
        }
    }

    /// What is left by now at some paths, the folders above them, and the top.
    fn at<'a>(&self, paths: impl Iterator<Item = &'a RepoPath>, now: Time) -> BTreeMap<Vec<u8>, Row> {
        let mut weights: BTreeMap<Vec<u8>, Row> = BTreeMap::new();
        for place in paths.flat_map(RepoPath::places).chain([&b""[..]]) {
            let Some(row) = self.0.get(place).filter(|_| !weights.contains_key(place)) else { continue };
            let mut row = row.clone();
            row.iter_mut().for_each(|weight| decay(weight, now, self.1));
            weights.insert(place.to_vec(), row);
        }
        weights
    }
}

/// The first of the best.
fn best(scores: &[f64]) -> usize {
    let better = |best: usize, next: usize| if scores[next] > scores[best] { next } else { best };
    (0..scores.len()).reduce(better).unwrap_or(0)
}
