//! A program that runs for as long as its standard input stays open, and is
//! told something there first: what a connection to another machine is.
//!
//! It has a process group of its own, so that Ctrl-C at the terminal does not
//! cut a connection in the midst of something.
//!
//! **Invariant:** when this process dies, however it does, its standard input
//! ends.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::time::Duration;

use super::ask::{Answer, Question};
use crate::error::{Error, Result};

/// How long a program may take to end once its standard input has.
const GRACE: Duration = Duration::from_secs(10);

/// A program that runs.
pub struct Held {
    handle: duct::Handle,
    input: Option<std::io::PipeWriter>,
    output: File,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Held({:?})", self.handle.pids())
    }
}

impl Held {
    /// Starts it. What it is told first must fit into a pipe.
    ///
    /// # Errors
    /// Unusable where it can't be started.
    pub fn start(question: &Question, first: &[u8]) -> Result<Self> {
        let program = question.argv.first().cloned().unwrap_or_default().display().to_string();
        let unusable = |error| Error::unusable(format!("could not start `{program}`")).because(error);
        let (reader, mut input) = std::io::pipe().map_err(unusable)?;
        let output = tempfile::tempfile().map_err(unusable)?;
        let handle = duct::cmd(&question.argv[0], &question.argv[1..])
            .dir(&question.folder)
            .full_env(&question.environment)
            .stdin_file(reader)
            .stdout_null()
            .stderr_file(output.try_clone().map_err(unusable)?)
            .unchecked()
            .before_spawn(|command| {
                command.process_group(0);
                Ok(())
            })
            .start()
            .map_err(unusable)?;
        // One that ended at once tells why when it is waited for.
        drop(input.write_all(first));
        Ok(Self { handle, input: Some(input), output })
    }

    /// What it came to, once it has ended.
    ///
    /// # Errors
    /// Unusable where it can't be waited for.
    pub fn ended(&mut self) -> Result<Option<Answer>> {
        let ended = self.handle.try_wait();
        let unusable = |error| Error::unusable("could not wait for a program").because(error);
        let Some(output) = ended.map_err(unusable)? else { return Ok(None) };
        let mut bytes = Vec::new();
        // What can't be read was not said.
        drop(self.output.rewind().and_then(|()| self.output.read_to_end(&mut bytes)));
        let stderr = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Some(Answer { code: output.status.code().unwrap_or(-1), stdout: String::new(), stderr }))
    }

    /// Ends its standard input.
    pub fn let_go(&mut self) {
        self.input = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.let_go();
        if !matches!(self.handle.wait_timeout(GRACE), Ok(Some(_))) {
            drop(self.handle.kill());
        }
    }
}
