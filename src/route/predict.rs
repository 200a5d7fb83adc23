//! From words to likely files and to sessions, by similar past commits.

use super::index::View;
use crate::model::tokens::{self, scope};
use crate::model::{RepoPath, Target, TargetSource};

/// How many similar commits count.
const SIMILAR: usize = 100;
/// How many files are predicted.
const FILES: usize = 5;
/// Seconds in which a past commit's likeness halves, down to its floor.
const HALF_LIFE: f64 = 365.0 * 86_400.0;
const FLOOR: f64 = 0.3;
/// How many of the newest commits make a file popular.
const POPULAR: usize = 400;

/// What a task is expected to touch, and whom similar past work belonged to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// The targets, most likely first.
    pub targets: Vec<Target>,
    /// For each session of the profiles its share of the similar commits; may be
    /// shorter than the sessions.
    pub votes: Vec<f64>,
    /// How many similar past commits there were.
    pub similar: usize,
}

/// Predicts files and votes from the text alone.
pub fn predict(text: &str, view: View<'_>) -> Expected {
    let mut tokens = tokens::tokens(text);
    tokens.sort_unstable();
    tokens.dedup();
    let similar = similar(&tokens, view);
    let targets = files(text, &tokens, &similar, view);
    Expected { targets, votes: votes(&similar, view), similar: similar.len() }
}

/// A past commit that reads like the task.
struct Similar {
    commit: usize,
    /// 1 for the most similar.
    weight: f64,
}

fn similar(tokens: &[String], view: View<'_>) -> Vec<Similar> {
    let past = view.past;
    let mut found: Vec<Similar> = view
        .messages(tokens)
        .into_iter()
        .enumerate()
        .filter(|(_, score)| *score > 0.0)
        .map(|(commit, score)| {
            let age = view.now.since(past.times[commit]) as f64;
            Similar { commit, weight: score * (FLOOR + (1.0 - FLOOR) * (-age / HALF_LIFE).exp2()) }
        })
        .collect();
    let newer = |a: usize, b: usize| (past.times[b], past.oids[b]).cmp(&(past.times[a], past.oids[a]));
    let order =
        |a: &Similar, b: &Similar| b.weight.total_cmp(&a.weight).then_with(|| newer(a.commit, b.commit));
    if found.len() > SIMILAR {
        found.select_nth_unstable_by(SIMILAR, order);
        found.truncate(SIMILAR);
    }
    found.sort_unstable_by(order);
    let most = found.first().map_or(1.0, |best| best.weight);
    found.iter_mut().for_each(|similar| similar.weight = (similar.weight / most).powi(2));
    found
}

fn votes(similar: &[Similar], view: View<'_>) -> Vec<f64> {
    let all: f64 = similar.iter().map(|similar| similar.weight).sum();
    let mut votes = Vec::new();
    for Similar { commit, weight } in similar {
        for (session, share) in view.past.owners.of(*commit) {
            let session = usize::from(*session);
            votes.resize(votes.len().max(session + 1), 0.0);
            votes[session] += weight * f64::from(*share) / all;
        }
    }
    votes
}

/// One way to tell likely files, by position in the paths.
struct Feature {
    weight: f64,
    scores: Vec<f64>,
}

fn files(text: &str, tokens: &[String], similar: &[Similar], view: View<'_>) -> Vec<Target> {
    let past = view.past;
    let mut features = vec![
        Feature { weight: 1.5, scores: view.names(tokens) },
        Feature { weight: 2.0, scores: view.messages_by_file(tokens) },
        Feature { weight: 1.0, scores: neighbours(similar, view) },
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
    if best.len() > FILES {
        best.select_nth_unstable_by(FILES, order);
        best.truncate(FILES);
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
fn neighbours(similar: &[Similar], view: View<'_>) -> Vec<f64> {
    let past = view.past;
    let mut scores = vec![0.0; past.paths.len()];
    for Similar { commit, weight } in similar {
        let paths = past.changes(*commit);
        let share = weight / (paths.len() as f64).sqrt();
        paths.iter().for_each(|path| scores[*path as usize] += share);
    }
    scores
}

/// Files that the newest commits changed.
fn popularity(view: View<'_>) -> Vec<f64> {
    let past = view.past;
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
        predict(text, View::new(&story.past(), Time(9 * DAY)))
    }

    #[test]
    fn words_of_past_messages_lead_to_their_files() {
        let expected = predicted("fix login");
        assert_eq!(expected.targets[0].path, RepoPath::from("src/api/auth.rs"));
        assert!(expected.targets.iter().all(|target| target.path != RepoPath::from("src/login.rs")));
        assert!(expected.targets.iter().all(|target| (0.0..=1.0).contains(&target.score)));
        assert_eq!(expected.similar, 3);
    }

    #[test]
    fn words_of_a_path_lead_to_it() {
        assert_eq!(predicted("web").targets[0].path, RepoPath::from("src/web/form.tsx"));
    }

    #[test]
    fn votes_add_up_to_one_and_go_to_the_owners() {
        let votes = predicted("fix login").votes;
        assert!((votes.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{votes:?}");
        assert!(votes[0] > votes[1] && votes[1] > 0.0, "{votes:?}");
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
        let expected = predict("cache", View::new(&story.past(), Time(1_000 * DAY)));
        assert_eq!(expected.targets[0].path, RepoPath::from("y"));
    }
}
