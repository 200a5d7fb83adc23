//! How often a ranking was right, and how sure that is.

use serde::Serialize;

/// How often questions are drawn again to tell how sure a mean is.
const DRAWS: usize = 1_000;
/// Scores nearer than this are equal.
const EQUAL: f64 = 1e-12;

/// What a ranking is worth for one question, or on the mean of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// How often the answer came first.
    pub top1: f64,
    /// How often it was among the first three.
    pub top3: f64,
    /// The mean of 1/rank.
    pub mrr: f64,
}

impl Figures {
    /// The answer had this rank, counted from 1.
    pub fn at(rank: usize) -> Self {
        let is = |right: bool| f64::from(u8::from(right));
        Self { top1: is(rank == 1), top3: is(rank <= 3), mrr: 1.0 / rank as f64 }
    }

    /// What scores are worth, equal ones in any order.
    pub fn of(scores: &[f64], answer: usize) -> Self {
        let own = scores[answer];
        let above = scores.iter().filter(|score| **score > own + EQUAL).count();
        let equal = scores.iter().filter(|score| (**score - own).abs() <= EQUAL).count();
        Self::mean((above + 1..=above + equal).map(Self::at))
    }

    /// The mean.
    pub fn mean(all: impl IntoIterator<Item = Self>) -> Self {
        let (mut sum, mut count) = (Self::default(), 0.0_f64);
        for one in all {
            sum = Self { top1: sum.top1 + one.top1, top3: sum.top3 + one.top3, mrr: sum.mrr + one.mrr };
            count += 1.0;
        }
        let count = count.max(1.0);
        Self { top1: sum.top1 / count, top3: sum.top3 / count, mrr: sum.mrr / count }
    }
}

/// A mean, and the range that holds 95 of 100 means of other draws.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The mean of values, and how sure it is: a percentile bootstrap (Efron,
/// 1979) with draws that are the same at every call.
pub(super) fn interval(values: &[f64]) -> Interval {
    let count = values.len().max(1);
    let whole = values.iter().sum::<f64>() / count as f64;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = || {
        // xorshift64 (Marsaglia, 2003)
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % count
    };
    let mut means: Vec<f64> =
        (0..DRAWS).map(|_| (0..values.len()).map(|_| values[draw()]).sum::<f64>() / count as f64).collect();
    means.sort_by(f64::total_cmp);
    Interval { mean: whole, low: means[DRAWS / 40], high: means[DRAWS - 1 - DRAWS / 40] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_share_their_ranks() {
        for (scores, answer, top1, top3, mrr) in [
            (&[0.9, 0.5, 0.1][..], 0, 1.0, 1.0, 1.0),
            (&[0.9, 0.5, 0.1], 2, 0.0, 1.0, 1.0 / 3.0),
            (&[0.5, 0.5], 1, 0.5, 1.0, 0.75),
            (&[0.0, 0.0, 0.0, 0.0], 2, 0.25, 0.75, (1.0 + 0.5 + 1.0 / 3.0 + 0.25) / 4.0),
        ] {
            let found = Figures::of(scores, answer);
            assert!((found.top1 - top1).abs() + (found.top3 - top3).abs() + (found.mrr - mrr).abs() < 1e-9);
        }
    }

    #[test]
    fn an_interval_holds_its_mean_and_narrows_with_more_values() {
        let few: Vec<f64> = (0..20).map(|n| f64::from(n % 2)).collect();
        let many: Vec<f64> = (0..2_000).map(|n| f64::from(n % 2)).collect();
        let [few, many] = [few, many].map(|values| interval(&values));
        assert!((few.mean - 0.5).abs() < 1e-9 && few.low < 0.5 && few.high > 0.5, "{few:?}");
        assert!(many.high - many.low < (few.high - few.low) / 5.0, "{many:?}");
        assert_eq!(interval(&[]).mean, 0.0);
    }
}
