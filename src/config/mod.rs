//! What people set: `.orch.yml`, git's configuration, and trust.

pub mod layers;
pub mod load;
pub mod schema;
pub mod trust;

pub use layers::Settings;
pub use schema::{Agents, Command, Config, Engine, ForgeCommands, Job, Profile, Routing, Says, Style};
