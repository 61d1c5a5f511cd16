//! `rewardc catalog`.

use std::path::Path;

use super::args::{CatalogArgs, CatalogCommand, SummaryFormat};
use super::program::could_not;
use super::{Exit, Ui};
use crate::catalog::{Catalog, FileCatalog};

/// What is in a catalog.
#[derive(serde::Serialize)]
struct Info<'a> {
    items: usize,
    levels: usize,
    /// By level one more than the greatest code.
    shape: &'a [u32],
    items_with_sid: usize,
    sids: usize,
    /// Items that share their SID with another.
    sharing: usize,
    largest_group: usize,
    features: Vec<&'a str>,
    id: String,
}

pub fn run(args: &CatalogArgs, ui: &mut Ui) -> Exit {
    match &args.command {
        CatalogCommand::Build { schema, data, out } => build(schema, data, out, ui),
        CatalogCommand::Info { file, format } => match FileCatalog::open(file) {
            Ok(catalog) => {
                let info = Info::of(&catalog);
                match format {
                    SummaryFormat::Human => ui.print(&info.text()),
                    SummaryFormat::Json => {
                        ui.print(&format!("{:#}\n", serde_json::to_value(&info).unwrap_or_default()));
                    }
                }
                Exit::Fine
            }
            Err(fault) => could_not(ui, *fault),
        },
    }
}

#[cfg(feature = "data")]
fn build(schema: &Path, data: &Path, out: &Path, ui: &mut Ui) -> Exit {
    use super::args::Format;
    use crate::check::unreadable;
    use crate::data::read_catalog;
    use crate::diagnostic::{Diagnostic, Diagnostics, code};
    use crate::source::{DiskFiles, Sources};

    let (name, text) = match DiskFiles::around(schema).and_then(|f| f.read_entry(schema)) {
        Ok(read) => read,
        Err(fault) => return could_not(ui, unreadable(schema, &fault)),
    };
    let mut sources = Sources::default();
    let id = sources.add(name, text.clone());
    let mut found = Diagnostics::default();
    let schema = crate::schema::read(&text, id, &mut found);
    if found.has_errors() {
        ui.report(&found.sorted(), &sources, Format::Human);
        return Exit::Findings;
    }
    let watch = ui.progress();
    let read = read_catalog(&schema, data, &watch);
    watch.done();
    let catalog = match read {
        Ok(catalog) => catalog,
        Err(fault) => return could_not(ui, *fault),
    };
    if let Err(error) = crate::catalog::write(&catalog, out) {
        let message = format!("cannot write `{}`: {error}", out.display());
        return could_not(ui, Diagnostic::bare(&code::UNWRITABLE, message));
    }
    ui.print(&Info::of(&catalog).text());
    ui.print(&format!("wrote {}\n", out.display()));
    Exit::Fine
}

#[cfg(not(feature = "data"))]
fn build(_: &Path, _: &Path, _: &Path, ui: &mut Ui) -> Exit {
    use crate::diagnostic::{Diagnostic, code};
    let fault = Diagnostic::bare(&code::NOT_BUILT_IN, "this build reads no data files");
    could_not(ui, fault.help("build with `--features data`"))
}

impl<'a> Info<'a> {
    fn of(catalog: &'a dyn Catalog) -> Self {
        let order = catalog.by_sid();
        let (mut sids, mut sharing, mut largest_group) = (0, 0, 0);
        for group in order.chunk_by(|a, b| catalog.sid(*a) == catalog.sid(*b)) {
            sids += 1;
            sharing += if group.len() > 1 { group.len() } else { 0 };
            largest_group = largest_group.max(group.len());
        }
        Self {
            items: catalog.n_items(),
            levels: catalog.n_levels(),
            shape: catalog.shape(),
            items_with_sid: order.len(),
            sids,
            sharing,
            largest_group,
            features: catalog.features(),
            id: format!("{:016x}", catalog.id()),
        }
    }

    fn text(&self) -> String {
        let legal = self.sids as f64 / self.shape.iter().map(|n| f64::from(*n)).product::<f64>().max(1.0);
        format!(
            "{} items, {} with a SID of {} levels; codes up to {:?}\n{} distinct SIDs ({:.2e} of all that these codes could \
             write); {} items share theirs, at most {} one SID\nfeatures: {}\nid {}\n",
            self.items,
            self.items_with_sid,
            self.levels,
            self.shape,
            self.sids,
            legal,
            self.sharing,
            self.largest_group,
            if self.features.is_empty() { "none".to_string() } else { self.features.join(", ") },
            self.id
        )
    }
}
