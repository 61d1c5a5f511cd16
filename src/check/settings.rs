//! `--set NAME=VALUE`, and `with NAME = VALUE` in tests (R8.2).

use crate::diagnostic::did_you_mean;
use crate::program::{Constant, Program};
use crate::syntax::ast::Number;
use crate::types::{Decimal, Unit, round_to_f32};

/// Why a setting cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFault {
    pub message: String,
    pub help: Option<String>,
}

fn fault<T>(message: String, help: Option<String>) -> Result<T, SettingFault> {
    Err(SettingFault { message, help })
}

/// Gives a param another value, as written: `0.3`, `10%`, `30 days`, `true`, a text.
///
/// # Errors
/// An unknown name, a value of another kind, or one outside the declared range.
pub fn set_param(program: &mut Program, currency: Option<&str>, name: &str, written: &str) -> Result<(), SettingFault> {
    let names: Vec<String> = program.params.iter().map(|p| p.name.clone()).collect();
    let Some(param) = program.params.iter_mut().find(|p| p.name == name) else {
        let near = did_you_mean(name, names.iter().map(String::as_str));
        let help = near
            .map(|n| format!("did you mean `{n}`?"))
            .or_else(|| (!names.is_empty()).then(|| format!("params are {}", names.join(", "))));
        return fault(format!("there is no param `{name}`"), help);
    };
    let written = written.trim();
    let value = match &param.value {
        Constant::Bool(_) => match written {
            "true" => Constant::Bool(true),
            "false" => Constant::Bool(false),
            _ => return fault(format!("`{name}` is true or false, not `{written}`"), None),
        },
        Constant::Text(_) => Constant::Text(written.trim_matches('"').into()),
        Constant::Number(_) => {
            let Some(number) = number(written, &param.ty, currency) else {
                return fault(
                    format!("`{written}` is not {}", param.ty),
                    Some("for example `0.3`, `10%` or `30 days`".into()),
                );
            };
            if param.whole && number.fract() != 0.0 {
                return fault(format!("`{name}` is a whole number, not `{written}`"), None);
            }
            Constant::Number(if param.whole { number } else { round_to_f32(number) })
        }
    };
    if let Some(range) = param.range.filter(|r| !r.contains(value.number())) {
        return fault(
            format!("`{name}` = {written} lies outside {}..{}", range.lo as f32, range.hi as f32),
            Some("the proofs of `rewardc check` hold within the declared range only; widen it in the file".into()),
        );
    }
    let bounds_share = program.parts.iter().any(|p| match p {
        crate::program::Part::Cap(c) => {
            matches!(c.bound, crate::program::Bound::Param(id) if names.get(id.index()).is_some_and(|n| n == name))
        }
        _ => false,
    });
    if bounds_share && Decimal::from_f64(value.number()).is_none() {
        return fault(format!("`{name}` bounds a cap: it has at most four decimals as a fraction"), None);
    }
    param.value = value;
    Ok(())
}

fn number(written: &str, ty: &crate::types::Ty, currency: Option<&str>) -> Option<f64> {
    let (negative, text) = written.strip_prefix('-').map_or((false, written), |t| (true, t));
    let (digits, unit) = match text.split_once(' ') {
        Some((digits, unit)) => (digits, Some(unit.to_string())),
        None => (text, None),
    };
    let (digits, percent) = digits.strip_suffix('%').map_or((digits, false), |d| (d, true));
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let number = Number { digits: digits.replace('_', ""), percent, unit };
    let dimension = match &number.unit {
        Some(word) => Some(Unit::named(word, currency)?),
        None => None,
    };
    if dimension.as_ref().map_or(crate::types::Dimension::NONE, |u| u.dimension) != ty.dimension() {
        return None;
    }
    let value = dimension.map_or_else(|| number.decimal(), |u| u.to_base(number.decimal()));
    value.is_finite().then_some(if negative { -value } else { value })
}
