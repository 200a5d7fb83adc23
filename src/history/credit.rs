//! Whose a commit is: own commits by their list, adopted history by paths and authors.
//!
//! **Invariant:** the shares of one touch add up to 1 at most; an own commit
//! is nobody's adopted history.

use std::collections::{HashMap, HashSet};

use super::log::{Log, Logged, Place};
use crate::git::Mailmap;
use crate::model::{Author, Name, Oid, PathSet, RepoPath, Time};

/// Commits that change more paths say nothing about any one of them.
pub const MAX_CHANGES: usize = 200;

/// A session, as far as its history goes.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name.
    pub name: Name,
    /// The paths it declares.
    pub paths: PathSet,
    /// Whether, and which, history on the base counts as its own.
    pub adopts: Option<Adopts>,
    /// Its own commits.
    pub commits: Vec<Oid>,
}

/// Which history on the base a session adopts, inside its declared paths
/// (everywhere, where it declares none).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adopts {
    /// Only of these authors (e-mail addresses); all when empty.
    pub authors: Vec<String>,
    /// Only commits up to this moment.
    pub until: Option<Time>,
}

/// A session's share of a touch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Credit {
    /// Position of the session.
    pub(super) session: u16,
    /// Position of the path in the log.
    pub(super) path: u32,
    /// 1 where the touch is its alone.
    pub(super) share: f64,
}

/// Tells whose commits are.
pub(super) struct Credits<'a> {
    log: &'a Log,
    own: HashMap<Oid, Vec<u16>>,
    adopters: Vec<Adopter<'a>>,
    /// By path: the adopters whose paths hold it, once that was asked.
    inside: Vec<Option<Box<[u16]>>>,
}

struct Adopter<'a> {
    session: u16,
    source: &'a Source,
    /// By position; `None` for all.
    authors: Option<HashSet<u32>>,
    until: Time,
}

impl<'a> Credits<'a> {
    pub(super) fn new(log: &'a Log, sources: &'a [Source], mailmap: &Mailmap) -> Self {
        let people = mailmap.resolve(log.authors());
        let mut own: HashMap<Oid, Vec<u16>> = HashMap::new();
        let mut adopters = Vec::new();
        for (session, source) in (0..).zip(sources) {
            for oid in &source.commits {
                let owners = own.entry(*oid).or_default();
                if !owners.contains(&session) {
                    owners.push(session);
                }
            }
            if let Some(adopts) = &source.adopts {
                let authors = (!adopts.authors.is_empty()).then(|| positions(&people, &adopts.authors));
                let until = adopts.until.unwrap_or(Time(i64::MAX));
                adopters.push(Adopter { session, source, authors, until });
            }
        }
        Self { log, own, adopters, inside: vec![None; log.paths().len()] }
    }

    /// The shares in each touch of `commit`; none where it changes too much.
    pub(super) fn of(&mut self, commit: &Logged<'_>, found: &mut Vec<Credit>) {
        found.clear();
        if commit.paths.len() > MAX_CHANGES {
            return;
        }
        if let Some(owners) = self.own.get(&commit.oid) {
            let share = 1.0 / owners.len() as f64;
            let touches =
                commit.paths.iter().flat_map(|path| owners.iter().map(move |owner| (*path, *owner)));
            found.extend(touches.map(|(path, session)| Credit { session, path, share }));
            return;
        }
        if commit.place == Place::Side {
            return;
        }
        for path in commit.paths {
            let start = found.len();
            let text = || RepoPath::from_bytes(self.log.paths().get(*path as usize));
            let inside = self.inside[*path as usize].get_or_insert_with(|| inside(&self.adopters, &text()));
            for adopter in inside.iter().map(|index| &self.adopters[usize::from(*index)]) {
                let is_author = adopter.authors.as_ref().is_none_or(|a| a.contains(&commit.author));
                if is_author && commit.time <= adopter.until {
                    found.push(Credit { session: adopter.session, path: *path, share: 1.0 });
                }
            }
            let share = 1.0 / (found.len() - start) as f64;
            found[start..].iter_mut().for_each(|credit| credit.share = share);
        }
    }
}

/// The adopters whose declared paths hold `path`.
fn inside(adopters: &[Adopter<'_>], path: &RepoPath) -> Box<[u16]> {
    let holds = |paths: &PathSet| paths.is_empty() || paths.contains(path);
    (0..).zip(adopters).filter(|(_, adopter)| holds(&adopter.source.paths)).map(|(index, _)| index).collect()
}

/// The positions of authors with one of these addresses.
fn positions(people: &[Author], wanted: &[String]) -> HashSet<u32> {
    let is_one = |author: &Author| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(&author.email));
    (0..).zip(people).filter(|(_, author)| is_one(author)).map(|(position, _)| position).collect()
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    pub(in crate::history) fn source(name: &str, patterns: &[&str]) -> Source {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let paths = PathSet::parse(&patterns).unwrap();
        Source { name: name.parse().unwrap(), paths, adopts: Some(Adopts::default()), commits: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::testing::{log, mined, oid};
    use super::testing::source;
    use super::*;

    /// `session path share` of each credit for the last commit of the log.
    fn credits(log: &Log, sources: &[Source]) -> Vec<String> {
        let mut found = Vec::new();
        Credits::new(log, sources, &Mailmap::default()).of(log.commits().last().unwrap(), &mut found);
        let text = |credit: &Credit| {
            let session = &sources[usize::from(credit.session)].name;
            let path = RepoPath::from_bytes(log.paths().get(credit.path as usize));
            format!("{session} {path} {}", credit.share)
        };
        found.iter().map(text).collect()
    }

    #[test]
    fn adopted_touches_lie_inside_the_paths_and_are_shared() {
        let log = log(vec![mined(9, "Me@x", &["api/a", "web/b", "c"])]);
        let with = |name, patterns: &[&str], authors: &[&str], until| {
            let authors = authors.iter().map(|author| (*author).to_owned()).collect();
            Source { adopts: Some(Adopts { authors, until }), ..source(name, patterns) }
        };
        let nothing = Source { adopts: None, ..source("n", &["api"]) };
        for (sources, expected) in [
            (vec![source("a", &["api"]), source("w", &["web"])], &["a api/a 1", "w web/b 1"][..]),
            (vec![source("a", &["api"]), source("b", &["api/**"])], &["a api/a 0.5", "b api/a 0.5"]),
            (vec![source("a", &[])], &["a api/a 1", "a web/b 1", "a c 1"]),
            (vec![nothing, source("w", &["api"])], &["w api/a 1"]),
            (vec![with("a", &["api"], &["me@X"], None)], &["a api/a 1"]),
            (vec![with("a", &["api"], &["you@x"], None), source("b", &["api"])], &["b api/a 1"]),
            (vec![with("a", &["api"], &[], Some(Time(9 * 86_400)))], &["a api/a 1"]),
            (vec![with("a", &["api"], &[], Some(Time(9 * 86_400 - 1)))], &[]),
            (vec![], &[]),
        ] {
            assert_eq!(credits(&log, &sources), expected, "{sources:?}");
        }
    }

    #[test]
    fn own_commits_count_everywhere_and_are_adopted_by_nobody() {
        let own =
            |name, patterns: &[&str]| Source { commits: vec![oid(9), oid(9)], ..source(name, patterns) };
        let log = log(vec![mined(9, "a", &["api/a", "c"])]);
        let one = [own("a", &["web"]), source("b", &["api"])];
        assert_eq!(credits(&log, &one), ["a api/a 1", "a c 1"]);
        let two = [own("a", &[]), own("b", &[])];
        assert_eq!(credits(&log, &two), ["a api/a 0.5", "b api/a 0.5", "a c 0.5", "b c 0.5"]);
    }

    #[test]
    fn sweeping_commits_and_what_never_landed_count_for_nobody() {
        let paths: Vec<String> = (0..=MAX_CHANGES).map(|number| format!("f{number}")).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let all = [source("a", &[])];
        assert_eq!(credits(&log(vec![mined(9, "a", &paths[1..])]), &all).len(), MAX_CHANGES);
        assert_eq!(credits(&log(vec![mined(9, "a", &paths)]), &all).len(), 0);
        let mut side = Log::default();
        side.add(&mined(9, "a", &["x"]), Place::Side);
        assert_eq!(credits(&side, &all).len(), 0);
    }
}
