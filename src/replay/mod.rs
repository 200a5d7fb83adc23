//! Past commits asked about as if they were tasks: how often the router would
//! have been right, on this repository's own history.
//!
//! **Invariant:** a question sees only what was there a while before it; the
//! same history gives the same figures.

mod areas;
mod ask;
mod baseline;
mod branches;
mod cast;
mod closed;
mod figures;
mod recorded;
mod row;
mod state;
mod story;
mod together;

pub use areas::areas;
pub use ask::{Answer, Given, Order, Report, Row, ask, changed};
pub use baseline::{BASELINES, Look, Rule};
pub use branches::branches;
pub use cast::{Asked, Cast, SESSIONS, authors};
pub use closed::{CHOOSERS, Chooser, Kept, Loop, Moment, closed};
pub use figures::{Figures, Interval};
pub use recorded::{Recorded, recorded};
pub use story::Story;
pub use together::{Together, together};
