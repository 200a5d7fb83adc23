//! This very program once more, in the background: it does all of the work
//! itself, and lets whoever started it go once it has taken it on.
//!
//! **Invariant:** who started it leaves with an answer, or with its failure; and
//! it goes on alone only after somebody has heard the answer.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::process::this_program;
use crate::error::{Error, IoContext, Result};

/// The hidden word before all others.
pub const DETACHED: &str = "__detached";
/// What ends an answer that is all there is to hear: no answer holds it.
const LETS_GO: u8 = 0;

/// What came of starting it.
#[derive(Debug)]
pub struct Begun {
    /// Its answer so far.
    pub answer: Vec<u8>,
    /// Its exit code; 0 where it goes on.
    pub code: u8,
}

/// Starts this program with the same words, on the same terminal, and waits
/// until it lets go or ends.
///
/// # Errors
/// Unusable where it can't be started.
pub fn start(words: &[OsString]) -> Result<Begun> {
    let unusable = |error| Error::unusable("could not start git-orch in the background").because(error);
    let (mut reader, writer) = std::io::pipe().map_err(unusable)?;
    let words = [OsString::from(DETACHED)].into_iter().chain(words.iter().cloned());
    let expression = duct::cmd(this_program()?, words).stdin_null().stdout_file(writer).unchecked();
    let handle = expression.start().map_err(unusable)?;
    // The pipe ends with the last who can write into it, and that is not us.
    drop(expression);
    let mut answer = Vec::new();
    reader.read_to_end(&mut answer).map_err(unusable)?;
    if answer.pop_if(|last| *last == LETS_GO).is_some() {
        return Ok(Begun { answer, code: 0 });
    }
    let ended = handle.wait().map_err(unusable)?;
    let code = ended.status.code().and_then(|code| u8::try_from(code).ok());
    Ok(Begun { answer, code: code.unwrap_or(crate::error::exit::INTERRUPTED) })
}

/// Leaves the terminal of whoever started this process: what is typed there is
/// for others.
pub fn alone() {
    // One that leads its session already is as alone as can be.
    let _ = rustix::process::setsid();
}

/// Lets whoever started this process go: the answer is complete, and what is
/// still to be told goes into a log.
///
/// # Errors
/// Interrupted where nobody is left to hear it; unusable where the log can't be
/// written.
pub fn let_go(log: &Path) -> Result<()> {
    let file =
        File::options().append(true).create(true).mode(0o600).open(log).doing("could not write", log)?;
    let mut stdout = std::io::stdout().lock();
    let heard = stdout.write_all(&[LETS_GO]).and_then(|()| stdout.flush());
    heard.map_err(|error| {
        Error::new(crate::error::Kind::Interrupted, "whoever started this is gone").because(error)
    })?;
    let onto = |told: std::io::Result<()>| told.doing("could not write", log);
    onto(rustix::stdio::dup2_stdout(&file).map_err(Into::into))?;
    onto(rustix::stdio::dup2_stderr(&file).map_err(Into::into))
}

/// Whether a process is this program, gone on alone.
pub(super) fn is_detached(process: i32) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |path: String| std::fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
    let words = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    words.split(|byte| *byte == 0).nth(1) == Some(DETACHED.as_bytes())
        && id("/proc/self/exe".to_owned()).is_some_and(|own| id(format!("/proc/{process}/exe")) == Some(own))
}
