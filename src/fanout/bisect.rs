//! Which of many parts make a check fail that passes without any of them.
//!
//! **Invariant:** what is kept passed the check as it is kept, in one run of it;
//! each that is bad failed it, in another, beside what was kept by then.

use std::collections::VecDeque;

/// What came of it; numbers in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parted {
    /// Those that pass together.
    pub kept: Vec<usize>,
    /// Those that make it fail beside what is kept.
    pub bad: Vec<usize>,
    /// Those that nothing is known of, since the runs were used up: at least
    /// one of each few that were tried together makes it fail.
    pub unjudged: Vec<usize>,
}

/// Parts `all`, which fail together, with at most so many runs of the check.
///
/// Halves a group that fails and keeps what passes beside what is kept, largest
/// groups first: so runs that are used up cost few parts their judgement. One
/// bad part of n takes about 1.5 · log2(n) runs, and never more than 2; that it
/// is bad follows from runs of others, and is tried in one more.
///
/// # Errors
/// That of a run.
pub fn bisect<E>(
    all: &[usize],
    most: usize,
    mut passes: impl FnMut(&[usize]) -> Result<bool, E>,
) -> Result<Parted, E> {
    let mut parted = Parted::default();
    let mut failing: VecDeque<&[usize]> = VecDeque::from([all]);
    failing.retain(|group| !group.is_empty());
    let mut left = most;
    while let Some(group) = failing.pop_front() {
        if left == 0 {
            parted.unjudged.extend(group);
            continue;
        }
        left -= 1;
        let (one, other) = match group {
            [only] => {
                let passed = passes(&with(&parted.kept, group))?;
                if passed { &mut parted.kept } else { &mut parted.bad }.push(*only);
                continue;
            }
            _ => group.split_at(group.len() / 2),
        };
        if passes(&with(&parted.kept, one))? {
            parted.kept.extend(one);
            // Both fail together, so the other one does beside this.
            failing.push_back(other);
            continue;
        }
        failing.push_back(one);
        if left == 0 {
            parted.unjudged.extend(other);
            continue;
        }
        left -= 1;
        if passes(&with(&parted.kept, other))? {
            parted.kept.extend(other);
        } else {
            failing.push_back(other);
        }
    }
    for numbers in [&mut parted.kept, &mut parted.bad, &mut parted.unjudged] {
        numbers.sort_unstable();
    }
    Ok(parted)
}

fn with(kept: &[usize], more: &[usize]) -> Vec<usize> {
    let mut all = [kept, more].concat();
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// Parts `count` where each of these sets fails the check when all of it is
    /// there; with how many runs.
    fn parted(count: usize, most: usize, bad: &[&[usize]]) -> (Parted, usize) {
        let mut runs = Vec::new();
        let all: Vec<usize> = (1..=count).collect();
        let parted = bisect(&all, most, |numbers| {
            let fails = bad.iter().any(|set| set.iter().all(|number| numbers.contains(number)));
            runs.push((numbers.to_vec(), !fails));
            Ok::<_, Infallible>(!fails)
        });
        let Ok(parted) = parted;
        let passed = runs.iter().rev().find(|(_, passed)| *passed);
        assert_eq!(
            passed.map_or(&[][..], |(numbers, _)| numbers),
            parted.kept,
            "what is kept was tried last"
        );
        let every = [&parted.kept[..], &parted.bad, &parted.unjudged].concat();
        assert_eq!(every.len(), count);
        assert_eq!(every.into_iter().collect::<BTreeSet<_>>(), all.into_iter().collect());
        (parted, runs.len())
    }

    #[test]
    fn the_bad_ones_are_found() {
        for (count, bad, found, most) in [
            (1, &[&[1][..]][..], &[1][..], 1),
            (2, &[&[2]], &[2], 3),
            (8, &[&[1]], &[1], 7),
            (8, &[&[8]], &[8], 7),
            (8, &[&[3], &[6]], &[3, 6], 12),
            (1_000, &[&[517]], &[517], 21),
            (8, &[&[2, 7]], &[7], 7),
            (3, &[&[1], &[2], &[3]], &[1, 2, 3], 7),
        ] {
            let (parted, runs) = parted(count, usize::MAX, bad);
            assert_eq!(parted.bad, found, "{bad:?}");
            assert!(runs <= most, "{runs} runs for {bad:?} of {count}");
        }
    }

    #[test]
    fn runs_that_are_used_up_leave_few_unjudged() {
        let (parted, runs) = parted(64, 6, &[&[20]]);
        assert_eq!((parted.bad.len(), runs), (0, 6));
        assert!(parted.unjudged.contains(&20) && parted.unjudged.len() <= 16, "{parted:?}");
        let nothing = super::tests::parted(64, 0, &[&[20]]).0;
        assert_eq!((nothing.kept.len(), nothing.unjudged.len()), (0, 64));
    }

    #[test]
    fn what_follows_from_a_run_that_was_wrong_is_not_bad() {
        // The first run failed for a reason of its own: all pass.
        for count in 1..10 {
            let (parted, _) = parted(count, usize::MAX, &[]);
            assert_eq!((parted.kept.len(), parted.bad.len(), parted.unjudged.len()), (count, 0, 0));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_bad_goes_and_nothing_else(
            count in 1..40_usize, bad in proptest::collection::btree_set(1..40_usize, 1..5), most in 0..60_usize,
        ) {
            let bad: BTreeSet<usize> = bad.into_iter().map(|number| number % count + 1).collect();
            let bad: Vec<usize> = bad.into_iter().collect();
            let sets: Vec<&[usize]> = bad.iter().map(std::slice::from_ref).collect();
            let (whole, runs) = parted(count, usize::MAX, &sets);
            assert_eq!(&whole.bad, &bad);
            let depth = usize::BITS - (count - 1).leading_zeros();
            assert!(runs <= (2 * depth as usize + 1) * bad.len());
            let (cut, runs) = parted(count, most, &sets);
            assert!(runs <= most && cut.bad.iter().all(|number| bad.contains(number)));
        }
    }
}
