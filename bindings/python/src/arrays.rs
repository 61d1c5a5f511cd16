//! numpy arrays and lists → columns that the host lends.
//!
//! Borrowed without a copy: float32, float64, int64, bool arrays; uint32 SIDs; float32 vectors. Copied:
//! lists, int32 and int64 SIDs, texts.

use numpy::{PyArrayDescrMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use rewardc::host::Given;
use rewardc::types::Scale;

use crate::errors::bad_input;

/// A column with whatever holds its values.
pub enum Held<'py> {
    Reals(PyReadonlyArray1<'py, f32>),
    Doubles(PyReadonlyArray1<'py, f64>),
    Wholes(PyReadonlyArray1<'py, i64>),
    Bools(PyReadonlyArray1<'py, bool>),
    Vectors(PyReadonlyArray2<'py, f32>),
    Sids(Codes<'py>),
    OwnWholes(Vec<i64>),
    OwnDoubles(Vec<f64>),
    OwnBools(Vec<bool>),
    Strings(Vec<String>, Option<Vec<bool>>),
    /// Members, and where each set ends.
    Sets(Vec<String>, Vec<u32>),
}

/// Codes of SIDs: as they are, or brought to 32 bits; what is no code is `u32::MAX`.
pub enum Codes<'py> {
    Lent(PyReadonlyArray2<'py, u32>),
    Own(Vec<u32>, usize),
}

impl Codes<'_> {
    /// The codes row by row, and the number of levels.
    pub fn lend(&self) -> PyResult<(&[u32], usize)> {
        match self {
            Self::Lent(array) => Ok((row_by_row(array)?, array.shape().get(1).copied().unwrap_or(0))),
            Self::Own(codes, levels) => Ok((codes, *levels)),
        }
    }
}

fn not_contiguous() -> PyErr {
    bad_input("its rows do not lie one behind the other: pass `numpy.ascontiguousarray(…)`")
}

/// The numbers of a two-dimensional array whose rows lie one behind the other. (An array whose columns do is
/// contiguous too, and would be read across.)
fn row_by_row<'a, T: numpy::Element>(array: &'a PyReadonlyArray2<'_, T>) -> PyResult<&'a [T]> {
    if !array.is_c_contiguous() {
        return Err(not_contiguous());
    }
    array.as_slice().map_err(|_| not_contiguous())
}

/// Anything array-like as a numpy array: tensors and Arrow arrays lend their memory.
fn array<'py>(py: Python<'py>, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyUntypedArray>> {
    if let Ok(array) = value.cast::<PyUntypedArray>() {
        return Ok(array.clone());
    }
    let numpy = py.import("numpy")?;
    let is_list = value.is_instance_of::<pyo3::types::PyList>() || value.is_instance_of::<pyo3::types::PyTuple>();
    if !is_list && !value.hasattr("__array__")? && value.hasattr("__dlpack__")? {
        return Ok(numpy.call_method1("from_dlpack", (value,))?.cast_into()?);
    }
    Ok(numpy.call_method1("asarray", (value,))?.cast_into()?)
}

/// SIDs: a two-dimensional array of whole numbers, a row for each rollout.
pub fn codes_of<'py>(py: Python<'py>, value: &Bound<'py, PyAny>) -> PyResult<Codes<'py>> {
    let array = array(py, value)?;
    if array.ndim() != 2 {
        return Err(bad_input(format!("SIDs are an array of rollouts × levels, this has {} dimensions", array.ndim())));
    }
    let levels = array.shape().get(1).copied().unwrap_or(0);
    if let Ok(codes) = array.extract::<PyReadonlyArray2<'py, u32>>() {
        return Ok(Codes::Lent(codes));
    }
    // Every other whole type is brought to 64 bits first; what is no code then is `u32::MAX`.
    let kind = array.dtype().kind();
    if kind != b'i' && kind != b'u' {
        return Err(bad_input(format!("SIDs are whole numbers, this is an array of {}", array.dtype())));
    }
    let wide = array.call_method1("astype", ("int64",))?;
    let codes: PyReadonlyArray2<'py, i64> = wide.extract()?;
    let codes = codes.as_array().iter().map(|n| u32::try_from(*n).unwrap_or(u32::MAX)).collect();
    Ok(Codes::Own(codes, levels))
}

/// Offsets of groups and lists.
pub fn offsets_of<'py>(py: Python<'py>, value: &Bound<'py, PyAny>) -> PyResult<Vec<u32>> {
    let wholes: Vec<i64> = array(py, value)?.extract()?;
    wholes.into_iter().map(|n| u32::try_from(n).map_err(|_| bad_input(format!("{n} is no offset")))).collect()
}

/// Numbers from 0; −1 stands for none.
pub fn numbers_of<'py>(py: Python<'py>, value: &Bound<'py, PyAny>) -> PyResult<Vec<u32>> {
    let wholes: Vec<i64> = array(py, value)?.extract()?;
    let number = |n: i64| if n == -1 { Ok(u32::MAX) } else { u32::try_from(n) };
    wholes.into_iter().map(|n| number(n).map_err(|_| bad_input(format!("{n} is no number of a slate")))).collect()
}

impl<'py> Held<'py> {
    /// Holds a column of a feature of this scale.
    pub fn of(py: Python<'py>, value: &Bound<'py, PyAny>, scale: Option<Scale>) -> PyResult<Self> {
        if scale == Some(Scale::Sid) {
            return codes_of(py, value).map(Self::Sids);
        }
        if scale == Some(Scale::Set) {
            let sets: Vec<Vec<String>> =
                value.extract().map_err(|_| bad_input("a set column is a list of lists of texts"))?;
            let mut ends = vec![0];
            for set in &sets {
                ends.push(ends.last().copied().unwrap_or(0) + set.len() as u32);
            }
            return Ok(Self::Sets(sets.into_iter().flatten().collect(), ends));
        }
        // Texts stay lists: numpy would copy them into cells of one width.
        let may_be_texts = matches!(scale, None | Some(Scale::Id | Scale::Category));
        let listed;
        let value = if may_be_texts && value.hasattr("to_pylist")? {
            // Arrow keeps texts in one buffer: they are taken out one by one.
            listed = value.call_method0("to_pylist")?;
            &listed
        } else {
            value
        };
        if may_be_texts && let Ok(texts) = value.extract::<Vec<Option<String>>>() {
            if texts.iter().any(Option::is_none) {
                let known = texts.iter().map(Option::is_some).collect();
                return Ok(Self::Strings(texts.into_iter().map(Option::unwrap_or_default).collect(), Some(known)));
            }
            return Ok(Self::Strings(texts.into_iter().flatten().collect(), None));
        }
        let array = array(py, value)?;
        if array.len() == 0 && scale == Some(Scale::Bool) {
            return Ok(Self::OwnBools(Vec::new()));
        }
        if array.dtype().kind() == b'O'
            && let Ok(numbers) = value.extract::<Vec<Option<f64>>>()
        {
            return Ok(Self::OwnDoubles(numbers.into_iter().map(|n| n.unwrap_or(f64::NAN)).collect()));
        }
        if array.ndim() == 2 {
            return array.extract().map(Self::Vectors).map_err(|_| bad_input("vectors are float32"));
        }
        if array.ndim() != 1 {
            return Err(bad_input(format!("a column has one dimension, this has {}", array.ndim())));
        }
        if let Ok(a) = array.extract() {
            return Ok(Self::Reals(a));
        }
        if let Ok(a) = array.extract() {
            return Ok(Self::Doubles(a));
        }
        if let Ok(a) = array.extract() {
            return Ok(Self::Wholes(a));
        }
        if let Ok(a) = array.extract() {
            return Ok(Self::Bools(a));
        }
        match array.extract::<Vec<i64>>() {
            Ok(wholes) => Ok(Self::OwnWholes(wholes)),
            Err(_) => Err(bad_input(format!("a column of {} cannot be used", array.dtype()))),
        }
    }

    /// Lends the values.
    pub fn given(&self) -> PyResult<(Given<'_>, Option<&[bool]>)> {
        let whole = |_| not_contiguous();
        Ok(match self {
            Self::Reals(a) => (Given::Reals(a.as_slice().map_err(whole)?), None),
            Self::Doubles(a) => (Given::Doubles(a.as_slice().map_err(whole)?), None),
            Self::Wholes(a) => (Given::Wholes(a.as_slice().map_err(whole)?), None),
            Self::Bools(a) => (Given::Bools(a.as_slice().map_err(whole)?), None),
            Self::Vectors(a) => {
                let size = a.shape().get(1).copied().unwrap_or(0);
                (Given::Vectors { values: row_by_row(a)?, size }, None)
            }
            Self::Sids(codes) => {
                let (codes, levels) = codes.lend()?;
                (Given::Sids { codes, levels }, None)
            }
            Self::OwnWholes(v) => (Given::Wholes(v), None),
            Self::OwnDoubles(v) => (Given::Doubles(v), None),
            Self::OwnBools(v) => (Given::Bools(v), None),
            Self::Sets(members, offsets) => (Given::Sets { members, offsets }, None),
            Self::Strings(v, known) => (Given::Strings(v), known.as_deref()),
        })
    }

    /// Lends the values to `use_them`.
    pub fn with<T>(&self, use_them: impl FnOnce(Given<'_>, Option<&[bool]>) -> PyResult<T>) -> PyResult<T> {
        let (given, valid) = self.given()?;
        use_them(given, valid)
    }
}
