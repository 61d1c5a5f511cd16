//! Reference meanings of functions on vectors, SIDs and ids.

use twox_hash::XxHash64;

/// Cosine of two vectors with f64 norms; `None` where one is shorter than 1e-12, which counts as
/// null when bound.
#[must_use]
pub fn cosine(a: &[f32], b: &[f32]) -> Option<f64> {
    let (mut dot, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (&x, &y) in a.iter().zip(b) {
        let (x, y) = (f64::from(x), f64::from(y));
        dot += x * y;
        aa += x * x;
        bb += y * y;
    }
    let (a, b) = (aa.sqrt(), bb.sqrt());
    (a >= 1e-12 && b >= 1e-12).then(|| (dot / (a * b)).clamp(-1.0, 1.0))
}

/// Levels at which two SIDs have equal codes.
#[must_use]
pub fn matched_levels(a: &[u32], b: &[u32]) -> f64 {
    a.iter().zip(b).filter(|(x, y)| x == y).count() as f64
}

/// Length of the common beginning of two SIDs.
#[must_use]
pub fn common_prefix(a: &[u32], b: &[u32]) -> f64 {
    a.iter().zip(b).take_while(|(x, y)| x == y).count() as f64
}

/// xxh64 (seed 0) of the salt's bytes followed by the id's text, modulo `n`.
#[must_use]
pub fn bucket(id: &str, n: u64, salt: &str) -> f64 {
    let mut bytes = Vec::with_capacity(salt.len() + id.len());
    bytes.extend_from_slice(salt.as_bytes());
    bytes.extend_from_slice(id.as_bytes());
    (XxHash64::oneshot(0, &bytes) % n.max(1)) as f64
}
