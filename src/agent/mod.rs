//! Running an agent program, or any command, so that nothing of it outlives us.

pub mod again;
pub mod ask;
pub mod command;
pub mod detach;
pub mod family;
pub mod hold;
pub mod interrupt;
pub mod process;
pub mod supervisor;

pub use command::{Input, Invocation};
pub use interrupt::Interrupt;
pub use process::{End, Ended};
