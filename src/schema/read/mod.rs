//! YAML → [`Schema`], every fault reported with its place.

mod feature;

pub(crate) use feature::quantity;

use super::feature::{Entity, Feature, Names};
use super::{
    CatalogDecl, KeyColumns, ListDecl, ListFrom, Longest, Resolve, Schema, SlateDecl, Source, Spans, TrainingDecl,
};
use crate::diagnostic::{Diagnostic, Diagnostics, code, did_you_mean};
use crate::source::{FileId, Span};
use crate::types::{Interval, Scale};
use crate::yaml::{self, Keys, Node, Value};
use feature::{feature, name_fault};

/// Reads a schema. With errors in `out` the schema given is incomplete.
pub fn read(text: &str, file: FileId, out: &mut Diagnostics) -> Schema {
    let root = match yaml::parse(text, file) {
        Ok(root) => root,
        Err(fault) => {
            out.push(fault);
            return Schema::default();
        }
    };
    let mut keys = Keys::of(&root, "the schema", out);
    let mut schema = Schema { name: keys.need_text("schema", out), ..Schema::default() };
    schema.version = keys.int("version", out).unwrap_or(1);
    if let Some((currency, span)) = keys.text("currency", out) {
        if currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase()) {
            schema.currency = Some(currency.to_string());
        } else {
            out.push(Diagnostic::at(&code::SCHEMA_VALUE, span, "a currency is three capitals, such as `CNY`"));
        }
    }
    schema.sources = sources(keys.take("sources"), out);
    let key_node = keys.take("keys");
    schema.keys = key_columns(key_node, out);
    schema.spans = spans(keys.take("spans"), out);
    schema.catalog = catalog(keys.take("catalog"), out);
    let lists = keys.take("lists");
    if let Some(node) = keys.take("features") {
        for (name, span, value) in Keys::of(node, "`features`", out).rest() {
            if let Some(feature) = feature(name, span, value, &schema, out) {
                schema.features.push(feature);
            }
        }
    }
    implied_keys(&mut schema, key_node.map_or(root.span, |n| n.span));
    if let Some(node) = lists {
        let mut lists = Keys::of(node, "`lists`", out);
        schema.past = lists.take("past").and_then(|n| list(n, "past", &schema, out));
        schema.wanted = lists.take("wanted").and_then(|n| list(n, "wanted", &schema, out));
        lists.finish(out);
    }
    for (i, source) in schema.sources.iter().enumerate().skip(1).filter(|(_, s)| s.key.is_none()) {
        let lists = [&schema.past, &schema.wanted].into_iter().flatten();
        if !lists.clone().any(|l| matches!(l.from, ListFrom::AsOf { source, .. } if source == i)) {
            let message = format!("source `{}` is joined, so it needs a `key`", source.name);
            out.push(Diagnostic::at(&code::SCHEMA_MISSING, source.span, message));
        }
    }
    if let Some(CatalogDecl { resolve: Resolve::By(name), span, .. }) = &schema.catalog {
        check_feature(name, *span, &schema, out);
    }
    // `item` may be the item key's own name: the output column of that name holds the same.
    let own_item = |name: &String| name == "item" && schema.keys.item.as_ref() == Some(name);
    let taken = |name: &&String| crate::types::OUTPUT_NAMES.contains(&name.as_str()) && !own_item(name);
    if let Some(name) = schema.key_columns().iter().find(taken) {
        let message = format!("`{name}` is a key column, which score files keep, and the name of an output column");
        out.push(
            Diagnostic::at(&code::SCHEMA_NAME, key_node.map_or(root.span, |n| n.span), message)
                .help("give the column another name in the data"),
        );
    }
    keys.finish(out);
    schema
}

fn sources(node: Option<&Node>, out: &mut Diagnostics) -> Vec<Source> {
    let Some(node) = node else { return Vec::new() };
    let mut found = Vec::new();
    for (name, span, value) in Keys::of(node, "`sources`", out).rest() {
        let mut keys = Keys::of(value, format!("source `{name}`"), out);
        let file = keys.need_text("file", out);
        let entity = match keys.text("entity", out) {
            Some((word, span)) => entity(word, span, out),
            None => Entity::Given,
        };
        let key = keys.text("key", out).map(|k| k.0.to_string());
        let may_miss = match keys.text("join", out) {
            Some(("may miss", _)) => true,
            None | Some(("must match", _)) => false,
            Some((other, span)) => {
                out.push(
                    Diagnostic::at(&code::SCHEMA_VALUE, span, format!("`{other}` is not a way to join"))
                        .help("`join: must match` or `join: may miss`"),
                );
                false
            }
        };
        let distinct = keys.texts("distinct", out).unwrap_or_default().into_iter().map(|t| t.0.to_string()).collect();
        let sees_future = keys.flag("sees_future", out);
        keys.finish(out);
        found.push(Source { name: name.to_string(), file, entity, key, may_miss, distinct, sees_future, span });
    }
    found
}

fn entity(word: &str, span: Span, out: &mut Diagnostics) -> Entity {
    Entity::named(word).unwrap_or_else(|| {
        let near = did_you_mean(word, Entity::WORDS);
        let help = near
            .map_or_else(|| format!("entities are {}", Entity::WORDS.join(", ")), |n| format!("did you mean `{n}`?"));
        out.push(Diagnostic::at(&code::SCHEMA_VALUE, span, format!("`{word}` is not an entity")).help(help));
        Entity::Given
    })
}

fn key_columns(node: Option<&Node>, out: &mut Diagnostics) -> KeyColumns {
    let Some(node) = node else { return KeyColumns::default() };
    let mut keys = Keys::of(node, "`keys`", out);
    let mut column = |name, out: &mut Diagnostics| keys.text(name, out).map(|k| k.0.to_string());
    let columns = KeyColumns {
        item: column("item", out),
        user: column("user", out),
        request: column("request", out),
        time: column("time", out),
        padding: column("padding", out),
    };
    keys.finish(out);
    columns
}

/// The item and user keys are id features of their entity, unless declared (docs/schema.md).
fn implied_keys(schema: &mut Schema, span: Span) {
    let implied = [(schema.keys.item.clone(), Entity::Item), (schema.keys.user.clone(), Entity::User)];
    for (name, entity) in implied {
        let Some(name) = name.filter(|n| schema.feature(n).is_none() && name_fault(n).is_none()) else { continue };
        schema.features.push(plain_feature(&name, entity, Scale::Id, span, vec![(0, name.clone())]));
    }
}

fn plain_feature(name: &str, entity: Entity, scale: Scale, span: Span, from: Vec<(usize, String)>) -> Feature {
    Feature {
        name: name.to_string(),
        entity,
        scale,
        from,
        unit: None,
        unit_word: None,
        range: scale.default_range().unwrap_or(Interval::new(0.0, 0.0)),
        missing: Vec::new(),
        nullable: false,
        clip: None,
        names: Names::Open,
        truths: Vec::new(),
        split: None,
        availability: entity.availability(),
        direction: None,
        example: None,
        about: None,
        shape: Vec::new(),
        span,
    }
}

fn spans(node: Option<&Node>, out: &mut Diagnostics) -> Spans {
    let Some(node) = node else { return Spans::default() };
    let mut keys = Keys::of(node, "`spans`", out);
    let words = |texts: Option<Vec<(&str, Span)>>| -> Vec<String> {
        texts.unwrap_or_default().into_iter().map(|t| t.0.to_string()).collect()
    };
    let request = words(keys.texts("request", out));
    let slate = keys.take("slate").and_then(|n| slate(n, out));
    let batch = keys.text("batch", out).map(|b| b.0.to_string());
    let training = keys.take("training").map(|n| training(n, out));
    let mut longest = Longest::default();
    if let Some(node) = keys.take("longest") {
        let mut sizes = Keys::of(node, "`longest`", out);
        for (key, slot) in [
            ("slate", &mut longest.slate),
            ("group", &mut longest.group),
            ("history", &mut longest.history),
            ("targets", &mut longest.targets),
            ("batch", &mut longest.batch),
        ] {
            if let Some(n) = sizes.int(key, out) {
                *slot = n.min(1_000_000_000);
            }
        }
        sizes.finish(out);
    }
    keys.finish(out);
    Spans { request, slate, batch, training, longest }
}

fn slate(node: &Node, out: &mut Diagnostics) -> Option<SlateDecl> {
    if !matches!(node.value, Value::Map(_)) {
        out.push(Diagnostic::at(&code::SCHEMA_VALUE, node.span, "a slate is either made or logged").help(
            "`slate: {by: [slate_id], position: pos}` or `slate: {made: {every: 10, per: request, order: [time]}}`",
        ));
        return None;
    }
    let mut keys = Keys::of(node, "`slate`", out);
    let made = keys.take("made");
    let by = keys.texts("by", out);
    let position = keys.text("position", out).map(|p| p.0.to_string());
    keys.finish(out);
    let words = |texts: Vec<(&str, Span)>| texts.into_iter().map(|t| t.0.to_string()).collect();
    match (made, by) {
        (Some(made), None) => {
            let mut keys = Keys::of(made, "`made`", out);
            let every = keys.int("every", out).unwrap_or(10);
            if let Some((other, span)) = keys.text("per", out).filter(|p| p.0 != "request") {
                out.push(Diagnostic::at(
                    &code::SCHEMA_VALUE,
                    span,
                    format!("slates are made per request, not per `{other}`"),
                ));
            }
            let order = words(keys.texts("order", out).unwrap_or_default());
            let keep_short = match keys.text("last", out) {
                None | Some(("keep_short", _)) => true,
                Some(("drop_short", _)) => false,
                Some((other, span)) => {
                    out.push(
                        Diagnostic::at(&code::SCHEMA_VALUE, span, format!("`{other}` is not a way to end"))
                            .help("`last: keep_short` or `last: drop_short`"),
                    );
                    true
                }
            };
            keys.finish(out);
            Some(SlateDecl::Made { every, order, keep_short })
        }
        (None, Some(by)) => Some(SlateDecl::Logged { by: words(by), position }),
        _ => {
            out.push(Diagnostic::at(&code::SCHEMA_VALUE, node.span, "a slate is either made or logged").help(
                "`slate: {by: [slate_id], position: pos}` or `slate: {made: {every: 10, per: request, order: [time]}}`",
            ));
            None
        }
    }
}

fn training(node: &Node, out: &mut Diagnostics) -> TrainingDecl {
    let mut keys = Keys::of(node, "`training`", out);
    let mut found = TrainingDecl { slate_first: None, beam_order: true };
    if let Some((text, span)) = keys.text("slate", out) {
        let words: Vec<&str> = text.split_whitespace().collect();
        found.slate_first = match words.as_slice() {
            ["first", n, "of", "group"] => n.parse().ok().filter(|n| *n > 0),
            _ => None,
        };
        if found.slate_first.is_none() {
            out.push(
                Diagnostic::at(&code::SCHEMA_VALUE, span, "this does not say what stands for the slate")
                    .help("for example `slate: first 10 of group`"),
            );
        }
    }
    match keys.text("order", out) {
        None | Some(("beam", _)) => {}
        Some(("sampled", _)) => found.beam_order = false,
        Some((other, span)) => out.push(
            Diagnostic::at(&code::SCHEMA_VALUE, span, format!("`{other}` is not an order of rollouts"))
                .help("`order: beam` or `order: sampled`"),
        ),
    }
    keys.finish(out);
    found
}

fn catalog(node: Option<&Node>, out: &mut Diagnostics) -> Option<CatalogDecl> {
    let node = node?;
    let mut keys = Keys::of(node, "`catalog`", out);
    let file = keys.need_text("file", out);
    let item = keys.need_text("item", out);
    let sid = keys.text("sid", out).map_or("sid", |s| s.0).to_string();
    let resolve = match keys.text("resolve", out) {
        None | Some(("first", _)) => Resolve::First,
        Some((text, span)) => match text.strip_prefix("by ") {
            Some(name) => Resolve::By(name.trim().to_string()),
            None => {
                out.push(
                    Diagnostic::at(&code::SCHEMA_VALUE, span, format!("`{text}` is not a way to resolve"))
                        .help("`resolve: first` or `resolve: by FEATURE`"),
                );
                Resolve::First
            }
        },
    };
    keys.finish(out);
    Some(CatalogDecl { file, item, sid, resolve, span: node.span })
}

fn list(node: &Node, which: &str, schema: &Schema, out: &mut Diagnostics) -> Option<ListDecl> {
    let mut keys = Keys::of(node, format!("list `{which}`"), out);
    let from = keys.text("from", out);
    let by = keys.text("by", out);
    let before = keys.text("before", out);
    let after = keys.text("after", out);
    let last = keys.int("last", out);
    let features = keys.texts("features", out).unwrap_or_default();
    keys.finish(out);
    for (name, span) in &features {
        check_feature(name, *span, schema, out);
    }
    let from = match from {
        None | Some(("row", _)) => ListFrom::Row,
        Some((name, span)) => {
            let Some(source) = schema.source(name) else {
                out.push(
                    Diagnostic::at(&code::SCHEMA_REFERENCE, span, format!("there is no source `{name}`"))
                        .help("`from:` names a source, or is `row` for list columns"),
                );
                return None;
            };
            let time = before.or(after);
            let (Some((by, _)), Some((time, _))) = (by, time) else {
                out.push(
                    Diagnostic::at(&code::SCHEMA_MISSING, node.span, format!("list `{which}` needs `by` and `before`"))
                        .help("whose entries they are, and the column of time that they lie before"),
                );
                return None;
            };
            ListFrom::AsOf { source, by: by.to_string(), time: time.to_string(), after: after.is_some() }
        }
    };
    Some(ListDecl { from, last, features: features.into_iter().map(|f| f.0.to_string()).collect(), span: node.span })
}

fn check_feature(name: &str, span: Span, schema: &Schema, out: &mut Diagnostics) {
    if schema.feature(name).is_none() {
        let near = did_you_mean(name, schema.features.iter().map(|f| f.name.as_str()));
        out.push(
            Diagnostic::at(&code::SCHEMA_REFERENCE, span, format!("there is no feature `{name}`"))
                .maybe_help(near.map(|n| format!("did you mean `{n}`?"))),
        );
    }
}
