//! Whether work needs context, by how its words read.

use serde::{Deserialize, Serialize};

/// What a text reads like, and by which of its words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// What it reads like.
    pub reads: Reads,
    /// The words that tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
}

/// What a text reads like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// Its parts hang together: who does one has to know the others.
    NeedsContext,
    /// Each file can be done alone.
    ContextFree,
    /// Its words do not tell.
    #[default]
    Unclear,
}
