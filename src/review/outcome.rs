//! What became of results that were to land.

use serde::Serialize;

use super::check::Checked;
use super::resolve;
use crate::error::{Error, Result};
use crate::model::{Name, Oid, TaskState};

/// What became of one result.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// It was checked, and landed if that passed.
    Checked(Landing),
    /// It conflicts with its base.
    Conflict(resolve::Conflict),
    /// It may not land, or not now.
    Kept(Kept),
    /// Somebody landed it meanwhile.
    Before(Before),
}

/// How landing went.
#[derive(Debug, Serialize)]
pub struct Landing {
    /// The result.
    pub name: Name,
    /// The base's branch.
    pub base: String,
    /// The base's tip before.
    pub from: Oid,
    /// The base's tip after; absent when a check failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Oid>,
    /// What the checks said.
    pub check: Checked,
    /// The others that landed in the same commit; where the check failed, those
    /// that it was on top of and that landed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<Name>,
}

/// A result that stays as it is.
#[derive(Debug, Serialize)]
pub struct Kept {
    /// The result.
    pub name: Name,
    /// Why.
    #[serde(rename = "kept", serialize_with = "message")]
    pub error: Error,
}

/// A result that had landed already.
#[derive(Debug, Serialize)]
pub struct Before {
    /// The result.
    pub name: Name,
    /// Always `merged`.
    pub state: TaskState,
}

fn message<S: serde::Serializer>(error: &Error, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&error.message)
}

/// Hears what became of each result, as soon as that is known.
pub type Tell<'a> = &'a mut dyn FnMut(Outcome) -> Result<()>;
