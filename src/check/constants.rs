//! Params, tables and lists: what is known before any expression.

use std::sync::Arc;

use super::Checker;
use crate::diagnostic::{Diagnostic, code};
use crate::program::{Constant, Param, Setting};
use crate::source::{Files, Span};
use crate::syntax::ast::{self, ConstantKind, DeclKind, Name};
use crate::types::{Interval, LIMIT, Ty};

impl Checker {
    /// Works out every `param`, `table` and `list`, in the order in which their ids were given.
    pub(super) fn constants(&mut self, files: &dyn Files) {
        for i in 0..self.decls.len() {
            let Some(kind) = self.decls.get(i).map(|d| d.kind.clone()) else { continue };
            match kind {
                DeclKind::Param { name, default, range } => self.param_decl(&name, &default, range.as_ref()),
                DeclKind::Table { name, path, keys, value, scale } => {
                    self.table_decl(files, &name, &path, &keys, &value, scale.as_ref());
                }
                DeclKind::List { name, feature, path } => self.list_decl(files, &name, &feature, &path),
                _ => {}
            }
        }
    }

    fn param_decl(&mut self, name: &Name, default: &ast::Constant, range: Option<&(ast::Constant, ast::Constant)>) {
        // A param with a fault still has its id; a harmless value stands in.
        let (value, ty, whole) = self.constant(default).unwrap_or((Constant::Number(0.0), Ty::REAL, false));
        let mut interval = None;
        let mut is_whole = whole;
        let number = ty.is_number();
        match range {
            None if number => self.error(
                Diagnostic::at(&code::PARAM, name.span, format!("the param `{}` needs its range", name.node)).help(
                    format!("write `param {} = … in LO..HI`; what is proved holds over the whole range", name.node),
                ),
            ),
            Some((lo, _)) if !number => {
                self.error(Diagnostic::at(&code::PARAM, lo.span, "only a number has a range"));
            }
            Some((lo, hi)) => {
                let (a, b) = (self.constant(lo), self.constant(hi));
                if let (Some((a, ta, wa)), Some((b, tb, wb))) = (a, b) {
                    let span = lo.span.to(hi.span);
                    if ta.dimension() != ty.dimension()
                        || tb.dimension() != ty.dimension()
                        || !ta.is_number()
                        || !tb.is_number()
                    {
                        self.error(Diagnostic::at(&code::DIMENSION, span, format!("this range is not one of {ty}")));
                    } else if a.number() > b.number() {
                        self.error(Diagnostic::at(&code::INTERVAL_ORDER, span, "this range ends before it begins"));
                    } else if value.number() < a.number() || value.number() > b.number() {
                        self.error(
                            Diagnostic::at(&code::PARAM, default.span, "this default lies outside its range")
                                .also(span, "the range"),
                        );
                    }
                    is_whole &= wa && wb;
                    interval = Some(Interval::new(a.number(), b.number().max(a.number())));
                }
            }
            None => {}
        }
        let interval = if number { Some(interval.unwrap_or(Interval::point(value.number()))) } else { None };
        let ty = if is_whole == whole { ty } else { Ty::Number { dimension: ty.dimension(), whole: false } };
        self.program.params.push(Param {
            name: name.node.clone(),
            value,
            range: interval,
            ty,
            whole: is_whole,
            count: whole,
            names: Vec::new(),
            span: name.span,
        });
    }

    /// A constant's value, type, and whether it is written whole.
    pub(super) fn constant(&mut self, c: &ast::Constant) -> Option<(Constant, Ty, bool)> {
        Some(match &c.node {
            ConstantKind::Bool(b) => (Constant::Bool(*b), Ty::Bool, false),
            ConstantKind::Text(t) => (Constant::Text(Arc::from(t.as_str())), Ty::Text, false),
            ConstantKind::Number { number, negative } => {
                let (value, ty) = self.literal(number, c.span)?;
                let whole = ty.is_whole();
                (Constant::Number(if *negative { 0.0 - value } else { value }), ty, whole)
            }
        })
    }

    /// A plain number that is a constant or a param (R1.8, R1.9).
    pub(super) fn setting(&mut self, setting: &ast::Setting, what: &str) -> Option<Setting> {
        match setting {
            ast::Setting::Constant(c) => {
                let (value, ty, _) = self.constant(c)?;
                if !ty.is_number() || !ty.dimension().is_none() {
                    return self.refuse(Diagnostic::at(
                        &code::TYPE,
                        c.span,
                        format!("{what} is a plain number, this is {ty}"),
                    ));
                }
                Some(Setting::Constant(crate::types::round_to_f32(value.number())))
            }
            ast::Setting::Name(name) => {
                let symbol = self.names.lookup(&name.node, name.span);
                let Some(super::names::Symbol::Param(id)) = symbol else {
                    if symbol == Some(super::names::Symbol::Broken) {
                        return None;
                    }
                    let diagnostic = if symbol.is_some() {
                        Diagnostic::at(
                            &code::CONSTANT,
                            name.span,
                            format!("{what} is a constant or a `param`, `{}` is neither", name.node),
                        )
                        .help("what varies from candidate to candidate belongs in the expression")
                    } else {
                        let params = self.program.params.iter().map(|p| p.name.as_str());
                        let near = crate::diagnostic::did_you_mean(&name.node, params);
                        Diagnostic::at(&code::UNKNOWN_NAME, name.span, format!("there is no param `{}`", name.node))
                            .help(near.map_or_else(
                                || format!("declare it: `param {} = 1.0 in 0..2`", name.node),
                                |n| format!("did you mean `{n}`?"),
                            ))
                    };
                    return self.refuse(diagnostic);
                };
                let ty = self.program.params.get(id.index()).map(|p| p.ty.clone())?;
                if !ty.is_number() || !ty.dimension().is_none() {
                    return self.refuse(Diagnostic::at(
                        &code::TYPE,
                        name.span,
                        format!("{what} is a plain number, `{}` is {ty}", name.node),
                    ));
                }
                Some(Setting::Param(id))
            }
        }
    }

    /// A setting whose whole range lies in an interval.
    pub(super) fn setting_within(&mut self, setting: &ast::Setting, what: &str, lo: f64, hi: f64) -> Option<Setting> {
        let built = self.setting(setting, what)?;
        let range = self.program.setting_range(built);
        if Interval::new(lo, hi).covers(&range) {
            return Some(built);
        }
        let words = if hi >= LIMIT { format!("at least {lo}") } else { format!("from {lo} to {hi}") };
        let place: Span = setting.span();
        let shown = if range.lo == range.hi { format!("{}", range.lo) } else { format!("{}..{}", range.lo, range.hi) };
        self.refuse(Diagnostic::at(&code::CAP, place, format!("{what} is {words}, this is {shown}")))
    }
}
