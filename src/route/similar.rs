//! Past commits of sessions that read like a task and lie near its targets.

use super::focus::OLD_MESSAGE;
use super::index::View;
use super::predict::Similar;
use super::shares::BACK_OFF;
use crate::model::{Past, RepoPath, Target, path::ancestors};

/// Seconds in which a past commit's likeness halves, down to its floor.
const HALF_LIFE: f64 = 365.0 * 86_400.0;
const FLOOR: f64 = 0.3;
/// How many commits are told.
const MOST: usize = 15;

/// What is left of a likeness after so many seconds.
pub fn left(age: i64) -> f64 {
    FLOOR + (1.0 - FLOOR) * (-(age as f64) / HALF_LIFE).exp2()
}

/// The commits of sessions that are most like the task, `likeness` telling how
/// well each message matches it.
pub fn similar(likeness: &[f64], targets: &[Target], view: View<'_>) -> Vec<Similar> {
    let past = view.past();
    let is_own = |commit: usize| !past.owners.of(commit).is_empty();
    let found = likeness.iter().enumerate().filter(|(commit, score)| **score > 0.0 && is_own(*commit));
    let aged = |(commit, score): (usize, &f64)| (score * left(view.now().since(past.times[commit])), commit);
    let mut found: Vec<(f64, usize)> = found.map(aged).collect();
    let newer = |a: usize, b: usize| (past.times[b], past.oids[b]).cmp(&(past.times[a], past.oids[a]));
    found.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then_with(|| newer(a.1, b.1)));
    found.truncate(MOST);
    let most = found.first().map_or(1.0, |best| best.0);
    let similar = |(likeness, commit): (f64, usize)| Similar {
        commit: past.oids[commit],
        time: past.times[commit],
        weight: (likeness / most).powi(3) * (1.0 + nearness(past, commit, targets)) / 2.0,
        owners: past.owners.of(commit).to_vec(),
    };
    found.into_iter().map(similar).collect()
}

/// Of each token that some session used: the decayed commits of each session that have it.
pub fn uses(tokens: &[String], view: View<'_>) -> Vec<Vec<f64>> {
    let past = view.past();
    let counts = |token: &String| {
        let mut counts: Vec<f64> = Vec::new();
        for (commit, _) in past.messages.lists.get(token)? {
            let commit = *commit as usize;
            let owners = past.owners.of(commit);
            if owners.is_empty() || !view.is_telling(commit) {
                continue;
            }
            let age = view.now().since(past.times[commit]) as f64;
            let count = (-age / HALF_LIFE).exp2() + OLD_MESSAGE;
            for (session, share) in owners {
                let session = usize::from(*session);
                counts.resize(counts.len().max(session + 1), 0.0);
                counts[session] += count * f64::from(*share);
            }
        }
        (!counts.is_empty()).then_some(counts)
    };
    tokens.iter().filter_map(counts).collect()
}

/// How near a commit's changes are to the targets, 0..=1: 1 where they are the
/// same files, less by each folder that has to be gone up.
fn nearness(past: &Past<'_>, commit: usize, targets: &[Target]) -> f64 {
    let changed: Vec<&[u8]> =
        past.changes(commit).iter().map(|path| past.paths.get(*path as usize)).collect();
    let near = |target: &Target| {
        let all = changed.iter().map(|changed| near(&target.path, changed));
        all.fold(0.0, f64::max)
    };
    targets.iter().map(near).sum::<f64>() / targets.len().max(1) as f64
}

fn near(target: &RepoPath, path: &[u8]) -> f64 {
    if target.as_bytes() == path {
        return 1.0;
    }
    let folders = ancestors(target.as_bytes()).take_while(|folder| !folder.is_empty());
    let inside = |folder: &[u8]| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with(b"/"));
    (1..).zip(folders).find(|(_, folder)| inside(folder)).map_or(0.0, |(level, _)| BACK_OFF.powi(level))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Story;
    use super::*;
    use crate::model::tokens::distinct;
    use crate::model::{TargetSource, Time};

    const DAY: i64 = 86_400;

    fn story() -> Story {
        Story::of(&["src/api/auth.rs", "src/api/token.rs", "web/form.tsx"])
            .commit(DAY, "fix login redirect", &[0], 0)
            .commit(2 * DAY, "fix login looks", &[2], 1)
            .commit(3 * DAY, "write guide", &[1], 2)
    }

    fn found(targets: &[&str]) -> Vec<(u16, f64)> {
        let (story, tokens) = (story(), distinct("fix login"));
        let past = story.past();
        let view = View::new(&past, Time(4 * DAY));
        let target =
            |path: &&str| Target { path: RepoPath::from(*path), source: TargetSource::Given, score: 1.0 };
        let targets: Vec<Target> = targets.iter().map(target).collect();
        let similar = similar(&view.messages(&tokens), &targets, view);
        similar.into_iter().map(|one| (one.owners[0].0, one.weight)).collect()
    }

    #[test]
    fn of_equally_like_commits_the_nearer_one_weighs_more() {
        let weight =
            |targets: &[&str], owner| found(targets).iter().find(|(one, _)| *one == owner).unwrap().1;
        assert!(weight(&["src/api/token.rs"], 0) > weight(&["src/api/token.rs"], 1));
        assert!(weight(&["web/form.tsx"], 1) > weight(&["web/form.tsx"], 0));
        assert!(weight(&["src/api/auth.rs"], 0) > weight(&["src/api/token.rs"], 0));
        assert_eq!(found(&[]).len(), 2, "what is not like it is left out");
    }

    #[test]
    fn words_are_counted_for_those_who_used_them() {
        let (story, tokens) = (story(), distinct("fix login of the quantum guide"));
        let past = story.past();
        let uses = uses(&tokens, View::new(&past, Time(3 * DAY)));
        let users: Vec<usize> =
            uses.iter().map(|one| one.iter().filter(|count| **count > 0.0).count()).collect();
        assert_eq!(users, [2, 1, 2], "fix, guide, login");
        assert!((uses[1][2] - 1.1).abs() < 1e-9, "{uses:?}");
    }
}
