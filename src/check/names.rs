//! The one name space of a file, and the order in which lets are worked out (R8.1).

use std::collections::{HashMap, HashSet};

use super::Checker;
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::program::{ListId, ParamId, TableId};
use crate::source::{FileId, Span};
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
    /// Declared, but with a fault that is reported already.
    Broken,
}

/// The name spaces of a file and of those that it uses: each file sees its own names and those of
/// the files it uses itself (R8.3), and no name twice.
pub struct Names {
    entries: HashMap<String, Vec<Entry>>,
    uses: HashMap<FileId, Vec<FileId>>,
}

/// One declaration; features have no home and are seen everywhere.
struct Entry {
    symbol: Symbol,
    home: Option<FileId>,
    span: Span,
}

impl Names {
    /// No names yet; `uses` are the files that each file uses itself.
    pub fn new(uses: HashMap<FileId, Vec<FileId>>) -> Self {
        Self { entries: HashMap::new(), uses }
    }

    fn sees(&self, from: FileId, home: Option<FileId>) -> bool {
        home.is_none_or(|h| h == from || self.uses.get(&from).is_some_and(|u| u.contains(&h)))
    }

    /// What a name means at a place.
    pub fn lookup(&self, name: &str, at: Span) -> Option<Symbol> {
        self.entries.get(name)?.iter().find(|e| self.sees(at.file, e.home)).map(|e| e.symbol)
    }

    /// All names that are seen at a place.
    pub fn visible(&self, at: Span) -> impl Iterator<Item = (&str, Symbol)> {
        self.entries.iter().filter_map(move |(name, entries)| {
            entries.iter().find(|e| self.sees(at.file, e.home)).map(|e| (name.as_str(), e.symbol))
        })
    }

    /// A declaration that some file would see beside a new one of the same name.
    fn conflict(&self, name: &str, home: FileId) -> Option<(Symbol, Span)> {
        let readers = || self.uses.keys().copied().chain([home]);
        let clash = |e: &&Entry| readers().chain(e.home).any(|f| self.sees(f, Some(home)) && self.sees(f, e.home));
        self.entries.get(name)?.iter().find(clash).map(|e| (e.symbol, e.span))
    }

    fn insert(&mut self, name: String, symbol: Symbol, home: Option<FileId>, span: Span) {
        self.entries.entry(name).or_default().push(Entry { symbol, home, span });
    }
}

/// Functions have a name space of their own.
pub fn fn_key(name: &str) -> String {
    format!("fn {name}")
}

impl Checker {
    /// Enters every declaration into the name space.
    pub(super) fn declare(&mut self) {
        for (i, feature) in self.schema.features.iter().enumerate() {
            self.names.insert(feature.name.clone(), Symbol::Feature(i), None, feature.span);
        }
        let keys = self.schema.key_columns();
        let mut params = 0;
        let (mut tables, mut lists) = (0, 0);
        for i in 0..self.decls.len() {
            let Some(decl) = self.decls.get(i) else { continue };
            let Some(name) = decl.kind.name().cloned() else { continue };
            let is_fn = matches!(decl.kind, DeclKind::Fn { .. });
            let is_part = matches!(
                decl.kind,
                DeclKind::Term { .. }
                    | DeclKind::Gate { .. }
                    | DeclKind::Cap(_)
                    | DeclKind::Channel { .. }
                    | DeclKind::Require { .. }
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
            let parameters: Vec<_> = match &decl.kind {
                DeclKind::Fn { params, .. } => params.iter().map(|p| p.0.clone()).collect(),
                _ => Vec::new(),
            };
            let slate_reward = name.node == "slate_reward" && word == "slate reward";
            if VALUE_WORDS.contains(&name.node.as_str()) {
                self.error(Diagnostic::at(
                    &code::RESERVED,
                    name.span,
                    format!("`{}` is a value of the language", name.node),
                ));
            } else if OUTPUT_NAMES.contains(&name.node.as_str()) && !slate_reward {
                self.error(Diagnostic::at(
                    &code::OUTPUT_NAME,
                    name.span,
                    format!("`{}` is the name of an output column", name.node),
                ));
            } else if is_part && keys.contains(&name.node) {
                let message = format!("`{}` is a key column of the data, which score files keep", name.node);
                self.error(Diagnostic::at(&code::OUTPUT_NAME, name.span, message));
            }
            self.fn_params(&parameters);
            let called = is_fn || matches!(symbol, Symbol::Table(_));
            if called
                && (crate::builtins::function(&name.node).is_some() || crate::builtins::aggregate(&name.node).is_some())
            {
                self.error(Diagnostic::at(
                    &code::DECLARED_TWICE,
                    name.span,
                    format!("`{}` is a function of the language", name.node),
                ));
            }
            let key = if is_fn { fn_key(&name.node) } else { name.node.clone() };
            // A table is called like a function, so the two share their names.
            let other = if is_fn { name.node.clone() } else { fn_key(&name.node) };
            let home = name.span.file;
            let twin = self
                .names
                .conflict(&other, home)
                .filter(|(s, _)| matches!(s, Symbol::Table(_)) && is_fn || matches!(symbol, Symbol::Table(_)));
            if let Some((found, first)) = self.names.conflict(&key, home).or(twin) {
                let what = if matches!(found, Symbol::Feature(_)) {
                    format!("`{}` is a feature of the schema already", name.node)
                } else {
                    format!("`{}` is declared twice", name.node)
                };
                self.error(Diagnostic::at(&code::DECLARED_TWICE, name.span, what).also(first, "first here"));
                continue;
            }
            self.names.insert(key, symbol, Some(home), name.span);
        }
        for name in self.broken.clone() {
            for key in [fn_key(&name), name] {
                if !self.names.entries.contains_key(&key) {
                    self.names.insert(key, Symbol::Broken, None, Span::default());
                }
            }
        }
    }

    /// Parameters of a `fn` differ from each other, and hide no param or table that it could read.
    fn fn_params(&mut self, params: &[crate::syntax::ast::Name]) {
        for (i, param) in params.iter().enumerate() {
            if let Some(first) = params.iter().take(i).find(|p| p.node == param.node) {
                self.error(
                    Diagnostic::at(&code::DECLARED_TWICE, param.span, format!("`{}` is a parameter twice", param.node))
                        .also(first.span, "first here"),
                );
            }
            let hides = self.decls.iter().find_map(|d| match &d.kind {
                DeclKind::Param { name, .. } | DeclKind::Table { name, .. } if name.node == param.node => {
                    Some(name.span)
                }
                _ => None,
            });
            if let Some(hidden) = hides {
                self.error(
                    Diagnostic::at(
                        &code::DECLARED_TWICE,
                        param.span,
                        format!("the parameter `{}` hides what the `fn` could read", param.node),
                    )
                    .also(hidden, "declared here"),
                );
            }
            if VALUE_WORDS.contains(&param.node.as_str()) {
                self.error(Diagnostic::at(
                    &code::RESERVED,
                    param.span,
                    format!("`{}` is a value of the language", param.node),
                ));
            }
        }
    }

    /// Why a name means nothing here, with the nearest that would.
    pub(super) fn unknown(&self, name: &str, span: Span) -> Diagnostic {
        let local = self.locals.last().into_iter().flat_map(|l| l.keys().map(String::as_str));
        let readable = self
            .names
            .visible(span)
            .filter(|(k, s)| !matches!(s, Symbol::Part | Symbol::Rule | Symbol::Broken) && !k.contains(' '));
        let known = readable.map(|(k, _)| k).chain(["position", "rollout", "level", "code"]).chain(local);
        // One letter is near to every other one.
        let near = did_you_mean(name, known).filter(|_| name.len() > 1);
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
            Diagnostic::at(
                &code::CIRCLE,
                span,
                format!("declarations need each other in a circle: {}", chain.join(" needs ")),
            )
            .help("a reward has no recursion"),
        );
    }

    /// The lets and fns that an expression names, by declaration.
    pub(super) fn needs_of(&self, value: &Expr) -> Vec<usize> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        walk(value, &mut |name, called| {
            let key = if called { fn_key(name) } else { name.to_string() };
            if let Some(Symbol::Let(i)) = self.names.lookup(&key, value.span)
                && seen.insert(i)
            {
                found.push(i);
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
