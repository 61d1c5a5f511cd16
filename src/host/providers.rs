//! Who brings each feature; one message names all that nobody brings.

use super::bound::{Declared, Provider};
use super::inputs::InputId;
use super::reward::{Need, Owner, Reward};
use super::sources::SignalSource;
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Fault, code, did_you_mean};
use crate::program::{FeatureId, Op, Program, Subject};
use crate::types::{Host, Scale};

/// A binding as far as providers go.
pub struct Asked<'a> {
    pub reward: &'a Reward,
    pub host: Host,
    pub catalog: Option<&'a dyn Catalog>,
    pub declared: &'a [(String, Declared)],
    pub sources: &'a [Box<dyn SignalSource + 'a>],
}

/// The provider of each feature of the program, `None` for those a candidate does not have itself.
///
/// # Errors
/// RW0901, naming each feature without a provider, where it is read, and the call that would give it;
/// RW0902 for a declared name that the schema does not have.
pub fn resolve(asked: &Asked<'_>) -> Result<Vec<Option<Provider>>, Fault> {
    let (program, schema) = (asked.reward.program(), asked.reward.schema());
    if let Some((name, as_what)) = asked.declared.iter().find(|(n, _)| schema.feature(n).is_none()) {
        let near = did_you_mean(name, schema.features.iter().map(|f| f.name.as_str()));
        let message = format!("`.{}([\"{name}\"])`: the schema has no feature `{name}`", as_what.call());
        let help =
            near.map_or_else(|| "columns are named like features".to_string(), |n| format!("did you mean `{n}`?"));
        return Err(Box::new(Diagnostic::bare(&code::HOST_INPUT, message).help(help)));
    }
    let column = |name: &str, wanted: &[Declared]| {
        let place = asked.declared.iter().position(|(n, d)| n == name && wanted.contains(d));
        place.map(InputId::of)
    };
    let signal = |name: &str| {
        asked.sources.iter().enumerate().find_map(|(s, source)| {
            source.provides().iter().position(|p| p == name).map(|place| Provider::Signal(s, place))
        })
    };
    let mut providers = vec![None; program.features.len()];
    let mut missing = Vec::new();
    for need in asked.reward.needs(asked.host) {
        let found = match need.owner {
            Owner::Past => column(&need.feature, &[Declared::Past]).map(Provider::Column),
            Owner::Wanted => column(&need.feature, &[Declared::Wanted]).map(Provider::Column),
            Owner::Sid => Some(Provider::Sid),
            Owner::Catalog => asked
                .catalog
                .and_then(|c| c.column(&need.feature))
                .map(|_| Provider::Catalog)
                .or_else(|| column(&need.feature, &[Declared::Rollout]).map(Provider::Column)),
            Owner::Request => column(&need.feature, &[Declared::Request]).map(Provider::Column),
            Owner::Rollout => column(&need.feature, &[Declared::Rollout]).map(Provider::Column),
            Owner::Signal => {
                signal(&need.feature).or_else(|| column(&need.feature, &[Declared::Rollout]).map(Provider::Column))
            }
        };
        match found {
            None => missing.push(line(asked, program, &need)),
            Some(_) if matches!(need.owner, Owner::Past | Owner::Wanted) => {}
            Some(provider) => {
                let place = program.features.iter().position(|f| f.name == need.feature);
                if let Some(slot) = place.and_then(|i| providers.get_mut(i)) {
                    *slot = Some(provider);
                }
            }
        }
    }
    if missing.is_empty() {
        return Ok(providers);
    }
    let n = missing.len();
    let message = format!(
        "{n} {} that the file reads {} nobody who brings {}:\n{}",
        if n == 1 { "feature" } else { "features" },
        if n == 1 { "has" } else { "have" },
        if n == 1 { "it" } else { "them" },
        missing.join("\n")
    );
    Err(Box::new(Diagnostic::bare(&code::NO_PROVIDER, message).help("add these calls before `build()`")))
}

/// A feature without a provider: where it is read, and the call that would give it.
fn line(asked: &Asked<'_>, program: &Program, need: &Need) -> String {
    let subjects: &[Subject] = match need.owner {
        Owner::Past => &[Subject::Past],
        Owner::Wanted => &[Subject::Wanted],
        _ => &[Subject::Own, Subject::Member],
    };
    let id = program.features.iter().position(|f| f.name == need.feature).map(|i| FeatureId(i as u32));
    let read = program.exprs.iter().find(|e| match &e.op {
        Op::Feature { id: found, of } => Some(*found) == id && subjects.contains(of),
        Op::Code { of, .. } => need.scale == Scale::Sid && subjects.contains(of),
        Op::InCatalog { id: found, .. } => Some(*found) == id && subjects.contains(&Subject::Own),
        _ => false,
    });
    let sources = asked.reward.sources();
    let place = read.and_then(|e| {
        let file = sources.get(e.span.file)?;
        Some(format!("{}:{}", file.name, sources.line_column(e.span.file, e.span.start).0))
    });
    let name = &need.feature;
    let call = match need.owner {
        Owner::Past => format!(".past(&[\"{name}\"])"),
        Owner::Wanted => format!(".wanted(&[\"{name}\"])"),
        Owner::Request => format!(".request(&[\"{name}\"])"),
        Owner::Signal => format!(".signals(SignalFn::new(\"ID\", \"{name}\", …)) or .rollout(&[\"{name}\"])"),
        Owner::Catalog if asked.catalog.is_some() => {
            format!("a column `{name}` of the catalog, or .rollout(&[\"{name}\"])")
        }
        Owner::Catalog | Owner::Rollout | Owner::Sid => format!(".rollout(&[\"{name}\"])"),
    };
    format!("  `{name}`, read at {}: {call}", place.unwrap_or_else(|| "its `resolve`".into()))
}
