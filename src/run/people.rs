//! The people that committed, in the place of sessions: who knows this code,
//! in a repository that never saw git-orch.

use std::collections::{BTreeMap, HashMap};

use super::routing;
use crate::config::Settings;
use crate::error::Result;
use crate::git::Repo;
use crate::history::{self, Adopts, Log, MAX_CHANGES, Request, Source};
use crate::model::profile::SLOW;
use crate::model::{Author, Events, Name, PathSet, RepoPath, Route, Time};
use crate::route::{Contender, Known};

/// The most people that are asked about: those who did most, lately.
const MOST: usize = 40;

/// Routes a task among the people that committed; programs are left out.
///
/// # Errors
/// Unusable where the history can't be read.
pub fn decide(
    repo: &Repo,
    settings: &Settings,
    (text, given): (&str, &[RepoPath]),
    events: Events<'_>,
    now: Time,
) -> Result<Route> {
    let survey = routing::survey(repo, settings, now)?;
    let defined = routing::defined(repo, &survey, text)?;
    let (request, weights) = (survey.request, survey.weights);
    drop(std::fs::create_dir_all(&request.folder));
    let request = Request { table: history::PEOPLE, sessions: Vec::new(), ..request };
    let log = history::load_log(&request, events)?;
    let people = people(&request, &log);
    let sessions = people.iter().map(|(name, person)| source(name, person)).collect();
    let request = Request { sessions, ..request };
    let mut history = history::refresh_with(&request, log, events)?;
    let contender = |(name, _): (&Name, &Person)| Contender {
        name: name.clone(),
        paths: PathSet::default(),
        specialty: String::new(),
        open: Vec::new(),
        last_activity: history.last_activity(name),
        commits: history.commits(name),
    };
    let contenders: Vec<Contender> = people.iter().map(contender).collect();
    let known = Known { given, defined: &defined };
    let mut route = routing::among(&contenders, &mut history, (text, known), &weights, events)?;
    for candidate in &mut route.candidates {
        candidate.person = people.get(&candidate.session).map(|person| person.author.clone());
    }
    Ok(route)
}

/// Someone who committed.
struct Person {
    /// The newest name and address.
    author: Author,
    /// All addresses.
    addresses: Vec<String>,
}

/// Who did most, a commit halved with the slow half-life; each with a name of their own.
fn people(request: &Request, log: &Log) -> BTreeMap<Name, Person> {
    let authors = request.mailmap.resolve(log.authors());
    let one_each = Author::one_each(&authors);
    let mut weights: HashMap<u32, (f64, &Author)> = HashMap::new();
    for commit in log.commits().into_iter().filter(|commit| commit.paths.len() <= MAX_CHANGES) {
        let author = &authors[commit.author as usize];
        let weight = request.half_lives.decay(request.now.since(commit.time))[SLOW];
        // The newest name is the one in use.
        let at = weights.entry(one_each[commit.author as usize]).or_insert((0.0, author));
        *at = (at.0 + weight, author);
    }
    let mut sorted: Vec<(u32, (f64, &Author))> =
        weights.into_iter().filter(|(_, (_, author))| !author.is_bot()).collect();
    sorted.sort_by(|one, two| two.1.0.total_cmp(&one.1.0).then_with(|| one.1.1.email.cmp(&two.1.1.email)));
    let mut people = BTreeMap::new();
    for (person, (_, author)) in sorted.into_iter().take(MOST) {
        let local = author.email.split('@').next().unwrap_or_default();
        let stem = Name::slug(&author.name).or_else(|| Name::slug(local));
        let stem = stem.unwrap_or_else(|| "someone".parse().expect("this is a name"));
        let mut names = std::iter::once(stem.clone()).chain((2..).map(|number| stem.numbered(number)));
        let name = names.find(|name| !people.contains_key(name)).expect("numbers do not run out");
        let own = one_each.iter().zip(&authors).filter(|(one, _)| **one == person);
        let addresses = own.map(|(_, author)| author.email.clone()).collect();
        people.insert(name, Person { author: author.clone(), addresses });
    }
    people
}

fn source(name: &Name, person: &Person) -> Source {
    let adopts = Adopts { authors: person.addresses.clone(), until: None };
    let (name, paths) = (name.clone(), PathSet::default());
    Source { name, paths, adopts: Some(adopts), commits: Vec::new() }
}
