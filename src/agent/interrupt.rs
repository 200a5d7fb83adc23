//! Ctrl-C and SIGTERM as something that long work looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::{Error, Kind, Result};

/// Whether somebody asked to stop. A second Ctrl-C ends the program at once.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// Watches from now on, for the rest of the process.
    pub fn watch() -> Self {
        let flag = Arc::new(AtomicUsize::new(0));
        for (signal, code) in [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)] {
            let again = Arc::new(std::sync::atomic::AtomicBool::new(false));
            // Order matters: the first signal passes a lowered flag, then raises it.
            let hooked = signal_hook::flag::register_conditional_shutdown(signal, code, Arc::clone(&again))
                .and_then(|_| signal_hook::flag::register(signal, again))
                .and_then(|_| {
                    let value = usize::try_from(signal).expect("signals are small");
                    signal_hook::flag::register_usize(signal, Arc::clone(&flag), value)
                });
            hooked.expect("these signals can be caught");
        }
        Self(flag)
    }

    /// Never raised: a signal ends the program as it always does.
    pub fn unwatched() -> Self {
        Self(Arc::new(AtomicUsize::new(0)))
    }

    /// Whether work shall stop.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// Refuses to go on once raised.
    pub fn check(&self) -> Result<()> {
        match i32::try_from(self.0.load(Ordering::Relaxed)) {
            Ok(0) => Ok(()),
            Ok(SIGINT) => Err(Error::new(Kind::Interrupted, "interrupted")),
            _ => Err(Error::new(Kind::Terminated, "terminated")),
        }
    }
}
