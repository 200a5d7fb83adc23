//! In which order tasks can be worked on.
//!
//! A session does one task at a time, and tasks that are expected to touch the
//! same files come one after the other.

use super::parallel::{Overlap, overlaps, waves};
use crate::model::{Because, Name, RepoPath, Target, TargetSource};

/// How many predicted files count: further ones would hold up more than they save.
const PREDICTED: usize = 3;
/// What another one needs of the likeliest one's score to count: below, it holds
/// up more and keeps no more conflicts away.
const NEAR: f64 = 0.7;

/// A task that has a session.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// Who does it.
    pub session: &'a Name,
    /// What it is expected to touch, from [`likely`].
    pub files: Vec<RepoPath>,
    /// An earlier task that it was told to come after.
    pub after: Option<usize>,
}

/// When a task can begin, and why not at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Those of one number can begin at once, from 1.
    pub wave: usize,
    /// The earlier tasks that it waits for, in order.
    pub behind: Vec<Before>,
}

/// An earlier task that another one waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Its position.
    pub task: usize,
    /// Why.
    pub because: Because,
    /// What both are expected to touch.
    pub shared: Vec<RepoPath>,
}

/// The files that count of a task's targets, most likely first.
pub fn likely(targets: &[Target]) -> Vec<RepoPath> {
    let is_certain = |target: &&Target| target.source != TargetSource::Predicted;
    let certain = targets.iter().filter(is_certain);
    let best = targets.first().map_or(0.0, |best| best.score);
    let counts = |target: &&Target| !is_certain(target) && target.score >= NEAR * best;
    let predicted = targets.iter().filter(counts).take(PREDICTED);
    certain.chain(predicted).map(|target| target.path.clone()).collect()
}

/// Puts tasks in order, each behind earlier ones only.
pub fn order(parts: &[Part<'_>]) -> Vec<Place> {
    let files: Vec<Vec<RepoPath>> = parts.iter().map(|part| part.files.clone()).collect();
    let mut pairs = overlaps(&files);
    for (other, part) in parts.iter().enumerate() {
        let before = parts[..other].iter().rposition(|earlier| earlier.session == part.session);
        for one in before.into_iter().chain(part.after.filter(|one| *one < other)) {
            if !pairs.iter().any(|pair| (pair.one, pair.other) == (one, other)) {
                pairs.push(Overlap { one, other, shared: Vec::new() });
            }
        }
    }
    pairs.sort_by_key(|pair| (pair.other, pair.one));
    let waves = waves(parts.len(), &pairs);
    let behind = |task: usize| {
        let own = pairs.iter().filter(|pair| pair.other == task);
        own.map(|pair| before(pair, parts)).collect()
    };
    waves.iter().enumerate().map(|(task, wave)| Place { wave: wave + 1, behind: behind(task) }).collect()
}

fn before(pair: &Overlap, parts: &[Part<'_>]) -> Before {
    let because = if !pair.shared.is_empty() {
        Because::Files
    } else if parts[pair.one].session == parts[pair.other].session {
        Because::Session
    } else {
        Because::After
    };
    Before { task: pair.one, because, shared: pair.shared.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Given<'a> = (&'a str, &'a [&'a str], Option<usize>);

    fn places(tasks: &[Given<'_>]) -> Vec<(usize, String)> {
        let names: Vec<Name> = tasks.iter().map(|task| task.0.parse().unwrap()).collect();
        let parts = tasks.iter().zip(&names).map(|((_, files, after), session)| Part {
            session,
            files: files.iter().map(|path| RepoPath::from(*path)).collect(),
            after: *after,
        });
        let parts: Vec<Part<'_>> = parts.collect();
        let told = |before: &Before| {
            let shared: Vec<String> = before.shared.iter().map(RepoPath::quoted).collect();
            format!("{} {:?} {}", before.task, before.because, shared.join(" ")).trim_end().to_owned()
        };
        let shown = |place: Place| (place.wave, place.behind.iter().map(told).collect::<Vec<_>>().join(", "));
        order(&parts).into_iter().map(shown).collect()
    }

    #[test]
    fn a_session_does_one_task_at_a_time_and_shared_files_come_in_turn() {
        let placed = places(&[
            ("backend", &["api/a"], None),
            ("frontend", &["web/a"], None),
            ("backend", &["api/b"], None),
            ("frontend", &["api/a", "web/a"], None),
            ("docs", &["docs"], Some(1)),
            ("docs", &["docs/x"], Some(9)),
        ]);
        let expected = [
            (1, ""),
            (1, ""),
            (2, "0 Session"),
            (2, "0 Files api/a, 1 Files web/a"),
            (2, "1 After"),
            (3, "4 Files docs/x"),
        ];
        assert_eq!(placed, expected.map(|(wave, behind)| (wave, behind.to_owned())));
        assert!(order(&[]).is_empty());
    }

    #[test]
    fn of_predicted_files_only_the_likeliest_count() {
        let targets = |source, scores: &[f64]| -> Vec<Target> {
            let named = scores.iter().zip(["a", "b", "c", "d"]);
            named.map(|(score, path)| Target { path: path.into(), source, score: *score }).collect()
        };
        for (source, scores, expected) in [
            (TargetSource::Predicted, &[1.0, 0.9, 0.8, 0.75][..], 3),
            (TargetSource::Predicted, &[0.5, 0.4, 0.3], 2),
            (TargetSource::Given, &[1.0; 4], 4),
            (TargetSource::Given, &[], 0),
        ] {
            assert_eq!(likely(&targets(source, scores)).len(), expected, "{scores:?}");
        }
    }
}
