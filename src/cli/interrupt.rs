//! Ctrl-C and termination.

use std::io::Write;

use crate::diagnostic::{Diagnostic, code, short};
use crate::source::Sources;

/// What a shell gives to a process ended by Ctrl-C.
const EXIT: i32 = 130;

/// From now on an interrupt takes away temporary files and ends the process with a coded message.
pub fn on_interrupt() {
    // Where a handler cannot be set, an interrupt may leave a temporary file behind, never a half target.
    let _ = ctrlc::set_handler(|| {
        crate::write::remove_temporaries();
        let stopped = Diagnostic::bare(&code::INTERRUPTED, "stopped; nothing half-written is left");
        let text = short(&[stopped], &Sources::default());
        let _ = std::io::stderr().write_all(format!("\n{text}").as_bytes());
        std::process::exit(EXIT);
    });
}
