//! A bound reward in Python.

use std::sync::{Mutex, TryLockError};

use numpy::{IntoPyArray, PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyDictMethods};
use rewardc::eval::{NumberColumn, Verdict};
use rewardc::host::{Groups, InputId, Requests, Rollouts, Step};
use rewardc::program::Column;
use rewardc::schema::Schema;
use rewardc::types::Scale;

use crate::arrays::{Held, codes_of, offsets_of};
use crate::errors::{bad_input, raise};

/// A declared column: its name, its place among all, the scale of its feature.
struct Declared {
    name: String,
    id: InputId,
    scale: Option<Scale>,
}

/// A reward bound to a catalog and a host: one for each thread.
#[pyclass(frozen)]
pub struct Scorer {
    scorer: Mutex<rewardc::host::Scorer<'static>>,
    request: Vec<Declared>,
    rollout: Vec<Declared>,
    past: Vec<Declared>,
    wanted: Vec<Declared>,
    columns: Vec<(String, Column)>,
    reward_id: String,
}

impl Scorer {
    pub fn new(scorer: rewardc::host::Scorer<'static>, names: [Vec<String>; 4], schema: &Schema) -> Self {
        let of = |names: &[String], id: &dyn Fn(&str) -> Option<InputId>| -> Vec<Declared> {
            let one = |name: &String| {
                let scale = schema.feature(name).map(|f| f.scale);
                id(name).map(|id| Declared { name: name.clone(), id, scale })
            };
            names.iter().filter_map(one).collect()
        };
        let [request, rollout, past, wanted] = names;
        Self {
            request: of(&request, &|n| scorer.input(n)),
            rollout: of(&rollout, &|n| scorer.input(n)),
            past: of(&past, &|n| scorer.past_input(n)),
            wanted: of(&wanted, &|n| scorer.wanted_input(n)),
            columns: scorer.columns(),
            reward_id: scorer.reward().id(),
            scorer: Mutex::new(scorer),
        }
    }
}

/// The declared columns out of a dict; one that is missing or unknown is named.
fn held<'py>(
    py: Python<'py>,
    what: &str,
    declared: &[Declared],
    given: Option<&Bound<'py, PyDict>>,
) -> PyResult<Vec<(InputId, Held<'py>)>> {
    let mut found = Vec::with_capacity(declared.len());
    for column in declared {
        let value = given.map(|d| d.get_item(&column.name)).transpose()?.flatten();
        let Some(value) = value else { return Err(bad_input(format!("`{what}` lacks the column `{}`", column.name))) };
        let held = Held::of(py, &value, column.scale).map_err(|e| named(py, &column.name, e))?;
        found.push((column.id, held));
    }
    for (name, _) in given.iter().flat_map(|d| d.iter()) {
        let name: String = name.extract()?;
        if declared.iter().all(|d| d.name != name) {
            return Err(bad_input(format!("`{what}` has a column `{name}` that was not declared at `bind`")));
        }
    }
    Ok(found)
}

fn named(py: Python<'_>, column: &str, error: PyErr) -> PyErr {
    let message = error.value(py).getattr("message").and_then(|m| m.extract::<String>());
    message.map_or(error, |m| bad_input(format!("`{column}`: {m}")))
}

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

#[pymethods]
impl Scorer {
    #[getter]
    fn reward_id(&self) -> &str {
        &self.reward_id
    }

    /// Names of the numeric columns of every result, in order.
    #[getter]
    fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Scores the rollouts of a step.
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    #[pyo3(signature = (*, sids = None, items = None, group_size = None, groups = None, keys = None, request = None,
        rollout = None, past = None, wanted = None, padding = None, seed = 0, step = 0))]
    fn score<'py>(
        &self,
        py: Python<'py>,
        sids: Option<Bound<'py, PyAny>>,
        items: Option<(PyReadonlyArray1<'py, u32>, u64)>,
        group_size: Option<usize>,
        groups: Option<Bound<'py, PyAny>>,
        keys: Option<Vec<String>>,
        request: Option<Bound<'py, PyDict>>,
        rollout: Option<Bound<'py, PyDict>>,
        past: Option<(Bound<'py, PyAny>, Bound<'py, PyDict>)>,
        wanted: Option<(Bound<'py, PyAny>, Bound<'py, PyDict>)>,
        padding: Option<PyReadonlyArray1<'py, bool>>,
        seed: u64,
        step: u64,
    ) -> PyResult<Bound<'py, PyDict>> {
        let codes = sids.map(|s| codes_of(py, &s)).transpose()?;
        let lent = codes.as_ref().map(|c| c.lend()).transpose()?;
        let offsets = groups.map(|g| offsets_of(py, &g)).transpose()?;
        let rows = match (lent, &items) {
            (Some((codes, levels)), _) => codes.len() / levels.max(1),
            (None, Some((items, _))) => items.as_slice()?.len(),
            (None, None) => return Err(bad_input("neither `sids` nor `items` is given")),
        };
        let (groups, n) = match (group_size, &offsets) {
            (Some(size), None) if size > 0 && rows % size == 0 => (Groups::Even(size), rows / size),
            (Some(size), None) => return Err(bad_input(format!("{rows} rollouts do not make groups of {size}"))),
            (None, Some(offsets)) => (Groups::Offsets(offsets), offsets.len().saturating_sub(1)),
            _ => return Err(bad_input("give either `group_size` or `groups`")),
        };
        let own = held(py, "request", &self.request, request.as_ref())?;
        let rolled = held(py, "rollout", &self.rollout, rollout.as_ref())?;
        let (past, seen) = list(py, "past", &self.past, past)?;
        let (wanted, targets) = list(py, "wanted", &self.wanted, wanted)?;
        let keys: Option<Vec<&str>> = keys.as_ref().map(|k| k.iter().map(String::as_str).collect());
        let mut requests = Requests::new(n);
        if let Some(keys) = &keys {
            requests = requests.keys(keys);
        }
        for (id, held) in own.iter().chain(&seen).chain(&targets) {
            let (given, valid) = held.given()?;
            requests = requests.with_nulls(*id, given, valid);
        }
        if let Some(offsets) = &past {
            requests = requests.past(offsets);
        }
        if let Some(offsets) = &wanted {
            requests = requests.wanted(offsets);
        }
        let mut rollouts = Rollouts::new(groups);
        if let Some((codes, levels)) = lent {
            rollouts = rollouts.sids(codes, levels);
        }
        if let Some((items, catalog)) = &items {
            rollouts = rollouts.items(items.as_slice()?, *catalog);
        }
        if let Some(padding) = &padding {
            rollouts = rollouts.padding(padding.as_slice()?);
        }
        for (id, held) in &rolled {
            let (given, valid) = held.given()?;
            rollouts = rollouts.with_nulls(*id, given, valid);
        }
        let mut scorer = match self.scorer.try_lock() {
            Ok(scorer) => scorer,
            Err(TryLockError::Poisoned(broken)) => broken.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(bad_input("the scorer is at work: one for each thread, and none inside a signal source"));
            }
        };
        let working = &mut *scorer;
        py.detach(|| working.score(&requests, &rollouts, Step { seed, step }).map(|_| ())).map_err(raise)?;
        let scored = working.last();
        let out = PyDict::new(py);
        for (name, column) in &self.columns {
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

    /// Counts of the last step by name, ready to log; the names are the same at every step.
    fn counts(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        let Ok(scorer) = self.scorer.try_lock() else { return Err(bad_input("the scorer is at work")) };
        let counts = scorer.last().counts();
        let out = PyDict::new(py);
        out.set_item("rollouts", counts.rollouts)?;
        out.set_item("scored", counts.scored)?;
        for (rule, n) in counts.by_rule {
            out.set_item(format!("failed/{rule}"), n)?;
        }
        for (reason, n) in counts.by_reason {
            out.set_item(format!("unscorable/{reason}"), n)?;
        }
        out.set_item("signals/pairs", counts.signals.pairs)?;
        out.set_item("signals/failed", counts.signals.failed)?;
        for (feature, main, held_out) in counts.signals.held_out {
            out.set_item(format!("held_out/{feature}/gap"), main - held_out)?;
        }
        Ok(out.unbind())
    }
}

type Lists<'py> = (Option<Vec<u32>>, Vec<(InputId, Held<'py>)>);

/// Offsets and columns of a list of entries.
fn list<'py>(
    py: Python<'py>,
    what: &str,
    declared: &[Declared],
    given: Option<(Bound<'py, PyAny>, Bound<'py, PyDict>)>,
) -> PyResult<Lists<'py>> {
    match given {
        None if declared.is_empty() => Ok((None, Vec::new())),
        None => Err(bad_input(format!("`{what}` was declared at `bind` and is not given"))),
        Some((offsets, columns)) => Ok((Some(offsets_of(py, &offsets)?), held(py, what, declared, Some(&columns))?)),
    }
}
