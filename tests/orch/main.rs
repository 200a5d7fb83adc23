//! End-to-end tests of the `git-orch` program, and tests of how it is written.

#![expect(clippy::unwrap_used, reason = "a test that can't go on may panic")]

mod backends;
mod layers;
mod sealed;
mod support;
