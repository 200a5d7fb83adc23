//! What the end-to-end tests stand on.

pub(crate) mod agents;
mod call;
mod mounts;
pub(super) mod output;
mod refused;
mod repo;
pub(crate) mod results;
mod snapshot;
mod template;
mod verbs;

pub(crate) use call::{Call, found, machine_path, with_agents};
pub(crate) use mounts::mounting;
pub(crate) use refused::{Bad, expect_refusal, refused, refused_call};
pub(crate) use repo::{NOW, TestRepo, days_ago, serial_tree};
pub(crate) use verbs::{VERBS, gits, skip};
