//! Calls: functions of the language, `fn`s of the file, tables.

use super::Checker;
use super::names::{Symbol, fn_key};
use crate::builtins::{self, Function, Signature};
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::program::{Constant, ExprId, Op};
use crate::source::Span;
use crate::syntax::ast::{self, DeclKind, ExprKind, Name};
use crate::types::{Dimension, Interval, Level, Ty, shown_number};

/// Deepest nesting of `fn` calls.
const MAX_CALLS: usize = 64;

impl Checker {
    pub(super) fn call(
        &mut self,
        name: &Name,
        args: &[ast::Expr],
        among: Option<&ast::Expr>,
        span: Span,
    ) -> Option<ExprId> {
        if let Some(among) = among {
            return self.refuse(
                Diagnostic::at(&code::ARGUMENTS, among.span, "`among` needs a span behind it")
                    .help("`percentile(x among y over group)`"),
            );
        }
        let key = fn_key(&name.node);
        match self.names.lookup(&key, name.span) {
            Some(Symbol::Let(decl)) => return self.expand(decl, name, args, span),
            Some(Symbol::Broken) => return None,
            _ => {}
        }
        if let Some(function) = builtins::function(&name.node) {
            return self.builtin(function, args, span);
        }
        if let Some(Symbol::Table(table)) = self.names.lookup(&name.node, name.span) {
            return self.lookup(table, args, span);
        }
        if let Some(aggregate) = builtins::aggregate(&name.node) {
            return self.refuse(
                Diagnostic::at(&code::ARGUMENTS, span, format!("`{}` works over a span", name.node)).help(format!(
                    "write `{}`, S one of slate, group, batch, history, targets, levels",
                    aggregate.form
                )),
            );
        }
        let own: Vec<String> =
            self.names.visible(name.span).filter_map(|(k, _)| k.strip_prefix("fn ")).map(str::to_string).collect();
        let near =
            did_you_mean(&name.node, builtins::names().map(|n| -> &str { n }).chain(own.iter().map(String::as_str)));
        let is_let = matches!(
            self.names.lookup(&name.node, name.span),
            Some(Symbol::Let(_) | Symbol::Feature(_) | Symbol::Param(_))
        );
        let diagnostic =
            Diagnostic::at(&code::UNKNOWN_FUNCTION, name.span, format!("there is no function `{}`", name.node)).help(
                match near {
                    _ if is_let => format!("`{}` is a value, not a function", name.node),
                    Some(n) => format!("did you mean `{n}`?"),
                    None => format!(
                        "functions are {}",
                        builtins::FUNCTIONS.iter().map(|f| f.name).collect::<Vec<_>>().join(", ")
                    ),
                },
            );
        self.refuse(diagnostic)
    }

    /// Expands a `fn`: its body with the arguments in place.
    fn expand(&mut self, decl: usize, name: &Name, args: &[ast::Expr], span: Span) -> Option<ExprId> {
        if self.let_values.get(&decl) == Some(&None) {
            return None;
        }
        self.called.insert(decl);
        let DeclKind::Fn { params, body, .. } = self.decls.get(decl)?.kind.clone() else { return None };
        if params.len() != args.len() {
            let expected =
                params.iter().map(|(n, s)| format!("{}: {:?}", n.node, s.node)).collect::<Vec<_>>().join(", ");
            return self.refuse(
                Diagnostic::at(
                    &code::ARGUMENTS,
                    span,
                    format!("`{}` takes {}, {}", name.node, arguments(params.len()), given(args.len())),
                )
                .help(format!("{}({})", name.node, expected.to_lowercase())),
            );
        }
        if self.locals.len() >= MAX_CALLS {
            return self.refuse(Diagnostic::at(
                &code::NESTING,
                span,
                format!("`fn`s call each other more than {MAX_CALLS} deep"),
            ));
        }
        let mut locals = std::collections::HashMap::new();
        for ((param, scale), arg) in params.iter().zip(args) {
            let built = self.expr(arg);
            let built = built.filter(|id| {
                let found = self.program.expr(*id).ty.clone();
                let wanted = scale.node.ty();
                let fits = match (&wanted, &found) {
                    (Ty::Number { dimension: a, whole }, Ty::Number { dimension: b, whole: is }) => {
                        a == b && (!whole || *is)
                    }
                    (Ty::Category(_), Ty::Category(_) | Ty::Text) | (Ty::Id, Ty::Text) => true,
                    (a, b) => a == b,
                };
                if !fits {
                    let code = if wanted.is_number() && found.is_number() && wanted.dimension() != found.dimension() {
                        &code::DIMENSION
                    } else {
                        &code::TYPE
                    };
                    self.error(
                        Diagnostic::at(
                            code,
                            arg.span,
                            format!("`{}` of `{}` is {wanted}, this is {found}", param.node, name.node),
                        )
                        .also(param.span, "declared here"),
                    );
                }
                fits
            });
            locals.insert(param.node.clone(), built);
        }
        self.locals.push(locals);
        self.in_fn += 1;
        let built = self.expr(&body);
        self.in_fn -= 1;
        self.locals.pop();
        built
    }

    fn lookup(&mut self, table: crate::program::TableId, args: &[ast::Expr], span: Span) -> Option<ExprId> {
        let (keys, range) = self.table_shape(table)?;
        if keys.len() != args.len() {
            let shown = keys.join(", ");
            return self.refuse(
                Diagnostic::at(
                    &code::ARGUMENTS,
                    span,
                    format!(
                        "this table has {}, {}",
                        if keys.len() == 1 { "1 key".into() } else { format!("{} keys", keys.len()) },
                        given(args.len())
                    ),
                )
                .help(format!("its keys are {shown}")),
            );
        }
        let mut built = Vec::new();
        for (arg, key) in args.iter().zip(&keys) {
            let id = self.known(arg)?;
            let ty = self.program.expr(id).ty.clone();
            if !matches!(ty, Ty::Id | Ty::Category(_) | Ty::Text | Ty::Bool | Ty::Number { whole: true, .. }) {
                return self.refuse(Diagnostic::at(
                    &code::TYPE,
                    arg.span,
                    format!("the key `{key}` is an id, a category or a whole number, this is {ty}"),
                ));
            }
            built.push(id);
        }
        let (ty, interval) = range;
        let operands = built.clone();
        let mut expr = self.combine(Op::Lookup { table, keys: built.into() }, &operands, ty);
        expr.nullable = true;
        expr.interval = interval;
        Some(self.push(expr, span))
    }

    fn builtin(&mut self, function: &'static Function, args: &[ast::Expr], span: Span) -> Option<ExprId> {
        let (least, most) = function.arity;
        if args.len() < least || args.len() > most {
            let takes = if least == most { least.to_string() } else { format!("{least} to {most}") };
            let takes = if takes == "1" { "1 argument".to_string() } else { format!("{takes} arguments") };
            return self.refuse(
                Diagnostic::at(
                    &code::ARGUMENTS,
                    span,
                    format!("`{}` takes {takes}, {}", function.name, given(args.len())),
                )
                .help(format!("`{}`", function.form)),
            );
        }
        if function.signature == Signature::Band {
            return self.band(function, args, span);
        }
        let mut built = Vec::new();
        let mut failed = false;
        for arg in args {
            match self.expr(arg) {
                Some(id) => built.push(id),
                None => failed = true,
            }
        }
        if failed {
            return None;
        }
        let ty = self.signature(function, &built, span)?;
        let mut intervals: Vec<Interval> = built.iter().map(|a| self.program.expr(*a).interval).collect();
        if let Err(why) = (function.domain)(&intervals) {
            let ranges = intervals
                .iter()
                .map(|i| format!("[{}, {}]", shown_number(i.lo), shown_number(i.hi)))
                .collect::<Vec<_>>()
                .join(", ");
            return self.refuse(
                Diagnostic::at(&code::DOMAIN, span, format!("`{}` needs proof that {why}", function.name))
                    .help(format!("what is proven of its arguments: {ranges}; use `clamp`, or ask `… > 0` around it")),
            );
        }
        if function.signature == Signature::Sids {
            intervals = vec![Interval::new(0.0, self.program.n_levels() as f64)];
        }
        let mut expr = self.combine(Op::Call { function, args: built.clone().into() }, &built, ty);
        expr.nullable |= (function.missing)(&intervals);
        expr.interval = match function.signature {
            Signature::Bucket => Interval::new(0.0, (intervals.get(1).map_or(1.0, |n| n.hi) - 1.0).max(0.0)),
            _ => (function.range)(&intervals),
        };
        self.within_limit(&expr.interval, &built, span)?;
        Some(self.push(expr, span))
    }

    /// `band(x, [edges])`: the edges become arguments behind x.
    fn band(&mut self, function: &'static Function, args: &[ast::Expr], span: Span) -> Option<ExprId> {
        let [x, edges] = args else { return None };
        let x = self.expr(x)?;
        let ExprKind::List(items) = &edges.kind else {
            return self.refuse(
                Diagnostic::at(&code::ARGUMENTS, edges.span, "the edges of `band` stand in a list")
                    .help("`band(age, [1 day, 7 days, 30 days])`"),
            );
        };
        let mut built = vec![x];
        let mut before = f64::NEG_INFINITY;
        for item in items {
            let id = self.expr(item)?;
            let interval = self.program.expr(id).interval;
            if interval.lo != interval.hi || self.program.expr(id).level != Level::Constant {
                return self.refuse(Diagnostic::at(&code::CONSTANT, item.span, "an edge of `band` must be a literal"));
            }
            if interval.lo <= before {
                return self.refuse(Diagnostic::at(&code::INTERVAL_ORDER, item.span, "the edges of `band` must rise"));
            }
            before = interval.lo;
            built.push(id);
        }
        let (ty, place) = (self.program.expr(x).ty.clone(), self.program.expr(x).span);
        for edge in &built {
            let (found, at) = (self.program.expr(*edge).ty.clone(), self.program.expr(*edge).span);
            if !found.is_number() || found.dimension() != ty.dimension() {
                return self.refuse(
                    Diagnostic::at(&code::DIMENSION, at, format!("an edge of `band` is {ty}, this is {found}"))
                        .also(place, format!("this is {ty}")),
                );
            }
        }
        let interval = self.program.expr(x).interval;
        let edges: Vec<f64> = built.iter().skip(1).map(|e| self.program.expr(*e).interval.lo).collect();
        let count = |v: f64| edges.iter().filter(|e| **e <= v).count() as f64;
        let range = Interval::new(count(interval.lo), count(interval.hi));
        let mut expr = self.combine(Op::Call { function, args: built.clone().into() }, &built, Ty::WHOLE);
        expr.interval = range;
        Some(self.push(expr, span))
    }

    /// Types and dimensions of the arguments; gives the type of the result.
    fn signature(&mut self, function: &'static Function, args: &[ExprId], span: Span) -> Option<Ty> {
        let types: Vec<(Ty, Span)> =
            args.iter().map(|a| (self.program.expr(*a).ty.clone(), self.program.expr(*a).span)).collect();
        let numbers = |c: &mut Self, of: &[(Ty, Span)]| -> Option<()> {
            for (ty, place) in of {
                if !ty.is_number() {
                    return c.refuse(
                        Diagnostic::at(&code::TYPE, *place, format!("`{}` takes numbers, this is {ty}", function.name))
                            .help(format!("`{}`", function.form)),
                    );
                }
            }
            Some(())
        };
        let plain = |c: &mut Self, of: &[(Ty, Span)]| -> Option<()> {
            numbers(c, of)?;
            for (ty, place) in of {
                if !ty.dimension().is_none() {
                    return c.refuse(
                        Diagnostic::at(
                            &code::DIMENSION,
                            *place,
                            format!("`{}` takes plain numbers, this is {ty}", function.name),
                        )
                        .help("divide it by something of its kind first, such as `/ 1 s`"),
                    );
                }
            }
            Some(())
        };
        let equal = |c: &mut Self, of: &[(Ty, Span)]| -> Option<Dimension> {
            numbers(c, of)?;
            let (first, place) = of.first()?;
            for (ty, at) in of {
                if ty.dimension() != first.dimension() {
                    return c.refuse(
                        Diagnostic::at(
                            &code::DIMENSION,
                            *at,
                            format!("arguments of `{}` differ: this is {ty}", function.name),
                        )
                        .also(*place, format!("this is {first}"))
                        .help("a literal of a kind has its unit, also `0 s`"),
                    );
                }
            }
            Some(first.dimension())
        };
        match function.signature {
            Signature::Same => {
                let dimension = equal(self, &types)?;
                Some(Ty::Number { dimension, whole: types.iter().all(|(t, _)| t.is_whole()) })
            }
            Signature::SameReal => Some(Ty::Number { dimension: equal(self, &types)?, whole: false }),
            Signature::Plain => plain(self, &types).map(|()| Ty::REAL),
            Signature::Whole => plain(self, &types).map(|()| Ty::WHOLE),
            Signature::Haversine => {
                plain(self, &types).map(|()| Ty::Number { dimension: Dimension::LENGTH, whole: false })
            }
            Signature::Ratio => equal(self, &types).map(|_| Ty::REAL),
            Signature::Power => {
                plain(self, &types)?;
                self.must_be_constant(*args.get(1)?, "the power of `pow`")?;
                Some(Ty::REAL)
            }
            Signature::LogBand => {
                equal(self, types.get(..2)?)?;
                plain(self, types.get(2..)?)?;
                self.must_be_constant(*args.get(2)?, "the base of `log_band`")?;
                Some(Ty::WHOLE)
            }
            Signature::Vectors => match types.as_slice() {
                [(Ty::Vector(a), _), (Ty::Vector(b), _)] if a == b => Some(Ty::REAL),
                [(Ty::Vector(_), _), (ty, place)] | [(ty, place), _] => {
                    let message = format!("`{}` takes two vectors of one size, this is {ty}", function.name);
                    self.refuse(Diagnostic::at(&code::TYPE, *place, message))
                }
                _ => None,
            },
            Signature::Sids => {
                for (ty, place) in &types {
                    if *ty != Ty::Sid {
                        return self.refuse(Diagnostic::at(
                            &code::TYPE,
                            *place,
                            format!("`{}` takes two SIDs, this is {ty}", function.name),
                        ));
                    }
                }
                Some(Ty::WHOLE)
            }
            Signature::Bucket => {
                let id = types.first()?;
                if !matches!(id.0, Ty::Id | Ty::Category(_) | Ty::Text) {
                    return self.refuse(Diagnostic::at(
                        &code::TYPE,
                        id.1,
                        format!("`bucket` takes an id, this is {}", id.0),
                    ));
                }
                let n = self.program.expr(*args.get(1)?);
                let salt = self.program.expr(*args.get(2)?);
                let fine = matches!(&n.op, Op::Constant(Constant::Number(v)) if n.ty.is_whole() && *v >= 1.0)
                    && matches!(&salt.op, Op::Constant(Constant::Text(_)));
                if !fine {
                    return self.refuse(
                        Diagnostic::at(
                            &code::CONSTANT,
                            span,
                            "`bucket` takes a whole number from 1 and a text, both literals",
                        )
                        .help("`bucket(item_id, 5, \"salt\")`"),
                    );
                }
                Some(Ty::WHOLE)
            }
            Signature::Band => None,
        }
    }

    fn must_be_constant(&mut self, id: ExprId, what: &str) -> Option<()> {
        let expr = self.program.expr(id);
        let constant = expr.level == Level::Constant && expr.interval.lo == expr.interval.hi && !expr.nullable;
        let span = expr.span;
        if constant {
            Some(())
        } else {
            self.refuse(Diagnostic::at(&code::CONSTANT, span, format!("{what} must be a literal")))
        }
    }
}

fn arguments(n: usize) -> String {
    if n == 1 { "1 argument".into() } else { format!("{n} arguments") }
}

fn given(n: usize) -> String {
    if n == 1 { "1 is given".into() } else { format!("{n} are given") }
}

impl Checker {
    /// Looks into the bodies of `fn`s that nobody calls, their parameters as values of their scale.
    /// What depends on the arguments' ranges is left for calls.
    pub(super) fn uncalled(&mut self) {
        // One budget for all of them: what is beyond it is looked at once it is called.
        let mut left = super::MAX_OPERATIONS;
        for decl in 0..self.decls.len() {
            let Some(DeclKind::Fn { params, body, .. }) = self.decls.get(decl).map(|d| d.kind.clone()) else {
                continue;
            };
            if self.called.contains(&decl) || self.let_values.get(&decl) == Some(&None) || left == 0 {
                continue;
            }
            let (exprs, lets) = (self.program.exprs.len(), self.program.lets.len());
            let mut locals = std::collections::HashMap::new();
            for (param, scale) in &params {
                let ty = scale.node.ty();
                let mut expr = super::expr::constant(Constant::Number(0.0), ty, 0.0);
                expr.interval = scale.node.default_range().unwrap_or(Interval::new(-1e6, 1e6));
                let id = self.push(expr, param.span);
                locals.insert(param.node.clone(), Some(id));
            }
            let before = std::mem::take(&mut self.out);
            self.locals.push(locals);
            self.in_fn += 1;
            let _ = self.expr(&body);
            self.in_fn -= 1;
            self.locals.pop();
            left = left.saturating_sub(self.program.exprs.len() - exprs);
            self.program.exprs.truncate(exprs);
            self.program.lets.truncate(lets);
            let found = std::mem::replace(&mut self.out, before);
            let told = [
                &code::UNKNOWN_NAME,
                &code::UNKNOWN_FUNCTION,
                &code::ARGUMENTS,
                &code::TYPE,
                &code::DIMENSION,
                &code::PREFIX,
                &code::PART_READ,
            ];
            for diagnostic in found.iter().filter(|d| told.contains(&d.code)) {
                self.out.push(diagnostic.clone());
            }
        }
    }
}
