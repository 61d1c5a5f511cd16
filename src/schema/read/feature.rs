//! One entry of `features:`.

use super::super::Schema;
use super::super::feature::{Direction, Entity, Feature, Names, Raw};
use super::{entity, plain_feature};
use crate::diagnostic::{Diagnostic, Diagnostics, code, did_you_mean};
use crate::source::Span;
use crate::types::{Availability, Interval, Level, Scale, Unit, round_to_f32};
use crate::yaml::{Keys, Node, Value};

/// Why a name cannot be a feature's.
pub fn name_fault(name: &str) -> Option<&'static str> {
    let mut chars = name.chars();
    let fine =
        chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !fine {
        return Some("is not a name of the language");
    }
    crate::types::RESERVED.contains(&name).then_some("is a word of the language").or_else(|| {
        let value = crate::types::VALUE_WORDS.contains(&name);
        value
            .then_some("is a value of the language")
            .or_else(|| crate::types::OUTPUT_NAMES.contains(&name).then_some("is the name of an output column"))
    })
}

/// Reads one feature; a fault that leaves nothing to go on gives none.
pub fn feature(name: &str, span: Span, node: &Node, schema: &Schema, out: &mut Diagnostics) -> Option<Feature> {
    if let Some(why) = name_fault(name) {
        out.push(
            Diagnostic::at(&code::SCHEMA_NAME, span, format!("`{name}` {why}"))
                .help(format!("choose another name and say `from: {name}`")),
        );
        return None;
    }
    if let Value::Scalar { text, .. } = &node.value {
        // The short form `name: scale`.
        let scale = scale(text, node.span, out)?;
        if scale == Scale::Sid {
            out.push(no_shape(name, span));
        }
        let mut feature = plain_feature(name, Entity::Given, scale, span, vec![(0, name.to_string())]);
        ranged(&mut feature, None, node.span, schema, out);
        return Some(feature);
    }
    let mut keys = Keys::of(node, format!("feature `{name}`"), out);
    let scale_node = keys.need("scale", out)?;
    let scale = scale(scale_node.text().unwrap_or(""), scale_node.span, out)?;
    let entity = match keys.text("entity", out) {
        Some((word, span)) => entity(word, span, out),
        None if scale == Scale::Sid => Entity::Item,
        None => Entity::Given,
    };
    let is_key = [&schema.keys.item, &schema.keys.user].into_iter().flatten().any(|k| k == name);
    let from = match keys.texts("from", out) {
        // The row's own key: whether something stands behind it is another question.
        None if is_key => vec![(0, name.to_string())],
        written => {
            let written = written.unwrap_or_else(|| vec![(name, span)]);
            written.iter().filter_map(|(c, s)| column(c, *s, entity, scale, schema, out)).collect()
        }
    };
    let mut feature = plain_feature(name, entity, scale, span, from);
    if let Some((word, span)) = keys.text("unit", out) {
        match Unit::named(word, schema.currency.as_deref()).filter(|u| u.dimension == scale.ty().dimension()) {
            Some(unit) => {
                feature.unit = Some(unit);
                feature.unit_word = Some(word.to_string());
            }
            None => out.push(
                Diagnostic::at(&code::SCHEMA_VALUE, span, format!("`{word}` is not a unit of {}", scale.ty()))
                    .help("units are `ms s min h day`, `m km`, and the schema's `currency`"),
            ),
        }
    }
    feature.missing = raws(keys.take("missing"), "missing", out);
    feature.nullable = keys.flag("nullable", out) || !feature.missing.is_empty();
    feature.nullable |= feature.from.iter().all(|(s, _)| schema.sources.get(*s).is_some_and(|s| s.may_miss))
        && !feature.from.is_empty();
    feature.clip = keys.take("clip").and_then(|n| interval(n, "clip", &feature, schema, out));
    if let Some(node) = keys.take("names") {
        let open = node.text() == Some("open");
        if !open {
            let names: Vec<String> = node.items().iter().filter_map(|n| n.text().map(str::to_string)).collect();
            if names.is_empty() || names.len() != node.items().len() {
                out.push(Diagnostic::at(
                    &code::SCHEMA_VALUE,
                    node.span,
                    format!("`names` of feature `{name}` is a list of words, or `open`"),
                ));
            }
            feature.names = Names::Declared(names.into());
        }
    }
    feature.truths = raws(keys.take("true"), "true", out);
    feature.split = keys.text("split", out).map(|s| s.0.to_string());
    if schema.sources.iter().enumerate().any(|(i, s)| s.sees_future && feature.from.iter().any(|f| f.0 == i)) {
        feature.availability = Availability::Observed;
    }
    if let Some((word, span)) = keys.text("availability", out) {
        match Availability::named(word) {
            Some(a) => feature.availability = a,
            None => out.push(
                Diagnostic::at(&code::SCHEMA_VALUE, span, format!("`{word}` is not a time of knowing"))
                    .help("static, request, generated, predicted, target or observed"),
            ),
        }
    }
    feature.direction = match keys.text("direction", out) {
        Some(("good", _)) => Some(Direction::Good),
        Some(("bad", _)) => Some(Direction::Bad),
        Some((other, span)) => {
            out.push(
                Diagnostic::at(&code::SCHEMA_VALUE, span, format!("`{other}` is not a direction"))
                    .help("`good` or `bad`"),
            );
            None
        }
        None => None,
    };
    feature.example = keys.take("example").and_then(|n| Some((example_text(n)?, n.span)));
    feature.about = keys.text("about", out).map(|a| a.0.to_string());
    if let Some(node) = keys.take("shape") {
        let shape: Option<Vec<u32>> = node.items().iter().map(|n| n.text()?.replace('_', "").parse().ok()).collect();
        match shape.filter(|s| (1..=8).contains(&s.len()) && s.iter().all(|n| *n > 0)) {
            Some(shape) => feature.shape = shape,
            None => out.push(Diagnostic::at(
                &code::SCHEMA_VALUE,
                node.span,
                "a shape is 1 to 8 codebook sizes, such as `[256, 256, 256]`",
            )),
        }
    } else if scale == Scale::Sid {
        out.push(no_shape(name, span));
    }
    let range = keys.take("range");
    ranged(&mut feature, range, node.span, schema, out);
    keys.finish(out);
    if entity.level() == Level::Request && feature.availability < Availability::Request {
        feature.availability = Availability::Request;
    }
    Some(feature)
}

fn no_shape(name: &str, span: Span) -> Diagnostic {
    Diagnostic::at(&code::SCHEMA_MISSING, span, format!("feature `{name}` needs the key `shape`"))
        .help(format!("the number of codes on each level, such as `{name}: {{scale: sid, shape: [256, 256, 256]}}`"))
}

/// Fills in the range, which a number must have (R6.6).
fn ranged(feature: &mut Feature, node: Option<&Node>, span: Span, schema: &Schema, out: &mut Diagnostics) {
    if let Some(node) = node {
        if let Some(range) = interval(node, "range", feature, schema, out) {
            if feature.scale == Scale::Probability && !Interval::new(0.0, 1.0).covers(&range) {
                out.push(
                    Diagnostic::at(&code::SCHEMA_VALUE, node.span, "a probability lies in [0, 1]")
                        .help("`scale: ratio` or `scale: number` may go further"),
                );
            }
            feature.range = range;
        }
    } else if feature.scale == Scale::Number {
        out.push(
            Diagnostic::at(&code::SCHEMA_MISSING, span, format!("feature `{}` needs the key `range`", feature.name))
                .help("a plain number has no range by itself; proofs need one, such as `range: [0, 100]`"),
        );
    }
}

fn example_text(node: &Node) -> Option<String> {
    match &node.value {
        Value::Scalar { text, .. } => Some(text.clone()),
        Value::List(items) => Some(items.iter().filter_map(Node::text).collect::<Vec<_>>().join("|")),
        _ => None,
    }
}

fn scale(text: &str, span: Span, out: &mut Diagnostics) -> Option<Scale> {
    let scale = Scale::parse(text);
    if scale.is_none() {
        let near = did_you_mean(text, Scale::WORDS);
        let help =
            near.map_or_else(|| format!("scales are {}", Scale::WORDS.join(", ")), |n| format!("did you mean `{n}`?"));
        out.push(Diagnostic::at(&code::SCHEMA_VALUE, span, format!("`{text}` is not a scale")).help(help));
    }
    scale
}

/// `source.column`, or a column of the entity's own source.
fn column(
    text: &str,
    span: Span,
    entity: Entity,
    scale: Scale,
    schema: &Schema,
    out: &mut Diagnostics,
) -> Option<(usize, String)> {
    if let Some((name, column)) = text.split_once('.') {
        if let Some(source) = schema.source(name) {
            return Some((source, column.to_string()));
        }
        let near = did_you_mean(name, schema.sources.iter().map(|s| s.name.as_str()));
        out.push(
            Diagnostic::at(&code::SCHEMA_REFERENCE, span, format!("there is no source `{name}`"))
                .maybe_help(near.map(|n| format!("did you mean `{n}`?"))),
        );
        return None;
    }
    let own = schema
        .sources
        .iter()
        .position(|s| s.entity == entity && matches!(entity, Entity::Item | Entity::User | Entity::Request));
    Some((if scale == Scale::Sid { 0 } else { own.unwrap_or(0) }, text.to_string()))
}

fn raws(node: Option<&Node>, key: &str, out: &mut Diagnostics) -> Vec<Raw> {
    let mut found = Vec::new();
    let items = node.map_or(&[] as &[Node], |n| match &n.value {
        Value::Map(_) => std::slice::from_ref(n),
        _ => n.items(),
    });
    for item in items {
        match &item.value {
            Value::Scalar { text, quoted } => found.push(match text.parse() {
                Ok(number) if !quoted => Raw::Number(number),
                _ => Raw::Text(text.clone()),
            }),
            _ => out.push(
                Diagnostic::at(&code::SCHEMA_VALUE, item.span, format!("`{key}` holds raw values, not lists or maps"))
                    .help(format!("for example `{key}: [-1, \"unknown\"]`")),
            ),
        }
    }
    found
}

/// `[LO, HI]` in quantities; whole ends stay whole, others are rounded to f32 (R6.1).
fn interval(node: &Node, key: &str, feature: &Feature, schema: &Schema, out: &mut Diagnostics) -> Option<Interval> {
    let ends: Vec<Option<f64>> = node.items().iter().map(|n| quantity(n.text()?, feature, schema)).collect();
    let Ok([Some(lo), Some(hi)]) = <[Option<f64>; 2]>::try_from(ends) else {
        let example = match feature.scale {
            Scale::Duration => "[1 s, 2 h]",
            Scale::Length => "[0 m, 5 km]",
            Scale::Probability => "[0, 1]",
            _ => "[0, 100]",
        };
        out.push(
            Diagnostic::at(
                &code::SCHEMA_VALUE,
                node.span,
                format!("`{key}` of feature `{}` is two quantities", feature.name),
            )
            .help(format!("for example `{key}: {example}`")),
        );
        return None;
    };
    if !feature.scale.is_number() && !matches!(feature.scale, Scale::Vector(_)) {
        out.push(Diagnostic::at(&code::SCHEMA_VALUE, node.span, format!("{} has no {key}", feature.scale.ty())));
        return None;
    }
    if lo > hi || lo.abs() > crate::types::LIMIT || hi.abs() > crate::types::LIMIT {
        out.push(Diagnostic::at(
            &code::INTERVAL_ORDER,
            node.span,
            format!("`{key}` is from a lower to a higher end within ±1e30"),
        ));
        return None;
    }
    let end = |v: f64| if feature.scale == Scale::Count { v } else { round_to_f32(v) };
    Some(Interval::new(end(lo), end(hi)))
}

/// A number as a schema writes it: plain for a plain number, `30%`, or with a unit of the dimension.
pub(crate) fn quantity(text: &str, feature: &Feature, schema: &Schema) -> Option<f64> {
    let dimension = feature.scale.ty().dimension();
    let text = text.trim().replace('_', "");
    if dimension.is_none() {
        return match text.strip_suffix('%') {
            Some(percent) => format!("{percent}e-2").parse().ok(),
            None => text.parse().ok(),
        }
        .filter(|v: &f64| v.is_finite());
    }
    let (number, unit) = text.split_once(' ')?;
    let unit = Unit::named(unit.trim(), schema.currency.as_deref()).filter(|u| u.dimension == dimension)?;
    Some(unit.to_base(number.parse().ok()?)).filter(|v| v.is_finite())
}
