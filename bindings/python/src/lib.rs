//! The Python door to the plug-in point.
//!
//! Arrays are borrowed where their type is the one a feature has; the GIL is released while scoring.
//! What the calls mean is documented in `python/rewardc/__init__.pyi`.

mod arrays;
mod errors;
mod inputs;
mod results;
mod scorer;
mod signals;

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::{PyIndexError, PyOSError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rewardc::catalog::{FileCatalog, MemoryCatalog, Sids};
use rewardc::host::{Capacity, Decode, Order, Owner};
use rewardc::types::Host;

use arrays::{Held, codes_of};
use errors::{raise, unsound};
use scorer::Scorer;
use signals::{Callable, Raised};

/// A checked reward file.
#[pyclass(frozen)]
struct Reward {
    reward: rewardc::host::Reward,
}

/// Items, their SIDs and their features.
#[pyclass(frozen)]
struct Catalog {
    catalog: Arc<dyn rewardc::catalog::Catalog>,
}

#[pyfunction]
fn load(path: PathBuf) -> PyResult<Reward> {
    rewardc::host::Reward::load(path).map(|reward| Reward { reward }).map_err(unsound)
}

#[pyfunction]
fn open_catalog(path: PathBuf) -> PyResult<Catalog> {
    FileCatalog::open(path).map(|catalog| Catalog { catalog: Arc::new(catalog) }).map_err(raise)
}

#[pymethods]
impl Reward {
    #[getter]
    fn id(&self) -> String {
        self.reward.id()
    }

    #[getter]
    fn sid_shape(&self) -> Vec<u32> {
        self.reward.schema().sid_shape().unwrap_or(&[]).to_vec()
    }

    /// (name, owner, scale, nullable) of everything it reads in a host.
    #[pyo3(signature = (host = "training"))]
    fn needs(&self, host: &str) -> PyResult<Vec<(String, &'static str, String, bool)>> {
        let owner = |o| match o {
            Owner::Catalog => "catalog",
            Owner::Sid => "sid",
            Owner::Request => "request",
            Owner::Rollout => "rollout",
            Owner::Signal => "signal",
            Owner::Past => "past",
            Owner::Wanted => "wanted",
        };
        let needs = self.reward.needs(named(host)?);
        Ok(needs
            .into_iter()
            .map(|n| (n.feature, owner(n.owner), format!("{:?}", n.scale).to_lowercase(), n.nullable))
            .collect())
    }

    /// The checker's warnings as dicts.
    fn check(&self, py: Python<'_>) -> PyResult<Vec<Py<PyDict>>> {
        errors::diagnostics(py, self.reward.warnings(), self.reward.sources())
    }

    /// The state of its caps in a file, as JSON; where there is no file yet, the start.
    fn load_state(&self, path: PathBuf) -> PyResult<String> {
        rewardc::host::load_or_start(path, &self.reward).map(|s| s.to_json()).map_err(raise)
    }

    /// A catalog for this reward's schema.
    #[pyo3(signature = (keys, sids = None, columns = None))]
    fn catalog(
        &self,
        py: Python<'_>,
        keys: Vec<String>,
        sids: Option<Bound<'_, PyAny>>,
        columns: Option<Bound<'_, PyDict>>,
    ) -> PyResult<Catalog> {
        let codes = sids.map(|s| codes_of(py, &s)).transpose()?;
        let lent = codes.as_ref().map(|c| c.lend()).transpose()?;
        let sids = lent.map(|(codes, levels)| Sids { codes, levels });
        let mut catalog = MemoryCatalog::new(keys, sids).map_err(raise)?;
        if let Some(item) = &self.reward.schema().keys.item {
            catalog.add_key(item);
        }
        for (name, values) in columns.iter().flat_map(|c| c.iter()) {
            let name: String = name.extract()?;
            let held = Held::of(py, &values, self.reward.schema().feature(&name).map(|f| f.scale))?;
            held.with(|given, valid| self.reward.add_column(&mut catalog, &name, given, valid).map_err(raise))?;
        }
        Ok(Catalog { catalog: Arc::new(catalog) })
    }

    /// Resolves every provider; what lacks is one exception.
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    #[pyo3(signature = (catalog = None, *, host = "training", decode = "free", order = "beam", request = vec![],
        rollout = vec![], past = vec![], wanted = vec![], signals = None, held_out = None, fail_above = 0.1,
        state = None, controllers = None, capacity = (1024, 512, 200)))]
    fn bind(
        &self,
        catalog: Option<&Catalog>,
        host: &str,
        decode: &str,
        order: &str,
        request: Vec<String>,
        rollout: Vec<String>,
        past: Vec<String>,
        wanted: Vec<String>,
        signals: Option<Bound<'_, PyDict>>,
        held_out: Option<Bound<'_, PyDict>>,
        fail_above: f64,
        state: Option<&str>,
        controllers: Option<PathBuf>,
        capacity: (usize, usize, usize),
    ) -> PyResult<Scorer> {
        let decode = match decode {
            "free" => Decode::Free,
            "masked" => Decode::Masked,
            other => return Err(errors::bad_input(format!("`decode` is \"free\" or \"masked\", not \"{other}\""))),
        };
        let order = match order {
            "beam" => Order::Beam,
            "sampled" => Order::Sampled,
            other => return Err(errors::bad_input(format!("`order` is \"beam\" or \"sampled\", not \"{other}\""))),
        };
        let binding = match catalog {
            Some(catalog) => self.reward.bind_to(Arc::clone(&catalog.catalog)),
            None => self.reward.bind_without_catalog(),
        };
        let mut binding = match named(host)? {
            Host::Training => binding.training(decode, order),
            Host::Serving => binding.serving(),
            Host::Logs => binding.logs(),
        };
        fn names(list: &[String]) -> Vec<&str> {
            list.iter().map(String::as_str).collect()
        }
        binding = binding.request(&names(&request)).rollout(&names(&rollout));
        binding = binding.past(&names(&past)).wanted(&names(&wanted)).fail_above(fail_above);
        let raised = Arc::<Raised>::default();
        for (name, callable) in signals.iter().chain(&held_out).flat_map(|d| d.iter()) {
            if !callable.is_callable() {
                return Err(errors::bad_input(format!(
                    "the signal `{name}` is no callable, but {}",
                    callable.get_type()
                )));
            }
        }
        for (name, callable) in signals.iter().flat_map(|d| d.iter()) {
            binding = binding.signals(Callable::new(name.extract()?, callable.unbind(), &raised));
        }
        for (name, callable) in held_out.iter().flat_map(|d| d.iter()) {
            binding = binding.held_out(Callable::new(name.extract()?, callable.unbind(), &raised));
        }
        if let Some(text) = state {
            let state = rewardc::eval::ControlState::from_json(text).map_err(errors::bad_state)?;
            binding = binding.state(state);
        }
        if let Some(path) = controllers {
            let controllers = rewardc::control::Controllers::load(path, self.reward.program()).map_err(unsound)?;
            binding = binding.controllers(controllers);
        }
        let (requests, group, list) = capacity;
        let scorer = binding.capacity(Capacity { requests, group, list }).build().map_err(errors::of_bind)?;
        Ok(Scorer::new(scorer, [request, rollout, past, wanted], self.reward.schema(), raised))
    }
}

#[pymethods]
impl Catalog {
    fn __len__(&self) -> usize {
        self.catalog.n_items()
    }

    #[getter]
    fn id(&self) -> u64 {
        self.catalog.id()
    }

    fn key(&self, item: u32) -> PyResult<&str> {
        if item as usize >= self.catalog.n_items() {
            let n = self.catalog.n_items();
            return Err(PyIndexError::new_err(format!("there is no item {item}: the catalog has {n}")));
        }
        Ok(self.catalog.key(item))
    }

    /// Writes it as a file, to be opened by `open_catalog`: whole or not at all.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        rewardc::catalog::write(&*self.catalog, &path)
            .map_err(|e| PyOSError::new_err(format!("{}: {e}", path.display())))
    }

    /// The items that a SID stands for.
    fn behind(&self, sid: Vec<u32>) -> Vec<u32> {
        let range = self.catalog.behind(&sid);
        self.catalog.by_sid().get(range.start as usize..range.end as usize).unwrap_or(&[]).to_vec()
    }

    /// The codes that may follow a prefix, ascending.
    fn allowed(&self, prefix: Vec<u32>) -> Vec<u32> {
        let mut next = Vec::new();
        self.catalog.allowed(&prefix, &mut next);
        next
    }
}

fn named(host: &str) -> PyResult<Host> {
    Host::named(host).ok_or_else(|| errors::bad_input(format!("`{host}` is no host: training, serving or logs")))
}

#[pymodule]
fn _rewardc(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Reward>()?;
    module.add_class::<Catalog>()?;
    module.add_class::<Scorer>()?;
    module.add("RewardError", module.py().get_type::<errors::RewardError>())?;
    module.add_function(wrap_pyfunction!(open_catalog, module)?)?;
    module.add_function(wrap_pyfunction!(load, module)?)
}
