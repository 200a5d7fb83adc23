//! Ctrl-C, SIGTERM, and the request of another process, as something that long
//! work looks at.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::{Error, Kind, Result};

/// Signals this close together are one wish: under `git orch`, a Ctrl-C comes
/// from the terminal and once more from git, which passes on what it got. Work
/// that can stop has looked by then.
const SAME: Duration = Duration::from_secs(1);

/// Whether somebody asked to stop.
///
/// **Invariant:** work that looks ends in its own way, unless asked once more;
/// work that does not look ends at once, as if killed.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    wish: Arc<Wish>,
    /// Whether whoever began the work ends it.
    ended: Arc<AtomicBool>,
    /// The file by which another process can ask for it.
    request: Option<PathBuf>,
}

#[derive(Debug, Default)]
struct Wish {
    signal: AtomicUsize,
    heard: AtomicBool,
}

impl Interrupt {
    /// Watches from now on, for the rest of the process.
    pub fn watch() -> Self {
        let interrupt = Self::default();
        let wish = Arc::clone(&interrupt.wish);
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).expect("these signals can be caught");
        std::thread::spawn(move || {
            let Some(first) = signals.forever().next() else { return };
            wish.signal.store(usize::try_from(first).expect("signals are small"), Ordering::Relaxed);
            std::thread::sleep(SAME);
            signals.pending().for_each(drop);
            let last =
                if wish.heard.load(Ordering::Relaxed) { signals.forever().next() } else { Some(first) };
            if let Some(signal) = last {
                std::process::exit(128 + signal);
            }
        });
        interrupt
    }

    /// Never raised: a signal ends the program as it always does.
    pub fn unwatched() -> Self {
        Self::default()
    }

    /// For a part of the work, which can be ended without the rest.
    pub fn part(&self) -> Self {
        Self { wish: Arc::clone(&self.wish), ..Self::default() }
    }

    /// For a part of the work that another process can ask to stop, by writing
    /// a [`request`] into this file.
    pub fn part_on_request(&self, file: PathBuf) -> Self {
        Self { request: Some(file), ..self.part() }
    }

    /// Ends this part.
    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Whether work shall stop.
    pub fn is_raised(&self) -> bool {
        self.signal() != 0 || self.ended.load(Ordering::Relaxed)
    }

    /// Refuses to go on once somebody asked to stop.
    pub fn check(&self) -> Result<()> {
        match i32::try_from(self.signal()) {
            Ok(0) => Ok(()),
            Ok(SIGINT) => Err(Error::new(Kind::Interrupted, "interrupted")),
            _ => Err(Error::new(Kind::Terminated, "terminated")),
        }
    }

    fn signal(&self) -> usize {
        let signal = self.wish.signal.load(Ordering::Relaxed);
        if signal != 0 {
            self.wish.heard.store(true, Ordering::Relaxed);
        }
        if signal == 0 && self.is_requested() { SIGTERM.unsigned_abs() as usize } else { signal }
    }

    /// Whether the request is there, and is none that another process left.
    fn is_requested(&self) -> bool {
        let read = self.request.as_ref().and_then(|file| std::fs::read(file).ok());
        read.is_some_and(|asked| asked == request(std::process::id()))
    }
}

/// What asks a process to stop a part of its work.
pub fn request(process: u32) -> Vec<u8> {
    process.to_string().into_bytes()
}
