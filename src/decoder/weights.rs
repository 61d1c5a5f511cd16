//! The variables of a model by name: made from a seed, or read from safetensors.

use std::collections::BTreeMap;
use std::collections::HashMap;

use candle_core::{DType, Device, Result, Shape, Tensor, Var};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Variables in the order of their names.
#[derive(Clone, Debug)]
pub struct Weights {
    vars: BTreeMap<String, Var>,
    device: Device,
    seed: u64,
}

impl Weights {
    /// None yet. Each gets its numbers from the seed and its own name, so that their order is of no matter.
    #[must_use]
    pub fn new(seed: u64, device: &Device) -> Self {
        Self { vars: BTreeMap::new(), device: device.clone(), seed }
    }

    /// Those of a file.
    ///
    /// # Errors
    /// Bytes that are no safetensors.
    pub fn read(bytes: &[u8], device: &Device) -> Result<Self> {
        let found: HashMap<String, Tensor> = candle_core::safetensors::load_buffer(bytes, device)?;
        let vars = found.into_iter().map(|(name, t)| Ok((name, Var::from_tensor(&t)?))).collect::<Result<_>>()?;
        Ok(Self { vars, device: device.clone(), seed: 0 })
    }

    /// Those of tensors.
    ///
    /// # Errors
    /// What candle says.
    pub fn of(tensors: BTreeMap<String, Tensor>, device: &Device) -> Result<Self> {
        let vars = tensors.into_iter().map(|(name, t)| Ok((name, Var::from_tensor(&t)?))).collect::<Result<_>>()?;
        Ok(Self { vars, device: device.clone(), seed: 0 })
    }

    /// The device that they lie on.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// All variables by name.
    #[must_use]
    pub fn vars(&self) -> &BTreeMap<String, Var> {
        &self.vars
    }

    /// How many numbers they hold.
    #[must_use]
    pub fn n_params(&self) -> usize {
        self.vars.values().map(|v| v.elem_count()).sum()
    }

    /// A variable of normally distributed numbers.
    pub fn normal(&mut self, name: &str, shape: impl Into<Shape>, deviation: f64) -> Result<Tensor> {
        let shape = shape.into();
        let mut random = ChaCha8Rng::seed_from_u64(self.seed ^ twox_hash::XxHash64::oneshot(0, name.as_bytes()));
        let draw = |_| (deviation * <StandardNormal as Distribution<f64>>::sample(&StandardNormal, &mut random)) as f32;
        let values: Vec<f32> = (0..shape.elem_count()).map(draw).collect();
        self.variable(name, values, shape)
    }

    /// A variable that is the same everywhere.
    pub fn constant(&mut self, name: &str, shape: impl Into<Shape>, value: f32) -> Result<Tensor> {
        let shape = shape.into();
        self.variable(name, vec![value; shape.elem_count()], shape)
    }

    fn variable(&mut self, name: &str, values: Vec<f32>, shape: Shape) -> Result<Tensor> {
        if let Some(var) = self.vars.get(name) {
            if var.shape() != &shape {
                candle_core::bail!("`{name}` has the shape {:?}, and {shape:?} is wanted", var.shape());
            }
            return Ok(var.as_tensor().clone());
        }
        let var = Var::from_tensor(&Tensor::from_vec(values, shape, &self.device)?.to_dtype(DType::F32)?)?;
        let tensor = var.as_tensor().clone();
        self.vars.insert(name.to_string(), var);
        Ok(tensor)
    }
}
