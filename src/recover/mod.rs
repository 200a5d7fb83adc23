//! Setting right what a killed process left, and noticing what was landed by
//! other means.

pub mod dead;
pub mod keeps;
pub mod landed;
pub mod scratch;
pub mod unfilled;

use crate::error::Result;
use crate::fanout::claim;
use crate::run::{Scene, strays, throwaway};
use crate::session::{add, moving, remove};

/// Everything that the next command sets right by itself.
pub fn settle(scene: Scene<'_>) -> Result<()> {
    add::settle(scene.repo, scene.events)?;
    remove::settle(scene.repo, scene.events, scene.now)?;
    unfilled::settle(scene)?;
    dead::settle(scene)?;
    moving::settle(scene.repo, scene.events, scene.now)?;
    claim::settle(scene)?;
    keeps::settle(scene.repo, scene.events)?;
    throwaway::remove_leftovers(scene.repo, scene.events)?;
    landed::settle(scene)?;
    scratch::sweep(scene.repo)?;
    strays::gather(scene)
}
