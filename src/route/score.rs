//! From signals to a score that can be checked by hand.
//!
//! **Invariant:** a score is exactly the sum of its terms, in their order.

use super::Contender;
use crate::model::{Alike, Candidate, Reason, Signals, Term, Weights};

/// Below so many commits of history what a session declares counts more.
const YOUNG: u32 = 10;

/// Weighs the signals of a contender; `weights` are scaled.
pub fn candidate(
    contender: &Contender,
    signals: Signals,
    weights: &Weights,
    (reasons, similar): (Vec<Reason>, Vec<Alike>),
) -> Candidate {
    let specialty = if contender.commits < YOUNG { weights.young_specialty } else { weights.specialty };
    let term = |name: &str, value, weight| Term { name: name.to_owned(), value, weight };
    let terms = vec![
        term("context", signals.context, weights.context),
        term("recent", signals.recent, weights.recent),
        term("last", signals.last, weights.last),
        term("focus", signals.focus, weights.focus),
        term("words", signals.words, weights.words),
        term("similar", signals.similar, weights.similar),
        term("active", signals.active, weights.active),
        term("specialty", signals.specialty, specialty),
        term("load", signals.load, weights.load),
    ];
    // A sum of nothing is -0, and that would be printed.
    let score = terms.iter().map(|term| term.value * term.weight).fold(0.0, |sum, term| sum + term);
    Candidate { session: contender.name.clone(), person: None, score, signals, terms, reasons, similar }
}

#[cfg(test)]
mod tests {
    use super::super::testing::contender;
    use super::*;

    #[test]
    fn a_score_is_the_sum_of_its_terms() {
        let signals = Signals {
            context: 0.62,
            recent: 0.71,
            last: 0.71,
            focus: 0.4,
            words: 0.5,
            similar: 0.3,
            active: 0.1,
            specialty: 1.0,
            load: 0.05,
        };
        for (commits, score) in [(50, 0.66), (10, 0.66), (9, 0.91), (0, 0.91)] {
            let contender = Contender { commits, ..contender("a", &[], 1) };
            let candidate = candidate(&contender, signals, &Weights::default(), (Vec::new(), Vec::new()));
            assert!((candidate.score - score).abs() < 1e-9, "{commits}: {candidate:?}");
            let sum: f64 = candidate.terms.iter().map(|term| term.value * term.weight).sum();
            assert_eq!(candidate.score, sum);
        }
    }

    #[test]
    fn what_tells_nothing_gives_its_weight_to_the_rest() {
        let all = |weights: Weights| {
            let Weights { context, recent, last, focus, words, similar, active, .. } = weights;
            context + recent + last + focus + words + similar + active
        };
        let weights = Weights { context: 3.0, ..Weights::default() };
        for (is_predicted, has_words) in [(true, true), (true, false), (false, true), (false, false)] {
            assert!((all(weights.scaled(is_predicted, has_words)) - 1.0).abs() < 1e-9);
        }
        let [known, predicted] = [false, true].map(|is_predicted| weights.scaled(is_predicted, true));
        assert!(predicted.context < known.context && predicted.words > known.words);
        let without = weights.scaled(false, false);
        assert_eq!((without.words, without.similar, without.load), (0.0, 0.0, weights.load));
        assert_eq!(all(Weights { words: 1.0, ..NOTHING }.scaled(false, false)), 0.0);
    }

    const NOTHING: Weights = Weights {
        context: 0.0,
        recent: 0.0,
        last: 0.0,
        focus: 0.0,
        words: 0.0,
        similar: 0.0,
        active: 0.0,
        specialty: 0.0,
        young_specialty: 0.0,
        load: 0.0,
    };
}
