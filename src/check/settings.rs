//! `--set NAME=VALUE`, and `with NAME = VALUE` in tests (R8.2).

use crate::diagnostic::did_you_mean;
use crate::program::{Bound, Constant, Part, Program};
use crate::syntax::ast::Number;
use crate::syntax::{TokenKind, scan};
use crate::types::{Decimal, Dimension, Ty, Unit, round_to_f32};

/// Why a setting cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFault {
    pub message: String,
    pub help: Option<String>,
}

fn fault<T>(message: String, help: Option<String>) -> Result<T, SettingFault> {
    Err(SettingFault { message, help })
}

/// What was written, cut where a screen would not show it.
fn shortened(written: &str) -> String {
    match written.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", written.get(..at).unwrap_or("")),
        None => written.to_string(),
    }
}

/// Gives a param another value, as written: `0.3`, `10%`, `30 days`, `true`, a text.
///
/// # Errors
/// An unknown name, a value of another kind, or one outside the declared range.
pub fn set_param(program: &mut Program, currency: Option<&str>, name: &str, written: &str) -> Result<(), SettingFault> {
    let names: Vec<String> = program.params.iter().map(|p| p.name.clone()).collect();
    let bounds_cap = program.parts.iter().any(|p| match p {
        Part::Cap(c) => {
            matches!(c.bound, Bound::Param(id) if names.get(id.index()).is_some_and(|n| n == name))
        }
        _ => false,
    });
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
        Constant::Text(_) => {
            let text = match written.strip_prefix('"') {
                Some(rest) => rest.strip_suffix('"'),
                None => Some(written).filter(|w| !w.contains('"')),
            };
            let Some(text) = text else {
                return fault(
                    format!("`{}` is no text", shortened(written)),
                    Some("for example `word=\"new\"`".into()),
                );
            };
            if let Some(names) = param.names.iter().find(|names| names.iter().all(|n| n != text)) {
                let near = did_you_mean(text, names.iter().map(String::as_str));
                let help = near.map_or_else(
                    || format!("the schema declares {}", names.join(", ")),
                    |n| format!("did you mean `{n}`?"),
                );
                return fault(format!("there is no category `{}`", shortened(text)), Some(help));
            }
            Constant::Text(text.into())
        }
        Constant::Number(_) => {
            let literal = Written::of(written);
            let Some((literal, number)) = literal.and_then(|l| l.value(&param.ty, currency).map(|n| (l, n))) else {
                return fault(
                    format!("`{}` is not {}", shortened(written), param.ty),
                    Some("for example `0.3`, `10%` or `30 days`".into()),
                );
            };
            if bounds_cap && literal.is_whole() != param.count {
                let (is, example) = if param.count { ("a count", "`2`") } else { ("a share", "`20%` or `0.2`") };
                return fault(
                    format!("`{name}` bounds a cap as {is}, and {written} is not written as one"),
                    Some(format!("write it as its default is written, such as {example}")),
                );
            }
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
    if bounds_cap && Decimal::from_f64(value.number()).is_none() {
        return fault(format!("`{name}` bounds a cap: it has at most four decimals as a fraction"), None);
    }
    param.value = value;
    Ok(())
}

/// A value as it is written in a file: an optional sign, a number, an optional unit.
struct Written {
    negative: bool,
    number: Number,
}

impl Written {
    /// Reads a literal by the scan that reads files.
    fn of(text: &str) -> Option<Self> {
        let tokens = scan(text);
        let (negative, rest) = match tokens.split_first() {
            Some((first, rest)) if first.is("-") => (true, rest),
            _ => (false, tokens.as_slice()),
        };
        let (digits, unit) = match rest {
            [digits] => (digits, None),
            [digits, unit] if unit.kind == TokenKind::Word && unit.start > digits.end() => (digits, Some(unit)),
            _ => return None,
        };
        if digits.kind != TokenKind::Number {
            return None;
        }
        let (plain, percent) = digits.text.strip_suffix('%').map_or((digits.text, false), |d| (d, true));
        let unit = unit.map(|u| u.text.to_string());
        Some(Self { negative, number: Number { digits: plain.replace('_', ""), percent, unit } })
    }

    /// Digits alone: as a bound a count (R4.1).
    fn is_whole(&self) -> bool {
        !self.number.percent && self.number.digits.bytes().all(|b| b.is_ascii_digit())
    }

    fn value(&self, ty: &Ty, currency: Option<&str>) -> Option<f64> {
        let unit = match &self.number.unit {
            Some(word) => Some(Unit::named(word, currency)?),
            None => None,
        };
        if unit.as_ref().map_or(Dimension::NONE, |u| u.dimension) != ty.dimension() {
            return None;
        }
        let value = unit.map_or_else(|| self.number.decimal(), |u| u.to_base(self.number.decimal()));
        value.is_finite().then_some(if self.negative { -value } else { value })
    }
}
