//! What a run goes on from: weights, moments, step, and what they belong to. Written whole or not at all.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use candle_core::{Device, Tensor};
use safetensors::View;

use super::adamw::AdamW;
use super::settings::{Settings, differences};
use crate::catalog::Catalog;
use crate::decoder::{DecoderConfig, LazyDecoder, Weights};
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::write::write_whole;

/// A model under training.
#[derive(Debug)]
pub struct Checkpoint {
    pub config: DecoderConfig,
    pub weights: Weights,
    pub optimizer: AdamW,
    /// Steps that were done.
    pub step: u64,
    /// Hash of the catalog that its codes are of.
    pub catalog: u64,
    /// The reward it was trained with, and the state of its caps, if any.
    pub reward: Option<String>,
    pub state: Option<String>,
    /// What its run was begun with.
    pub run: Settings,
    /// The values of its reward's params.
    pub params: Settings,
}

/// What stands in the file beside the numbers.
#[derive(serde::Serialize)]
struct Facts<'a> {
    format: &'static str,
    step: u64,
    catalog: String,
    decoder: &'a DecoderConfig,
    reward: Option<&'a str>,
    state: Option<&'a str>,
    run: &'a Settings,
    params: &'a Settings,
    content: String,
}

const FORMAT: &str = "rewardc checkpoint 2";

impl Checkpoint {
    /// A new model.
    ///
    /// # Errors
    /// What candle says, as RW1002.
    pub fn new(
        config: &DecoderConfig,
        seed: u64,
        catalog: u64,
        optimizer: AdamW,
        device: &Device,
    ) -> Result<Self, Fault> {
        let mut weights = Weights::new(seed, device);
        LazyDecoder::new(config, &mut weights).map_err(failed)?;
        let config = config.clone();
        let (run, params) = (Settings::new(), Settings::new());
        Ok(Self { config, weights, optimizer, step: 0, catalog, reward: None, state: None, run, params })
    }

    /// The model of these weights.
    ///
    /// # Errors
    /// Weights of another architecture (RW1001).
    pub fn model(&mut self) -> Result<LazyDecoder, Fault> {
        let before = self.weights.vars().len();
        let model = LazyDecoder::new(&self.config, &mut self.weights).map_err(|e| unusable(&e.to_string()))?;
        if self.weights.vars().len() != before {
            return Err(unusable("it lacks weights that its decoder has"));
        }
        Ok(model)
    }

    /// Whether it is of this catalog: codes of another would stand for other items.
    ///
    /// # Errors
    /// Another catalog (RW1001).
    pub fn check_catalog(&self, catalog: &dyn Catalog) -> Result<(), Fault> {
        if self.catalog == catalog.id() {
            return Ok(());
        }
        let why = format!("it is of the catalog {:016x}, and this is {:016x}", self.catalog, catalog.id());
        Err(unusable(&why))
    }

    /// Whether it is of this decoder.
    ///
    /// # Errors
    /// Another architecture, saying what differs (RW1001).
    pub fn check_decoder(&self, config: &DecoderConfig) -> Result<(), Fault> {
        let (own, asked) = (serde_json::to_value(&self.config), serde_json::to_value(config));
        let (Ok(serde_json::Value::Object(own)), Ok(serde_json::Value::Object(asked))) = (own, asked) else {
            return Ok(());
        };
        let differ: Vec<String> = own
            .iter()
            .filter(|(key, value)| asked.get(*key) != Some(value))
            .map(|(key, value)| format!("`{key}` is {value}, and the config says {}", asked.get(key).unwrap_or(value)))
            .collect();
        if differ.is_empty() { Ok(()) } else { Err(unusable(&differ.join("; "))) }
    }

    /// Whether a run of these settings is the run that wrote it, and may go on from it.
    ///
    /// # Errors
    /// Other settings, saying what differs (RW1001).
    pub fn check_run(&self, settings: &Settings) -> Result<(), Fault> {
        let Some(differ) = differences(&self.run, settings) else { return Ok(()) };
        Err(Box::new(
            Diagnostic::bare(&code::CHECKPOINT, format!("the checkpoint is of another run: {differ}"))
                .help("another run needs another `--out`; `--allow-other-settings` goes on all the same"),
        ))
    }

    /// Writes it: whoever reads the path finds the old one or the new one, whole.
    ///
    /// # Errors
    /// Weights that are no numbers any more (RW1003), and a path that cannot be written (RW0805); the old one is
    /// still there.
    pub fn save(&self, path: &Path) -> Result<(), Fault> {
        for (name, var) in self.weights.vars() {
            // A sum is no number where a summand is none.
            let sum = var.as_tensor().sum_all().and_then(|s| s.to_scalar::<f32>()).map_err(failed)?;
            if !sum.is_finite() {
                let message = format!("behind step {} the weights `{name}` are no numbers any more", self.step);
                return Err(Box::new(
                    Diagnostic::bare(&code::DIVERGED, message)
                        .help("the last checkpoint is still good: go on from it with a smaller `lr`"),
                ));
            }
        }
        let mut tensors: BTreeMap<String, Tensor> = BTreeMap::new();
        for (name, var) in self.weights.vars() {
            tensors.insert(format!("model.{name}"), var.as_tensor().clone());
        }
        for (name, (m, v)) in self.optimizer.moments() {
            tensors.insert(format!("adamw.m.{name}"), m.clone());
            tensors.insert(format!("adamw.v.{name}"), v.clone());
        }
        let facts = Facts {
            format: FORMAT,
            step: self.step,
            catalog: format!("{:016x}", self.catalog),
            decoder: &self.config,
            reward: self.reward.as_deref(),
            state: self.state.as_deref(),
            run: &self.run,
            params: &self.params,
            content: content(tensors.iter().map(|(name, t)| (name.as_str(), t.data().into_owned().into()))),
        };
        let facts = serde_json::to_string(&facts).unwrap_or_default();
        let metadata = std::collections::HashMap::from([("rewardc".to_string(), facts)]);
        let bytes = safetensors::serialize(tensors.iter().map(|(n, t)| (n.as_str(), t)), Some(metadata))
            .map_err(|e| unusable(&e.to_string()))?;
        write_whole(path, |file| file.write_all(&bytes)).map_err(|e| {
            Box::new(Diagnostic::bare(&code::UNWRITABLE, format!("cannot write `{}`: {e}", path.display())))
        })
    }

    /// Reads one.
    ///
    /// # Errors
    /// A file that cannot be read (RW0801) or is no whole checkpoint of this kind (RW1001).
    pub fn load(path: &Path, optimizer: AdamW, device: &Device) -> Result<Self, Fault> {
        let bytes = std::fs::read(path).map_err(|e| {
            Box::new(Diagnostic::bare(&code::UNREADABLE, format!("cannot read `{}`: {e}", path.display())))
        })?;
        let broken = |why: String| unusable(&format!("`{}`: {why}", path.display()));
        let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).map_err(|e| broken(e.to_string()))?;
        let facts =
            header.metadata().as_ref().and_then(|m| m.get("rewardc")).ok_or_else(|| {
                broken("these are weights of something else: nothing says what they belong to".into())
            })?;
        let facts: serde_json::Value = serde_json::from_str(facts).map_err(|e| broken(e.to_string()))?;
        if facts.get("format").and_then(|f| f.as_str()) != Some(FORMAT) {
            return Err(broken(format!("it is not of the form `{FORMAT}`")));
        }
        let text = |key: &str| facts.get(key).and_then(|v| v.as_str()).map(str::to_string);
        let decoder = facts.get("decoder").cloned().unwrap_or_default();
        let config: DecoderConfig =
            serde_json::from_value(decoder).map_err(|e| broken(format!("its decoder cannot be read: {e}")))?;
        let lacks = |what: &str| broken(format!("it does not say {what}"));
        let catalog = text("catalog").and_then(|c| u64::from_str_radix(&c, 16).ok());
        let step = facts.get("step").and_then(serde_json::Value::as_u64).ok_or_else(|| lacks("how far its run was"))?;
        let named = |key: &str| facts.get(key).cloned().and_then(|v| serde_json::from_value::<Settings>(v).ok());
        let tensors = safetensors::SafeTensors::deserialize(&bytes).map_err(|e| broken(e.to_string()))?;
        let mut all = tensors.tensors();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        if text("content") != Some(content(all.iter().map(|(name, view)| (name.as_str(), view.data().into())))) {
            return Err(broken("its numbers are not those that were written".into()));
        }
        let all = Weights::read(&bytes, device).map_err(|e| broken(e.to_string()))?;
        let under = |prefix: &str| -> BTreeMap<String, Tensor> {
            let named = all
                .vars()
                .iter()
                .filter_map(|(name, var)| Some((name.strip_prefix(prefix)?.to_string(), var.as_tensor().detach())));
            named.collect()
        };
        let mut optimizer = optimizer;
        let mut seconds = under("adamw.v.");
        let moments =
            under("adamw.m.").into_iter().filter_map(|(name, m)| Some((name.clone(), (m, seconds.remove(&name)?))));
        optimizer.set_moments(moments.collect());
        let weights = Weights::of(under("model."), device).map_err(failed)?;
        if step > 0 && weights.vars().keys().any(|name| !optimizer.moments().contains_key(name)) {
            return Err(broken("it lacks the moments that its run goes on with".into()));
        }
        Ok(Self {
            weights,
            optimizer,
            step,
            catalog: catalog.ok_or_else(|| lacks("which catalog it is of"))?,
            reward: text("reward"),
            state: text("state"),
            run: named("run").ok_or_else(|| lacks("which run it is of"))?,
            params: named("params").ok_or_else(|| lacks("its reward's params"))?,
            config,
        })
    }
}

/// A hash of all numbers, in the order of their names.
fn content<'t>(tensors: impl Iterator<Item = (&'t str, std::borrow::Cow<'t, [u8]>)>) -> String {
    use std::hash::Hasher;
    let mut hash = twox_hash::XxHash64::with_seed(0);
    for (name, bytes) in tensors {
        hash.write(name.as_bytes());
        hash.write(&bytes);
    }
    format!("{:016x}", hash.finish())
}

fn unusable(why: &str) -> Fault {
    Box::new(
        Diagnostic::bare(&code::CHECKPOINT, format!("the checkpoint cannot be used: {why}"))
            .help("name the file that a run with this config wrote"),
    )
}

/// A fault of the arithmetic itself.
pub fn failed(error: candle_core::Error) -> Fault {
    // With a backtrace asked for, candle's message goes on for pages.
    let text = error.to_string();
    Box::new(Diagnostic::bare(&code::ARITHMETIC, text.lines().next().unwrap_or_default()))
}
