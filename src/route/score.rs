//! From signals to a score that can be checked by hand.
//!
//! **Invariant:** a score is exactly the sum of its terms, in their order.

use super::Contender;
use crate::model::{Candidate, Reason, Signals, Term, Weights};

/// Below so many commits of history what a session declares counts more.
const YOUNG: u32 = 10;

/// Weighs the signals of a contender.
pub fn candidate(
    contender: &Contender,
    signals: Signals,
    weights: &Weights,
    reasons: Vec<Reason>,
) -> Candidate {
    let specialty = if contender.commits < YOUNG { weights.young_specialty } else { weights.specialty };
    let term = |name: &str, value, weight| Term { name: name.to_owned(), value, weight };
    let terms = vec![
        term("context", signals.context, weights.context),
        term("recent", signals.recent, weights.recent),
        term("specialty", signals.specialty, specialty),
        term("load", signals.load, weights.load),
    ];
    // A sum of nothing is -0, and that would be printed.
    let score = terms.iter().map(|term| term.value * term.weight).fold(0.0, |sum, term| sum + term);
    Candidate { session: contender.name.clone(), person: None, score, signals, terms, reasons }
}

#[cfg(test)]
mod tests {
    use super::super::testing::contender;
    use super::*;

    #[test]
    fn a_score_is_the_sum_of_its_terms() {
        let signals = Signals { context: 0.62, recent: 0.71, specialty: 1.0, load: 0.05 };
        for (commits, score) in [(50, 0.865), (10, 0.865), (9, 1.115), (0, 1.115)] {
            let contender = Contender { commits, ..contender("a", &[], 1) };
            let candidate = candidate(&contender, signals, &Weights::default(), Vec::new());
            assert!((candidate.score - score).abs() < 1e-9, "{commits}: {candidate:?}");
            let sum: f64 = candidate.terms.iter().map(|term| term.value * term.weight).sum();
            assert_eq!(candidate.score, sum);
        }
    }
}
