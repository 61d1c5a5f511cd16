//! Asking signal sources: once a step, on the distinct pairs of request and legal item.

use super::bound::{Bound, Provider};
use super::given::{Given, GivenColumn, Slot};

use super::faults::refused;
use super::sources::{History, Pairs, SignalSource, Signals};
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::eval::batch::By;
use crate::eval::{Batch, ControlState, Evaluator, Reason, Run, Verdict};

/// What a step asked of its sources.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SignalCounts {
    /// Distinct pairs.
    pub pairs: u64,
    /// Pairs for which some feature was not predicted.
    pub failed: u64,
    /// By feature with a held-out source: its name, the mean of the first source, the mean of the held-out.
    pub held_out: Vec<(String, f64, f64)>,
}

/// Sources with the room they write into.
#[derive(Default)]
pub struct SignalRoom<'c> {
    pub sources: Vec<Box<dyn SignalSource + 'c>>,
    pub held_out: Vec<Box<dyn SignalSource + 'c>>,
    /// What each provides, the held-out ones last.
    provides: Vec<Vec<String>>,
    /// The share of failed pairs past which a step is refused.
    pub fail_above: f64,
    pub counts: SignalCounts,
    pub history: History,
    /// Request, item and row of each asked row, to be sorted.
    asked: Vec<(u32, u32, u32)>,
    requests: Vec<u32>,
    items: Vec<u32>,
    rows: Vec<u32>,
    /// Pair of each row; none is `u32::MAX`.
    pair_of: Vec<u32>,
    /// By source and feature: a value for each pair, then for each row.
    by_pair: Vec<Vec<Vec<f32>>>,
    by_row: Vec<Vec<f32>>,
    slots: Vec<Slot>,
}

impl<'c> SignalRoom<'c> {
    /// Room for these sources.
    pub fn new(
        sources: Vec<Box<dyn SignalSource + 'c>>,
        held_out: Vec<Box<dyn SignalSource + 'c>>,
        fail_above: f64,
    ) -> Self {
        let provides = sources.iter().chain(&held_out).map(|s| s.provides()).collect();
        Self { sources, held_out, provides, fail_above, ..Self::default() }
    }

    /// Whether any source asks for histories.
    pub fn reads_history(&self) -> bool {
        self.sources.iter().chain(&self.held_out).any(|s| s.reads_history())
    }

    /// Asks every source, and puts what they say into the batch by row.
    ///
    /// # Errors
    /// A source that fails as a whole, or for too many pairs (RW0904).
    pub fn ask<'a>(
        &'a mut self,
        bound: &'a Bound,
        evaluator: &dyn Evaluator,
        batch: &mut Batch<'a>,
        run: Run<'_>,
    ) -> Result<(), Fault> {
        self.counts = SignalCounts::default();
        if self.sources.is_empty() {
            return Ok(());
        }
        // The rules alone: no cap is there for a state to speak of.
        let start = ControlState::default();
        let early = evaluator.score(&bound.early, batch, Run { state: &start, ..run }).map_err(refused)?;
        self.distinct(batch, &early.verdicts, &early.item_of);
        self.predict(bound, &batch.request_keys)?;
        self.spread(batch.n_rows, &mut batch.excluded);
        // Every value stands by row now, in the order of the program's features.
        let of_signals = bound.providers.iter().enumerate().filter_map(|(f, p)| match p {
            Some(Provider::Signal(source, place)) => Some((f, *source, *place)),
            _ => None,
        });
        self.by_row.resize_with(of_signals.clone().count(), Vec::new);
        for (rows, (_, source, place)) in self.by_row.iter_mut().zip(of_signals.clone()) {
            let values = self.by_pair.get(source).and_then(|s| s.get(place));
            let at = |pair: &u32| values.and_then(|v| v.get(*pair as usize)).copied().unwrap_or(0.0);
            rows.clear();
            rows.extend(self.pair_of.iter().map(at));
        }
        self.slots.resize_with(self.by_row.len(), Slot::default);
        for ((slot, values), (f, ..)) in self.slots.iter_mut().zip(&self.by_row).zip(of_signals.clone()) {
            let given = GivenColumn { values: Given::Reals(values), valid: None };
            if let Some(feature) = bound.program.features.get(f) {
                let filled = slot.fill(feature, &given, batch.n_rows, &mut batch.texts);
                filled.map_err(|why| failed(&format!("`{}`: {why}", feature.name)))?;
            }
        }
        for ((slot, values), (f, ..)) in self.slots.iter().zip(&self.by_row).zip(of_signals) {
            let given = GivenColumn { values: Given::Reals(values), valid: None };
            if let (Some(feature), Some(column)) = (bound.program.features.get(f), batch.features.get_mut(f)) {
                *column = Some(slot.column(feature, &given, By::Row));
            }
        }
        Ok(())
    }

    /// The distinct pairs of rows that are legal so far.
    fn distinct(&mut self, batch: &Batch<'_>, verdicts: &[Verdict], items: &[u32]) {
        self.asked.clear();
        let rows = verdicts.iter().zip(items).zip(&batch.request_of).enumerate();
        // Without a catalog every row is an item of its own.
        let item = |row: usize, item: u32| if item == u32::MAX { row as u32 } else { item };
        self.asked.extend(
            rows.filter(|(_, ((v, _), _))| **v == Verdict::Scored)
                .map(|(row, ((_, i), request))| (*request, item(row, *i), row as u32)),
        );
        self.asked.sort_unstable();
        for list in [&mut self.requests, &mut self.items, &mut self.rows] {
            list.clear();
        }
        self.pair_of.clear();
        self.pair_of.resize(batch.n_rows, u32::MAX);
        let mut last = None;
        for (request, item, row) in &self.asked {
            if last != Some((*request, *item)) {
                last = Some((*request, *item));
                self.requests.push(*request);
                self.items.push(*item);
                self.rows.push(*row);
            }
            if let Some(slot) = self.pair_of.get_mut(*row as usize) {
                *slot = self.requests.len() as u32 - 1;
            }
        }
        self.counts.pairs = self.requests.len() as u64;
    }

    fn predict(&mut self, bound: &Bound, keys: &[String]) -> Result<(), Fault> {
        let pairs = Pairs {
            requests: &self.requests,
            items: &self.items,
            rows: &self.rows,
            keys,
            catalog: bound.catalog.as_deref(),
            history: &self.history,
        };
        let n = pairs.len();
        self.by_pair.resize_with(self.sources.len() + self.held_out.len(), Vec::new);
        let sources = self.sources.iter_mut().chain(&mut self.held_out);
        for ((source, provides), columns) in sources.zip(&self.provides).zip(&mut self.by_pair) {
            columns.resize_with(provides.len(), Vec::new);
            for column in columns.iter_mut() {
                column.clear();
                column.resize(n, f32::NAN);
            }
            if n > 0 {
                source
                    .predict(&pairs, &mut Signals { columns })
                    .map_err(|why| failed(&format!("`{}`: {why}", source.id())))?;
            }
        }
        let mean = |values: &[f32]| {
            let known = values.iter().filter(|v| !v.is_nan());
            known.clone().map(|v| f64::from(*v)).sum::<f64>() / known.count().max(1) as f64
        };
        for (h, names) in self.provides.iter().enumerate().skip(self.sources.len()) {
            for (place, name) in names.iter().enumerate() {
                let first = self.provides.iter().take(self.sources.len()).enumerate();
                let own = first.filter_map(|(s, names)| Some((s, names.iter().position(|n| n == name)?))).next();
                let of = |s: usize, p: usize| self.by_pair.get(s).and_then(|c| c.get(p)).map_or(f64::NAN, |v| mean(v));
                let main = own.map_or(f64::NAN, |(s, p)| of(s, p));
                self.counts.held_out.push((name.clone(), main, of(h, place)));
            }
        }
        let main = self.by_pair.get(..self.sources.len()).unwrap_or(&[]);
        let fails = |pair: &usize| main.iter().flatten().any(|v| v.get(*pair).is_none_or(|x| x.is_nan()));
        self.counts.failed = (0..n).filter(fails).count() as u64;
        let share = self.counts.failed as f64 / (n.max(1)) as f64;
        if share > self.fail_above {
            return Err(failed(&format!("{} of {n} pairs were not predicted", self.counts.failed)));
        }
        Ok(())
    }

    /// Rows of failed pairs are out.
    fn spread(&self, n_rows: usize, excluded: &mut [Option<Reason>]) {
        let main = self.by_pair.get(..self.sources.len()).unwrap_or(&[]);
        for row in 0..n_rows {
            let pair = self.pair_of.get(row).copied().unwrap_or(u32::MAX) as usize;
            let fails = |v: &Vec<f32>| v.get(pair).is_some_and(|x| x.is_nan());
            if main.iter().flatten().any(fails)
                && let Some(slot) = excluded.get_mut(row)
            {
                *slot = Some(Reason::SignalFailed);
            }
        }
    }
}

fn failed(message: &str) -> Fault {
    Box::new(
        Diagnostic::bare(&code::SIGNAL, message)
            .help("a pair that cannot be predicted is left at NaN and counted; `fail_above` says how many may be"),
    )
}
