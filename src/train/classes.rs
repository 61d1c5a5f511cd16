//! Which items are of a cap's class, as the reward itself says.

use super::evaluate::Class;
use super::requests::Prompts;
use crate::catalog::Catalog;
use crate::diagnostic::Fault;
use crate::host::{Groups, Rollouts, Scorer, Step};

/// The items of each cap's class, judged for a user without a history; a class that waits for the slate choice has
/// none. The scorer's step is forgotten.
///
/// # Errors
/// What the scorer refuses.
pub fn classes(scorer: &mut Scorer<'_>, catalog: &dyn Catalog) -> Result<Vec<Class>, Fault> {
    let caps = scorer.program().caps().map(|(_, c)| Class { name: c.name.clone(), members: Vec::new() });
    let mut classes: Vec<Class> = caps.collect();
    let items: Vec<u32> = (0..catalog.n_items() as u32).collect();
    let capacity = scorer.capacity();
    for chunk in items.chunks((capacity.group * capacity.requests).max(1)) {
        let sizes = (0..chunk.len() as u32).step_by(capacity.group.max(1));
        let groups: Vec<u32> = sizes.chain([chunk.len() as u32]).collect();
        let prompts = Prompts::of(vec![Vec::new(); groups.len() - 1], Vec::new(), catalog.n_levels());
        let rollouts = Rollouts::new(Groups::Offsets(&groups)).items(chunk, catalog.id());
        let requests = prompts.requests(scorer);
        let scored = scorer.score(&requests, &rollouts, Step::default())?;
        for class in &mut classes {
            match scored.matching(&class.name) {
                Some(is) => class.members.extend_from_slice(is),
                None => class.members.extend(std::iter::repeat_n(false, chunk.len())),
            }
        }
    }
    scorer.forget_step();
    Ok(classes)
}
