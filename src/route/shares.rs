//! Whose the work at a place is.
//!
//! The folders above a file tell of it too, the less the higher they lie.

use std::collections::HashMap;

use super::Contender;
use crate::model::profile::Counts;
use crate::model::{Profiles, RepoPath, SessionWeight};

/// What a folder counts, relative to what it holds.
pub(super) const BACK_OFF: f64 = 0.3;
/// The top of the repository counts as if it lay this deep: it only breaks ties.
const TOP_LEVEL: i32 = 8;
/// History that belongs to nobody, against which shares are taken.
const NOBODY: f64 = 0.2;
/// What each time scale counts: a day, a week and a month for the latest work; a season,
/// a year and all time for what lasts.
const MIX: Counts = [0.6, 0.3, 0.1, 0.3, 0.5, 0.2];
/// The first scale of what lasts.
const LASTING: usize = 3;

/// Shares of the work at some place, each 0..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shares {
    /// Of the work that lasts: a season, a year, all time.
    pub lasting: f64,
    /// Of the latest work: a day, a week, a month.
    pub latest: f64,
    /// Of the very last touch.
    pub last: f64,
}

/// Touches that open tasks will make, by path: which session how much.
pub type Open<'a> = HashMap<&'a [u8], Vec<(usize, f64)>>;

/// The touches of the contenders' open tasks.
pub fn open<'a>(contenders: &'a [Contender], profiles: &Profiles) -> Open<'a> {
    let mut touches: Open<'a> = HashMap::new();
    for contender in contenders {
        let Some(session) = profiles.position(&contender.name) else { continue };
        for task in &contender.open {
            let touch = 1.0 / task.len() as f64;
            for path in task {
                for place in path.places() {
                    let at = touches.entry(place).or_default();
                    match at.last_mut() {
                        Some((last, sum)) if *last == session => *sum += touch,
                        _ => at.push((session, touch)),
                    }
                }
            }
        }
    }
    touches
}

/// The share of each session of the profiles in the work at a path. What open
/// tasks will touch counts as touched now.
pub fn shares(path: &RepoPath, profiles: &Profiles, open: &Open<'_>) -> Vec<Shares> {
    let mut shares = vec![Shares::default(); profiles.sessions.len()];
    for (level, place) in path.places().enumerate() {
        let level = if place.is_empty() { TOP_LEVEL } else { level as i32 };
        let part = BACK_OFF.powi(level) * (1.0 - BACK_OFF);
        let at = profiles.at(place);
        let waiting = open.get(place).map_or(&[][..], Vec::as_slice);
        let last = last(at, waiting);
        last.iter().for_each(|session| shares[*session].last += part / last.len() as f64);
        for (scale, mix) in MIX.iter().enumerate() {
            let is_latest = scale < LASTING;
            let waiting = if is_latest { waiting } else { &[] };
            let all = at.iter().map(|weight| weight.counts[scale]).sum::<f64>()
                + waiting.iter().map(|(_, touch)| touch).sum::<f64>()
                + NOBODY;
            let own = at.iter().map(|weight| (usize::from(weight.session), weight.counts[scale]));
            for (session, touch) in own.chain(waiting.iter().copied()) {
                let Shares { lasting, latest, .. } = &mut shares[session];
                let sum = if is_latest { latest } else { lasting };
                *sum += part * mix * touch / all;
            }
        }
    }
    shares
}

/// Which session of the profiles knows a path best, by all shares together;
/// none where nobody touched it or a folder above.
pub fn owner(path: &RepoPath, profiles: &Profiles) -> Option<usize> {
    let shares = shares(path, profiles, &Open::new());
    let all = |of: &Shares| of.lasting + of.latest + of.last;
    let best = (0..shares.len())
        .reduce(|best, next| if all(&shares[next]) > all(&shares[best]) { next } else { best })?;
    // The top alone says nothing.
    (all(&shares[best]) > BACK_OFF.powi(TOP_LEVEL - 1)).then_some(best)
}

/// Who touched a place last, or is about to; several where that is at once.
fn last(at: &[SessionWeight], waiting: &[(usize, f64)]) -> Vec<usize> {
    if !waiting.is_empty() {
        return waiting.iter().map(|(session, _)| *session).collect();
    }
    let time = |weight: &SessionWeight| weight.last.as_ref().map(|last| last.time);
    let Some(newest) = at.iter().filter_map(time).max() else { return Vec::new() };
    let is_last = |weight: &&SessionWeight| time(weight) == Some(newest);
    at.iter().filter(is_last).map(|weight| usize::from(weight.session)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{contender, profiles};
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn shares_are_as_specified() {
        let profiles = profiles(&["a", "b"], &[(0, "src/x.rs", 1.0), (1, "src/y.rs", 0.5)]);
        let shares = shares(&RepoPath::from("src/x.rs"), &profiles, &Open::new());
        let kernel = |file: f64, folder: f64, top: f64| 0.7 * (file + 0.3 * folder + 0.3_f64.powi(8) * top);
        let (lasting, last) = (kernel(1.0 / 1.2, 1.0 / 1.7, 1.0 / 1.7), kernel(1.0, 0.5, 0.5));
        assert!(close(shares[0].lasting, lasting), "{shares:?}");
        assert!(close(shares[0].latest, lasting) && close(shares[0].last, last), "{shares:?}");
        let (lasting, last) = (kernel(0.0, 0.5 / 1.7, 0.5 / 1.7), kernel(0.0, 0.5, 0.5));
        assert!(close(shares[1].lasting, lasting), "{shares:?}");
        assert!(close(shares[1].latest, lasting) && close(shares[1].last, last), "{shares:?}");
    }

    #[test]
    fn the_scales_of_a_mix_add_up_to_one() {
        assert!(close(MIX[..LASTING].iter().sum(), 1.0) && close(MIX[LASTING..].iter().sum(), 1.0));
    }

    #[test]
    fn a_path_is_owned_by_who_knows_it_best() {
        let touches = [(0, "src/x.rs", 3.0), (1, "src/x.rs", 1.0), (1, "docs/a", 1.0)];
        let profiles = profiles(&["a", "b"], &touches);
        for (path, session) in
            [("src/x.rs", Some(0)), ("src/new", Some(0)), ("docs/b", Some(1)), ("top", None)]
        {
            assert_eq!(owner(&RepoPath::from(path), &profiles), session, "{path}");
        }
    }

    #[test]
    fn open_tasks_share_the_latest_work_only() {
        let mut busy = contender("b", &[], 1);
        busy.open[0] = vec![RepoPath::from("src/x.rs"), RepoPath::from("src/y.rs")];
        let profiles = profiles(&["a", "b"], &[(0, "src/x.rs", 1.0)]);
        let contenders = [contender("a", &[], 0), busy];
        let open = open(&contenders, &profiles);
        assert_eq!(open[&b"src"[..]], [(1, 1.0)]);
        let [a, b] = shares(&RepoPath::from("src/x.rs"), &profiles, &open)[..] else {
            panic!("two sessions")
        };
        assert!(b.lasting == 0.0 && b.latest > 0.2 && a.latest < a.lasting, "{a:?} {b:?}");
        assert!(a.last == 0.0 && b.last > 0.9, "{a:?} {b:?}");
    }
}
