//! Ending a step: the only thing that moves state.

use super::scorer::Scorer;
use crate::control::{self, Counted, Moved, Observed, Seen};
use crate::diagnostic::Fault;
use crate::eval::Share;
use crate::types::Host;

impl Scorer<'_> {
    /// Moves the state by what was seen since it moved last: a step may be scored in pieces. The scorer
    /// measures by itself what it sees: in training and at serving what was generated, in logs what was shown;
    /// what is handed in stands before that. A second call without a new step has nothing of its own.
    ///
    /// # Errors
    /// A measurement that has no use (RW0907), a controller that has seen nothing for too long (RW0906);
    /// the state is as it was then.
    pub fn end_step(&mut self, observed: &Observed) -> Result<Vec<Moved>, Fault> {
        let mut all = self.measured();
        if observed.requests > 0 {
            all.requests = observed.requests;
        }
        all.caps.extend(observed.caps.iter().map(|(name, seen)| (name.clone(), seen.clone())));
        let stepped = control::step(&self.bound.program, &self.controllers, &self.state, &all)?;
        self.forget_step();
        self.state = stepped.state;
        Ok(stepped.moved)
    }

    /// Forgets what was seen since the state moved last: that was no step.
    pub fn forget_step(&mut self) {
        self.unended = 0;
        self.seen.fill(Share::default());
    }

    /// What the scorer itself has seen of the caps with a controller.
    fn measured(&self) -> Observed {
        let requests = self.unended;
        let counted = if self.bound.host == Host::Logs { Counted::Shown } else { Counted::Generated };
        let caps = self.bound.program.caps().filter_map(|(i, cap)| {
            self.controllers.caps.get(&cap.name).filter(|c| c.counts == counted)?;
            let share = *self.seen.get(i)?;
            Some((cap.name.clone(), Seen::Share { share, age: 0 }))
        });
        Observed { requests, caps: caps.collect() }
    }
}
