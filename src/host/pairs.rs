//! Asking signal sources: once a step, on the distinct pairs of request and legal item.

use super::bound::{Bound, Provider};
use super::given::{Given, GivenColumn, Slot};

use super::faults::refused;
use super::sources::{History, Pairs, SignalSource, Signals};
use crate::diagnostic::{Diagnostic, Fault, code};
use crate::eval::batch::By;
use crate::eval::{Batch, ControlState, Evaluator, Run, Verdict};
use crate::program::FeatureId;

/// What a step asked of its sources.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SignalCounts {
    /// Distinct pairs.
    pub pairs: u64,
    /// Pairs for which some feature was not predicted.
    pub failed: u64,
    /// By feature with a held-out source: its name, the mean of the first source and of the held-out, over the
    /// pairs that both predict; NaN where there is none.
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
    valid: Vec<Vec<bool>>,
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
        self.distinct(batch, &early.verdicts, &early.item_of, bound.catalog.is_some());
        let of_signals: Vec<(usize, usize, usize)> = bound
            .providers
            .iter()
            .enumerate()
            .filter_map(|(f, p)| match p {
                Some(Provider::Signal(source, place)) => Some((f, *source, *place)),
                _ => None,
            })
            .collect();
        self.predict(bound, &batch.request_keys, &of_signals)?;
        // Every value stands by row now, in the order of the program's features; a row that nobody was asked
        // about, or that was not predicted, is null: it has failed where it is read (R2.3).
        self.by_row.resize_with(of_signals.len(), Vec::new);
        self.valid.resize_with(of_signals.len(), Vec::new);
        for ((rows, valid), (_, source, place)) in self.by_row.iter_mut().zip(&mut self.valid).zip(&of_signals) {
            let values = self.by_pair.get(*source).and_then(|s| s.get(*place));
            let at = |pair: &u32| values.and_then(|v| v.get(*pair as usize)).copied().unwrap_or(f32::NAN);
            rows.clear();
            rows.extend(self.pair_of.iter().map(at));
            valid.clear();
            valid.extend(rows.iter().map(|v| !v.is_nan()));
        }
        self.slots.resize_with(self.by_row.len(), Slot::default);
        for (((slot, values), valid), (f, ..)) in
            self.slots.iter_mut().zip(&self.by_row).zip(&self.valid).zip(&of_signals)
        {
            let given = GivenColumn { values: Given::Reals(values), valid: Some(valid) };
            if let Some(feature) = bound.program.features.get(*f) {
                let filled = slot.fill(feature, &given, batch.n_rows, &mut batch.texts);
                filled.map_err(|why| failed(&format!("`{}`: {why}", feature.name)))?;
            }
        }
        for (((slot, values), valid), (f, ..)) in self.slots.iter().zip(&self.by_row).zip(&self.valid).zip(&of_signals)
        {
            let given = GivenColumn { values: Given::Reals(values), valid: Some(valid) };
            if let (Some(feature), Some(column)) = (bound.program.features.get(*f), batch.features.get_mut(*f)) {
                *column = Some(slot.column(feature, &given, By::Row));
                batch.predicted.push(FeatureId(*f as u32));
            }
        }
        Ok(())
    }

    /// The distinct pairs of rows that are legal so far.
    fn distinct(&mut self, batch: &Batch<'_>, verdicts: &[Verdict], items: &[u32], by_catalog: bool) {
        self.asked.clear();
        let rows = verdicts.iter().zip(items).zip(&batch.request_of).enumerate();
        // Without a catalog every row is an item of its own; with one, a row that is no item is not asked about.
        let item = |row: usize, item: u32| if by_catalog { item } else { row as u32 };
        self.asked.extend(
            rows.filter(|(_, ((v, i), _))| **v == Verdict::Scored && (!by_catalog || **i != u32::MAX))
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

    fn predict(&mut self, bound: &Bound, keys: &[String], read: &[(usize, usize, usize)]) -> Result<(), Fault> {
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
        let (n_sources, sources) = (self.sources.len(), self.sources.iter_mut().chain(&mut self.held_out));
        for (i, ((source, provides), columns)) in sources.zip(&self.provides).zip(&mut self.by_pair).enumerate() {
            columns.resize_with(provides.len(), Vec::new);
            for column in columns.iter_mut() {
                column.clear();
                column.resize(n, f32::NAN);
            }
            let said = if n > 0 { source.predict(&pairs, &mut Signals { columns }) } else { Ok(()) };
            match said {
                Ok(()) => {}
                Err(why) if i < n_sources => return Err(failed(&format!("`{}`: {why}", source.id()))),
                // A second opinion that fails is none, and nothing else waits for it.
                Err(_) => columns.iter_mut().for_each(|column| column.fill(f32::NAN)),
            }
        }
        self.compare(bound);
        let fails = |pair: &usize| {
            let value = |s: usize, p: usize| self.by_pair.get(s).and_then(|c| c.get(p)).and_then(|v| v.get(*pair));
            read.iter().any(|(_, s, p)| value(*s, *p).is_none_or(|v| v.is_nan()))
        };
        self.counts.failed = (0..n).filter(fails).count() as u64;
        let share = self.counts.failed as f64 / (n.max(1)) as f64;
        if share > self.fail_above {
            let pair = (0..n).find(fails).unwrap_or(0);
            let missing = read.iter().find(|(_, s, p)| {
                let value = self.by_pair.get(*s).and_then(|c| c.get(*p)).and_then(|v| v.get(pair));
                value.is_none_or(|v| v.is_nan())
            });
            let feature = missing.and_then(|(f, ..)| bound.program.features.get(*f)).map_or("", |f| &f.name);
            let request = self.requests.get(pair).and_then(|r| keys.get(*r as usize)).map_or("", String::as_str);
            let item = match (bound.catalog.as_deref(), self.items.get(pair)) {
                (Some(catalog), Some(item)) => catalog.key(*item),
                _ => "",
            };
            return Err(failed(&format!(
                "{} of {n} pairs were not predicted, such as `{feature}` of request {request} and item {item}",
                self.counts.failed
            )));
        }
        Ok(())
    }

    /// The means of first and held-out sources over the pairs that both predict, within the schema's range.
    fn compare(&mut self, bound: &Bound) {
        for (h, names) in self.provides.iter().enumerate().skip(self.sources.len()) {
            for (place, name) in names.iter().enumerate() {
                let first = self.provides.iter().take(self.sources.len()).enumerate();
                let own = first.filter_map(|(s, names)| Some((s, names.iter().position(|n| n == name)?))).next();
                let of =
                    |(s, p): (usize, usize)| self.by_pair.get(s).and_then(|c| c.get(p)).map_or(&[][..], Vec::as_slice);
                let feature = bound.schema.feature(name);
                let fits = |v: f32| feature.is_some_and(|f| !v.is_nan() && f.range.contains(f.cleaned(f64::from(v)).0));
                let pairs = own.map_or(&[][..], of).iter().zip(of((h, place)));
                let (mut main, mut other, mut n) = (0.0, 0.0, 0.0);
                for (a, b) in pairs.filter(|(a, b)| fits(**a) && fits(**b)) {
                    (main, other, n) = (main + f64::from(*a), other + f64::from(*b), n + 1.0);
                }
                // Of no pair there is no mean: 0 by 0 is no number, and shown as null.
                self.counts.held_out.push((name.clone(), main / n, other / n));
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
