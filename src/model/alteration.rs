//! What a run changed of what git executes in its repository.

use serde::{Deserialize, Serialize};

/// One setting, hook or attributes file that a run left otherwise than it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alteration {
    /// Which: `config core.fsmonitor`, `hooks/pre-commit`.
    pub what: String,
    /// What it held before; absent where it was not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What the run left; absent where it took it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl std::fmt::Display for Alteration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`: {} → {}", self.what, told(self.before.as_deref()), told(self.after.as_deref()))
    }
}

fn told(value: Option<&str>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| format!("`{value}`"))
}
