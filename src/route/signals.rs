//! The four signals of each contender, and the facts behind them.

use std::collections::HashMap;

use super::{Contender, Question};
use crate::model::path::ancestors;
use crate::model::tokens::tokens;
use crate::model::{Profiles, Reason, RepoPath, SessionWeight, Signals, Target, TargetSource};

/// What a folder counts, relative to what it holds.
const BACK_OFF: f64 = 0.3;
/// What the levels add up to when every share is 1.
const WHOLE: f64 = 1.0 / (1.0 - BACK_OFF);
/// The top of the repository counts as if it lay this deep: it only breaks ties.
const TOP_LEVEL: i32 = 8;
/// History that belongs to nobody, against which shares are taken.
const NOBODY: f64 = 0.3;
/// Open tasks that make a session fully loaded.
const FULL: f64 = 20.0;
/// The most reasons a candidate names.
const REASONS: usize = 10;

/// The signals of every contender, in their order.
pub fn signals(question: Question<'_>, profiles: &Profiles) -> Vec<Signals> {
    let Question { expected, contenders, .. } = question;
    let history = history(&expected.targets, contenders, profiles);
    let votes = votes(question, profiles);
    let share = votes.as_ref().map_or(0.0, |_| vote_share(&expected.targets, contenders));
    let words = tokens(question.text);
    contenders
        .iter()
        .zip(history)
        .enumerate()
        .map(|(index, (contender, files))| {
            let vote = votes.as_ref().map_or(0.0, |votes| votes[index]);
            let mix = |files: f64| ((1.0 - share) * files + share * vote).clamp(0.0, 1.0);
            Signals {
                context: mix(files.slow),
                recent: files.fast.clamp(0.0, 1.0),
                specialty: specialty(&expected.targets, &words, contender),
                load: (contender.open.len() as f64 / FULL).min(1.0),
            }
        })
        .collect()
}

/// A session's share of the history at the targets, by half-life.
#[derive(Clone, Copy, Debug, Default)]
struct Shares {
    fast: f64,
    slow: f64,
}

/// What a target weighs in means.
fn importance(target: &Target) -> f64 {
    match target.source {
        TargetSource::Given | TargetSource::Named => 1.0,
        TargetSource::Predicted => target.score.powi(3),
    }
}

fn history(targets: &[Target], contenders: &[Contender], profiles: &Profiles) -> Vec<Shares> {
    let positions: Vec<_> = contenders.iter().map(|contender| profiles.position(&contender.name)).collect();
    let open = open_touches(contenders);
    let mut sums = vec![Shares::default(); contenders.len()];
    let all: f64 = targets.iter().map(importance).sum();
    for target in targets {
        let part = importance(target) / all.max(f64::MIN_POSITIVE) / WHOLE;
        let path = target.path.as_bytes();
        for (level, folder) in std::iter::once(path).chain(ancestors(path)).enumerate() {
            let level = if folder.is_empty() { TOP_LEVEL } else { level as i32 };
            let part = part * BACK_OFF.powi(level);
            let at = profiles.at(folder);
            let waiting = open.get(folder).map_or(&[][..], Vec::as_slice);
            let slow_sum: f64 = at.iter().map(SessionWeight::slow).sum::<f64>() + NOBODY;
            let fast_sum: f64 = at.iter().map(SessionWeight::fast).sum::<f64>()
                + waiting.iter().map(|(_, touch)| touch).sum::<f64>()
                + NOBODY;
            for (sum, position) in sums.iter_mut().zip(&positions) {
                let own = at.iter().find(|weight| Some(usize::from(weight.session)) == *position);
                sum.slow += part * own.map_or(0.0, SessionWeight::slow) / slow_sum;
                sum.fast += part * own.map_or(0.0, SessionWeight::fast) / fast_sum;
            }
            for (contender, touch) in waiting {
                sums[*contender].fast += part * touch / fast_sum;
            }
        }
    }
    sums
}

/// Touches that open tasks will make, counted as made now: by path, which
/// contender how much.
fn open_touches(contenders: &[Contender]) -> HashMap<&[u8], Vec<(usize, f64)>> {
    let mut touches: HashMap<&[u8], Vec<(usize, f64)>> = HashMap::new();
    for (index, contender) in contenders.iter().enumerate() {
        for task in &contender.open {
            let touch = 1.0 / task.len() as f64;
            for path in task {
                for folder in std::iter::once(path.as_bytes()).chain(path.ancestors()) {
                    let at = touches.entry(folder).or_default();
                    match at.last_mut() {
                        Some((last, sum)) if *last == index => *sum += touch,
                        _ => at.push((index, touch)),
                    }
                }
            }
        }
    }
    touches
}

/// The votes of similar commits for each contender; `None` where nobody has any.
fn votes(question: Question<'_>, profiles: &Profiles) -> Option<Vec<f64>> {
    let votes = &question.expected.votes;
    let vote = |contender: &Contender| {
        profiles.position(&contender.name).and_then(|position| votes.get(position)).copied().unwrap_or(0.0)
    };
    let votes: Vec<f64> = question.contenders.iter().map(vote).collect();
    votes.iter().any(|vote| *vote > 0.0).then_some(votes)
}

/// How much votes count against the files: less where paths are known and declared.
fn vote_share(targets: &[Target], contenders: &[Contender]) -> f64 {
    let is_known = targets.iter().any(|target| target.source != TargetSource::Predicted);
    let is_declared = contenders.iter().any(|contender| !contender.paths.is_empty());
    if is_known && is_declared { 0.3 } else { 0.5 }
}

/// The share of the targets inside the declared paths; where there is nothing
/// to compare, the share of the task's words among the session's.
fn specialty(targets: &[Target], words: &[String], contender: &Contender) -> f64 {
    if targets.is_empty() || contender.paths.is_empty() {
        return shared_words(words, contender);
    }
    let all: f64 = targets.iter().map(importance).sum();
    let inside = targets.iter().filter(|target| is_inside(&target.path, contender));
    // Folded, as the sum of nothing would be -0.
    (inside.map(importance).fold(0.0, |sum, one| sum + one) / all.max(f64::MIN_POSITIVE)).min(1.0)
}

/// Whether a file, or a folder as a whole, lies inside the declared paths.
fn is_inside(path: &RepoPath, contender: &Contender) -> bool {
    let as_folder = RepoPath::from_bytes([path.as_bytes(), b"/"].concat());
    contender.paths.contains(path) || contender.paths.contains(&as_folder)
}

fn shared_words(words: &[String], contender: &Contender) -> f64 {
    let mut own = tokens(&contender.specialty);
    contender.paths.patterns().iter().for_each(|pattern| own.extend(tokens(pattern)));
    let words: std::collections::BTreeSet<&String> = words.iter().collect();
    let shared = words.iter().filter(|word| own.contains(word)).count();
    shared as f64 / words.len().max(1) as f64
}

/// What speaks for a contender: at each target, or the nearest folder above
/// it that it touched, the facts; strongest first.
pub fn reasons(targets: &[Target], contender: &Contender, profiles: &Profiles) -> Vec<Reason> {
    let Some(position) = profiles.position(&contender.name) else { return Vec::new() };
    let mut found: Vec<(f64, f64, Reason)> = Vec::new();
    for target in targets {
        let path = target.path.as_bytes();
        let folders = std::iter::once(path).chain(ancestors(path)).filter(|folder| !folder.is_empty());
        let touched = folders
            .filter_map(|folder| Some((folder, profiles.of(position, folder)?)))
            .find(|(_, weight)| weight.touches > 0);
        let Some((folder, weight)) = touched else { continue };
        let reason = Reason {
            path: RepoPath::from_bytes(folder),
            touches: weight.touches,
            commit: weight.last.as_ref().map(|last| last.oid),
            last: weight.last.as_ref().map(|last| last.time),
        };
        if found.iter().all(|(_, _, other)| other.path != reason.path) {
            found.push((target.score, weight.slow(), reason));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
    found.into_iter().take(REASONS).map(|(_, _, reason)| reason).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{contender, given, profiles};
    use super::*;
    use crate::model::Weights;
    use crate::route::Expected;

    fn all(expected: &Expected, contenders: &[Contender], profiles: &Profiles) -> Vec<Signals> {
        let weights = Weights::default();
        let question = Question { text: "fix login", expected, contenders, weights: &weights };
        signals(question, profiles)
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn the_share_kernel_is_as_specified() {
        let profiles = profiles(&["a", "b"], &[(0, "src/x.rs", 1.0), (1, "src/y.rs", 0.5)]);
        let signals =
            all(&given(&["src/x.rs"]), &[contender("a", &[], 0), contender("b", &[], 0)], &profiles);
        let (file, folder, top) = (1.0 / 1.3, 1.0 / 1.8, 1.0 / 1.8);
        let expected = (file + 0.3 * folder + 0.3_f64.powi(8) * top) * 0.7;
        assert!(close(signals[0].context, expected), "{signals:?}");
        assert!(close(signals[0].recent, expected), "{signals:?}");
        let expected = (0.3 * 0.5 / 1.8 + 0.3_f64.powi(8) * 0.5 / 1.8) * 0.7;
        assert!(close(signals[1].context, expected), "{signals:?}");
    }

    #[test]
    fn a_new_file_backs_off_to_its_folder() {
        let profiles = profiles(&["a", "b"], &[(0, "src/api/old.rs", 1.0), (1, "web/x.ts", 1.0)]);
        let contenders = [contender("a", &[], 0), contender("b", &[], 0)];
        let expected = given(&["src/api/new.rs"]);
        let signals = all(&expected, &contenders, &profiles);
        assert!(signals[0].context > 0.1 && signals[0].context > 100.0 * signals[1].context, "{signals:?}");
        let reasons = reasons(&expected.targets, &contenders[0], &profiles);
        assert_eq!(reasons[0].path, RepoPath::from("src/api"));
        assert!(super::reasons(&expected.targets, &contenders[1], &profiles).is_empty());
    }

    #[test]
    fn targets_of_open_tasks_count_as_touched_now() {
        let mut busy = contender("a", &[], 1);
        busy.open[0] = vec![RepoPath::from("src/x.rs")];
        let profiles = profiles(&["a", "b"], &[]);
        let signals = all(&given(&["src/x.rs"]), &[busy, contender("b", &[], 0)], &profiles);
        assert!(signals[0].recent > 0.7 && signals[0].context == 0.0, "{signals:?}");
        assert_eq!(signals[1].recent, 0.0);
        assert!(close(signals[0].load, 0.05));
    }

    #[test]
    fn load_is_full_at_twenty_open_tasks() {
        let profiles = profiles(&["a"], &[]);
        for (open, load) in [(0, 0.0), (10, 0.5), (20, 1.0), (400, 1.0)] {
            let signals = all(&given(&["x"]), &[contender("a", &[], open)], &profiles);
            assert!(close(signals[0].load, load), "{open}");
        }
    }

    #[test]
    fn specialty_is_the_share_of_targets_inside_or_of_words() {
        let profiles = profiles(&["a"], &[]);
        let words = |specialty: &str, patterns: &[&str]| {
            let mut contender = contender("a", patterns, 0);
            contender.specialty = specialty.to_owned();
            contender
        };
        for (targets, contender, specialty) in [
            (&["src/x.rs", "web/y"][..], words("", &["src"]), 0.5),
            (&["src/x.rs"], words("", &["src/**"]), 1.0),
            (&["src"], words("", &["src/**"]), 1.0),
            (&["web/y"], words("login", &["src"]), 0.0),
            (&["web/y"], words("Logins and more", &[]), 0.5),
            (&[], words("", &["src/login/**"]), 0.5),
            (&[], words("", &[]), 0.0),
        ] {
            let signals = all(&given(targets), std::slice::from_ref(&contender), &profiles);
            assert!(close(signals[0].specialty, specialty), "{targets:?} {contender:?} {signals:?}");
        }
    }

    #[test]
    fn votes_are_mixed_by_what_is_known() {
        let profiles = profiles(&["a", "b"], &[]);
        for (targets, patterns, context) in
            [(&[][..], &[][..], 0.4), (&["x"], &[], 0.4), (&["x"], &["src"], 0.24)]
        {
            let expected = Expected { votes: vec![0.0, 0.8], ..given(targets) };
            let contenders = [contender("a", patterns, 0), contender("b", &[], 0)];
            let signals = all(&expected, &contenders, &profiles);
            assert!(close(signals[1].context, context), "{targets:?} {patterns:?} {signals:?}");
            assert_eq!(signals[0].context, 0.0);
        }
    }

    #[test]
    fn every_signal_stays_within_bounds() {
        let deep = "a/b/c/d/e/f/g/h/i/j/k/l/m.rs";
        let profiles = profiles(&["a"], &[(0, deep, 1e12)]);
        let signals = all(&given(&[deep]), &[contender("a", &["a"], 99)], &profiles)[0];
        for value in [signals.context, signals.recent, signals.specialty, signals.load] {
            assert!((0.0..=1.0).contains(&value), "{signals:?}");
        }
        assert!(signals.context > 0.999);
    }
}
