//! How much of whose work is at a place, or about a word: a share there
//! against the share of everything (the lift of Brin et al., 1997), so that
//! who does little, but all of it here, stands out.

use crate::model::profile::Counts;
use crate::model::{Profiles, RepoPath};

/// What each time scale counts in what a session did lately.
const LATELY: Counts = [0.2, 0.4, 0.4, 0.0, 0.0, 0.0];
/// What it counts in the work at places: a year, and all time.
const WORK: Counts = [0.0, 0.0, 0.0, 0.0, 0.6, 0.4];
/// What it counts in messages.
const MESSAGES: Counts = [0.0, 0.0, 0.0, 0.0, 1.0, OLD_MESSAGE];
/// What a message counts however old it is, beside what is left of a new one.
pub(super) const OLD_MESSAGE: f64 = 0.1;
/// Touches, or messages, that say as much as everything else together.
const SMOOTHING: f64 = 2.0;

/// What each session did lately, as parts of 1.
pub fn active(profiles: &Profiles) -> Vec<f64> {
    activity(profiles, &LATELY)
}

/// How much more each session works at a path than elsewhere; with much
/// evidence these are parts of 1, with none they are nothing. Its share at a
/// place is smoothed with that in the folder above, and so on.
pub fn focus(path: &RepoPath, profiles: &Profiles) -> Vec<f64> {
    let base = activity(profiles, &WORK);
    let mut share = base.clone();
    let mut doubt = 1.0;
    let mut places: Vec<&[u8]> = path.places().filter(|place| !place.is_empty()).collect();
    places.reverse();
    for place in places {
        let mut all = SMOOTHING;
        share.iter_mut().for_each(|share| *share *= SMOOTHING);
        for weight in profiles.at(place) {
            let count = mixed(&weight.counts, &WORK);
            share[usize::from(weight.session)] += count;
            all += count;
        }
        share.iter_mut().for_each(|share| *share /= all);
        doubt *= SMOOTHING / all;
    }
    lifted(&share, &base, 1.0 - doubt)
}

/// How much more each session works on what a word is about than on other
/// things, in the same way; `counts` are its decayed messages with the word.
pub fn about(counts: &[f64], profiles: &Profiles) -> Vec<f64> {
    let base = activity(profiles, &MESSAGES);
    let count = |session: usize| counts.get(session).copied().unwrap_or(0.0);
    let found: f64 = counts.iter().sum();
    let all = found + SMOOTHING;
    let smoothed = |(session, base): (usize, &f64)| (count(session) + SMOOTHING * base) / all;
    let share: Vec<f64> = base.iter().enumerate().map(smoothed).collect();
    lifted(&share, &base, found / all)
}

/// What each session did anywhere, as parts of 1.
fn activity(profiles: &Profiles, mix: &Counts) -> Vec<f64> {
    let mut all = vec![0.0; profiles.sessions.len()];
    profiles.at(b"").iter().for_each(|weight| all[usize::from(weight.session)] = mixed(&weight.counts, mix));
    normalised(all)
}

/// Shares against those of everything, adding up to `whole`.
fn lifted(share: &[f64], base: &[f64], whole: f64) -> Vec<f64> {
    let lift = |(share, base): (&f64, &f64)| if *base > 0.0 { share / base } else { 0.0 };
    let mut lifts = normalised(share.iter().zip(base).map(lift).collect());
    lifts.iter_mut().for_each(|lift| *lift *= whole);
    lifts
}

/// As parts of 1; nothing of nothing.
pub(super) fn normalised(mut all: Vec<f64>) -> Vec<f64> {
    let sum: f64 = all.iter().sum();
    all.iter_mut().for_each(|one| *one /= sum.max(f64::MIN_POSITIVE));
    all
}

fn mixed(counts: &Counts, mix: &Counts) -> f64 {
    counts.iter().zip(mix).map(|(count, part)| count * part).sum()
}

#[cfg(test)]
mod tests {
    use super::super::testing::profiles;
    use super::*;

    #[test]
    fn who_does_little_but_all_of_it_here_stands_out() {
        let profiles =
            profiles(&["busy", "own"], &[(0, "web/y", 20.0), (0, "src/x", 2.0), (1, "src/x", 2.0)]);
        let [busy, own] = focus(&RepoPath::from("src/x"), &profiles)[..] else { panic!("two sessions") };
        assert!(own > 3.0 * busy && busy > 0.0 && own + busy < 1.0, "{busy} {own}");
        let [busy, own] = about(&[3.0, 3.0], &profiles)[..] else { panic!("two sessions") };
        assert!(own > 3.0 * busy, "{busy} {own}");
        let active = active(&profiles);
        assert!(active[0] > active[1] && (active[0] + active[1] - 1.0).abs() < 1e-9, "{active:?}");
    }

    #[test]
    fn more_evidence_makes_a_focus_clearer_and_none_makes_none() {
        let focus_of = |touches| {
            let profiles = profiles(&["a", "b"], &[(0, "src/x", touches), (1, "web/y", 5.0)]);
            focus(&RepoPath::from("src/x"), &profiles)[0]
        };
        assert!(focus_of(9.0) > focus_of(1.0) && focus_of(1.0) > focus_of(0.1));
        let profiles = profiles(&["a", "b"], &[(0, "src/x", 1.0), (1, "web/y", 5.0)]);
        assert_eq!(focus(&RepoPath::from("docs/new"), &profiles), [0.0, 0.0]);
        assert_eq!(about(&[], &profiles), [0.0, 0.0]);
    }
}
