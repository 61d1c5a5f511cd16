//! Python callables as signal sources.

use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use rewardc::host::{Pairs, SignalSource, Signals};

/// A callable `f(requests, items, rows)` that gives a value for each pair: NaN where it cannot.
pub struct Callable {
    feature: String,
    call: Py<PyAny>,
}

impl Callable {
    /// A source of one feature.
    pub fn new(feature: String, call: Py<PyAny>) -> Self {
        Self { feature, call }
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
            let list = |values: &[u32]| PyArray1::from_slice(py, values);
            let args = (list(pairs.requests()), list(pairs.items()), list(pairs.rows()));
            let said = self.call.call1(py, args).map_err(|e| e.to_string())?;
            let numpy = py.import("numpy").map_err(|e| e.to_string())?;
            let array = numpy.call_method1("asarray", (said, "float32")).map_err(|e| e.to_string())?;
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
