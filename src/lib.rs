//! git-orch.
pub mod agent;
pub mod app;
pub mod commands;
pub mod config;
pub mod error;
pub mod git;
pub mod history;
pub mod model;
pub mod recover;
pub mod review;
pub mod route;
pub mod run;
pub mod session;
pub mod store;
pub mod ui;
