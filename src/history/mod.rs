//! Commits to touches to profiles.
pub mod notes;
