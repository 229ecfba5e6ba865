//! What a run goes on from: what was judged in an earlier one of the same target, which was interrupted or shortened.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::event::{CardLine, CaseResult, Event, ShownExchange};
use crate::record::RunRecord;

/// What an earlier run found, which is not played again; nothing by default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Carried {
    /// The verdicts.
    pub cases: Vec<CaseResult>,
    /// The lines of the card that were measured.
    pub card: Vec<CardLine>,
    /// All of its exchanges.
    pub exchanges: Vec<ShownExchange>,
    /// How long it took: this one begins then.
    pub took: Duration,
}

impl Carried {
    /// What stands in a record: cases with a verdict, but not those that were not exercised, that were inconclusive, or
    /// that ended in an error of our own. `over` are the checks over all answers of a run: unless they found something,
    /// they are asked again, about the answers that are still to come.
    #[must_use]
    pub fn of(record: &RunRecord, over: &BTreeSet<String>) -> Self {
        let stands = |case: &&CaseResult| {
            case.verdict.is_judged() && (!case.mismatches.is_empty() || !over.contains(&case.check))
        };
        let last = record.exchanges.values().map(|exchange| exchange.done_ms).fold(0.0, f64::max);
        let ended = record.ended.as_ref().map_or(0, |ended| ended.took_ms);
        Self {
            cases: record.cases.iter().filter(stands).cloned().collect(),
            card: record.card.iter().filter(|line| line.measured().is_some()).cloned().collect(),
            exchanges: record.exchanges.values().cloned().collect(),
            took: Duration::from_secs_f64(last / 1000.0).max(Duration::from_millis(ended)),
        }
    }

    /// The names of the cases and the checks behind the lines of the card: what is not played.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        let cases = self.cases.iter().map(CaseResult::case);
        cases.chain(self.card.iter().map(|line| line.check.clone())).collect()
    }

    /// The number of its last exchange.
    #[must_use]
    pub fn last_number(&self) -> u32 {
        self.exchanges.iter().map(|exchange| exchange.number).max().unwrap_or(0)
    }

    /// It as events, as they stood in its record.
    pub(super) fn events(&self) -> impl Iterator<Item = Event> + '_ {
        let exchanged = |exchange: &ShownExchange| Event::Exchanged(Box::new(exchange.clone()));
        let cases = self.cases.iter().map(|case| Event::Judged(Box::new(case.clone())));
        let card = self.card.iter().map(|line| Event::Measured(Box::new(line.clone())));
        self.exchanges.iter().map(exchanged).chain(cases).chain(card)
    }
}
