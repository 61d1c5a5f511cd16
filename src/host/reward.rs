//! A checked reward, ready to be bound.

use std::path::Path;
use std::sync::Arc;

use super::faults::unfit;
use super::given::{Given, GivenColumn, Slot};
use crate::catalog::{Catalog as _, MemoryCatalog};
use crate::check::{self, Checked, Options, set_param};
use crate::diagnostic::{Diagnostic, Fault, Severity, Unsound, code, did_you_mean};
use crate::eval::By;
use crate::program::{FeatureId, Program, entry_reads};
use crate::schema::{Entity, Schema};
use crate::source::{DiskFiles, Files, ReadFault, Sources};
use crate::types::{Host, Scale};

/// A reward file that checks, with its schema.
#[derive(Clone, Debug)]
pub struct Reward {
    program: Arc<Program>,
    schema: Arc<Schema>,
    sources: Arc<Sources>,
    warnings: Vec<Diagnostic>,
}

/// Something that a reward reads and a host brings.
#[derive(Clone, Debug, PartialEq)]
pub struct Need {
    /// The feature's name in the schema.
    pub feature: String,
    pub owner: Owner,
    pub scale: Scale,
    pub nullable: bool,
}

/// Who brings a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The catalog, by item.
    Catalog,
    /// The rollouts themselves: the SID.
    Sid,
    /// A column with a value for each request.
    Request,
    /// A column with a value for each rollout.
    Rollout,
    /// A signal source, or a column with a value for each rollout.
    Signal,
    /// A column with a value for each entry of the history, or of the targets.
    Past,
    Wanted,
}

impl Reward {
    /// Reads and checks a reward file with what it names.
    ///
    /// # Errors
    /// A file that cannot be read, or that does not check.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Unsound> {
        let path = path.as_ref();
        let unreadable = |fault: ReadFault| Unsound {
            diagnostics: vec![check::unreadable(path, &fault)],
            sources: Sources::default(),
        };
        let files = DiskFiles::around(path).map_err(unreadable)?;
        let (name, text) = files.read_entry(path).map_err(unreadable)?;
        Self::from_text(&name, &text, &files)
    }

    /// Checks a text; `name` is shown in messages, and relative paths start from it.
    ///
    /// # Errors
    /// A text that does not check.
    pub fn from_text(name: &str, text: &str, files: &dyn Files) -> Result<Self, Unsound> {
        let Checked { sources, mut diagnostics, program, schema, used_only, .. } =
            check::check(name, text, files, &Options::default());
        let Some(program) = program else {
            if used_only {
                let message = format!("`{name}` has no head: it is a file for others to `use`");
                diagnostics.push(Diagnostic::bare(&code::HEAD, message).help("load the file that uses it"));
            }
            return Err(Unsound { diagnostics, sources });
        };
        debug_assert!(diagnostics.iter().all(|d| d.severity == Severity::Warning));
        Ok(Self {
            program: Arc::new(program),
            schema: Arc::new(schema),
            sources: Arc::new(sources),
            warnings: diagnostics,
        })
    }

    /// `scenario@version#hash` (R8.4).
    #[must_use]
    pub fn id(&self) -> String {
        self.program.reward_id()
    }

    /// The compiled program.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The schema it was checked against.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The texts that messages point into.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// What the checker warned of.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Gives a param another value, as written (R8.2): part of the reward id.
    ///
    /// # Errors
    /// An unknown name, or a value that does not fit (RW0806).
    pub fn set(&mut self, name: &str, written: &str) -> Result<(), Fault> {
        set_param(Arc::make_mut(&mut self.program), self.schema.currency.as_deref(), name, written)
            .map_err(|f| Box::new(Diagnostic::bare(&code::SETTING, f.message).maybe_help(f.help)))
    }

    /// What it reads in a host, in the order it is read: the candidate's own first, then the lists.
    #[must_use]
    pub fn needs(&self, host: Host) -> Vec<Need> {
        let program = &self.program;
        let need = |id: FeatureId, owner: Option<Owner>| {
            let feature = program.features.get(id.index())?;
            let own = || match feature.entity {
                _ if feature.scale == Scale::Sid => Owner::Sid,
                Entity::Item => Owner::Catalog,
                Entity::User | Entity::Request => Owner::Request,
                Entity::Model => Owner::Signal,
                _ => Owner::Rollout,
            };
            let owner = owner.unwrap_or_else(own);
            Some(Need { feature: feature.name.clone(), owner, scale: feature.scale, nullable: feature.nullable })
        };
        let (past, wanted) = entry_reads(program, &program.host_roots(host));
        let own = program.own_features(host).into_iter().filter_map(|id| need(id, None));
        let past = past.into_iter().filter_map(|id| need(id, Some(Owner::Past)));
        own.chain(past).chain(wanted.into_iter().filter_map(|id| need(id, Some(Owner::Wanted)))).collect()
    }

    /// Adds a feature of items to a catalog, as raw values item by item: cleaned as the schema says.
    ///
    /// # Errors
    /// A feature that the schema does not have, or values that do not fit it (RW0902).
    pub fn add_column(
        &self,
        catalog: &mut MemoryCatalog,
        feature: &str,
        values: Given<'_>,
        valid: Option<&[bool]>,
    ) -> Result<(), Fault> {
        let Some(declared) = self.schema.feature(feature) else {
            let near = did_you_mean(feature, self.schema.features.iter().map(|f| f.name.as_str()));
            let message = format!("the schema has no feature `{feature}`");
            return Err(Box::new(
                Diagnostic::bare(&code::HOST_INPUT, message).maybe_help(near.map(|n| format!("did you mean `{n}`?"))),
            ));
        };
        let (given, n) = (GivenColumn { values, valid }, catalog.n_items());
        let mut slot = Slot::default();
        let filled = slot.fill(declared, &given, n, catalog.texts_mut());
        filled.map_err(|why| unfit(format!("`{feature}`: {why}")))?;
        let column = slot.column(declared, &given, By::Item).into_owned();
        catalog.add_column(feature, column)
    }

    pub(super) fn parts(&self) -> (Arc<Program>, Arc<Schema>) {
        (Arc::clone(&self.program), Arc::clone(&self.schema))
    }
}
