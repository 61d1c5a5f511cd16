//! What a decoder is made of, in YAML.

use crate::diagnostic::{Diagnostic, Diagnostics, code};
use crate::source::FileId;
use crate::yaml::{Keys, Node};

/// Sizes of a decoder.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DecoderConfig {
    /// Codes of each level of a SID.
    pub shape: Vec<u32>,
    /// Items of a history that are looked at, the newest ones.
    pub history: usize,
    /// Width of the residual stream; a multiple of `heads`.
    pub d_model: usize,
    /// Width inside the feed-forward layers.
    pub d_ffn: usize,
    pub layers: usize,
    pub heads: usize,
    /// Key heads; `heads` is a multiple of it.
    pub kv_groups: usize,
    /// Chunks of the context: 1 (values are the keys) or 2.
    pub kv_chunks: usize,
}

impl DecoderConfig {
    /// Small: for a SID of this shape.
    #[must_use]
    pub fn small(shape: &[u32]) -> Self {
        Self {
            shape: shape.to_vec(),
            history: 10,
            d_model: 64,
            d_ffn: 128,
            layers: 2,
            heads: 4,
            kv_groups: 2,
            kv_chunks: 2,
        }
    }

    /// Reads the map `decoder:`; the shape is that of the catalog. With errors in `out` what is given is no use.
    pub fn read(node: &Node, shape: &[u32], out: &mut Diagnostics) -> Self {
        let small = Self::small(shape);
        let mut keys = Keys::of(node, "`decoder`", out);
        let mut size = |key, default: usize| keys.int(key, out).map_or(default, |n| n as usize);
        let config = Self {
            history: size("history", small.history),
            d_model: size("d_model", small.d_model),
            d_ffn: size("d_ffn", small.d_ffn),
            layers: size("layers", small.layers),
            heads: size("heads", small.heads),
            kv_groups: size("kv_groups", small.kv_groups),
            kv_chunks: size("kv_chunks", small.kv_chunks),
            ..small
        };
        keys.finish(out);
        if let Some(why) = config.fault() {
            out.push(Diagnostic::at(&code::SCHEMA_VALUE, node.span, why));
        }
        config
    }

    /// Why sizes do not go together.
    fn fault(&self) -> Option<String> {
        let Self { d_model, heads, kv_groups, kv_chunks, layers, history, d_ffn, .. } = self;
        if [*d_model, *d_ffn].iter().any(|n| *n > 16_384) || *layers > 256 || *history > 100_000 {
            return Some("the decoder is larger than any that is built here".into());
        }
        if !d_model.is_multiple_of(*heads) {
            return Some(format!("`d_model` {d_model} is no multiple of `heads` {heads}"));
        }
        if !heads.is_multiple_of(*kv_groups) {
            return Some(format!("`heads` {heads} is no multiple of `kv_groups` {kv_groups}"));
        }
        (*kv_chunks > 2).then(|| "`kv_chunks` is 1 or 2".to_string())
    }

    /// The config of a text, for tests and commands.
    ///
    /// # Errors
    /// Its faults.
    pub fn from_yaml(text: &str, file: FileId, shape: &[u32], out: &mut Diagnostics) -> Option<Self> {
        match crate::yaml::parse(text, file) {
            Ok(node) => Some(Self::read(&node, shape, out)),
            Err(fault) => {
                out.push(fault);
                None
            }
        }
    }
}
