//! End-to-end tests of the `git-orch` program, and tests of how it is written.

mod layers;
