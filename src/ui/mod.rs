//! Everything that is printed: the answer on stdout, narration on stderr.
//!
//! **Invariant:** no byte of a repository reaches a terminal raw; all text
//! passes [`safe`].

mod json;
mod progress;
mod safe;
mod table;

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};
use crate::model::Event;

pub use json::{Described, line, pretty};
pub use progress::Progress;
pub use safe::safe;
pub use table::Table;

/// How much and in which form to print.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// The command, for the JSON envelope.
    pub command: String,
    /// One JSON document instead of text.
    pub json: bool,
    /// No narration.
    pub quiet: bool,
    /// No colour, whatever the terminal.
    pub no_color: bool,
}

/// Where output goes.
#[derive(Debug)]
pub struct Ui {
    style: Style,
    progress: Mutex<Progress>,
    closed: AtomicBool,
}

const RED: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();
const YELLOW: anstyle::Style = anstyle::AnsiColor::Yellow.on_default().bold();
const CYAN: anstyle::Style = anstyle::AnsiColor::Cyan.on_default();

impl Ui {
    /// Chooses by what the standard streams are.
    pub fn new(style: Style) -> Self {
        let live = !style.quiet && !style.json && std::io::stderr().is_terminal();
        Self { style, progress: Mutex::new(Progress::new(live)), closed: AtomicBool::new(false) }
    }

    /// Whether one JSON document is wanted.
    pub fn is_json(&self) -> bool {
        self.style.json
    }

    /// Whether a person looks at the answer.
    pub fn is_terminal(&self) -> bool {
        std::io::stdout().is_terminal()
    }

    /// Prints the answer, one or more lines; nothing when JSON is wanted.
    pub fn answer(&self, text: impl AsRef<str>) -> Result<()> {
        if self.style.json {
            return Ok(());
        }
        let text = safe(text.as_ref());
        self.write(format!("{}\n", text.trim_end_matches('\n')).as_bytes())
    }

    /// Prints bytes of the answer as they are where a program reads them, and
    /// made safe where a person does.
    pub fn raw(&self, bytes: &[u8]) -> Result<()> {
        if self.is_terminal() {
            self.write(safe(&String::from_utf8_lossy(bytes)).as_bytes())
        } else {
            self.write(bytes)
        }
    }

    /// Prints text that holds nothing but colours that speak to a terminal.
    pub fn tinted(&self, text: &str) -> Result<()> {
        self.write(text.as_bytes())
    }

    /// Prints the answer as JSON; nothing when text is wanted.
    pub fn data(&self, data: &impl serde::Serialize) -> Result<()> {
        if !self.style.json {
            return Ok(());
        }
        self.write(json::envelope(&self.style.command, data)?.as_bytes())
    }

    /// Prints one JSON line of a stream.
    pub fn line(&self, data: &impl serde::Serialize) -> Result<()> {
        self.write(json::line(data)?.as_bytes())
    }

    /// Narrates.
    pub fn note(&self, text: impl AsRef<str>) {
        if !self.style.quiet {
            self.narrate(&safe(text.as_ref()));
        }
    }

    /// Warns.
    pub fn warning(&self, text: impl AsRef<str>) {
        self.narrate(&format!("{} {}", self.paint("warning:", YELLOW), safe(text.as_ref())));
    }

    /// Reports an error and its hints.
    pub fn error(&self, error: &Error) {
        if self.style.json {
            // Nowhere else to report that the report can't be written.
            drop(self.write(json::error(&self.style.command, error).as_bytes()));
            return;
        }
        self.narrate(&format!("{} {}", self.paint("error:", RED), one_line(&error.to_string())));
        for hint in &error.hints {
            self.narrate(&format!("{} {}", self.paint("hint:", CYAN), safe(hint)));
        }
    }

    /// Tells an event of a flow.
    pub fn event(&self, event: Event) {
        match event {
            Event::Warning(text) => self.warning(text),
            Event::Waiting(holder) => self.note(format!("waiting for {holder}")),
            Event::Note(text) => self.note(text),
            event => {
                let told = self.lock().tell(&event);
                if let Some(line) = told {
                    self.note(line);
                }
            }
        }
    }

    /// Takes live lines off the terminal.
    pub fn settle(&self) {
        self.lock().clear();
    }

    /// Asks yes or no on the terminal; `None` where nobody can answer.
    pub fn confirm(&self, question: &str) -> Option<bool> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return None;
        }
        self.settle();
        let mut stderr = std::io::stderr();
        write!(stderr, "{} [y/N] ", safe(question)).and_then(|()| stderr.flush()).ok()?;
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).ok()?;
        Some(matches!(line.trim(), "y" | "Y" | "yes"))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn paint(&self, label: &str, style: anstyle::Style) -> String {
        let plain = self.style.no_color || !std::io::stderr().is_terminal();
        if plain { label.to_owned() } else { format!("{style}{label}{style:#}") }
    }

    fn narrate(&self, line: &str) {
        let print = || drop(writeln!(std::io::stderr(), "{line}"));
        self.lock().suspend(print);
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        if self.closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.settle();
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            // Whoever read has seen enough: that is no failure.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                self.closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(Error::unusable("could not write the answer").because(error)),
        }
    }
}

fn one_line(text: &str) -> String {
    safe(&text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; "))
}
