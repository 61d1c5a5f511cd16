//! Tests in the file.

use pest::iterators::Pair;

use super::super::ast::{
    BinaryOp, Constant, Expect, Field, Name, Quantity, QuantityOf, Side, SideAtom, Spanned, StateEntry, StateValue,
    Test, TestEntry, TestItem, TestSpan, TestValue,
};
use super::{Builder, Rule};
use crate::diagnostic::{Diagnostic, code};
use crate::types::Host;

impl Builder<'_> {
    pub(super) fn test(&mut self, pair: Pair<'_, Rule>) -> Option<Test> {
        let mut parts = pair.into_inner();
        let name = parts.find(|p| p.as_rule() == Rule::text)?;
        let mut test = Test {
            name: self.text(name),
            host: None,
            spans: Vec::new(),
            request: Vec::new(),
            history: None,
            targets: None,
            state: Vec::new(),
            settings: Vec::new(),
            expects: Vec::new(),
        };
        // Items outside a `slate` or `group` form a group of their own.
        let mut loose = Vec::new();
        for part in parts {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::hosts => {
                    let names = self.names(part);
                    let host = names.first().and_then(|n| Host::named(&n.node));
                    if host.is_none() || names.len() > 1 {
                        self.found.push(
                            Diagnostic::at(&code::HOST_NOT_NAMED, span, "a test runs as one host")
                                .help("`for training`, `for serving` or `for logs`"),
                        );
                    }
                    test.host = host.map(|node| Spanned { node, span });
                }
                Rule::span_block => test.spans.push(self.span_block(part)?),
                Rule::item => loose.push(TestEntry::Item(self.item(part)?)),
                Rule::request_block => test.request = self.fields(part)?,
                Rule::list_block => {
                    let history = part.clone().into_inner().any(|p| p.as_rule() == Rule::w_history);
                    let mut items = Vec::new();
                    for item in part.into_inner().filter(|p| p.as_rule() == Rule::item) {
                        items.push(self.item(item)?);
                    }
                    let slot = if history { &mut test.history } else { &mut test.targets };
                    slot.get_or_insert_default().extend(items);
                }
                Rule::state_block => {
                    for entry in part.into_inner().filter(|p| p.as_rule() == Rule::state_entry) {
                        test.state.push(self.state_entry(entry)?);
                    }
                }
                Rule::with_setting => {
                    let mut inner = part.into_inner().skip(1);
                    let name = inner.next()?;
                    let name = self.name(&name);
                    let value = inner.find(|p| p.as_rule() == Rule::constant)?;
                    test.settings.push((name, self.constant(value)?));
                }
                Rule::expect => {
                    let node = self.expect(part.into_inner().nth(1)?)?;
                    test.expects.push(Spanned { node, span });
                }
                _ => {}
            }
        }
        if !loose.is_empty() {
            let n = loose.iter().map(|e| if let TestEntry::Item(i) = e { i.times } else { 0 }).sum();
            let size = Spanned { node: n, span: test.name.span };
            test.spans.push(TestSpan { slate: false, size, entries: loose });
        }
        Some(test)
    }

    fn span_block(&mut self, pair: Pair<'_, Rule>) -> Option<TestSpan> {
        let mut span =
            TestSpan { slate: false, size: Spanned { node: 0, span: self.span(&pair) }, entries: Vec::new() };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::w_slate => span.slate = true,
                Rule::int => span.size = self.int(&part),
                Rule::span_block => span.entries.push(TestEntry::Span(self.span_block(part)?)),
                Rule::item => span.entries.push(TestEntry::Item(self.item(part)?)),
                _ => {}
            }
        }
        Some(span)
    }

    fn item(&mut self, pair: Pair<'_, Rule>) -> Option<TestItem> {
        let place = self.span(&pair);
        let mut item = TestItem {
            times: 1,
            in_catalog: true,
            padding: false,
            fields: Vec::new(),
            span: Spanned { node: (), span: place },
        };
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::int => item.times = self.int(&part).node,
                Rule::item_entry => {
                    for entry in part.into_inner() {
                        match entry.as_rule() {
                            Rule::w_catalog => item.in_catalog = false,
                            Rule::w_padding => item.padding = true,
                            Rule::field => item.fields.push(self.field(entry)?),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Some(item)
    }

    fn fields(&mut self, pair: Pair<'_, Rule>) -> Option<Vec<Field>> {
        let mut fields = Vec::new();
        for part in pair.into_inner().filter(|p| p.as_rule() == Rule::field) {
            fields.push(self.field(part)?);
        }
        Some(fields)
    }

    fn field(&mut self, pair: Pair<'_, Rule>) -> Option<Field> {
        let mut inner = pair.into_inner();
        let (prefix, name) = self.dotted(inner.next()?)?;
        let value = inner.find(|p| p.as_rule() == Rule::value)?;
        Some(Field { prefix, name, value: self.value(value)? })
    }

    /// `name`, or `first.name`.
    fn dotted(&mut self, pair: Pair<'_, Rule>) -> Option<(Option<Name>, Name)> {
        let mut parts = pair.into_inner();
        let first = parts.next()?;
        let first = self.name(&first);
        Some(match parts.next() {
            Some(second) => (Some(first), self.name(&second)),
            None => (None, first),
        })
    }

    fn value(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<TestValue>> {
        let span = self.span(&pair);
        let inner = pair.into_inner().next()?;
        let node = match inner.as_rule() {
            Rule::slash_sid => {
                let codes: Result<Vec<u64>, _> = inner.as_str().split('/').map(str::parse).collect();
                TestValue::Sid(codes.unwrap_or_default())
            }
            Rule::value_list => {
                let mut items = Vec::new();
                for item in inner.into_inner().filter(|p| p.as_rule() == Rule::value) {
                    items.push(self.value(item)?);
                }
                TestValue::List(items)
            }
            Rule::constant => TestValue::Constant(self.constant(inner)?.node),
            _ => TestValue::Word(inner.as_str().to_string()),
        };
        Some(Spanned { node, span })
    }

    fn state_entry(&mut self, pair: Pair<'_, Rule>) -> Option<StateEntry> {
        let mut inner = pair.into_inner();
        let cap = inner.next()?;
        let cap = self.name(&cap);
        let mut fields = Vec::new();
        for field in inner.filter(|p| p.as_rule() == Rule::state_field) {
            let mut parts = field.into_inner();
            let name = parts.next()?;
            let name = self.name(&name);
            let value = parts.next()?;
            let value = if value.as_rule() == Rule::counts {
                StateValue::Counts(self.counts(value)?)
            } else {
                StateValue::Constant(self.constant(value)?)
            };
            fields.push((name, value));
        }
        Some(StateEntry { cap, fields })
    }

    fn counts(&mut self, pair: Pair<'_, Rule>) -> Option<Vec<(String, u64)>> {
        let mut counts = Vec::new();
        for entry in pair.into_inner().filter(|p| p.as_rule() == Rule::count_entry) {
            let mut parts = entry.into_inner();
            let key = parts.next()?;
            let key = if key.as_rule() == Rule::text { self.text(key).node } else { key.as_str().to_string() };
            let count = parts.find(|p| p.as_rule() == Rule::int)?;
            counts.push((key, self.int(&count).node));
        }
        Some(counts)
    }

    fn expect(&mut self, pair: Pair<'_, Rule>) -> Option<Expect> {
        let rule = pair.as_rule();
        let mut inner = pair.into_inner();
        match rule {
            Rule::expect_verdict => {
                let item = self.item_ref(inner.next()?)?;
                let mut names = inner.filter(|p| p.as_rule() == Rule::name);
                let verdict = names.next()?;
                let (verdict, reason) = (self.name(&verdict), names.next().map(|r| self.name(&r)));
                Some(Expect::Verdict { item, verdict, reason })
            }
            Rule::expect_null => {
                let quantity = self.quantity(inner.next()?)?;
                let negated = inner.any(|p| p.as_rule() == Rule::k_not);
                Some(Expect::Null { quantity, negated })
            }
            _ => {
                let left = self.side(inner.next()?)?;
                let op = inner.next()?;
                let op = match op.as_str() {
                    "==" => BinaryOp::Equal,
                    "!=" => BinaryOp::NotEqual,
                    "<" => BinaryOp::Less,
                    "<=" => BinaryOp::LessEqual,
                    ">" => BinaryOp::Greater,
                    _ => BinaryOp::GreaterEqual,
                };
                let right = self.side(inner.next()?)?;
                let within = match inner.next() {
                    Some(t) => {
                        let constant = t.into_inner().find(|p| p.as_rule() == Rule::constant)?;
                        Some(self.constant(constant)?)
                    }
                    None => None,
                };
                Some(Expect::Relation { left, op, right, within })
            }
        }
    }

    fn side(&mut self, pair: Pair<'_, Rule>) -> Option<Side> {
        let span = Spanned { node: (), span: self.span(&pair) };
        let (mut atoms, mut negative) = (Vec::new(), false);
        for part in pair.into_inner() {
            if part.as_rule() == Rule::sign {
                negative = part.as_str() == "-";
                continue;
            }
            let inner = part.into_inner().next()?;
            let atom = match inner.as_rule() {
                Rule::side_list => SideAtom::List(self.side_list(inner)?),
                Rule::constant => SideAtom::Constant(self.constant(inner)?),
                _ => SideAtom::Quantity(self.quantity(inner)?),
            };
            atoms.push((negative, atom));
            negative = false;
        }
        Some(Side { atoms, span })
    }

    fn side_list(&mut self, pair: Pair<'_, Rule>) -> Option<Vec<Option<Constant>>> {
        let mut values = Vec::new();
        for part in pair.into_inner().filter(|p| p.as_rule() == Rule::side_value) {
            let inner = part.into_inner().next()?;
            values.push(if inner.as_rule() == Rule::w_null { None } else { Some(self.constant(inner)?) });
        }
        Some(values)
    }

    fn quantity(&mut self, pair: Pair<'_, Rule>) -> Option<Quantity> {
        let mut inner = pair.into_inner();
        let (first, second) = self.dotted(inner.next()?)?;
        let (name, field) = match first {
            Some(name) => (name, Some(second)),
            None => (second, None),
        };
        let mut of = QuantityOf::All;
        while let Some(part) = inner.next() {
            match part.as_rule() {
                Rule::w_slate => of = QuantityOf::Slate,
                Rule::item_ref => {
                    let item = self.item_ref(part)?;
                    let level = inner.by_ref().find(|p| p.as_rule() == Rule::int).map(|level| self.int(&level));
                    of = QuantityOf::Item { item, level };
                }
                _ => {}
            }
        }
        Some(Quantity { name, field, of })
    }

    fn item_ref(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<u64>> {
        let int = pair.into_inner().find(|p| p.as_rule() == Rule::int)?;
        Some(self.int(&int))
    }
}
