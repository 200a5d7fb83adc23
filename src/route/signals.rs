//! The signals of each contender, and the facts behind them.

use super::focus::{self, normalised};
use super::shares::{self, Shares};
use super::{Contender, Expected, Question, Similar};
use crate::model::tokens::tokens;
use crate::model::{Alike, Profiles, Reason, RepoPath, Signals, Target, TargetSource};

/// Open tasks that make a session fully loaded.
const FULL: f64 = 20.0;
/// The most reasons a candidate names.
const REASONS: usize = 10;

/// The signals of every contender, in their order.
pub fn signals(question: Question<'_>, profiles: &Profiles) -> Vec<Signals> {
    let Question { expected, contenders, .. } = question;
    let places = at_targets(expected, contenders, profiles);
    let (about, similar) = (about(expected, profiles), normalised(expected.votes(profiles.sessions.len())));
    let active = focus::active(profiles);
    let words = tokens(question.text);
    let signals = |contender: &Contender| {
        let session = profiles.position(&contender.name);
        let of = |all: &[f64]| session.map_or(0.0, |session| all[session].clamp(0.0, 1.0));
        let at = session.map_or(AtTargets::default(), |session| places[session]);
        Signals {
            context: at.shares.lasting.clamp(0.0, 1.0),
            recent: at.shares.latest.clamp(0.0, 1.0),
            last: at.shares.last.clamp(0.0, 1.0),
            focus: at.focus.clamp(0.0, 1.0),
            words: of(&about),
            similar: of(&similar),
            active: of(&active),
            specialty: specialty(&expected.targets, &words, contender),
            load: (contender.open.len() as f64 / FULL).min(1.0),
        }
    };
    contenders.iter().map(signals).collect()
}

/// What a session has at all targets, on the mean.
#[derive(Clone, Copy, Debug, Default)]
struct AtTargets {
    shares: Shares,
    focus: f64,
}

/// What a target weighs in means.
fn importance(target: &Target) -> f64 {
    match target.source {
        TargetSource::Given | TargetSource::Named => 1.0,
        TargetSource::Predicted => target.score.powi(3),
    }
}

/// By session of the profiles.
fn at_targets(expected: &Expected, contenders: &[Contender], profiles: &Profiles) -> Vec<AtTargets> {
    let open = shares::open(contenders, profiles);
    let all: f64 = expected.targets.iter().map(importance).sum();
    let mut means = vec![AtTargets::default(); profiles.sessions.len()];
    for target in &expected.targets {
        let part = importance(target) / all.max(f64::MIN_POSITIVE);
        let shares = shares::shares(&target.path, profiles, &open);
        let focus = focus::focus(&target.path, profiles);
        for ((mean, shares), focus) in means.iter_mut().zip(shares).zip(focus) {
            mean.shares.lasting += part * shares.lasting;
            mean.shares.latest += part * shares.latest;
            mean.shares.last += part * shares.last;
            mean.focus += part * focus;
        }
    }
    means
}

/// The focus of each session of the profiles on the task's words, on the mean.
fn about(expected: &Expected, profiles: &Profiles) -> Vec<f64> {
    let mut means = vec![0.0; profiles.sessions.len()];
    for counts in &expected.words {
        let about = focus::about(counts, profiles);
        means.iter_mut().zip(about).for_each(|(mean, one)| *mean += one / expected.words.len() as f64);
    }
    means
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

/// The commits of a contender that are most like the task.
pub fn alike(expected: &Expected, contender: &Contender, profiles: &Profiles) -> Vec<Alike> {
    let Some(session) = profiles.position(&contender.name) else { return Vec::new() };
    let own = |similar: &&Similar| similar.owners.iter().any(|(owner, _)| usize::from(*owner) == session);
    let alike = |Similar { commit, time, weight, .. }: &Similar| Alike {
        commit: *commit,
        time: *time,
        weight: *weight,
    };
    expected.similar.iter().filter(own).map(alike).collect()
}

/// What speaks for a contender: at each target, or the nearest folder above
/// it that it touched, the facts; strongest first.
pub fn reasons(targets: &[Target], contender: &Contender, profiles: &Profiles) -> Vec<Reason> {
    let Some(position) = profiles.position(&contender.name) else { return Vec::new() };
    let mut found: Vec<(f64, f64, Reason)> = Vec::new();
    for target in targets {
        let folders = target.path.places().filter(|folder| !folder.is_empty());
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
    use super::super::testing::{NOW, contender, given, profiles};
    use super::*;
    use crate::model::{Oid, Weights};

    fn all(expected: &Expected, contenders: &[Contender], profiles: &Profiles) -> Vec<Signals> {
        let weights = Weights::default();
        let question = Question { text: "fix login", expected, contenders, weights: &weights };
        signals(question, profiles)
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
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
        assert!(signals[0].recent > 0.6 && signals[0].last > 0.9 && signals[0].context == 0.0, "{signals:?}");
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
    fn similar_commits_and_words_count_for_whom_they_belong_to() {
        let profiles = profiles(&["a", "b"], &[(0, "x", 1.0), (1, "y", 1.0)]);
        let similar = |weight, owners: &[(u16, f32)]| Similar {
            commit: Oid::from_bytes(&[7; 20]).unwrap(),
            time: NOW,
            weight,
            owners: owners.to_vec(),
        };
        let expected = Expected {
            similar: vec![similar(1.0, &[(1, 1.0)]), similar(0.5, &[(0, 0.5), (1, 0.5)])],
            words: vec![vec![0.0, 6.0], vec![1.0]],
            ..Expected::default()
        };
        let contenders = [contender("a", &[], 0), contender("b", &[], 0), contender("new", &[], 0)];
        let signals = all(&expected, &contenders, &profiles);
        let [a, b, new] = &signals[..] else { panic!("{signals:?}") };
        assert!(close(a.similar, 0.25 / 1.5) && close(b.similar, 1.25 / 1.5), "{signals:?}");
        assert!(b.words > a.words && a.words > 0.0, "{signals:?}");
        assert_eq!((new.similar, new.words, new.active), (0.0, 0.0, 0.0));
        let alike = alike(&expected, &contenders[0], &profiles);
        assert_eq!(alike.iter().map(|one| one.weight).collect::<Vec<_>>(), [0.5]);
    }

    #[test]
    fn every_signal_stays_within_bounds() {
        let deep = "a/b/c/d/e/f/g/h/i/j/k/l/m.rs";
        let profiles = profiles(&["a"], &[(0, deep, 1e12)]);
        let signals = all(&given(&[deep]), &[contender("a", &["a"], 99)], &profiles)[0];
        let Signals { context, recent, last, focus, words, similar, active, specialty, load } = signals;
        for value in [context, recent, last, focus, words, similar, active, specialty, load] {
            assert!((0.0..=1.0).contains(&value), "{signals:?}");
        }
        assert!(signals.context > 0.999);
    }
}
