//! Plain data: a file per noun, no I/O, no clock.
//!
//! **Invariant:** names no other room of this crate.

pub mod alteration;
pub mod context;
pub mod elsewhere;
pub mod event;
pub mod handoff;
pub mod job;
pub mod name;
pub mod note;
pub mod oid;
pub mod operation;
pub mod past;
pub mod path;
pub mod plan;
pub mod problem;
pub mod profile;
pub mod published;
pub mod report;
pub mod review;
pub mod route;
pub mod run;
pub mod session;
pub mod strings;
pub mod task;
pub mod time;
pub mod tokens;
pub mod touch;
pub mod wording;

pub use alteration::Alteration;
pub use context::{Context, Reads};
pub use elsewhere::Elsewhere;
pub use event::{Event, Events};
pub use handoff::Handoff;
pub use job::{Fanout, Round, Shard, ShardState};
pub use name::Name;
pub use note::Note;
pub use oid::Oid;
pub use operation::{Effect, Operation, Step};
pub use past::{Owners, Past, Words};
pub use path::{PathSet, RepoPath};
pub use plan::{Because, Behind, Plan, Planned, Wanted};
pub use problem::Problem;
pub use profile::{HalfLives, Known, Profiles, SessionWeight, Touched};
pub use published::{Checks, Opinion, Published, RequestState};
pub use report::{Report, Reported};
pub use review::{Decision, Look, Verdict, Viewpoint};
pub use route::{Alike, Candidate, Reason, Route, Signals, Target, TargetSource, Term, Weights};
pub use run::{Outcome, Run, Usage};
pub use session::{Session, SessionState};
pub use strings::Strings;
pub use task::{Answer, Task, TaskState};
pub use time::Time;
pub use touch::{Author, Change, Mined, Status};
