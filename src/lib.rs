//! git-orch.
pub mod error;
pub mod model;
