//! What holds for whatever bytes a parser is given: it neither panics nor
//! hangs, and what it reads and something writes, it reads back.
//!
//! Each file is a fuzz target (see `run` beside this folder) and, on the seeds
//! below `fixtures/fuzz/`, an ordinary test. A further one takes a file here
//! and its line in [`ALL`], a file in `targets/` and its `[[bin]]`, and a
//! folder of seeds; `tests/orch/seeds.rs` tells what is missing.

pub mod cache;
pub mod config;
pub mod display;
pub mod fanout;
pub mod journal;
pub mod log;
pub mod names;
pub mod notes;
pub mod packs;
pub mod paths;
pub mod porcelain;
pub mod records;

/// A property, by the name of its target and of the folder of its seeds.
pub type Property = (&'static str, fn(&[u8]));

/// Every property there is.
pub const ALL: &[Property] = &[
    ("cache", cache::check),
    ("config", config::check),
    ("display", display::check),
    ("fanout", fanout::check),
    ("journal", journal::check),
    ("log", log::check),
    ("names", names::check),
    ("notes", notes::check),
    ("packs", packs::check),
    ("paths", paths::check),
    ("porcelain", porcelain::check),
    ("records", records::check),
];
