//! git-orch.
pub mod agent;
pub mod app;
pub mod config;
pub mod error;
pub mod git;
pub mod model;
pub mod session;
pub mod store;
pub mod ui;
