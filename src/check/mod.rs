//! Names, types, dimensions, levels, missing values, availability, intervals: text → [`Program`].
//!
//! ```text
//! load ─▶ names ─▶ expr (references, operators, branches, calls, aggregates, narrow) ─▶ parts, formula, channels
//!      ─▶ hosts, cost ─▶ lints ─▶ report (theorems)
//! ```
//!
//! Every independent fault is reported; a program exists only where there is none. Facts about
//! expressions are worked out once, while they are built, by the function table and the narrowing
//! of R5.6 alone, so that what is accepted does not depend on how clever an analysis is.

mod aggregates;
mod branches;
mod calls;
mod channels;
mod constants;
mod cost;
mod expr;
mod formula;
mod hosts;
mod lints;
mod load;
mod membership;
mod names;
mod narrow;
mod operators;
mod parts;
mod references;
mod report;
mod settings;
mod tables;
mod trend;

pub use load::unreadable;
pub use report::{PartRow, Report, Theorem, report};
pub use settings::{SettingFault, set_param};

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity, code};
use crate::program::{ExprId, FeatureId, Program, entry_reads, own_reads};
use crate::schema::Schema;
use crate::source::{Files, Sources, Span};
use crate::syntax::ast;
use crate::types::Host;

use names::Names;
use narrow::Fact;

/// Most operations of a program after expansion (R8.5).
pub const MAX_OPERATIONS: usize = 100_000;

/// How a file is checked.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Warnings count as errors.
    pub deny_warnings: bool,
    /// Today, for `allow … until`; `None`: every `allow` still holds.
    pub today: Option<jiff::civil::Date>,
}

/// A checked file.
#[derive(Debug)]
pub struct Checked {
    pub sources: Sources,
    /// In the order of the source.
    pub diagnostics: Vec<Diagnostic>,
    /// There where no error was found.
    pub program: Option<Program>,
    pub schema: Schema,
    /// The file's tests, to be run against the program.
    pub tests: Vec<ast::Test>,
    /// It has no head and only what other files may use: it is checked with those that use it.
    pub used_only: bool,
    /// Table and list files that were read, as shown.
    pub tables: Vec<String>,
}

impl Checked {
    /// Whether any finding is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }
}

/// Checks a reward file. `name` is shown in messages and is what relative paths start from.
#[must_use]
pub fn check(name: &str, text: &str, files: &dyn Files, options: &Options) -> Checked {
    let mut out = Diagnostics::default();
    let loaded = load::load(name, text, files, &mut out);
    if loaded.used_only {
        let diagnostics = out.sorted();
        return Checked {
            sources: loaded.sources,
            diagnostics,
            program: None,
            schema: Schema::default(),
            tests: Vec::new(),
            used_only: true,
            tables: Vec::new(),
        };
    }
    let allows = lints::allows(&loaded);
    let tests = tests_of(&loaded.file);
    let mut checker = Checker::new(loaded, out);
    // A schema with faults would only make misleading follow-ups.
    let fine = checker.schema_is_fine;
    if fine {
        checker.run(files);
        lints::lint(&mut checker);
    }
    let Checker { sources, mut out, program, schema, tables, .. } = checker;
    lints::silence(&mut out, &allows, options);
    let whole = !out.has_errors() && fine;
    Checked {
        sources,
        diagnostics: out.sorted(),
        program: whole.then_some(program),
        schema,
        tests,
        used_only: false,
        tables,
    }
}

fn tests_of(file: &ast::File) -> Vec<ast::Test> {
    file.decls
        .iter()
        .filter_map(|d| match &d.kind {
            ast::DeclKind::Test(test) => Some((**test).clone()),
            _ => None,
        })
        .collect()
}

/// The state of one check.
struct Checker {
    sources: Sources,
    out: Diagnostics,
    schema: Schema,
    schema_is_fine: bool,
    decls: Vec<ast::Decl>,
    head: ast::Head,
    /// Folder of each file, for the paths in it.
    program: Program,
    names: Names,
    /// Table and list files that were read.
    tables: Vec<String>,
    /// What each `list` holds.
    list_types: Vec<Option<crate::types::Ty>>,
    feature_ids: HashMap<usize, FeatureId>,
    /// Lets by declaration: `None` while not worked out, `Some(None)` where that failed.
    let_values: HashMap<usize, Option<crate::program::LetId>>,
    facts: Vec<Fact>,
    /// How many of the facts come from rules and hold wherever their parts are read.
    rule_facts: usize,
    /// The span around, which gives plain names their meaning (R3.3).
    scope: expr::Scope,
    /// Parameters of the `fn`s being expanded, innermost last.
    locals: Vec<HashMap<String, Option<ExprId>>>,
    in_fn: usize,
    in_monitor: bool,
    /// Names whose declarations could not be read; reported already.
    broken: Vec<String>,
    /// `fn`s that were expanded somewhere.
    called: std::collections::HashSet<usize>,
    /// The expansion limit was passed and reported.
    overflow: bool,
}

impl Checker {
    fn new(loaded: load::Loaded, out: Diagnostics) -> Self {
        Self {
            sources: loaded.sources,
            out,
            schema: loaded.schema,
            schema_is_fine: loaded.schema_is_fine,
            decls: loaded.file.decls,
            head: loaded.file.head,
            program: Program::default(),
            names: Names::new(loaded.uses),
            tables: Vec::new(),
            list_types: Vec::new(),
            feature_ids: HashMap::new(),
            let_values: HashMap::new(),
            facts: Vec::new(),
            rule_facts: 0,
            scope: expr::Scope::default(),
            locals: Vec::new(),
            in_fn: 0,
            in_monitor: false,
            broken: loaded.file.broken,
            called: std::collections::HashSet::new(),
            overflow: false,
        }
    }

    fn error(&mut self, diagnostic: Diagnostic) {
        self.out.push(diagnostic);
    }

    /// Reports and gives nothing, for use behind `return`.
    fn refuse<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.out.push(diagnostic);
        None
    }

    fn run(&mut self, files: &dyn Files) {
        self.head();
        self.declare();
        self.constants(files);
        let order = self.let_order();
        self.rules_and_lets(&order);
        self.parts();
        self.formula();
        self.channels();
        self.uncalled();
        self.finish_reads();
        self.hosts();
        self.cost();
    }

    /// Scenario, version and hosts.
    fn head(&mut self) {
        self.program.scenario = self.head.scenario.as_ref().map_or(String::new(), |s| s.node.clone());
        self.program.version = self.head.version.as_ref().map_or(0, |v| v.node);
        let named = self.head.hosts.clone();
        let mut hosts = Vec::new();
        for name in named.iter().flatten() {
            match Host::named(&name.node) {
                Some(host) if !hosts.contains(&host) => hosts.push(host),
                Some(_) => {}
                None => self.error(unknown_host(&name.node, name.span)),
            }
        }
        if named.is_none() {
            hosts = vec![Host::Training, Host::Serving];
        }
        self.program.hosts = hosts;
        self.program.longest = self.schema.spans.longest;
        self.program.spans_text = format!(
            "{:?} {:?} {:?} {:?} {:?}",
            self.schema.spans,
            self.schema.past.as_ref().map(|l| (&l.from, l.last)),
            self.schema.wanted.as_ref().map(|l| (&l.from, l.last)),
            self.schema.keys,
            self.schema.currency,
        );
        self.program.resolve = self.schema.catalog.as_ref().map(|c| c.resolve.clone()).unwrap_or_default();
        if let crate::schema::Resolve::By(name) = &self.program.resolve
            && let Some(index) = self.schema.features.iter().position(|f| f.name == *name)
        {
            self.feature_id(index);
        }
        self.program.sid_shape = self.schema.sid_shape().unwrap_or(&[]).to_vec();
    }

    /// Which features are read where (R2.4, R2.5).
    fn finish_reads(&mut self) {
        let reads: Vec<_> = self.program.rules.iter().map(|r| own_reads(&self.program, &[r.condition])).collect();
        for (rule, reads) in self.program.rules.iter_mut().zip(reads) {
            rule.reads = reads;
        }
        let (past, wanted) = entry_reads(&self.program, &self.program.roots());
        self.program.past_reads = past;
        self.program.wanted_reads = wanted;
    }
}

fn unknown_host(word: &str, span: Span) -> Diagnostic {
    let near = crate::diagnostic::did_you_mean(word, Host::ALL.map(Host::as_str));
    let help =
        near.map_or_else(|| "hosts are training, serving and logs".to_string(), |n| format!("did you mean `{n}`?"));
    Diagnostic::at(&code::HOST_NOT_NAMED, span, format!("`{word}` is not a host")).help(help)
}
