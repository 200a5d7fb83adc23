//! What sessions have at one place, added to touch by touch.

use crate::model::{HalfLives, SessionWeight, Time, Touched};

/// What sessions have at one place, each as of its own last touch there.
pub(super) type Row = Vec<SessionWeight>;

/// A touch to be added somewhere.
pub(super) struct Place {
    pub(super) half_lives: HalfLives,
    pub(super) session: u16,
    pub(super) touch: f64,
    pub(super) touched: Touched,
}

impl Place {
    /// Adds it.
    pub(super) fn add(&self, row: &mut Row) {
        let at = row.iter().position(|weight| weight.session == self.session);
        let at = at.unwrap_or_else(|| {
            row.push(SessionWeight { session: self.session, ..SessionWeight::default() });
            row.len() - 1
        });
        let weight = &mut row[at];
        decay(weight, self.touched.time, self.half_lives);
        let is_new = weight.last.as_ref() != Some(&self.touched);
        weight.counts.iter_mut().for_each(|count| *count += self.touch);
        weight.touches += u32::from(is_new);
        weight.last = Some(self.touched.clone());
    }
}

/// Brings what was as of the last touch to a later moment.
pub(super) fn decay(weight: &mut SessionWeight, now: Time, half_lives: HalfLives) {
    let age = weight.last.as_ref().map_or(0, |last| now.since(last.time));
    if age != 0 {
        weight.counts.iter_mut().zip(half_lives.decay(age)).for_each(|(count, left)| *count *= left);
    }
}
