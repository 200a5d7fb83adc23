//! The order of the candidates, the choice, and whether it can be trusted.

use std::cmp::Ordering;

use super::{Contender, Question};
use crate::model::{Candidate, Route};

/// A lead below this decides nothing.
const MARGIN: f64 = 0.05;
/// Scores nearer than this are equal.
const EQUAL: f64 = 1e-9;

/// Puts the candidates, one per contender, in order and picks the first.
pub fn choose(question: Question<'_>, candidates: Vec<Candidate>) -> Route {
    let mut pairs: Vec<(&Contender, Candidate)> = question.contenders.iter().zip(candidates).collect();
    pairs.sort_by(order);
    let candidates: Vec<Candidate> = pairs.into_iter().map(|(_, candidate)| candidate).collect();
    let margin = match candidates.as_slice() {
        [] => 0.0,
        [only] => only.score,
        [first, second, ..] => first.score - second.score,
    };
    let has_targets = !question.expected.targets.is_empty();
    let is_sure =
        margin >= MARGIN && candidates.first().is_some_and(|first| has_evidence(first, has_targets));
    Route {
        task: question.text.to_owned(),
        targets: question.expected.targets.clone(),
        similar: question.expected.matching,
        choice: candidates.first().map(|first| first.session.clone()),
        candidates,
        margin,
        unsure: !is_sure,
        paused: Vec::new(),
    }
}

/// Whether a session touched anything like it, or declares the targets; words
/// in common alone are too little.
fn has_evidence(candidate: &Candidate, has_targets: bool) -> bool {
    candidate.has_evidence() || has_targets && candidate.signals.specialty > 0.0
}

/// Best first: score, then fewer open tasks, then more recently active, then name.
fn order(a: &(&Contender, Candidate), b: &(&Contender, Candidate)) -> Ordering {
    // Rounding makes near-equality transitive, which an order must be.
    let key = |candidate: &Candidate| (candidate.score / EQUAL).round();
    key(&b.1)
        .total_cmp(&key(&a.1))
        .then(a.0.open.len().cmp(&b.0.open.len()))
        .then(b.0.last_activity.cmp(&a.0.last_activity))
        .then(a.0.name.cmp(&b.0.name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{NOW, contender, given, profiles};
    use crate::model::{Oid, Profiles, RepoPath, Route, TargetSource, Time, Weights};
    use crate::route::{Contender, Expected, Question, Similar};

    fn route(expected: &Expected, contenders: &[Contender], profiles: &Profiles) -> Route {
        let weights = Weights::default();
        crate::route::route(Question { text: "fix login", expected, contenders, weights: &weights }, profiles)
    }

    fn names(route: &Route) -> Vec<&str> {
        route.candidates.iter().map(|candidate| candidate.session.as_str()).collect()
    }

    #[test]
    fn the_session_that_touched_the_file_gets_the_task() {
        let profiles = profiles(&["a", "b"], &[(1, "src/x.rs", 1.0)]);
        let route =
            route(&given(&["src/x.rs"]), &[contender("a", &[], 0), contender("b", &[], 0)], &profiles);
        assert_eq!(route.choice.as_ref().unwrap().as_str(), "b");
        assert!(!route.unsure && route.margin > 0.5, "{route:?}");
        assert_eq!(route.candidates[0].reasons[0].touches, 1);
    }

    #[test]
    fn without_sessions_there_is_no_choice() {
        let route = route(&given(&["x"]), &[], &profiles(&[], &[]));
        assert_eq!((route.choice, route.margin, route.unsure), (None, 0.0, true));
    }

    #[test]
    fn without_history_specialty_decides_and_then_load() {
        let profiles = profiles(&["a", "b"], &[]);
        let declared = [contender("a", &["web"], 0), contender("b", &["src"], 3)];
        let by_paths = route(&given(&["src/x.rs"]), &declared, &profiles);
        assert_eq!(names(&by_paths), ["b", "a"]);
        assert!(!by_paths.unsure);
        let by_load =
            route(&given(&["src/x.rs"]), &[contender("a", &[], 1), contender("b", &[], 0)], &profiles);
        assert_eq!(names(&by_load), ["b", "a"]);
        assert!(by_load.unsure);
    }

    #[test]
    fn words_in_common_decide_but_not_surely() {
        let mut docs = contender("docs", &[], 0);
        docs.specialty = "login".to_owned();
        let route =
            route(&Expected::default(), &[contender("a", &[], 0), docs], &profiles(&["a", "docs"], &[]));
        assert_eq!(names(&route), ["docs", "a"]);
        assert!(route.margin > 0.05 && route.unsure, "{route:?}");
    }

    #[test]
    fn ties_go_to_the_less_loaded_then_the_more_recent_then_by_name() {
        let weightless = Weights { load: 0.0, ..Weights::default() };
        let at = |name: &str, open, last: Option<i64>| Contender {
            last_activity: last.map(Time),
            ..contender(name, &[], open)
        };
        let contenders = [
            at("c", 1, Some(9)),
            at("b", 0, Some(1)),
            at("e", 0, None),
            at("d", 0, Some(1)),
            at("a", 0, Some(5)),
        ];
        let expected = given(&["x"]);
        let question =
            Question { text: "", expected: &expected, contenders: &contenders, weights: &weightless };
        let route = crate::route::route(question, &profiles(&[], &[]));
        assert_eq!(names(&route), ["a", "b", "d", "e", "c"]);
        assert!(route.unsure);
    }

    #[test]
    fn load_moves_a_task_on_once_it_outweighs_the_lead() {
        let profiles = profiles(&["a", "b"], &[(0, "src/x.rs", 1.0), (1, "src/x.rs", 0.8)]);
        for (open, first) in [(0, "a"), (1, "a"), (8, "b")] {
            let contenders = [contender("a", &[], open), contender("b", &[], 0)];
            assert_eq!(names(&route(&given(&["src/x.rs"]), &contenders, &profiles))[0], first, "{open}");
        }
    }

    #[test]
    fn a_small_lead_is_unsure() {
        let profiles = profiles(&["a", "b"], &[(0, "src/x.rs", 1.0), (1, "src/x.rs", 0.99)]);
        let route =
            route(&given(&["src/x.rs"]), &[contender("a", &[], 0), contender("b", &[], 0)], &profiles);
        assert!(route.unsure && route.margin > 0.0 && route.margin < 0.05, "{route:?}");
    }

    #[test]
    fn activity_at_the_top_alone_is_no_evidence() {
        let profiles = profiles(&["a", "b"], &[(0, "web/x.ts", 1.0)]);
        let route =
            route(&given(&["src/x.rs"]), &[contender("b", &[], 0), contender("a", &[], 0)], &profiles);
        assert_eq!(names(&route)[0], "a", "the more active one wins a tie");
        assert!(route.unsure, "{route:?}");
    }

    const FILES: [&str; 4] = ["src/x.rs", "src/y.rs", "src/api/z.rs", "web/x.ts"];
    const NAMES: [&str; 4] = ["a", "b", "c", "d"];

    fn any_expected() -> impl Strategy<Value = Expected> {
        let targets = proptest::sample::subsequence(FILES.to_vec(), 0..=FILES.len());
        let source = proptest::sample::select(vec![TargetSource::Given, TargetSource::Predicted]);
        let counts = proptest::collection::vec(0.0..9.0_f64, 0..=NAMES.len());
        let words = proptest::collection::vec(counts, 0..3);
        let similar = proptest::collection::vec((0.0..=1.0_f64, 0..NAMES.len() as u16), 0..5);
        (targets, source, 0.0..=1.0_f64, words, similar).prop_map(
            |(targets, source, score, words, similar)| {
                let similar = similar.into_iter().map(|(weight, owner)| Similar {
                    commit: Oid::from_bytes(&[1; 20]).unwrap(),
                    time: NOW,
                    weight,
                    owners: vec![(owner, 1.0)],
                });
                let similar = similar.collect();
                let mut expected = Expected { words, similar, matching: 3, ..given(&targets) };
                expected
                    .targets
                    .iter_mut()
                    .for_each(|target| (target.source, target.score) = (source, score));
                expected
            },
        )
    }

    fn any_contenders() -> impl Strategy<Value = Vec<Contender>> {
        let patterns = proptest::sample::subsequence(vec!["src", "web/**", "**/*.rs"], 0..3);
        let paths = |files: Vec<&str>| files.into_iter().map(RepoPath::from).collect();
        let task = proptest::sample::subsequence(FILES.to_vec(), 0..3).prop_map(paths);
        let open = prop_oneof![3 => Just(Vec::new()), 1 => proptest::collection::vec(task, 0..30)];
        let last = proptest::option::of(0..2_i64);
        let one = (patterns, open, "(fix|login)?", last, 0..20_u32).prop_map(
            |(patterns, open, specialty, last, commits)| {
                let last_activity = last.map(Time);
                Contender { open, specialty, commits, last_activity, ..contender("x", &patterns, 0) }
            },
        );
        proptest::collection::vec(one, 0..=NAMES.len()).prop_map(|mut all| {
            all.iter_mut().zip(NAMES).for_each(|(one, name)| one.name = name.parse().unwrap());
            all
        })
    }

    fn any_touches() -> impl Strategy<Value = Vec<(u16, &'static str, f64)>> {
        let file = proptest::sample::select(FILES.to_vec());
        proptest::collection::vec((0..NAMES.len() as u16, file, 0.0..9.0), 0..20)
    }

    proptest! {
        #[test]
        fn scores_are_sums_and_it_does_not_matter_who_is_asked_first(
            expected in any_expected(),
            contenders in any_contenders(),
            touches in any_touches(),
        ) {
            let profiles = profiles(&NAMES, &touches);
            let found = route(&expected, &contenders, &profiles);
            assert_eq!(found.candidates.len(), contenders.len());
            for candidate in &found.candidates {
                let sum: f64 = candidate.terms.iter().map(|term| term.value * term.weight).sum();
                assert!((candidate.score - sum).abs() < 1e-12, "{candidate:?}");
                for term in &candidate.terms {
                    assert!((0.0..=1.0).contains(&term.value), "{candidate:?}");
                }
            }
            let scores: Vec<f64> = found.candidates.iter().map(|candidate| candidate.score).collect();
            assert!(scores.windows(2).all(|pair| pair[1] - pair[0] < 2e-9), "{scores:?}");
            assert_eq!(found.choice.as_ref(), found.candidates.first().map(|first| &first.session));
            assert!(found.margin >= -2e-9 || contenders.len() < 2, "{}", found.margin);
            let mut turned = contenders.clone();
            turned.reverse();
            assert_eq!(names(&route(&expected, &turned, &profiles)), names(&found));
        }
    }
}
