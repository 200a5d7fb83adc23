//! A session looks at a result from a viewpoint: in a throwaway at the result's
//! tip, with a brief, to a verdict that is said, never guessed.
//!
//! ```text
//! choose   who knows the touched paths, not whoever did the work
//! staff    which program looks there
//! brief    what was asked, what came of it, how to say the verdict
//! look     the program, in a throwaway, to its end
//! said     its verdict, from its own file or its exit code
//! left     what a tester or documenter adds, as commits
//! record   verdict, commits and where the task stands, in one transaction
//! rounds   all viewpoints that lack, and the developer again, until they agree
//! ```
//!
//! **Invariant:** nothing of a look is recorded before it has ended, and then
//! all of it at once; what it adds lands on the very tip that it looked at.

pub mod brief;
pub mod choose;
pub mod left;
pub mod look;
pub mod record;
pub mod rounds;
pub mod said;
pub mod staff;

pub use look::{Order, Told, look};
