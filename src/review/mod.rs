//! Results put up for judgement, and how they reach their base.

pub mod check;
pub mod conflicts;
pub mod forge;
pub mod gate;
pub mod item;
pub mod judged;
pub mod land;
pub mod line;
pub mod order;
pub mod outcome;
pub mod people;
pub mod publish;
pub mod queue;
pub mod resolve;
pub mod restack;
pub mod risk;
pub mod style;
pub mod verdict;
pub mod viewpoint;
pub mod wanted;
pub mod work;

pub use item::Item;
