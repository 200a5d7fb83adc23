//! What the end-to-end tests stand on.

mod call;
mod output;
mod repo;
mod snapshot;

pub(crate) use repo::{TestRepo, days_ago};
