//! Names: what a path means where it stands, and as whose value (R3.3).

use super::Checker;
use super::expr::no_sid;
use super::names::{Symbol, fn_key};
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::program::{Expr, ExprId, FeatureId, LetId, Op, SpanKind, Subject};
use crate::schema::Entity;
use crate::source::Span;
use crate::syntax::ast::Name;
use crate::types::{Availability, Interval, Level, Ty};

impl Checker {
    pub(super) fn path(&mut self, prefix: Option<&Name>, name: &Name, span: Span) -> Option<ExprId> {
        let Some(prefix) = prefix else { return self.plain(name, span) };
        match prefix.node.as_str() {
            "this" => {
                let fits = match self.scope.span {
                    Some(s) if s.of_candidates() => true,
                    Some(SpanKind::Levels) => matches!(name.node.as_str(), "level" | "code"),
                    _ => false,
                };
                if !fits {
                    return self.refuse(
                        Diagnostic::at(&code::PREFIX, prefix.span, format!("`this.{}` has no meaning here", name.node))
                            .help("`this.` is the candidate's own value inside `over slate`, `group` or `batch`; elsewhere a plain name is the candidate's"),
                    );
                }
                self.named(name, Subject::Own, span)
            }
            "past" | "wanted" => {
                let (list, subject) = if prefix.node == "past" {
                    (SpanKind::History, Subject::Past)
                } else {
                    (SpanKind::Targets, Subject::Wanted)
                };
                if self.scope.span != Some(list) && self.scope.entries != Some(list) {
                    let message = format!("`{}.{}` has no meaning here", prefix.node, name.node);
                    return self.refuse(Diagnostic::at(&code::PREFIX, prefix.span, message).help(format!(
                        "`{}.` is an entry's value inside `over {}`",
                        prefix.node,
                        list.as_str()
                    )));
                }
                self.named(name, subject, span)
            }
            _ if self.in_monitor => self.part(Some(prefix), name, None, span),
            other if self.names.lookup(other, prefix.span) == Some(Symbol::Part) => self.refuse(part_read(prefix)),
            other => {
                let near = did_you_mean(other, ["this", "past", "wanted"]);
                self.refuse(Diagnostic::at(&code::PREFIX, prefix.span, format!("`{other}.` is not a prefix")).help(
                    near.map_or("prefixes are `this.`, `past.` and `wanted.`".to_string(), |n| {
                        format!("did you mean `{n}.`?")
                    }),
                ))
            }
        }
    }

    fn plain(&mut self, name: &Name, span: Span) -> Option<ExprId> {
        if let Some(local) = self.locals.last().and_then(|l| l.get(&name.node)).copied() {
            // An argument is used again under the facts that hold here.
            let expr = self.program.expr(local?).clone();
            // Its place stays that of the argument.
            let place = expr.span;
            return Some(self.push(expr, place));
        }
        self.named(name, self.scope.plain(), span)
    }

    /// A name as the value of someone.
    fn named(&mut self, name: &Name, of: Subject, span: Span) -> Option<ExprId> {
        let outer = crate::types::VALUE_WORDS.contains(&name.node.as_str())
            || !matches!(self.names.lookup(&name.node, name.span), Some(Symbol::Param(_)) | None);
        if self.in_fn > 0 && outer {
            return self.refuse(
                Diagnostic::at(&code::UNKNOWN_NAME, name.span, format!("a `fn` cannot read `{}`", name.node))
                    .help("it reads its parameters, params and tables: hand it in as an argument"),
            );
        }
        match name.node.as_str() {
            "position" | "rollout" | "level" | "code" => return self.number_of_batch(name, of, span),
            "catalog" | "lowest" | "drop" => {
                return self.refuse(Diagnostic::at(&code::TYPE, span, format!("`{}` is not a value here", name.node)));
            }
            _ => {}
        }
        match self.names.lookup(&name.node, name.span) {
            Some(Symbol::Broken) => None,
            Some(Symbol::Feature(i)) => self.feature(i, name, of, span),
            Some(Symbol::Param(id)) => self.param(id, span),
            Some(Symbol::Let(i)) => self.let_reference(i, name, of, span),
            Some(Symbol::Part) if self.in_monitor => self.part(None, name, Some(of), span),
            Some(Symbol::Part) => self.refuse(part_read(name)),
            Some(Symbol::Rule) => self.refuse(
                Diagnostic::at(&code::PART_READ, name.span, format!("the rule `{}` cannot be read", name.node)).help(
                    "write its condition again, or give it a name with `let`; rates of rules are counted by verdict",
                ),
            ),
            Some(Symbol::Table(_)) => self.refuse(
                Diagnostic::at(&code::ARGUMENTS, name.span, format!("the table `{}` needs its keys", name.node))
                    .help(format!("write `{}(key)`", name.node)),
            ),
            Some(Symbol::List(_)) => self.refuse(
                Diagnostic::at(&code::TYPE, name.span, format!("the list `{}` stands behind `in`", name.node))
                    .help(format!("write `… in {}`", name.node)),
            ),
            None if self.in_monitor && crate::types::OUTPUT_NAMES.contains(&name.node.as_str()) => {
                self.part(None, name, Some(of), span)
            }
            None if crate::types::OUTPUT_NAMES.contains(&name.node.as_str()) => self.refuse(part_read(name)),
            None if self.names.lookup(&fn_key(&name.node), name.span).is_some() => self.refuse(
                Diagnostic::at(&code::ARGUMENTS, name.span, format!("the fn `{}` needs its arguments", name.node))
                    .help(format!("write `{}(…)`", name.node)),
            ),
            None => {
                let unknown = self.unknown(&name.node, name.span);
                self.refuse(unknown)
            }
        }
    }

    /// The program's id of a schema feature.
    pub(super) fn feature_id(&mut self, schema_index: usize) -> Option<FeatureId> {
        if let Some(id) = self.feature_ids.get(&schema_index) {
            return Some(*id);
        }
        let feature = self.schema.features.get(schema_index)?.clone();
        let id = FeatureId(self.program.features.len() as u32);
        if feature.scale == crate::types::Scale::Sid {
            self.program.sid_feature = Some(id);
        }
        self.program.features.push(feature);
        self.feature_ids.insert(schema_index, id);
        Some(id)
    }

    fn feature(&mut self, index: usize, name: &Name, of: Subject, span: Span) -> Option<ExprId> {
        let feature = self.schema.features.get(index)?.clone();
        let entry = matches!(of, Subject::Past | Subject::Wanted);
        if entry {
            let (list, word) = match of {
                Subject::Past => (self.schema.past.as_ref(), "past"),
                _ => (self.schema.wanted.as_ref(), "wanted"),
            };
            let features = list.map(|l| l.features.clone()).unwrap_or_default();
            if !features.contains(&feature.name) {
                let near = did_you_mean(&name.node, features.iter().map(String::as_str));
                return self.refuse(
                    Diagnostic::at(&code::SPAN, name.span, format!("entries of `{word}` have no `{}`", name.node))
                        .help(near.map_or_else(
                            || format!("the schema lists {}", features.join(", ")),
                            |n| format!("did you mean `{n}`?"),
                        )),
                );
            }
        } else if feature.entity == Entity::Target {
            return self.refuse(
                Diagnostic::at(&code::PREFIX, name.span, format!("`{}` belongs to targets", name.node))
                    .help(format!("write `wanted.{}` inside `over targets`", name.node)),
            );
        }
        let id = self.feature_id(index)?;
        let mut expr = self.combine(Op::Feature { id, of }, &[], feature.ty());
        expr.nullable = feature.nullable;
        expr.interval = if expr.ty.is_number() { feature.range } else { Interval::new(0.0, 1.0) };
        match of {
            Subject::Own => {
                expr.level = feature.entity.level();
                expr.reads_own = true;
            }
            Subject::Member => expr.reads_member = true,
            Subject::Past | Subject::Wanted => expr.reads_entry = true,
        }
        expr.availability = match of {
            Subject::Past => Availability::Request,
            Subject::Wanted => Availability::Target,
            _ if feature.scale == crate::types::Scale::Sid => Availability::Static,
            _ => feature.availability,
        };
        Some(self.push(expr, span))
    }

    fn param(&mut self, id: crate::program::ParamId, span: Span) -> Option<ExprId> {
        let param = self.program.params.get(id.index())?.clone();
        let mut expr = self.combine(Op::Param(id), &[], param.ty);
        expr.interval = param.range.unwrap_or(Interval::new(0.0, 1.0));
        Some(self.push(expr, span))
    }

    fn let_reference(&mut self, decl: usize, name: &Name, of: Subject, span: Span) -> Option<ExprId> {
        if matches!(of, Subject::Past | Subject::Wanted) {
            return self.refuse(
                Diagnostic::at(
                    &code::PREFIX,
                    name.span,
                    format!("the let `{}` belongs to candidates, not to entries", name.node),
                )
                .help("write its expression again on the entry's features"),
            );
        }
        let id = (*self.let_values.get(&decl)?)?;
        self.reference(id, of, span)
    }

    /// A reference to a let as the value of someone.
    pub(super) fn reference(&mut self, id: LetId, of: Subject, span: Span) -> Option<ExprId> {
        let value = self.program.lets.get(id.index())?.value;
        let value = self.program.expr(value).clone();
        let inner = self.scope.inner() && value.level == Level::Token;
        let mut expr =
            Expr { op: Op::Let { id, of, inner }, reads_entry: false, reads_member: false, reads_own: false, ..value };
        if of == Subject::Member && expr.level > Level::Batch {
            // The member's value; that of a token is at the level of the token around (R3.9).
            expr.reads_member = true;
            expr.level = if expr.level == Level::Token { Level::Token } else { Level::Constant };
        }
        if inner {
            expr.level = Level::Candidate;
        }
        expr.reads_own = of == Subject::Own && expr.level > Level::Constant;
        Some(self.push(expr, span))
    }

    /// `position rollout level code`: the batch's own numbers, from 1 (R3.2).
    fn number_of_batch(&mut self, name: &Name, of: Subject, span: Span) -> Option<ExprId> {
        let levels = self.program.n_levels() as f64;
        let inner = self.scope.inner() && !self.sources.slice(span).starts_with("this");
        let word = name.node.as_str();
        if matches!(word, "level" | "code") && levels == 0.0 {
            return self.refuse(no_sid(name.span));
        }
        if matches!(of, Subject::Past | Subject::Wanted) && word != "code" {
            return self.refuse(Diagnostic::at(&code::PREFIX, name.span, format!("entries have no `{word}`")));
        }
        let longest = self.schema.spans.longest;
        let op = match word {
            "position" => Op::Position(of),
            "rollout" => Op::Rollout(of),
            "level" => Op::Level { inner },
            _ => {
                let sid = self.schema.features.iter().position(|f| f.scale == crate::types::Scale::Sid)?;
                if let Subject::Past | Subject::Wanted = of {
                    let feature = self.schema.features.get(sid)?.name.clone();
                    let reading = Name { node: feature, span: name.span };
                    // Entries must have the SID at all.
                    self.feature(sid, &reading, of, span)?;
                }
                self.feature_id(sid)?;
                Op::Code { of, inner }
            }
        };
        let mut expr = self.combine(op, &[], Ty::WHOLE);
        expr.interval = match word {
            "position" => Interval::new(1.0, (longest.slate + longest.group) as f64),
            "rollout" => Interval::new(1.0, longest.group.max(longest.batch) as f64),
            "level" => Interval::new(1.0, levels),
            _ => Interval::new(0.0, self.program.sid_shape.iter().copied().max().map_or(0.0, |n| f64::from(n) - 1.0)),
        };
        match word {
            "position" | "rollout" => {
                expr.availability = Availability::Generated;
                expr.reads_slate = word == "position";
                if of == Subject::Member {
                    expr.reads_member = true
                } else {
                    expr.level = Level::Candidate
                }
                expr.reads_own = of == Subject::Own;
            }
            _ => {
                expr.availability = match of {
                    Subject::Wanted => Availability::Target,
                    _ => Availability::Code,
                };
                expr.level = if inner { Level::Candidate } else { Level::Token };
                expr.reads_own = of == Subject::Own && word == "code";
                expr.reads_member = of == Subject::Member && word == "code";
                expr.reads_entry = matches!(of, Subject::Past | Subject::Wanted);
            }
        }
        Some(self.push(expr, span))
    }
}

fn part_read(name: &Name) -> Diagnostic {
    Diagnostic::at(&code::PART_READ, name.span, format!("`{}` is part of the score and cannot be read here", name.node))
        .help("parts are read in `reward =`, in monitors and in tests; for anything else give the value a name with `let`")
}
