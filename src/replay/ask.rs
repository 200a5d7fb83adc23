//! Questions asked one after the other, and what the answers are worth.

use std::time::Duration;

use serde::Serialize;

use super::baseline::{Look, Rule};
use super::cast::{Asked, Cast};
use super::figures::{Figures, Interval, interval};
use super::state::State;
use super::story::Story;
use crate::model::tokens::tokens;
use crate::model::{
    Candidate, Event, Events, HalfLives, Name, Oid, Owners, PathSet, RepoPath, Time, Weights,
};
use crate::route::{self, Contender, Known, Question, View};

/// What is told of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    /// The paths that the commit changed.
    Paths,
    /// The first line of its message.
    Text,
    /// Both.
    Both,
}

/// How questions are asked.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// What is told.
    pub given: Given,
    /// How long before the commit the history ends.
    pub lag: Duration,
    /// Whether sessions declare their paths.
    pub declared: bool,
    /// In which time a touch halves.
    pub half_lives: HalfLives,
    /// What each signal weighs.
    pub weights: Weights,
}

/// One question with its answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The commit that was asked about.
    pub commit: Oid,
    /// The session that made it.
    pub session: Name,
    /// Where the router ranks it, counted from 1.
    pub rank: usize,
    /// All sessions, best first.
    pub candidates: Vec<Scored>,
}

/// A session with its score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    /// The session.
    pub session: Name,
    /// Its score.
    pub score: f64,
}

/// What one rule is worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The rule.
    pub rule: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// How sure its first figure is.
    pub top1_interval: Interval,
    /// How sure its last figure is.
    pub mrr_interval: Interval,
}

/// What a replay found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// How many questions there were.
    pub questions: usize,
    /// The sessions, with how many of the questions are theirs.
    pub sessions: Vec<(Name, usize)>,
    /// The rules, the router last.
    pub rows: Vec<Row>,
    /// The router's answers.
    #[serde(skip)]
    pub answers: Vec<Answer>,
    /// What each rule is worth for each question, the router last.
    #[serde(skip)]
    pub figures: Vec<Vec<Figures>>,
}

/// Asks all questions of the router and of other rules.
pub fn ask(story: &Story<'_>, cast: &Cast, order: &Order, rules: &[Rule<'_>], events: Events<'_>) -> Report {
    let mut state = State::new(story, cast, order.half_lives);
    let mut found: Vec<Vec<Figures>> = vec![Vec::new(); rules.len() + 1];
    let mut answers = Vec::new();
    let lag = i64::try_from(order.lag.as_secs()).unwrap_or(i64::MAX);
    for (done, asked) in (1..).zip(&cast.questions) {
        let now = story.times[asked.commit];
        state.advance(Time(now.0.saturating_sub(lag)), asked.commit);
        let (answer, figures) = answer((story, cast, order), &state, asked, rules);
        found.iter_mut().zip(figures).for_each(|(all, one)| all.push(one));
        answers.push(answer);
        events(Event::Asking { done, total: cast.questions.len() });
    }
    report(cast, rules, found, answers)
}

/// The router's answer, and what every rule is worth, the router last.
fn answer(
    (story, cast, order): (&Story<'_>, &Cast, &Order),
    state: &State<'_>,
    asked: &Asked,
    rules: &[Rule<'_>],
) -> (Answer, Vec<Figures>) {
    let now = story.times[asked.commit];
    let text = if order.given == Given::Paths { "" } else { story.subjects[asked.commit] };
    let given = if order.given == Given::Text { Vec::new() } else { changed(story, asked.commit) };
    let all = asked.among.len() == cast.names.len();
    let few = if all || text.is_empty() { Owners::default() } else { state.owners(&asked.among) };
    let past = state.past(&tokens(text), if all { &cast.owners } else { &few });
    let view = (!text.is_empty()).then(|| View::new(&past, now));
    let expected = route::expect(text, Known { given: &given, defined: &[] }, view);
    let targets: Vec<RepoPath> = expected.targets.iter().map(|target| target.path.clone()).collect();
    let mut with_top = targets.clone();
    with_top.push(RepoPath::from(""));
    let profiles = state.profiles(&with_top, &asked.among, now);
    let contenders = contenders(cast, order, state, &asked.among);
    let weights = if cast.years { order.weights } else { order.weights.of_sessions() };
    let question = Question { text, expected: &expected, contenders: &contenders, weights: &weights };
    let route = route::route(question, &profiles);
    let session = cast.names[usize::from(asked.among[asked.answer])].clone();
    let rank = 1 + route.candidates.iter().take_while(|one| one.session != session).count();
    let look = Look {
        text,
        given: &given,
        view,
        contenders: &contenders,
        profiles: &profiles,
        targets: &targets,
        now,
        asked,
        state,
    };
    let figures = rules.iter().map(|(_, rule)| Figures::of(&rule(&look), asked.answer));
    let figures = figures.chain([Figures::at(rank)]).collect();
    let scored = |one: Candidate| Scored { session: one.session, score: one.score };
    let candidates = route.candidates.into_iter().map(scored).collect();
    (Answer { commit: story.oids[asked.commit], session, rank, candidates }, figures)
}

/// What a commit changed, under the names from before it.
pub fn changed(story: &Story<'_>, commit: usize) -> Vec<RepoPath> {
    let position = story.position(commit) as u32;
    let renames = story.log.renames();
    let start = renames.partition_point(|one| one.commit < position);
    let renames: Vec<_> = renames[start..].iter().take_while(|one| one.commit == position).collect();
    let paths = story.changed[story.range(commit)].iter();
    let new = |path: &&u32| !renames.iter().any(|one| one.to == **path);
    paths.filter(new).map(|path| RepoPath::from_bytes(story.log.paths().get(*path as usize))).collect()
}

fn contenders(cast: &Cast, order: &Order, state: &State<'_>, among: &[u16]) -> Vec<Contender> {
    let contender = |session: usize| Contender {
        name: cast.names[session].clone(),
        paths: if order.declared { cast.declared[session].clone() } else { PathSet::default() },
        specialty: String::new(),
        open: Vec::new(),
        last_activity: state.last(session),
        commits: state.commits(session),
    };
    among.iter().map(|session| contender(usize::from(*session))).collect()
}

fn report(cast: &Cast, rules: &[Rule<'_>], figures: Vec<Vec<Figures>>, answers: Vec<Answer>) -> Report {
    let names = rules.iter().map(|(name, _)| *name).chain(["git-orch"]);
    let row = |(name, figures): (&str, Vec<Figures>)| Row {
        rule: name.to_owned(),
        figures: Figures::mean(figures.iter().copied()),
        top1_interval: interval(&figures.iter().map(|one| one.top1).collect::<Vec<f64>>()),
        mrr_interval: interval(&figures.iter().map(|one| one.mrr).collect::<Vec<f64>>()),
    };
    let asked = |(session, name): (u16, &Name)| {
        (name.clone(), cast.questions.iter().filter(|asked| asked.among[asked.answer] == session).count())
    };
    Report {
        questions: answers.len(),
        sessions: (0..).zip(&cast.names).map(asked).filter(|(_, asked)| cast.timed || *asked > 0).collect(),
        rows: names.zip(figures.iter().cloned()).map(row).collect(),
        answers,
        figures,
    }
}
