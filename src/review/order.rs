//! In which order results land: each behind what it builds on or comes after,
//! those that conflict with few others first, so that most land.

use super::conflicts::{among, landing_order};
use super::item::Item;
use crate::error::Result;
use crate::git::Repo;

/// Puts results into the order in which they land.
pub fn order(repo: &Repo, items: Vec<Item>) -> Result<Vec<Item>> {
    if items.len() < 2 {
        return Ok(items);
    }
    let clashing = among(repo, &items)?;
    let order = landing_order(&items, &clashing);
    Ok(order.into_iter().map(|index| items[index].clone()).collect())
}
