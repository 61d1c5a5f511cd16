//! What a step gave, as Python sees it.

use numpy::{IntoPyArray, PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use rewardc::control::Moved;
use rewardc::eval::{NumberColumn, Scores, Verdict};
use rewardc::host::{ChosenSlate, Scored, StepCounts};
use rewardc::program::Column;
use rewardc::slate::Proof;

/// Numbers with NaN for null; token channels as rollouts × levels.
fn numbers<'py>(py: Python<'py>, column: &NumberColumn) -> PyResult<Bound<'py, PyAny>> {
    let values: Vec<f64> =
        column.values.iter().zip(&column.known).map(|(v, known)| if *known { *v } else { f64::NAN }).collect();
    let rows = values.len() / column.width.max(1);
    let flat = values.into_pyarray(py);
    if column.width == 1 {
        return Ok(flat.into_any());
    }
    Ok(flat.reshape([rows, column.width])?.into_any())
}

/// The columns of a step.
pub fn scored<'py>(py: Python<'py>, columns: &[(String, Column)], scored: &Scored<'_>) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    for (name, column) in columns {
        if let Some(values) = scored.column(*column) {
            out.set_item(name, numbers(py, values)?)?;
        }
    }
    let kind = |v: &Verdict| match v {
        Verdict::Scored => 0u8,
        Verdict::Illegal(_) => 1,
        Verdict::Dropped(_) => 2,
        Verdict::Unscorable(_) => 3,
    };
    let verdicts: Vec<u8> = scored.verdicts().iter().map(kind).collect();
    out.set_item("verdict", verdicts.into_pyarray(py))?;
    out.set_item("in_statistics", PyArray1::from_slice(py, scored.in_statistics()))?;
    out.set_item("item_idx", PyArray1::from_slice(py, scored.item_idx()))?;
    out.set_item("partial", scored.is_partial())?;
    Ok(out)
}

/// The slate of one request, with every number of its members.
pub fn slate<'py>(
    py: Python<'py>,
    columns: &[(String, Column)],
    chosen: &ChosenSlate,
    scores: &Scores,
) -> PyResult<Bound<'py, PyDict>> {
    let slate = &chosen.slate;
    let out = PyDict::new(py);
    let rows: Vec<i64> = slate.rows.iter().map(|r| i64::from(*r)).collect();
    out.set_item("rows", rows.into_pyarray(py))?;
    out.set_item("item_idx", PyArray1::from_slice(py, &chosen.items))?;
    out.set_item("worth", slate.worth)?;
    let (optimal, gap) = match slate.proof {
        Proof::Optimal => (true, Some(0.0)),
        Proof::BestFound { gap } => (false, gap),
    };
    out.set_item("optimal", optimal)?;
    out.set_item("gap", gap)?;
    let relaxed = PyList::empty(py);
    for cap in &slate.relaxed {
        let entry = PyDict::new(py);
        entry.set_item("cap", &cap.cap)?;
        entry.set_item("excess", cap.excess)?;
        entry.set_item("why", &cap.why)?;
        relaxed.append(entry)?;
    }
    out.set_item("relaxed", relaxed)?;
    out.set_item("empty_places", slate.empty_places)?;
    out.set_item("refused", slate.refused.as_deref())?;
    let parts = PyDict::new(py);
    for (name, column) in columns {
        if let Some(values) = scores.column(*column).filter(|c| c.width == 1) {
            let of = |i: usize| values.get(chosen.first + i, 0).unwrap_or(f64::NAN);
            let numbers: Vec<f64> = (0..slate.rows.len()).map(of).collect();
            parts.set_item(name, numbers.into_pyarray(py))?;
        }
    }
    out.set_item("scores", parts)?;
    Ok(out)
}

/// Counts by name; the names are the same at every step.
pub fn counts(py: Python<'_>, counts: StepCounts) -> PyResult<Py<PyDict>> {
    let out = PyDict::new(py);
    out.set_item("rollouts", counts.rollouts)?;
    out.set_item("scored", counts.scored)?;
    for (rule, n) in counts.by_rule {
        out.set_item(format!("failed/{rule}"), n)?;
    }
    for (reason, n) in counts.by_reason {
        out.set_item(format!("unscorable/{reason}"), n)?;
    }
    for (cap, share, _) in counts.shares {
        out.set_item(format!("share/{cap}"), share.unwrap_or(f64::NAN))?;
    }
    out.set_item("signals/pairs", counts.signals.pairs)?;
    out.set_item("signals/failed", counts.signals.failed)?;
    for (feature, main, held_out) in counts.signals.held_out {
        out.set_item(format!("held_out/{feature}/gap"), main - held_out)?;
    }
    Ok(out.unbind())
}

/// What the end of a step moved, a dict for each cap.
pub fn moved(py: Python<'_>, moved: Vec<Moved>) -> PyResult<Py<PyList>> {
    let out = PyList::empty(py);
    for cap in moved {
        let entry = PyDict::new(py);
        entry.set_item("cap", &cap.cap)?;
        entry.set_item("share", cap.share.map(|(share, _)| share))?;
        entry.set_item("target", cap.share.map(|(_, target)| target))?;
        entry.set_item("lambda", cap.lambda.map(|(_, now)| now))?;
        entry.set_item("unmeasured", cap.unmeasured)?;
        out.append(entry)?;
    }
    Ok(out.unbind())
}
