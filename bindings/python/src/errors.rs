//! Faults as exceptions with code, message, help and place.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rewardc::diagnostic::{Diagnostic, Fault, code};
use rewardc::host::Unsound;
use rewardc::source::Sources;

pyo3::create_exception!(
    _rewardc,
    RewardError,
    PyException,
    "Something that rewardc refuses: `.code`, `.message`, `.help`, `.diagnostics`."
);

/// One finding as a dict.
fn entry(py: Python<'_>, d: &Diagnostic, sources: &Sources) -> PyResult<Py<PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("code", d.code.id)?;
    dict.set_item("severity", d.severity.as_str())?;
    dict.set_item("message", &d.message)?;
    dict.set_item("help", d.help.as_deref())?;
    let place = d.span().and_then(|span| {
        let (line, column) = sources.line_column(span.file, span.start);
        Some((sources.get(span.file)?.name.clone(), line, column))
    });
    dict.set_item("place", place)?;
    Ok(dict.unbind())
}

/// Findings as dicts.
pub fn diagnostics(py: Python<'_>, found: &[Diagnostic], sources: &Sources) -> PyResult<Vec<Py<PyDict>>> {
    found.iter().map(|d| entry(py, d, sources)).collect()
}

fn error(found: &[Diagnostic], sources: &Sources, text: String) -> PyErr {
    Python::attach(|py| {
        let error = RewardError::new_err(text);
        let value = error.value(py);
        let first = found.first();
        let set = || -> PyResult<()> {
            value.setattr("code", first.map(|d| d.code.id))?;
            value.setattr("message", first.map(|d| d.message.as_str()))?;
            value.setattr("help", first.and_then(|d| d.help.as_deref()))?;
            value.setattr("diagnostics", diagnostics(py, found, sources)?)
        };
        match set() {
            Ok(()) => error,
            Err(other) => other,
        }
    })
}

/// A fault of binding or of a step.
pub fn raise(fault: Fault) -> PyErr {
    let text = fault.to_string();
    error(&[*fault], &Sources::default(), text)
}

/// A fault of binding: the calls that it names are Rust's, and are shown as the arguments of `bind`.
pub fn of_bind(mut fault: Fault) -> PyErr {
    for call in ["request", "rollout", "past", "wanted"] {
        fault.message = fault.message.replace(&format!(".{call}(&[\""), &format!("{call}=[\""));
    }
    fault.message = fault.message.replace("\"])", "\"]").replace(", …))", "…}");
    fault.message = fault.message.replace(".signals(SignalFn::new(\"ID\", ", "signals={").replace("\"…}", "\": f}");
    fault.help = fault.help.map(|h| h.replace("add these calls before `build()`", "name them at `bind`"));
    fault.help = fault.help.map(|h| h.replace("add `.past(&[…])`", "say `past=[…]`"));
    raise(fault)
}

/// A file that does not check.
pub fn unsound(unsound: Unsound) -> PyErr {
    let text = unsound.to_string();
    error(&unsound.diagnostics, &unsound.sources, text)
}

/// Inputs that do not fit.
pub fn bad_input(message: impl Into<String>) -> PyErr {
    raise(Box::new(Diagnostic::bare(&code::HOST_INPUT, message)))
}

/// A state that cannot be read.
pub fn bad_state(why: String) -> PyErr {
    raise(Box::new(Diagnostic::bare(
        &code::STATE,
        format!("the state cannot be used: {why} (it is JSON: read a file with `reward.load_state(path)`)"),
    )))
}
