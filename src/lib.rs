//! git-orch.
pub mod error;
pub mod git;
pub mod model;
