//! End-to-end tests of the `git-orch` program.
