//! Ctrl-C and termination.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::diagnostic::{Diagnostic, code, short};
use crate::source::Sources;

/// What a shell gives to a process ended by Ctrl-C.
const EXIT: i32 = 130;

/// Whether the first interrupt only asks to stop, and whether it came.
static SOFT: AtomicBool = AtomicBool::new(false);
static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on an interrupt takes away temporary files and ends the process with a coded message.
pub fn on_interrupt() {
    // Where a handler cannot be set, an interrupt may leave a temporary file behind, never a half target.
    let _ = ctrlc::set_handler(|| {
        if SOFT.load(Ordering::SeqCst) && !ASKED.swap(true, Ordering::SeqCst) {
            let _ = std::io::stderr().write_all(b"\nstopping behind this step; once more: at once\n");
            return;
        }
        crate::write::remove_temporaries();
        let stopped = Diagnostic::bare(&code::INTERRUPTED, "stopped; nothing half-written is left");
        let text = short(&[stopped], &Sources::default());
        let _ = std::io::stderr().write_all(format!("\n{text}").as_bytes());
        std::process::exit(EXIT);
    });
}

/// Asked between steps whether to stop.
#[cfg(all(feature = "data", feature = "decoder"))]
pub struct Stop;

/// From now on the first interrupt asks a run to finish its step and save; the second ends it as any other.
#[cfg(all(feature = "data", feature = "decoder"))]
pub fn stop_softly() -> Stop {
    SOFT.store(true, Ordering::SeqCst);
    Stop
}

#[cfg(all(feature = "data", feature = "decoder"))]
impl Drop for Stop {
    /// Behind the run an interrupt is as any other.
    fn drop(&mut self) {
        SOFT.store(false, Ordering::SeqCst);
    }
}

#[cfg(all(feature = "data", feature = "decoder"))]
impl Stop {
    pub fn is_asked(&self) -> bool {
        ASKED.load(Ordering::SeqCst)
    }
}
