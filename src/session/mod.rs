//! The life of sessions: made, looked at, taken away.

pub mod add;
pub mod base;
pub mod gone;
pub mod include;
pub mod lock;
pub mod moving;
pub mod pause;
pub mod remove;
pub mod seat;
pub mod trash;
pub mod view;
pub mod workplace;

pub use lock::{LandLock, PublishLock, SessionLock, TaskLock};
pub use view::View;
