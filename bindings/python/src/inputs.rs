//! The keyword arguments of a step, held for as long as the host borrows them.

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyDictMethods};
use rewardc::host::{Groups, InputId, Requests, Rollouts, Step};
use rewardc::schema::Schema;
use rewardc::types::Scale;

use crate::arrays::{Codes, Held, codes_of, numbers_of, offsets_of};
use crate::errors::bad_input;

/// A declared column: its name, its place among all, the scale of its feature.
pub struct Declared {
    name: String,
    id: InputId,
    scale: Option<Scale>,
}

/// Declared columns by what they hold a value for.
pub struct Columns {
    request: Vec<Declared>,
    rollout: Vec<Declared>,
    past: Vec<Declared>,
    wanted: Vec<Declared>,
}

impl Columns {
    /// The columns named at `bind`: of requests, rollouts, histories and targets.
    pub fn new(scorer: &rewardc::host::Scorer<'_>, names: [Vec<String>; 4], schema: &Schema) -> Self {
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
        }
    }
}

/// A step's inputs.
pub struct Inputs<'py> {
    codes: Option<Codes<'py>>,
    items: Option<(PyReadonlyArray1<'py, u32>, u64)>,
    group_size: Option<usize>,
    groups: Option<Vec<u32>>,
    keys: Option<Vec<String>>,
    request: Vec<Column<'py>>,
    rollout: Vec<Column<'py>>,
    past: Lists<'py>,
    wanted: Lists<'py>,
    padding: Option<PyReadonlyArray1<'py, bool>>,
    slates: Option<(Vec<u32>, Vec<u32>)>,
    batches: Option<Vec<u32>>,
    /// Lists are those of rollouts, not of requests.
    lists_by_rollout: bool,
    pub step: Step,
}

/// A column by its id and name.
type Column<'py> = (InputId, String, Held<'py>);
type Lists<'py> = (Option<Vec<u32>>, Vec<Column<'py>>);
type Given<'py> = (Bound<'py, PyAny>, Bound<'py, PyDict>);

impl<'py> Inputs<'py> {
    /// Takes them out of the keyword arguments; one that nobody asks for is named.
    pub fn take(py: Python<'py>, columns: &Columns, given: Option<&Bound<'py, PyDict>>) -> PyResult<Self> {
        let empty = PyDict::new(py);
        let mut given = Keywords { left: given.unwrap_or(&empty).copy()? };
        let sids: Option<Bound<'py, PyAny>> = given.take("sids")?;
        let groups: Option<Bound<'py, PyAny>> = given.take("groups")?;
        let slates: Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)> = given.take("slates")?;
        let batches: Option<Bound<'py, PyAny>> = given.take("batches")?;
        let request: Option<Bound<'py, PyDict>> = given.take("request")?;
        let rollout: Option<Bound<'py, PyDict>> = given.take("rollout")?;
        let inputs = Self {
            codes: sids.map(|s| codes_of(py, &s)).transpose()?,
            items: given.take("items")?,
            group_size: given.take("group_size")?,
            groups: groups.map(|g| offsets_of(py, &g)).transpose()?,
            keys: given.take("keys")?,
            request: held(py, "request", &columns.request, request.as_ref())?,
            rollout: held(py, "rollout", &columns.rollout, rollout.as_ref())?,
            past: list(py, "past", &columns.past, given.take("past")?)?,
            wanted: list(py, "wanted", &columns.wanted, given.take("wanted")?)?,
            padding: given.take("padding")?,
            slates: slates
                .map(|(of, place)| Ok::<_, PyErr>((numbers_of(py, &of)?, offsets_of(py, &place)?)))
                .transpose()?,
            batches: batches.map(|b| offsets_of(py, &b)).transpose()?,
            lists_by_rollout: given.take("lists_by_rollout")?.unwrap_or(false),
            step: Step { seed: given.take("seed")?.unwrap_or(0), step: given.take("step")?.unwrap_or(0) },
        };
        given.finish()?;
        Ok(inputs)
    }

    fn rows(&self) -> PyResult<usize> {
        match (&self.codes, &self.items) {
            (Some(codes), _) => codes.lend().map(|(codes, levels)| codes.len() / levels.max(1)),
            (None, Some((items, _))) => Ok(items.as_slice()?.len()),
            (None, None) => match (&self.groups, self.rollout.first()) {
                (Some(offsets), _) => Ok(offsets.last().map_or(0, |n| *n as usize)),
                (None, Some((.., column))) => column.given().map(|(given, _)| given.len()),
                (None, None) => Err(bad_input("neither `sids` nor `items` is given")),
            },
        }
    }

    /// Lends them to the host.
    pub fn lend<'a>(
        &'a self,
        py: Python<'_>,
        keys: &'a Option<Vec<&'a str>>,
    ) -> PyResult<(Requests<'a>, Rollouts<'a>)> {
        let rows = self.rows()?;
        let (groups, n) = match (self.group_size, &self.groups) {
            (Some(size), None) if size > 0 && rows % size == 0 => (Groups::Even(size), rows / size),
            (Some(size), None) => return Err(bad_input(format!("{rows} rollouts do not make groups of {size}"))),
            (None, Some(offsets)) => (Groups::Offsets(offsets), offsets.len().saturating_sub(1)),
            _ => return Err(bad_input("give either `group_size` or `groups`")),
        };
        let mut requests = Requests::new(n);
        if let Some(keys) = keys {
            requests = requests.keys(keys);
        }
        for (id, name, held) in self.request.iter().chain(&self.past.1).chain(&self.wanted.1) {
            let (given, valid) = held.given().map_err(|e| named(py, name, e))?;
            requests = requests.with_nulls(*id, given, valid);
        }
        let mut rollouts = Rollouts::new(groups);
        match (&self.past.0, self.lists_by_rollout) {
            (Some(offsets), false) => requests = requests.past(offsets),
            (Some(offsets), true) => rollouts = rollouts.past(offsets),
            (None, _) => {}
        }
        match (&self.wanted.0, self.lists_by_rollout) {
            (Some(offsets), false) => requests = requests.wanted(offsets),
            (Some(offsets), true) => rollouts = rollouts.wanted(offsets),
            (None, _) => {}
        }
        if let Some(batches) = &self.batches {
            rollouts = rollouts.batches(batches);
        }
        if let Some(codes) = &self.codes {
            let (codes, levels) = codes.lend().map_err(|e| named(py, "sids", e))?;
            rollouts = rollouts.sids(codes, levels);
        }
        if let Some((items, catalog)) = &self.items {
            rollouts = rollouts.items(items.as_slice()?, *catalog);
        }
        if let Some(padding) = &self.padding {
            rollouts = rollouts.padding(padding.as_slice()?);
        }
        if let Some((of, place)) = &self.slates {
            rollouts = rollouts.slates(of, place);
        }
        for (id, name, held) in &self.rollout {
            let (given, valid) = held.given().map_err(|e| named(py, name, e))?;
            rollouts = rollouts.with_nulls(*id, given, valid);
        }
        Ok((requests, rollouts))
    }

    /// The requests' keys as the host borrows them.
    pub fn keys(&self) -> Option<Vec<&str>> {
        self.keys.as_ref().map(|k| k.iter().map(String::as_str).collect())
    }
}

/// Keyword arguments that are taken one by one.
struct Keywords<'py> {
    left: Bound<'py, PyDict>,
}

impl<'py> Keywords<'py> {
    fn take<T>(&mut self, name: &'static str) -> PyResult<Option<T>>
    where
        T: for<'a> FromPyObject<'a, 'py>,
    {
        let Some(value) = self.left.get_item(name)? else { return Ok(None) };
        self.left.del_item(name)?;
        if value.is_none() {
            return Ok(None);
        }
        let shown = value.repr().map_or(String::new(), |r| r.to_string());
        let shown = if shown.chars().count() > 40 { value.get_type().to_string() } else { shown };
        value.extract().map(Some).map_err(|_| bad_input(format!("`{name}` cannot be {shown}")))
    }

    fn finish(self) -> PyResult<()> {
        match self.left.keys().iter().next() {
            None => Ok(()),
            Some(name) => Err(bad_input(format!("a step has no input `{}`", name.extract::<String>()?))),
        }
    }
}

/// The declared columns out of a dict; one that is missing or unknown is named.
fn held<'py>(
    py: Python<'py>,
    what: &str,
    declared: &[Declared],
    given: Option<&Bound<'py, PyDict>>,
) -> PyResult<Vec<Column<'py>>> {
    let mut found = Vec::with_capacity(declared.len());
    for column in declared {
        let value = given.map(|d| d.get_item(&column.name)).transpose()?.flatten();
        let Some(value) = value else { return Err(bad_input(format!("`{what}` lacks the column `{}`", column.name))) };
        let held = Held::of(py, &value, column.scale).map_err(|e| named(py, &column.name, e))?;
        found.push((column.id, column.name.clone(), held));
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

/// Offsets and columns of a list of entries.
fn list<'py>(py: Python<'py>, what: &str, declared: &[Declared], given: Option<Given<'py>>) -> PyResult<Lists<'py>> {
    match given {
        None if declared.is_empty() => Ok((None, Vec::new())),
        None => Err(bad_input(format!("`{what}` was declared at `bind` and is not given"))),
        Some((offsets, columns)) => Ok((Some(offsets_of(py, &offsets)?), held(py, what, declared, Some(&columns))?)),
    }
}
