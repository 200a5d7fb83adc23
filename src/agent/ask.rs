//! Asking a program that answers soon, as a scheduler's client does.
//!
//! What it leaves running is its own business: that is how work is handed to
//! others. It has a process group of its own, so that Ctrl-C at the terminal,
//! which is for us, does not end it in the midst of something.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program to ask.
#[derive(Clone, Debug)]
pub struct Question {
    /// The program and its arguments.
    pub argv: Vec<OsString>,
    /// The folder it runs in.
    pub folder: PathBuf,
    /// Its whole environment.
    pub environment: BTreeMap<OsString, OsString>,
}

/// What it answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Answer {
    /// What it complained of, in one line.
    pub fn complaint(&self) -> String {
        let said = [&self.stderr, &self.stdout];
        let lines = || said.iter().flat_map(|text| text.lines()).map(str::trim);
        let is_error = |line: &&str| line.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("error"));
        let line = lines().find(is_error).or_else(|| lines().find(|line| !line.is_empty()));
        line.map_or_else(|| format!("it said nothing (exit {})", self.code), str::to_owned)
    }
}

/// Asks; only a program that can't be started or does not answer is an error.
///
/// # Errors
/// Unusable then.
pub fn ask(question: &Question) -> Result<Answer> {
    let program = question.argv.first().cloned().unwrap_or_default().display().to_string();
    let unusable = |error| Error::unusable(format!("could not start `{program}`")).because(error);
    // Files, not pipes: what it leaves running would keep a pipe open.
    let (mut stdout, mut stderr) = (scratch()?, scratch()?);
    let copy = |file: &File| file.try_clone().map_err(unusable);
    let expression = duct::cmd(&question.argv[0], &question.argv[1..])
        .dir(&question.folder)
        .full_env(&question.environment)
        .stdin_null()
        .stdout_file(copy(&stdout)?)
        .stderr_file(copy(&stderr)?)
        .unchecked()
        .before_spawn(|command| {
            command.process_group(0);
            Ok(())
        });
    let handle = expression.start().map_err(unusable)?;
    let ended = handle.wait_timeout(PATIENCE).map_err(unusable)?;
    let Some(output) = ended else {
        // It may have ended by itself.
        drop(handle.kill());
        return Err(Error::unusable(format!("`{program}` does not answer")));
    };
    let code = output.status.code().unwrap_or(-1);
    Ok(Answer { code, stdout: text(&mut stdout), stderr: text(&mut stderr) })
}

fn scratch() -> Result<File> {
    tempfile::tempfile().map_err(|error| Error::unusable("could not make a file").because(error))
}

fn text(file: &mut File) -> String {
    let mut bytes = Vec::new();
    // Nothing can be read: nothing was said.
    let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    if read.is_ok() { String::from_utf8_lossy(&bytes).into_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(script: &str) -> Answer {
        let argv = ["/bin/sh", "-c", script].map(OsString::from).to_vec();
        ask(&Question { argv, folder: "/".into(), environment: BTreeMap::new() }).unwrap()
    }

    #[test]
    fn an_answer_is_there_although_something_runs_on() {
        let answer = asked("(sleep 30 & echo $!) ; echo no >&2; exit 3");
        assert_eq!((answer.code, answer.complaint().as_str()), (3, "no"));
        drop(asked(&format!("kill {}", answer.stdout)));
    }

    #[test]
    fn the_line_that_says_most_is_quoted() {
        for (script, line) in [
            ("echo warning: x >&2; echo error: y >&2; exit 1", "error: y"),
            ("echo x; exit 1", "x"),
            ("exit 9", "it said nothing (exit 9)"),
        ] {
            assert_eq!(asked(script).complaint(), line);
        }
    }
}
