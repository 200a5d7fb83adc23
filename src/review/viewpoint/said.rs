//! What a look came to: said in its own file, or by its exit code.
//!
//! **Invariant:** a verdict is read, never guessed: what is none abstains, and
//! so does whatever a run said that then failed.

use std::io::Read as _;
use std::path::Path;

use crate::agent::process::{End, Ended};
use crate::config::Says;
use crate::error::{Error, IoContext, Result};
use crate::model::Decision;

/// The most that is read of a verdict.
const MOST: u64 = 64 * 1024;
/// How many of the last lines a command printed say what is wrong.
const TAIL: usize = 20;
/// The exit codes of a shell that could not start a command.
const NOT_RUN: [i32; 2] = [126, 127];

/// A verdict, in a word and in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The word.
    pub decision: Decision,
    /// The words.
    pub text: String,
}

impl Said {
    /// The same, but no approval: of what can't be looked at any more.
    pub fn unless_approved(self, why: &str) -> Self {
        match self.decision {
            Decision::Approve => Self::abstains(format!("it had approved, but {why}")),
            _ => self,
        }
    }

    fn abstains(text: impl Into<String>) -> Self {
        Self { decision: Decision::Abstain, text: text.into() }
    }
}

/// What an ended run said; `log` is how its log is looked at.
pub fn read(says: Says, ended: Ended, verdict: &Path, (log, printed): (&str, &Path)) -> Said {
    let code = match ended.end {
        End::Exit(code) => code,
        End::TimedOut => return Said::abstains(format!("its run timed out: {log}")),
        End::Signal(_) | End::Interrupted => {
            let code = ended.exit_code().unwrap_or(-1);
            return Said::abstains(format!("its run failed with exit code {code}: {log}"));
        }
    };
    match says {
        Says::ExitCode if code == 0 => Said { decision: Decision::Approve, text: String::new() },
        Says::ExitCode if !NOT_RUN.contains(&code) => {
            let printed = tail(&std::fs::read(printed).unwrap_or_default());
            let text = format!("it ends with exit code {code}\n{printed}");
            Said { decision: Decision::Change, text: text.trim_end().to_owned() }
        }
        Says::Words if code == 0 => {
            said(verdict).unwrap_or_else(|why| Said::abstains(format!("{why}: {log}")))
        }
        Says::Words | Says::ExitCode => {
            // What it had said stays to be read.
            let before = said(verdict)
                .ok()
                .map(|said| format!("\nit had said: {} {}", said.decision.verb(), said.text));
            let before = before.unwrap_or_default();
            Said::abstains(format!("its run failed with exit code {code}: {log}{}", before.trim_end()))
        }
    }
}

/// What a verdict's file says, or why it says nothing.
fn said(file: &Path) -> std::result::Result<Said, String> {
    let is_plain = file.symlink_metadata().is_ok_and(|meta| meta.is_file());
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).ok().filter(|_| is_plain);
    if let Some(opened) = opened {
        drop(opened.take(MOST).read_to_end(&mut bytes));
    }
    parse(&String::from_utf8_lossy(&bytes))
}

/// The first line is the verdict, the rest are words.
fn parse(text: &str) -> std::result::Result<Said, String> {
    let text = text.trim();
    let (word, rest) = text.split_once('\n').unwrap_or((text, ""));
    let text = rest.trim().to_owned();
    match word.trim() {
        "" => Err("said nothing".to_owned()),
        "abstain" => Ok(Said { decision: Decision::Abstain, text }),
        "approve" => Ok(Said { decision: Decision::Approve, text }),
        "change" if text.is_empty() => Err("asked for changes and did not say which".to_owned()),
        "change" => Ok(Said { decision: Decision::Change, text }),
        word => Err(format!("said `{}`, which is no verdict", crate::model::wording::excerpt(word, 60))),
    }
}

/// Says a verdict from inside a run: it counts when the run has ended.
///
/// # Errors
/// Unusable where the file can't be written.
pub fn write(file: &Path, decision: Decision, text: &str) -> Result<()> {
    let folder = file.parent().ok_or_else(|| Error::bug("a verdict lies in a folder"))?;
    let new = folder.join(format!("verdict.{}", std::process::id()));
    std::fs::write(&new, format!("{}\n{text}\n", decision.verb())).doing("could not write", &new)?;
    std::fs::rename(&new, file).doing("could not write", file)
}

fn tail(log: &[u8]) -> String {
    let text = String::from_utf8_lossy(log);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_read_or_it_is_none() {
        let text = |text: &str| text.to_owned();
        for (written, expected) in [
            ("approve\n", Ok((Decision::Approve, text("")))),
            ("  approve \r\nreads well\n\n", Ok((Decision::Approve, text("reads well")))),
            ("change\na\nb\n", Ok((Decision::Change, text("a\nb")))),
            ("abstain", Ok((Decision::Abstain, text("")))),
            ("change\n", Err(text("asked for changes and did not say which"))),
            ("", Err(text("said nothing"))),
            ("LGTM, approve\n", Err(text("said `LGTM, approve`, which is no verdict"))),
        ] {
            let said = parse(written).map(|said| (said.decision, said.text));
            assert_eq!(said, expected, "{written:?}");
        }
    }
}
