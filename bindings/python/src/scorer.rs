//! A bound reward in Python.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use rewardc::control::Observed;
use rewardc::diagnostic::{Diagnostic, Fault, code};
use rewardc::host::{self, Choice, Slates};
use rewardc::program::Column;
use rewardc::schema::Schema;

use crate::errors::{bad_input, raise};
use crate::inputs::{Columns, Inputs};
use crate::results;
use crate::signals::Raised;

/// How often Python is asked whether somebody pressed Ctrl-C.
const WATCH: Duration = Duration::from_millis(50);

/// A reward bound to a catalog and a host: one for each thread.
#[pyclass(frozen)]
pub struct Scorer {
    scorer: Mutex<host::Scorer<'static>>,
    inputs: Columns,
    columns: Vec<(String, Column)>,
    reward_id: String,
    raised: Arc<Raised>,
    /// What the last slates show.
    shown: Mutex<Observed>,
    /// Seconds of the last call inside the host.
    seconds: Mutex<f64>,
}

impl Scorer {
    pub fn new(scorer: host::Scorer<'static>, names: [Vec<String>; 4], schema: &Schema, raised: Arc<Raised>) -> Self {
        Self {
            inputs: Columns::new(&scorer, names, schema),
            columns: scorer.columns(),
            reward_id: scorer.reward().id(),
            scorer: Mutex::new(scorer),
            raised,
            shown: Mutex::default(),
            seconds: Mutex::default(),
        }
    }

    fn lock(&self) -> PyResult<MutexGuard<'_, host::Scorer<'static>>> {
        match self.scorer.try_lock() {
            Ok(scorer) => Ok(scorer),
            Err(TryLockError::Poisoned(broken)) => Ok(broken.into_inner()),
            Err(TryLockError::WouldBlock) => {
                Err(bad_input("the scorer is at work: one for each thread, and none inside a signal source"))
            }
        }
    }

    /// Works without the GIL, looking for Ctrl-C now and then; what Python raised meanwhile comes first.
    fn work<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&dyn Fn() -> bool) -> Result<T, Fault> + Send,
    ) -> PyResult<T> {
        self.raised.take();
        let outcome = py.detach(|| {
            let asked = Cell::new(Instant::now());
            let stop = || {
                if asked.get().elapsed() < WATCH {
                    return false;
                }
                asked.set(Instant::now());
                Python::attach(|py| py.check_signals().map_err(|e| self.raised.put(e)).is_err())
            };
            let begun = Instant::now();
            let outcome = work(&stop);
            *self.seconds.lock().unwrap_or_else(PoisonError::into_inner) = begun.elapsed().as_secs_f64();
            outcome
        });
        outcome.map_err(|fault| self.raised.explain(py, raise(fault)))
    }
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

    /// Whether a rollout's numbers may depend on the others of its group.
    #[getter]
    fn needs_groups(&self) -> PyResult<bool> {
        Ok(self.lock()?.needs_groups())
    }

    /// Whether a rollout's numbers depend on its place in the group, and on the whole batch.
    #[getter]
    fn reads_places(&self) -> PyResult<bool> {
        Ok(self.lock()?.reads_places())
    }

    #[getter]
    fn reads_batch(&self) -> PyResult<bool> {
        Ok(self.lock()?.reads_batch())
    }

    /// The channels besides the reward: name and kind, as the file writes it.
    #[getter]
    fn channels(&self) -> PyResult<Vec<(String, String)>> {
        let scorer = self.lock()?;
        let channels = &scorer.reward().program().channels;
        Ok(channels.iter().map(|c| (c.name.clone(), c.kind.word().to_string())).collect())
    }

    /// The proven range of the reward, and of the cost.
    #[getter]
    fn ranges(&self) -> PyResult<[(f64, f64); 2]> {
        let scorer = self.lock()?;
        let ranges = scorer.reward().program().ranges;
        Ok([ranges.reward, ranges.cost].map(|r| (r.lo, r.hi)))
    }

    /// Seconds that the last call spent in the host: the rest is Python's.
    #[getter]
    fn seconds(&self) -> f64 {
        *self.seconds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ids of the signal sources.
    #[getter]
    fn source_ids(&self) -> PyResult<Vec<String>> {
        Ok(self.lock()?.source_ids())
    }

    /// What somebody should know about this binding, a line each.
    #[getter]
    fn notes(&self) -> PyResult<Vec<String>> {
        Ok(self.lock()?.notes().to_vec())
    }

    /// Scores the rollouts of a step.
    #[pyo3(signature = (**inputs))]
    fn score<'py>(&self, py: Python<'py>, inputs: Option<Bound<'py, PyDict>>) -> PyResult<Bound<'py, PyDict>> {
        let inputs = Inputs::take(py, &self.inputs, inputs.as_ref())?;
        let keys = inputs.keys();
        let (requests, rollouts) = inputs.lend(py, &keys)?;
        let mut scorer = self.lock()?;
        let (working, step) = (&mut *scorer, inputs.step);
        self.work(py, |stop| working.score_until(&requests, &rollouts, step, stop).map(|_| ()))?;
        results::scored(py, &self.columns, &scorer.last())
    }

    /// Scores candidates and chooses a slate for each request.
    #[pyo3(signature = (*, places = 10, discounts = None, effort = 50_000, **inputs))]
    fn choose<'py>(
        &self,
        py: Python<'py>,
        places: usize,
        discounts: Option<Vec<f64>>,
        effort: usize,
        inputs: Option<Bound<'py, PyDict>>,
    ) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let inputs = Inputs::take(py, &self.inputs, inputs.as_ref())?;
        let keys = inputs.keys();
        let (requests, rollouts) = inputs.lend(py, &keys)?;
        let discounts = discounts.unwrap_or_default();
        let choice = Choice { places, discounts: &discounts, effort };
        let mut scorer = self.lock()?;
        let (working, step) = (&mut *scorer, inputs.step);
        let chosen: Slates = self.work(py, |stop| working.choose_until(&requests, &rollouts, step, &choice, stop))?;
        chosen.observed().clone_into(&mut self.shown.lock().unwrap_or_else(PoisonError::into_inner));
        chosen.all().iter().map(|s| results::slate(py, &self.columns, s, chosen.scores())).collect()
    }

    /// Counts of the last step by name, ready to log; the names are the same at every step.
    fn counts(&self, py: Python<'_>) -> PyResult<Py<PyDict>> {
        results::counts(py, self.lock()?.last().counts())
    }

    /// Moves the state by what the last step showed, and by what is handed in; with `shown` by the slates
    /// chosen last.
    #[pyo3(signature = (observed = None, *, shown = false))]
    fn end_step(&self, py: Python<'_>, observed: Option<Bound<'_, PyAny>>, shown: bool) -> PyResult<Py<PyList>> {
        let mut scorer = self.lock()?;
        let slates = std::mem::take(&mut *self.shown.lock().unwrap_or_else(PoisonError::into_inner));
        let observed = match observed.filter(|o| !o.is_none()) {
            None if shown => slates,
            None => Observed::default(),
            Some(_) if shown => return Err(bad_input("give either `observed` or `shown`")),
            Some(given) => {
                let text: String = py.import("json")?.call_method1("dumps", (given,))?.extract()?;
                Observed::from_json(&text, scorer.reward().program()).map_err(unusable)?
            }
        };
        let moved = scorer.end_step(&observed).map_err(raise)?;
        results::moved(py, moved)
    }

    /// The state that the next step is scored with, as JSON.
    #[getter]
    fn state(&self) -> PyResult<String> {
        Ok(self.lock()?.state().to_json())
    }

    /// Writes the state: whoever reads the path finds the old one or the new one, whole.
    fn save_state(&self, path: PathBuf) -> PyResult<()> {
        host::save(self.lock()?.state(), path).map_err(raise)
    }
}

fn unusable(why: String) -> PyErr {
    raise(Box::new(Diagnostic::bare(&code::OBSERVED, format!("this is no measurement: {why}"))))
}
