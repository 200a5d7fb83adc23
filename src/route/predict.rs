//! From words to likely files and to sessions, by similar past commits.

use super::index::View;
use super::similar::left;
use crate::model::tokens::{self, scope};
use crate::model::{Oid, RepoPath, Target, TargetSource, Time};

/// How many similar commits count.
const MATCHES: usize = 100;
/// How many files are predicted.
const FILES: usize = 5;
/// How many of the newest commits make a file popular.
const POPULAR: usize = 400;

/// What a task is expected to touch, and what past commits say of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// The targets, most likely first.
    pub targets: Vec<Target>,
    /// How many similar past commits they come from.
    pub matching: usize,
    /// The sessions' own commits that are most like the task.
    pub similar: Vec<Similar>,
    /// Of each word of the task that some session used: how many commits of
    /// each session of the profiles have it, decayed; may be shorter than the sessions.
    pub words: Vec<Vec<f64>>,
}

/// A commit of sessions that is like the task.
#[derive(Clone, Debug, PartialEq)]
pub struct Similar {
    /// The commit.
    pub commit: Oid,
    /// When it was made.
    pub time: Time,
    /// How like, 1 at most.
    pub weight: f64,
    /// Whose it is, with the shares of each.
    pub owners: Vec<(u16, f32)>,
}

impl Expected {
    /// What the similar commits of each of so many sessions weigh.
    pub fn votes(&self, sessions: usize) -> Vec<f64> {
        let mut votes = vec![0.0; sessions];
        for similar in &self.similar {
            for (session, share) in &similar.owners {
                if let Some(vote) = votes.get_mut(usize::from(*session)) {
                    *vote += similar.weight * f64::from(*share);
                }
            }
        }
        votes
    }
}

/// A past commit whose words match the task's.
struct Match {
    commit: usize,
    /// 1 for the best.
    weight: f64,
}

/// The files that a task's words lead to, and from how many similar commits;
/// `likeness` tells how well each message matches it.
pub(super) fn predict(
    text: &str,
    tokens: &[String],
    likeness: &[f64],
    view: View<'_>,
) -> (Vec<Target>, usize) {
    let matching = matching(likeness, view);
    (files(text, tokens, &matching, view, FILES), matching.len())
}

/// The files that a text leads to, best first.
pub fn predicted(text: &str, view: View<'_>, most: usize) -> Vec<Target> {
    let tokens = tokens::distinct(text);
    let matching = matching(&view.messages(&tokens), view);
    files(text, &tokens, &matching, view, most)
}

/// The past commits that read most like a text, best first, by position.
pub fn alike(text: &str, view: View<'_>, most: usize) -> Vec<usize> {
    let matching = matching(&view.messages(&tokens::distinct(text)), view);
    matching.into_iter().take(most).map(|one| one.commit).collect()
}

fn matching(likeness: &[f64], view: View<'_>) -> Vec<Match> {
    let past = view.past();
    let mut found: Vec<Match> = likeness
        .iter()
        .enumerate()
        .filter(|(_, score)| **score > 0.0)
        .map(|(commit, score)| Match { commit, weight: score * left(view.now().since(past.times[commit])) })
        .collect();
    let newer = |a: usize, b: usize| (past.times[b], past.oids[b]).cmp(&(past.times[a], past.oids[a]));
    let order = |a: &Match, b: &Match| b.weight.total_cmp(&a.weight).then_with(|| newer(a.commit, b.commit));
    if found.len() > MATCHES {
        found.select_nth_unstable_by(MATCHES, order);
        found.truncate(MATCHES);
    }
    found.sort_unstable_by(order);
    let most = found.first().map_or(1.0, |best| best.weight);
    found.iter_mut().for_each(|one| one.weight = (one.weight / most).powi(3));
    found
}

/// One way to tell likely files, by position in the paths.
struct Feature {
    weight: f64,
    scores: Vec<f64>,
}

fn files(text: &str, tokens: &[String], matching: &[Match], view: View<'_>, most: usize) -> Vec<Target> {
    let past = view.past();
    let mut features = vec![
        Feature { weight: 1.0, scores: view.names(tokens) },
        Feature { weight: 2.0, scores: view.messages_by_file(tokens) },
        Feature { weight: 1.5, scores: neighbours(matching, view) },
    ];
    if let Some(scope) = scope(text) {
        features.push(Feature { weight: 1.5, scores: view.names(&tokens::tokens(scope)) });
    }
    let mut scores = vec![0.0; past.paths.len()];
    let mut weights = mix(&mut scores, &features);
    let mut best: Vec<usize> =
        (0..scores.len()).filter(|path| past.exists[*path] && scores[*path] > 0.0).collect();
    weights += mix(&mut scores, &[Feature { weight: 1.0, scores: popularity(view) }]);
    let order = |a: &usize, b: &usize| {
        scores[*b].total_cmp(&scores[*a]).then(past.paths.get(*a).cmp(past.paths.get(*b)))
    };
    if best.len() > most {
        best.select_nth_unstable_by(most, order);
        best.truncate(most);
    }
    best.sort_unstable_by(order);
    best.into_iter()
        .map(|path| Target {
            path: RepoPath::from_bytes(past.paths.get(path)),
            source: TargetSource::Predicted,
            score: (scores[path] / weights).min(1.0),
        })
        .collect()
}

/// Adds each feature, scaled to a maximum of its weight; returns what the maxima add up to.
fn mix(scores: &mut [f64], features: &[Feature]) -> f64 {
    let mut weights = 0.0;
    for feature in features {
        let most = feature.scores.iter().copied().fold(0.0, f64::max);
        if most > 0.0 {
            weights += feature.weight;
            for (sum, score) in scores.iter_mut().zip(&feature.scores) {
                *sum += feature.weight * score / most;
            }
        }
    }
    weights
}

/// Files that similar commits changed.
fn neighbours(matching: &[Match], view: View<'_>) -> Vec<f64> {
    let past = view.past();
    let mut scores = vec![0.0; past.paths.len()];
    for Match { commit, weight } in matching {
        let paths = past.changes(*commit);
        let share = weight / (paths.len() as f64).sqrt();
        paths.iter().for_each(|path| scores[*path as usize] += share);
    }
    scores
}

/// Files that the newest commits changed.
fn popularity(view: View<'_>) -> Vec<f64> {
    let past = view.past();
    let mut newest: Vec<usize> = (0..past.len()).collect();
    let order = |commit: &usize| std::cmp::Reverse((past.times[*commit], past.oids[*commit]));
    if newest.len() > POPULAR {
        newest.select_nth_unstable_by_key(POPULAR, order);
        newest.truncate(POPULAR);
    }
    let mut touches = vec![0.0_f64; past.paths.len()];
    for commit in newest.into_iter().filter(|commit| view.is_telling(*commit)) {
        past.changes(commit).iter().for_each(|path| touches[*path as usize] += 1.0);
    }
    touches.into_iter().map(f64::ln_1p).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Time;
    use crate::route::testing::Story;
    use crate::route::{Known, expect};

    const DAY: i64 = 86_400;

    fn story() -> Story {
        Story::of(&["src/api/auth.rs", "src/web/form.tsx", "docs/guide.md", "-src/login.rs"])
            .commit(DAY, "fix login redirect", &[0], 0)
            .commit(2 * DAY, "login form looks", &[1], 1)
            .commit(3 * DAY, "write guide", &[2], 2)
            .commit(4 * DAY, "fix login timeout", &[0, 3], 0)
    }

    fn predicted(text: &str) -> Expected {
        let story = story();
        expect(text, Known::default(), Some(View::new(&story.past(), Time(9 * DAY))))
    }

    #[test]
    fn words_of_past_messages_lead_to_their_files() {
        let expected = predicted("fix login");
        assert_eq!(expected.targets[0].path, RepoPath::from("src/api/auth.rs"));
        assert!(expected.targets.iter().all(|target| target.path != RepoPath::from("src/login.rs")));
        assert!(expected.targets.iter().all(|target| (0.0..=1.0).contains(&target.score)));
        assert_eq!(expected.matching, 3);
    }

    #[test]
    fn words_of_a_path_lead_to_it() {
        assert_eq!(predicted("web").targets[0].path, RepoPath::from("src/web/form.tsx"));
    }

    #[test]
    fn words_nobody_used_predict_nothing() {
        for text in ["quantum", "", "the of"] {
            assert_eq!(predicted(text), Expected::default(), "{text}");
        }
    }

    #[test]
    fn the_newer_of_two_equal_messages_counts_more() {
        let story = Story::of(&["x", "y"]).commit(0, "tune cache", &[0], 0).commit(
            1_000 * DAY,
            "tune cache",
            &[1],
            0,
        );
        let past = story.past();
        let targets = super::predicted("cache", View::new(&past, Time(1_000 * DAY)), 2);
        assert_eq!(targets[0].path, RepoPath::from("y"));
    }
}
