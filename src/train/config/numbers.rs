//! Numbers of a config, within their bounds.

use crate::diagnostic::{Diagnostic, Diagnostics, code};
use crate::yaml::Keys;

/// How many of something a step holds: from 1 to a million.
pub fn size(keys: &mut Keys<'_>, key: &'static str, default: usize, out: &mut Diagnostics) -> usize {
    let most = 1_000_000;
    match keys.int(key, out) {
        None => default,
        Some(n) if n <= most => n as usize,
        Some(_) => {
            out.push(Diagnostic::at(&code::SCHEMA_VALUE, keys.span, format!("`{key}` is at most {most}")));
            default
        }
    }
}

/// A whole number from 0.
pub fn whole(keys: &mut Keys<'_>, key: &'static str, default: u64, out: &mut Diagnostics) -> u64 {
    let Some((text, span)) = keys.text(key, out) else { return default };
    text.replace('_', "").parse().ok().unwrap_or_else(|| {
        out.push(Diagnostic::at(&code::SCHEMA_VALUE, span, format!("`{key}` is a whole number from 0")));
        default
    })
}

/// A number from 0, below 1.
pub fn share(keys: &mut Keys<'_>, key: &'static str, default: f64, out: &mut Diagnostics) -> f64 {
    let found = real(keys, key, default, out);
    if found >= 1.0 {
        out.push(Diagnostic::at(&code::SCHEMA_VALUE, keys.span, format!("`{key}` is below 1")));
    }
    found
}

/// A number from 0.
pub fn real(keys: &mut Keys<'_>, key: &'static str, default: f64, out: &mut Diagnostics) -> f64 {
    let Some((text, span)) = keys.text(key, out) else { return default };
    match text.parse::<f64>().ok().filter(|v| v.is_finite() && *v >= 0.0) {
        Some(value) => value,
        None => {
            out.push(Diagnostic::at(&code::SCHEMA_VALUE, span, format!("`{key}` is a number from 0")));
            default
        }
    }
}
