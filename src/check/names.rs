//! The one name space of a file, and the order in which lets are worked out (R8.1).

use std::collections::{HashMap, HashSet};

use super::Checker;
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::program::{ListId, ParamId, TableId};
use crate::source::Span;
use crate::syntax::ast::{DeclKind, Expr, ExprKind, Membership};
use crate::types::{OUTPUT_NAMES, VALUE_WORDS};

/// What a name means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Symbol {
    /// By its place in the schema.
    Feature(usize),
    Param(ParamId),
    /// By its place among the declarations.
    Let(usize),
    Table(TableId),
    List(ListId),
    /// A term, gate, cap or channel.
    Part,
    Rule,
}

/// Functions have a name space of their own.
pub fn fn_key(name: &str) -> String {
    format!("fn {name}")
}

impl Checker {
    /// Enters every declaration into the name space.
    pub(super) fn declare(&mut self) {
        let mut places: HashMap<String, Span> = HashMap::new();
        for (i, feature) in self.schema.features.iter().enumerate() {
            self.symbols.insert(feature.name.clone(), Symbol::Feature(i));
            places.insert(feature.name.clone(), feature.span);
        }
        let keys = self.key_columns();
        let mut params = 0;
        let (mut tables, mut lists) = (0, 0);
        for i in 0..self.decls.len() {
            let Some(decl) = self.decls.get(i) else { continue };
            let Some(name) = decl.kind.name().cloned() else { continue };
            let is_fn = matches!(decl.kind, DeclKind::Fn { .. });
            let is_part = matches!(
                decl.kind,
                DeclKind::Term { .. } | DeclKind::Gate { .. } | DeclKind::Cap(_) | DeclKind::Channel { .. } | DeclKind::Require { .. }
            );
            let symbol = match &decl.kind {
                DeclKind::Param { .. } => {
                    params += 1;
                    Symbol::Param(ParamId(params - 1))
                }
                DeclKind::Table { .. } => {
                    tables += 1;
                    Symbol::Table(TableId(tables - 1))
                }
                DeclKind::List { .. } => {
                    lists += 1;
                    Symbol::List(ListId(lists - 1))
                }
                DeclKind::Require { .. } => Symbol::Rule,
                DeclKind::Let { .. } | DeclKind::Fn { .. } => Symbol::Let(i),
                _ => Symbol::Part,
            };
            let word = decl.kind.word();
            let slate_reward = name.node == "slate_reward" && word == "slate reward";
            if VALUE_WORDS.contains(&name.node.as_str()) {
                self.error(Diagnostic::at(&code::RESERVED, name.span, format!("`{}` is a value of the language", name.node)));
            } else if OUTPUT_NAMES.contains(&name.node.as_str()) && !slate_reward {
                self.error(Diagnostic::at(&code::OUTPUT_NAME, name.span, format!("`{}` is the name of an output column", name.node)));
            } else if is_part && keys.contains(&name.node) {
                let message = format!("`{}` is a key column of the data, which score files keep", name.node);
                self.error(Diagnostic::at(&code::OUTPUT_NAME, name.span, message));
            }
            if is_fn && (crate::builtins::function(&name.node).is_some() || crate::builtins::aggregate(&name.node).is_some()) {
                self.error(Diagnostic::at(&code::DECLARED_TWICE, name.span, format!("`{}` is a function of the language", name.node)));
            }
            let key = if is_fn { fn_key(&name.node) } else { name.node.clone() };
            if let Some(first) = places.get(&key) {
                let what = if self.symbols.get(&key).is_some_and(|s| matches!(s, Symbol::Feature(_))) {
                    format!("`{}` is a feature of the schema already", name.node)
                } else {
                    format!("`{}` is declared twice", name.node)
                };
                self.error(Diagnostic::at(&code::DECLARED_TWICE, name.span, what).also(*first, "first here"));
                continue;
            }
            places.insert(key.clone(), name.span);
            self.symbols.insert(key, symbol);
        }
    }

    /// Names of the columns that score files keep in front.
    fn key_columns(&self) -> HashSet<String> {
        let keys = &self.schema.keys;
        let named = [&keys.item, &keys.user, &keys.request, &keys.time];
        named.into_iter().flatten().cloned().chain(self.schema.spans.request.iter().cloned()).collect()
    }

    /// Why a name means nothing here, with the nearest that would.
    pub(super) fn unknown(&self, name: &str, span: Span) -> Diagnostic {
        let local = self.locals.last().into_iter().flat_map(|l| l.keys().map(String::as_str));
        let known = self.symbols.keys().map(String::as_str).filter(|k| !k.contains(' ')).chain(VALUE_WORDS).chain(local);
        let near = did_you_mean(name, known);
        Diagnostic::at(&code::UNKNOWN_NAME, span, format!("nothing is called `{name}`")).help(near.map_or_else(
            || "names are features of the schema, `param`, `let`, `table` and `list`".to_string(),
            |n| format!("did you mean `{n}`?"),
        ))
    }

    /// Lets by dependency, each behind what it reads; circles are reported and left out.
    pub(super) fn let_order(&mut self) -> Vec<usize> {
        let mut needs: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut all = Vec::new();
        for (i, decl) in self.decls.iter().enumerate() {
            let value = match &decl.kind {
                DeclKind::Let { value, .. } => value,
                DeclKind::Fn { body, .. } => body,
                _ => continue,
            };
            all.push(i);
            needs.insert(i, self.needs_of(value));
        }
        let mut done: HashSet<usize> = HashSet::new();
        let mut order = Vec::new();
        for &root in &all {
            let mut stack = vec![(root, 0)];
            let mut open: HashSet<usize> = HashSet::from([root]);
            while let Some((at, next)) = stack.pop() {
                if done.contains(&at) {
                    open.remove(&at);
                    continue;
                }
                match needs.get(&at).and_then(|n| n.get(next)) {
                    Some(&need) => {
                        stack.push((at, next + 1));
                        if open.contains(&need) {
                            self.report_circle(&stack, need);
                            done.insert(need);
                        } else if !done.contains(&need) {
                            open.insert(need);
                            stack.push((need, 0));
                        }
                    }
                    None => {
                        open.remove(&at);
                        done.insert(at);
                        order.push(at);
                    }
                }
            }
        }
        order.retain(|i| self.decls.get(*i).is_some_and(|d| matches!(d.kind, DeclKind::Let { .. })));
        order
    }

    fn report_circle(&mut self, stack: &[(usize, usize)], back_to: usize) {
        let name = |i: usize| self.decls.get(i).and_then(|d| d.kind.name()).map_or(String::new(), |n| n.node.clone());
        let from = stack.iter().position(|(i, _)| *i == back_to).unwrap_or(0);
        let mut chain: Vec<String> = stack.iter().skip(from).map(|(i, _)| name(*i)).collect();
        chain.push(name(back_to));
        if chain.len() > 8 {
            chain.splice(4..chain.len() - 3, ["…".to_string()]);
        }
        let span = self.decls.get(back_to).and_then(|d| d.kind.name()).map_or(Span::default(), |n| n.span);
        for (i, _) in stack.iter().skip(from) {
            self.let_values.insert(*i, None);
        }
        self.error(
            Diagnostic::at(&code::CIRCLE, span, format!("declarations need each other in a circle: {}", chain.join(" needs ")))
                .help("a reward has no recursion"),
        );
    }

    /// The lets and fns that an expression names, by declaration.
    pub(super) fn needs_of(&self, value: &Expr) -> Vec<usize> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        walk(value, &mut |name, called| {
            let key = if called { fn_key(name) } else { name.to_string() };
            if let Some(Symbol::Let(i)) = self.symbols.get(&key)
                && seen.insert(*i)
            {
                found.push(*i);
            }
        });
        found
    }
}

/// Calls `visit` with each plain name, and with each called name.
pub fn walk(expr: &Expr, visit: &mut dyn FnMut(&str, bool)) {
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Bool(_) | ExprKind::Sid(_) => {}
        ExprKind::Path { name, .. } => visit(&name.node, false),
        ExprKind::List(items) => items.iter().for_each(|i| walk(i, visit)),
        ExprKind::Unary { operand, .. } | ExprKind::Known { operand, .. } | ExprKind::FirstIn { operand, .. } => {
            walk(operand, visit);
        }
        ExprKind::In { operand, set, .. } => {
            walk(operand, visit);
            match &**set {
                Membership::List(items) => items.iter().for_each(|i| walk(i, visit)),
                Membership::Path { name, .. } => visit(&name.node, false),
                Membership::Catalog => {}
            }
        }
        ExprKind::Binary { left, right, .. } => {
            walk(left, visit);
            walk(right, visit);
        }
        ExprKind::If { arms, otherwise } => {
            for (condition, value) in arms {
                walk(condition, visit);
                walk(value, visit);
            }
            walk(otherwise, visit);
        }
        ExprKind::Match { subject, arms, otherwise } => {
            walk(subject, visit);
            arms.iter().for_each(|(_, v)| walk(v, visit));
            otherwise.iter().for_each(|o| walk(o, visit));
        }
        ExprKind::Call { name, args, among, over } => {
            visit(&name.node, true);
            args.iter().chain(among.as_deref()).for_each(|a| walk(a, visit));
            if let Some(over) = over {
                over.per.iter().chain(&over.filter).for_each(|e| walk(e, visit));
            }
        }
    }
}
