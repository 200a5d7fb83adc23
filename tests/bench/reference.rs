//! The formula that routing is measured against: shares of decayed touches with
//! two half-lives, and votes of similar commits, mixed half and half.

use git_orch::model::tokens::{scope, tokens};
use git_orch::model::{Past, Profiles, RepoPath, SessionWeight};
use git_orch::replay::{Look, Moment};
use git_orch::route::View;

/// How many predicted files count.
const FILES: usize = 5;
const SIMILAR: usize = 100;
const POPULAR: usize = 400;
const BACK_OFF: f64 = 0.3;
const TOP_LEVEL: i32 = 8;
const NOBODY: f64 = 0.3;
const YEAR: f64 = 365.0 * 86_400.0;
/// What an open task takes off a share.
const OPEN: f64 = 0.035;

/// What a session's touches of a place count.
type Count = fn(&SessionWeight) -> f64;

/// The score of each session.
pub(crate) fn scores(look: &Look<'_>) -> Vec<f64> {
    let found = look.view.map(|view| Found::new(look.text, view));
    let mut targets: Vec<(RepoPath, f64)> = look.given.iter().map(|path| (path.clone(), 1.0)).collect();
    if let Some(found) = found.as_ref().filter(|_| targets.is_empty()) {
        targets = found.files(FILES).into_iter().map(|(path, score)| (path, score.powi(3))).collect();
    }
    let paths: Vec<RepoPath> = targets.iter().map(|(path, _)| path.clone()).collect();
    let counts: [Count; 2] = [SessionWeight::fast, SessionWeight::slow];
    let mut shares = shares(&targets, &look.profiles_at(&paths), &counts);
    let Some(votes) = found.map(|found| found.votes(shares.len())) else { return shares };
    if !look.given.is_empty() {
        let all: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= all.max(f64::MIN_POSITIVE));
    }
    shares.iter().zip(votes).map(|(share, vote)| 0.5 * share + 0.5 * vote).collect()
}

/// The score of each session where the choice becomes the history; with one half-life, of 300 tasks.
pub(crate) fn choosing(moment: &Moment<'_>) -> Vec<f64> {
    let targets: Vec<(RepoPath, f64)> = moment.paths.iter().map(|path| (path.clone(), 1.0)).collect();
    let shares = shares(&targets, &moment.profiles, &[SessionWeight::fast]);
    shares.iter().zip(&moment.open).map(|(share, open)| share - OPEN * *open as f64).collect()
}

/// The files that a text leads to, best first.
pub(crate) fn files(text: &str, view: View<'_>, most: usize) -> Vec<RepoPath> {
    Found::new(text, view).files(most).into_iter().map(|(path, _)| path).collect()
}

/// The mean share of each session in the work at the targets.
fn shares(targets: &[(RepoPath, f64)], profiles: &Profiles, counts: &[Count]) -> Vec<f64> {
    let mut sums = vec![0.0; profiles.sessions.len()];
    let all: f64 = targets.iter().map(|(_, weight)| weight).sum();
    for (path, weight) in targets {
        for (level, place) in path.places().enumerate() {
            let level = if place.is_empty() { TOP_LEVEL } else { level as i32 };
            let part = weight / all.max(f64::MIN_POSITIVE) * BACK_OFF.powi(level) * (1.0 - BACK_OFF);
            let at = profiles.at(place);
            for count in counts {
                let whole = at.iter().map(count).sum::<f64>() + NOBODY;
                let part = part / counts.len() as f64;
                at.iter().for_each(|one| sums[usize::from(one.session)] += part * count(one) / whole);
            }
        }
    }
    sums
}

/// What the words of a task lead to.
struct Found<'a> {
    text: &'a str,
    tokens: Vec<String>,
    /// The most similar commits.
    similar: Vec<(usize, f64)>,
    view: View<'a>,
}

impl<'a> Found<'a> {
    fn new(text: &'a str, view: View<'a>) -> Self {
        let mut tokens = tokens(text);
        tokens.sort_unstable();
        tokens.dedup();
        let past = view.past();
        let aged = |(commit, score): (usize, f64)| {
            let age = view.now().since(past.times[commit]) as f64;
            (commit, score * (0.3 + 0.7 * (-age / YEAR).exp2()))
        };
        let likeness = view.messages(&tokens).into_iter().enumerate().filter(|(_, score)| *score > 0.0);
        let mut similar: Vec<(usize, f64)> = likeness.map(aged).collect();
        let newer = |commit: usize| (past.times[commit], past.oids[commit]);
        similar.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then_with(|| newer(b.0).cmp(&newer(a.0))));
        similar.truncate(SIMILAR);
        let most = similar.first().map_or(1.0, |best| best.1);
        similar.iter_mut().for_each(|(_, weight)| *weight = (*weight / most).powi(2));
        Self { text, tokens, similar, view }
    }

    fn votes(&self, sessions: usize) -> Vec<f64> {
        let all: f64 = self.similar.iter().map(|(_, weight)| weight).sum();
        let mut votes = vec![0.0; sessions];
        for (commit, weight) in &self.similar {
            for (session, share) in self.view.past().owners.of(*commit) {
                votes[usize::from(*session)] += weight * f64::from(*share) / all;
            }
        }
        votes
    }

    fn files(&self, most: usize) -> Vec<(RepoPath, f64)> {
        let past = self.view.past();
        let mut features = vec![
            (1.5, self.view.names(&self.tokens)),
            (2.0, self.view.messages_by_file(&self.tokens)),
            (1.0, self.neighbours(past)),
        ];
        features.extend(scope(self.text).map(|scope| (1.5, self.view.names(&tokens(scope)))));
        let mut scores = vec![0.0; past.paths.len()];
        let mut weights = mix(&mut scores, &features);
        let mut best: Vec<usize> =
            (0..scores.len()).filter(|path| past.exists[*path] && scores[*path] > 0.0).collect();
        weights += mix(&mut scores, &[(1.0, self.popularity(past))]);
        let name = |path: usize| past.paths.get(path);
        best.sort_unstable_by(|a, b| scores[*b].total_cmp(&scores[*a]).then_with(|| name(*a).cmp(name(*b))));
        best.truncate(most);
        let scored = |path| (RepoPath::from_bytes(name(path)), (scores[path] / weights).min(1.0));
        best.into_iter().map(scored).collect()
    }

    fn neighbours(&self, past: &Past<'_>) -> Vec<f64> {
        let mut scores = vec![0.0; past.paths.len()];
        for (commit, weight) in &self.similar {
            let paths = past.changes(*commit);
            paths.iter().for_each(|path| scores[*path as usize] += weight / (paths.len() as f64).sqrt());
        }
        scores
    }

    fn popularity(&self, past: &Past<'_>) -> Vec<f64> {
        let mut newest: Vec<usize> = (0..past.len()).collect();
        newest.sort_unstable_by_key(|commit| std::cmp::Reverse((past.times[*commit], past.oids[*commit])));
        newest.truncate(POPULAR);
        let mut touches = vec![0.0_f64; past.paths.len()];
        for commit in newest.into_iter().filter(|commit| self.view.is_telling(*commit)) {
            past.changes(commit).iter().for_each(|path| touches[*path as usize] += 1.0);
        }
        touches.into_iter().map(f64::ln_1p).collect()
    }
}

/// Adds features scaled to a maximum of their weight; what the weights add up to.
fn mix(scores: &mut [f64], features: &[(f64, Vec<f64>)]) -> f64 {
    let mut weights = 0.0;
    for (weight, feature) in features {
        let most = feature.iter().copied().fold(0.0, f64::max);
        if most > 0.0 {
            weights += weight;
            scores.iter_mut().zip(feature).for_each(|(sum, score)| *sum += weight * score / most);
        }
    }
    weights
}
