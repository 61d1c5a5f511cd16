//! Python callables as signal sources.

use std::sync::{Arc, Mutex, PoisonError};

use numpy::{PyArray1, PyArrayMethods};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use rewardc::host::{Pairs, SignalSource, Signals};

/// What Python raised while the host was at work.
#[derive(Default)]
pub struct Raised(Mutex<Option<PyErr>>);

impl Raised {
    pub fn put(&self, error: PyErr) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    pub fn take(&self) -> Option<PyErr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The fault with what was raised as its cause; an interrupt is no fault and stays what it is.
    pub fn explain(&self, py: Python<'_>, fault: PyErr) -> PyErr {
        match self.take() {
            None => fault,
            Some(raised) if !raised.is_instance_of::<PyException>(py) => raised,
            Some(raised) => {
                fault.set_cause(py, Some(raised));
                fault
            }
        }
    }
}

/// A callable `f(requests, items, rows)` that gives a value for each pair: NaN where it cannot.
pub struct Callable {
    feature: String,
    call: Py<PyAny>,
    raised: Arc<Raised>,
}

impl Callable {
    /// A source of one feature.
    pub fn new(feature: String, call: Py<PyAny>, raised: &Arc<Raised>) -> Self {
        Self { feature, call, raised: Arc::clone(raised) }
    }
}

impl SignalSource for Callable {
    fn id(&self) -> String {
        let named = |py: Python<'_>| self.call.getattr(py, "__name__")?.extract::<String>(py);
        Python::attach(|py| named(py).unwrap_or_else(|_| self.feature.clone()))
    }

    fn provides(&self) -> Vec<String> {
        vec![self.feature.clone()]
    }

    fn predict(&mut self, pairs: &Pairs<'_>, out: &mut Signals<'_>) -> Result<(), String> {
        Python::attach(|py| {
            let failed = |e: PyErr| {
                let why = e.to_string();
                self.raised.put(e);
                why
            };
            let list = |values: &[u32]| PyArray1::from_slice(py, values);
            let args = (list(pairs.requests()), list(pairs.items()), list(pairs.rows()));
            let said = self.call.call1(py, args).map_err(failed)?;
            let numpy = py.import("numpy").map_err(failed)?;
            let array = numpy.call_method1("asarray", (said, "float32")).map_err(failed)?;
            let values = array.cast::<PyArray1<f32>>().map_err(|_| "it gave no one-dimensional array".to_string())?;
            let values = values.to_vec().map_err(|e| e.to_string())?;
            let column = out.column(0);
            if values.len() != column.len() {
                return Err(format!("it gave {} values for {} pairs", values.len(), column.len()));
            }
            column.copy_from_slice(&values);
            Ok(())
        })
    }
}
