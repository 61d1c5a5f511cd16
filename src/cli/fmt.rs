//! `rewardc fmt`.

use std::io::Read;
use std::path::Path;

use super::args::{FmtArgs, Format};
use super::{Exit, Ui};
use crate::check::unreadable;
use crate::diagnostic::{Diagnostic, code};
use crate::source::{DiskFiles, MAX_FILE_BYTES, Sources, decode};
use crate::syntax::{FormatFault, format};
use crate::write::write_whole;

pub fn run(args: &FmtArgs, ui: &mut Ui) -> Exit {
    let mut exit = Exit::Fine;
    if args.files.is_empty() {
        return stdin(args.check, ui);
    }
    for path in &args.files {
        if path.as_os_str() == "-" {
            let one = stdin(args.check, ui);
            exit = if exit == Exit::Fine { one } else { exit };
            continue;
        }
        let read = DiskFiles::around(path).and_then(|f| f.read_entry(path));
        let text = match read {
            Ok((_, text)) => text,
            Err(fault) => {
                ui.report_bare(unreadable(path, &fault));
                exit = Exit::CouldNotRun;
                continue;
            }
        };
        let one = file(path, &text, args.check, ui);
        if exit != Exit::CouldNotRun && one != Exit::Fine {
            exit = one;
        }
    }
    exit
}

fn file(path: &Path, text: &str, check: bool, ui: &mut Ui) -> Exit {
    let Some(formatted) = laid_out(&path.display().to_string(), text, ui) else { return Exit::Findings };
    let on_disk = std::fs::read(path).unwrap_or_default();
    if on_disk == formatted.as_bytes() {
        return Exit::Fine;
    }
    if check {
        let message = format!("`{}` is not formatted", path.display());
        ui.report_bare(
            Diagnostic::bare(&code::NOT_FORMATTED, message).help(format!("run `rewardc fmt {}`", path.display())),
        );
        return Exit::Findings;
    }
    match write_whole(path, |f| std::io::Write::write_all(f, formatted.as_bytes())) {
        Ok(()) => Exit::Fine,
        Err(e) => {
            ui.report_bare(Diagnostic::bare(&code::UNWRITABLE, format!("cannot write `{}`: {e}", path.display())));
            Exit::CouldNotRun
        }
    }
}

fn stdin(check: bool, ui: &mut Ui) -> Exit {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes);
    if let Err(e) = read {
        ui.report_bare(Diagnostic::bare(&code::UNREADABLE, format!("cannot read standard input: {e}")));
        return Exit::CouldNotRun;
    }
    if bytes.len() as u64 > MAX_FILE_BYTES {
        ui.report_bare(Diagnostic::bare(
            &code::TOO_LARGE,
            format!("standard input has more than {MAX_FILE_BYTES} bytes"),
        ));
        return Exit::CouldNotRun;
    }
    let text = match decode(bytes) {
        Ok(text) => text,
        Err(fault) => {
            ui.report_bare(unreadable(Path::new("<stdin>"), &fault));
            return Exit::CouldNotRun;
        }
    };
    let Some(formatted) = laid_out("<stdin>", &text, ui) else { return Exit::Findings };
    if check {
        if formatted != text {
            ui.report_bare(Diagnostic::bare(&code::NOT_FORMATTED, "standard input is not formatted"));
            return Exit::Findings;
        }
        return Exit::Fine;
    }
    ui.print(&formatted);
    Exit::Fine
}

/// The text laid out, or nothing and the reason said.
fn laid_out(name: &str, text: &str, ui: &mut Ui) -> Option<String> {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    match format(text, id) {
        Ok(formatted) => Some(formatted),
        Err(FormatFault::Faulty(found)) => {
            ui.report(&found, &sources, Format::Human);
            ui.report_bare(
                Diagnostic::bare(&code::FORMAT_REFUSED, format!("`{name}` has faults and is left as it is"))
                    .help("mend them first"),
            );
            None
        }
        Err(FormatFault::Changed) => {
            ui.report_bare(
                Diagnostic::bare(
                    &code::FORMAT_REFUSED,
                    format!("laying out `{name}` would change it, so it is left as it is"),
                )
                .help("this is a fault of the formatter: please report it with the file"),
            );
            None
        }
    }
}
