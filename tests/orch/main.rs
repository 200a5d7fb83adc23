//! End-to-end tests of the `git-orch` program, and tests of how it is written.

#![expect(clippy::unwrap_used, reason = "a test that can't go on may panic")]

mod add_session;
mod assembly;
mod backends;
mod bad_input;
mod bad_surroundings;
mod completions;
mod concurrency;
mod config;
mod conflicts;
mod context;
mod crash;
mod damage;
mod doctor;
mod done;
mod elsewhere;
mod engines;
mod fanout;
mod fanout_agents;
mod forge;
mod forge_real;
mod formatters;
mod gc;
mod landed;
mod layers;
mod license;
mod man;
mod meanwhile;
mod merge;
mod misbehaving;
mod new_files;
mod odd_places;
mod plan;
mod problems;
mod promises;
#[path = "../fuzz/properties/mod.rs"]
pub mod properties;
mod queue;
mod replay;
mod resume;
mod review;
mod route;
mod sealed;
mod seeds;
mod sessions;
mod shards;
mod support;
mod task;
mod threats;
mod threats_agents;
mod threats_text;
mod trash;
mod trust;
mod undo;
mod viewpoints;
mod viewpoints_rounds;
