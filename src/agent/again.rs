//! This very program once more, asked for an answer.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::ask::Answer;
use super::process::this_program;
use crate::error::{Error, Result};

/// The hidden word before all others.
pub const CALLED: &str = "__called";

/// Runs it to its end. It ends when this thread does (Linux).
///
/// # Errors
/// Unusable where it can't be run.
pub fn call(folder: &Path, words: &[OsString], environment: &BTreeMap<OsString, OsString>) -> Result<Answer> {
    let words = [OsString::from(CALLED)].into_iter().chain(words.iter().cloned());
    let expression = duct::cmd(this_program()?, words)
        .dir(folder)
        .full_env(environment)
        .stdin_null()
        .stdout_capture()
        .stderr_capture()
        .unchecked();
    let output =
        expression.run().map_err(|error| Error::unusable("could not run git-orch").because(error))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap_or(-1);
    Ok(Answer { code, stdout: text(&output.stdout), stderr: text(&output.stderr) })
}

/// Has this process asked to end once whoever called it has died.
pub fn end_with_caller() {
    // Elsewhere it goes on to its end, which is near.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
}
