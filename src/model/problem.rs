//! What a checker says is wrong, and where.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::RepoPath;

/// One thing that is wrong at one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Problem {
    /// The file it is in.
    pub path: RepoPath,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column, as the checker counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The rule, as `E0308`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// How bad it is, in the checker's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl Problem {
    /// What stays the same where other lines of its file change.
    pub fn identity(&self) -> (&RepoPath, Option<&str>, &str) {
        (&self.path, self.code.as_deref(), &self.message)
    }
}

/// `src/a.rs:3:7: error E0308: mismatched types`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.quoted())?;
        for number in [self.line, self.column].into_iter().map_while(|number| number) {
            write!(f, ":{number}")?;
        }
        let words: Vec<&str> =
            [&self.severity, &self.code].into_iter().flatten().map(String::as_str).collect();
        match words.as_slice() {
            [] => write!(f, ": {}", self.message),
            words => write!(f, ": {}: {}", words.join(" "), self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_as_compilers_print_it() {
        let whole = Problem {
            path: RepoPath::from("src/a.rs"),
            line: Some(3),
            column: Some(7),
            code: Some("E0308".to_owned()),
            severity: Some("error".to_owned()),
            message: "mismatched types".to_owned(),
        };
        assert_eq!(whole.to_string(), "src/a.rs:3:7: error E0308: mismatched types");
        let bare = Problem { line: None, column: Some(7), code: None, severity: None, ..whole };
        assert_eq!(bare.to_string(), "src/a.rs: mismatched types");
    }
}
