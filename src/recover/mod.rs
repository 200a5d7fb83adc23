//! Setting right what a killed process left, and noticing what was landed by
//! other means.

pub mod dead;
pub mod landed;
pub mod scratch;
pub mod unfilled;

use crate::error::Result;
use crate::fanout::claim;
use crate::run::{Scene, strays, throwaway};

/// Everything that the next command sets right by itself.
pub fn settle(scene: Scene<'_>) -> Result<()> {
    unfilled::settle(scene)?;
    dead::settle(scene)?;
    claim::settle(scene)?;
    throwaway::remove_leftovers(scene.repo, scene.events)?;
    landed::settle(scene)?;
    scratch::sweep(scene.repo)?;
    strays::gather(scene)
}
