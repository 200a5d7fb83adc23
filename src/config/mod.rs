//! What people set: `.orch.yml`, git's configuration, and trust.

pub mod agents;
pub mod layers;
pub mod load;
pub mod schema;
pub mod tasks;
pub mod trust;

pub use agents::{Agents, Profile, Prompt, Says};
pub use layers::Settings;
pub use schema::{Command, Config, Engine, ForgeCommands, Job, Routing, Style};
