//! A test's items as a batch.

use std::borrow::Cow;

use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::eval::batch::{By, Column, List, Slates, Texts, Values};
use crate::eval::{Batch, Reason};
use crate::program::{FeatureId, Program};
use crate::schema::{Entity, Feature, ListDecl, ListFrom, Schema, SlateDecl};
use crate::source::Span;
use crate::syntax::ast::{ConstantKind, Field, Number, Spanned, Test, TestEntry, TestItem, TestSpan, TestValue};
use crate::types::{Host, Level, Scale, Unit, round_to_f32};

/// Rows of a test, flat, with the request and slate of each.
#[derive(Default)]
struct Rows<'t> {
    items: Vec<&'t TestItem>,
    request_of: Vec<u32>,
    slate_of: Vec<Option<u32>>,
    n_slates: u32,
}

/// Builds the batch of a test; what cannot be built is in `faults`.
pub fn batch(
    program: &Program,
    schema: &Schema,
    test: &Test,
    host: Host,
    faults: &mut Vec<Diagnostic>,
) -> Batch<'static> {
    let mut rows = Rows::default();
    for (request, span) in test.spans.iter().enumerate() {
        flatten(span, request as u32, None, &mut rows, faults);
    }
    if rows.items.len() > 100_000 {
        faults.push(Diagnostic::at(&code::TEST_REFUSED, test.name.span, "a test of more than 100,000 items"));
        return Batch::default();
    }
    let n = rows.items.len();
    let mut rollout = Vec::with_capacity(n);
    let mut seen = vec![0u32; test.spans.len()];
    for request in &rows.request_of {
        if let Some(count) = seen.get_mut(*request as usize) {
            *count += 1;
            rollout.push(*count);
        }
    }
    let mut batch = Batch {
        n_rows: n,
        request_keys: (1..=test.spans.len()).map(|i| i.to_string()).collect(),
        batch_of: vec![0; n],
        slates: slates(&rows, schema, host, &rollout),
        excluded: rows.items.iter().map(|i| i.padding.then_some(Reason::Padding)).collect(),
        request_of: rows.request_of.clone(),
        rollout,
        ..Batch::default()
    };
    let mut columns = Columns { schema, texts: Texts::default(), fresh: 0, written: written_sids(test, &rows), faults };
    check_fields(schema, test, &rows, columns.faults);
    let own = program.own_features(host);
    for (i, feature) in program.features.iter().enumerate() {
        let id = FeatureId(i as u32);
        if !own.contains(&id) {
            batch.features.push(None);
            continue;
        }
        let requested = feature.entity.level() == Level::Request;
        let column = if requested {
            let value = test.request.iter().find(|f| f.name.node == feature.name);
            columns.column(feature, &vec![value; test.spans.len()], test.name.span, By::Request)
        } else {
            let values: Vec<Option<&Field>> =
                rows.items.iter().map(|i| i.fields.iter().find(|f| f.name.node == feature.name)).collect();
            columns.column(feature, &values, test.name.span, By::Row)
        };
        batch.features.push(Some(column));
        if feature.scale == Scale::Sid || schema.keys.item.as_deref() == Some(feature.name.as_str()) {
            batch.in_catalog.insert(id, rows.items.iter().map(|i| i.in_catalog).collect());
        }
    }
    let (past, wanted) = (test.history.as_deref().unwrap_or(&[]), test.targets.as_deref().unwrap_or(&[]));
    batch.past = list(schema.past.as_ref(), past, program, &mut columns, &batch, test.name.span);
    batch.wanted = list(schema.wanted.as_ref(), wanted, program, &mut columns, &batch, test.name.span);
    batch.texts = columns.texts;
    batch
}

fn flatten<'t>(
    span: &'t TestSpan,
    request: u32,
    slate: Option<u32>,
    rows: &mut Rows<'t>,
    faults: &mut Vec<Diagnostic>,
) {
    let before = rows.items.len();
    let slate = if span.slate {
        rows.n_slates += 1;
        Some(rows.n_slates - 1)
    } else {
        slate
    };
    for entry in &span.entries {
        match entry {
            TestEntry::Span(inner) => flatten(inner, request, slate, rows, faults),
            TestEntry::Item(item) => {
                for _ in 0..item.times.min(100_001) {
                    rows.items.push(item);
                    rows.request_of.push(request);
                    rows.slate_of.push(slate);
                }
            }
        }
    }
    let found = rows.items.len() - before;
    if found as u64 != span.size.node {
        let word = if span.slate { "slate" } else { "group" };
        faults.push(Diagnostic::at(
            &code::TEST_REFUSED,
            span.size.span,
            format!("this {word} is of {}, and holds {found} items", span.size.node),
        ));
    }
}

/// Slates as the test writes them; for a bare group what the schema says stands for them.
fn slates(rows: &Rows<'_>, schema: &Schema, host: Host, rollout: &[u32]) -> Option<Slates> {
    let n = rows.items.len();
    let mut slates = Slates { of: vec![0; n], position: vec![0; n], behind: vec![false; n], count: 0 };
    if rows.n_slates > 0 {
        slates.count = rows.n_slates as usize;
        let mut places = vec![0u32; slates.count];
        let mut last = 0u32;
        for row in 0..n {
            let slate = rows.slate_of.get(row).copied().flatten();
            last = slate.unwrap_or(last);
            let place = places.get_mut(last as usize)?;
            *place += 1;
            *slates.of.get_mut(row)? = last;
            *slates.position.get_mut(row)? = *place;
            *slates.behind.get_mut(row)? = slate.is_none();
        }
        return Some(slates);
    }
    let first = schema.spans.training.as_ref().and_then(|t| t.slate_first);
    let (every, cut) = match (host, first, &schema.spans.slate) {
        (Host::Training, Some(first), _) => (first as u32, false),
        (Host::Logs, _, Some(SlateDecl::Made { every, .. })) => (*every as u32, true),
        _ => return None,
    };
    let mut numbers = std::collections::BTreeMap::new();
    for row in 0..n {
        let (request, place) = (*rows.request_of.get(row)?, *rollout.get(row)? - 1);
        let piece = if cut { place / every } else { 0 };
        let next = numbers.len() as u32;
        *slates.of.get_mut(row)? = *numbers.entry((request, piece)).or_insert(next);
        *slates.position.get_mut(row)? = if cut { place % every } else { place } + 1;
        *slates.behind.get_mut(row)? = !cut && place >= every;
    }
    slates.count = numbers.len();
    Some(slates)
}

/// Names in a test are features of the schema, each in its place.
fn check_fields(schema: &Schema, test: &Test, rows: &Rows<'_>, faults: &mut Vec<Diagnostic>) {
    let mut checked: Vec<Span> = Vec::new();
    let lists = test.history.iter().chain(&test.targets).flatten();
    let items = rows.items.iter().copied().chain(lists).flat_map(|i| i.fields.iter().map(|f| (f, false)));
    for (field, in_request) in items.chain(test.request.iter().map(|f| (f, true))) {
        if checked.contains(&field.name.span) {
            continue;
        }
        checked.push(field.name.span);
        match schema.feature(&field.name.node) {
            None => {
                let near = did_you_mean(&field.name.node, schema.features.iter().map(|f| f.name.as_str()));
                faults.push(
                    Diagnostic::at(
                        &code::UNKNOWN_NAME,
                        field.name.span,
                        format!("the schema has no feature `{}`", field.name.node),
                    )
                    .maybe_help(near.map(|n| format!("did you mean `{n}`?"))),
                );
            }
            Some(f) if in_request && f.entity.level() != Level::Request => faults.push(Diagnostic::at(
                &code::TEST_REFUSED,
                field.name.span,
                format!("`{}` belongs to items, not to the request", f.name),
            )),
            Some(f) if !in_request && f.entity.level() == Level::Request => faults.push(
                Diagnostic::at(&code::TEST_REFUSED, field.name.span, format!("`{}` belongs to the request", f.name))
                    .help(format!("write `request {{ {}: … }}`", f.name)),
            ),
            Some(_) => {}
        }
    }
}

fn list(
    decl: Option<&ListDecl>,
    items: &[TestItem],
    program: &Program,
    columns: &mut Columns<'_>,
    batch: &Batch<'static>,
    place: Span,
) -> Option<List<'static>> {
    let decl = decl?;
    let all: Vec<&TestItem> = items.iter().flat_map(|i| std::iter::repeat_n(i, i.times.min(10_000) as usize)).collect();
    let mut found = Vec::new();
    for feature in &program.features {
        if !decl.features.contains(&feature.name) {
            found.push(None);
            continue;
        }
        let values: Vec<Option<&Field>> =
            all.iter().map(|i| i.fields.iter().find(|f| f.name.node == feature.name)).collect();
        found.push(Some(columns.column(feature, &values, place, By::Row)));
    }
    let (by, holders) = match decl.from {
        ListFrom::Row => (By::Request, batch.request_keys.len()),
        ListFrom::AsOf { .. } => (By::Row, batch.n_rows),
    };
    let n = all.len() as u32;
    Some(List { by, ranges: vec![(0, n); holders], index: Cow::Owned((0..n).collect()), columns: found })
}

/// Makes columns of test values.
struct Columns<'a> {
    schema: &'a Schema,
    texts: Texts,
    fresh: u32,
    /// SIDs that the test writes itself; fresh ones differ from them.
    written: std::collections::BTreeSet<Vec<u32>>,
    faults: &'a mut Vec<Diagnostic>,
}

impl Columns<'_> {
    fn column(&mut self, feature: &Feature, values: &[Option<&Field>], place: Span, by: By) -> Column<'static> {
        let cells: Vec<Option<Cell>> = values.iter().map(|v| self.cell(feature, *v, place)).collect();
        let valid: Vec<bool> = cells.iter().map(Option::is_some).collect();
        Column { by, values: pack(feature, cells), valid: Some(Cow::Owned(valid)) }
    }

    /// A written value, or what an item has that leaves it out.
    fn cell(&mut self, feature: &Feature, written: Option<&Field>, place: Span) -> Option<Cell> {
        if let Some(field) = written {
            return self.value(feature, &field.value);
        }
        match feature.scale {
            Scale::Id => {
                self.fresh += 1;
                let text = format!("{}_{}", feature.name, self.fresh);
                return Some(Cell::Text(self.texts.number(&text)));
            }
            Scale::Sid => return self.fresh_sid(&feature.shape, place),
            _ if feature.nullable => return None,
            _ => {}
        }
        if let Some((example, span)) = &feature.example {
            let built = self.example(feature, example);
            if built.is_none() {
                let message = format!("`example: {example}` of feature `{}` is not one of its values", feature.name);
                self.fault(Diagnostic::at(&code::TEST_REFUSED, *span, message));
            }
            return built;
        }
        if feature.entity == Entity::Target {
            return None;
        }
        self.fault(
            Diagnostic::at(&code::TEST_REFUSED, place, format!("an item of this test has no `{}`", feature.name)).help(
                format!("write it, or give the feature an `example:` in the schema ({:?})", feature.scale)
                    .to_lowercase(),
            ),
        );
        None
    }

    /// A SID that nothing else in the test has.
    fn fresh_sid(&mut self, shape: &[u32], place: Span) -> Option<Cell> {
        let most = shape.iter().fold(1u64, |n, size| n.saturating_mul(u64::from(*size)));
        while u64::from(self.fresh) < most {
            let codes = numbered_sid(self.fresh, shape);
            self.fresh += 1;
            if !self.written.contains(&codes) {
                return Some(Cell::Codes(codes));
            }
        }
        self.fault(Diagnostic::at(
            &code::TEST_REFUSED,
            place,
            format!("this test has more items than the {most} SIDs of the schema's shape"),
        ));
        None
    }

    fn fault(&mut self, diagnostic: Diagnostic) {
        if !self.faults.contains(&diagnostic) {
            self.faults.push(diagnostic);
        }
    }

    fn wrong(&mut self, feature: &Feature, span: Span) -> Option<Cell> {
        let message = format!("`{}` is {}, this is not", feature.name, feature.ty());
        self.fault(Diagnostic::at(&code::TEST_REFUSED, span, message));
        None
    }

    fn value(&mut self, feature: &Feature, value: &Spanned<TestValue>) -> Option<Cell> {
        let built = match &value.node {
            TestValue::Word(word) if word == "missing" => return None,
            TestValue::Word(_) => None,
            TestValue::Sid(codes) if feature.scale == Scale::Sid => {
                Some(Cell::Codes(codes.iter().map(|c| u32::try_from(*c).unwrap_or(u32::MAX)).collect()))
            }
            TestValue::Sid(_) => None,
            TestValue::Constant(constant) => self.constant(feature, constant),
            TestValue::List(items) => self.list(feature, items),
        };
        if built.is_some() { built } else { self.wrong(feature, value.span) }
    }

    fn constant(&mut self, feature: &Feature, constant: &ConstantKind) -> Option<Cell> {
        match (constant, feature.scale) {
            (ConstantKind::Bool(b), Scale::Bool) => Some(Cell::Bool(*b)),
            (ConstantKind::Text(t), Scale::Category | Scale::Id) => Some(Cell::Text(self.texts.number(t))),
            (ConstantKind::Number { number, negative: false }, Scale::Id) if number.is_whole() => {
                Some(Cell::Text(self.texts.number(&number.digits)))
            }
            (ConstantKind::Number { number, negative: false }, Scale::Sid)
                if number.is_whole() && feature.shape.len() == 1 =>
            {
                Some(Cell::Codes(vec![number.digits.parse().unwrap_or(u32::MAX)]))
            }
            (ConstantKind::Number { number, negative }, scale) if scale.is_number() => {
                let value = self.number(feature, number)?;
                Some(Cell::Number(if *negative { -value } else { value }))
            }
            _ => None,
        }
    }

    fn number(&self, feature: &Feature, number: &Number) -> Option<f64> {
        let dimension = feature.scale.ty().dimension();
        let value = match &number.unit {
            None if dimension.is_none() && number.is_whole() && feature.scale == Scale::Count => number.decimal(),
            None if dimension.is_none() => number.single(),
            None => return None,
            Some(word) => {
                let unit = Unit::named(word, self.schema.currency.as_deref()).filter(|u| u.dimension == dimension)?;
                round_to_f32(unit.to_base(number.decimal()))
            }
        };
        Some(value)
    }

    fn list(&mut self, feature: &Feature, items: &[Spanned<TestValue>]) -> Option<Cell> {
        match feature.scale {
            Scale::Set => {
                let mut members = Vec::new();
                for item in items {
                    let TestValue::Constant(ConstantKind::Text(t)) = &item.node else { return None };
                    members.push(self.texts.number(t));
                }
                Some(Cell::Codes(members))
            }
            Scale::Vector(size) if size == items.len() => {
                let mut numbers = Vec::new();
                for item in items {
                    let TestValue::Constant(ConstantKind::Number { number, negative }) = &item.node else {
                        return None;
                    };
                    numbers.push(number.single() as f32 * if *negative { -1.0 } else { 1.0 });
                }
                Some(Cell::Vector(numbers))
            }
            _ => None,
        }
    }

    /// `example:` of the schema, as YAML writes it.
    fn example(&mut self, feature: &Feature, text: &str) -> Option<Cell> {
        match feature.scale {
            Scale::Bool => text.parse().ok().map(Cell::Bool),
            Scale::Category => Some(Cell::Text(self.texts.number(text))),
            Scale::Set => {
                Some(Cell::Codes(text.split('|').filter(|t| !t.is_empty()).map(|t| self.texts.number(t)).collect()))
            }
            Scale::Vector(size) => {
                let numbers: Option<Vec<f32>> = text.split('|').map(|t| t.parse().ok()).collect();
                numbers.filter(|n| n.len() == size).map(Cell::Vector)
            }
            _ => {
                let value = crate::schema::quantity(text, feature, self.schema)?;
                Some(Cell::Number(if feature.scale == Scale::Count { value } else { round_to_f32(value) }))
            }
        }
    }
}

/// SIDs that stand in a test.
fn written_sids(test: &Test, rows: &Rows<'_>) -> std::collections::BTreeSet<Vec<u32>> {
    let lists = test.history.iter().chain(&test.targets).flatten();
    rows.items
        .iter()
        .copied()
        .chain(lists)
        .flat_map(|i| &i.fields)
        .filter_map(|f| match &f.value.node {
            TestValue::Sid(codes) => Some(codes.iter().map(|c| u32::try_from(*c).unwrap_or(u32::MAX)).collect()),
            _ => None,
        })
        .collect()
}

/// A number in mixed base, last level fastest.
fn numbered_sid(mut number: u32, shape: &[u32]) -> Vec<u32> {
    let mut codes = vec![0; shape.len()];
    for (code, size) in codes.iter_mut().zip(shape).rev() {
        *code = number % size;
        number /= size;
    }
    codes
}

/// One cell before packing.
enum Cell {
    Number(f64),
    Bool(bool),
    Text(u32),
    /// Codes of a SID, or members of a set.
    Codes(Vec<u32>),
    Vector(Vec<f32>),
}

fn pack(feature: &Feature, cells: Vec<Option<Cell>>) -> Values<'static> {
    let number = |c: &Option<Cell>| if let Some(Cell::Number(n)) = c { *n } else { 0.0 };
    match feature.scale {
        Scale::Count => Values::Whole(cells.iter().map(number).collect()),
        Scale::Bool => Values::Bool(cells.iter().map(|c| matches!(c, Some(Cell::Bool(true)))).collect()),
        Scale::Category | Scale::Id => {
            Values::Text(cells.iter().map(|c| if let Some(Cell::Text(t)) = c { *t } else { 0 }).collect())
        }
        Scale::Sid | Scale::Set => {
            let (mut all, mut offsets) = (Vec::new(), vec![0u32]);
            for cell in cells {
                if let Some(Cell::Codes(codes)) = cell {
                    all.extend(codes);
                }
                offsets.push(all.len() as u32);
            }
            if feature.scale == Scale::Sid {
                Values::Sid { codes: all.into(), offsets: offsets.into() }
            } else {
                Values::Set { members: all.into(), offsets: offsets.into() }
            }
        }
        Scale::Vector(size) => {
            let mut values = Vec::new();
            for cell in cells {
                match cell {
                    Some(Cell::Vector(v)) => values.extend(v),
                    _ => values.extend(std::iter::repeat_n(0.0f32, size)),
                }
            }
            Values::Vector { size, values: values.into() }
        }
        _ => Values::Real(cells.iter().map(|c| number(c) as f32).collect()),
    }
}
