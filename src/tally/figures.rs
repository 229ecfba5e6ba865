//! Slices added up, and what thresholds ask of them.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::slice::Slice;
use crate::outcome::Outcome;
use crate::scenario::{Counted, Counter, Figures, Operation, Percentile, Series, Share, Timed};

/// What a run, or a part of it, came to.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// The duration alone: what times and rates are taken from.
    pub measured: Slice,
    /// Everything, fill, warm-up and drain included: what counts and violations are taken from.
    pub whole: Slice,
    /// How long was measured.
    pub length: Duration,
    /// The part of the time that the worst shard's thread waited in the run queue, where that can be seen.
    pub run_queue: Option<f64>,
}

/// One histogram in a few numbers; times in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// Values in it.
    pub count: u64,
    /// The median.
    pub p50: u64,
    /// Of 100 values 90 are not greater.
    pub p90: u64,
    /// Of 100 values 99 are not greater.
    pub p99: u64,
    /// Of 1,000 values 999 are not greater.
    pub p99_9: u64,
    /// Of 10,000 values 9,999 are not greater.
    pub p99_99: u64,
    /// The greatest.
    pub max: u64,
}

/// One operation and outcome in a few numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LatencySummary {
    /// The operation.
    pub operation: Operation,
    /// What the answers mean.
    pub outcome: Outcome,
    /// From the intended instant.
    pub response: Spread,
    /// From the sending.
    pub service: Spread,
}

impl Spread {
    /// What a histogram comes to; nothing of an empty one.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Option<Self> {
        (!histogram.is_empty()).then(|| Self {
            count: histogram.len(),
            p50: histogram.value_at_quantile(0.5),
            p90: histogram.value_at_quantile(0.9),
            p99: histogram.value_at_quantile(0.99),
            p99_9: histogram.value_at_quantile(0.999),
            p99_99: histogram.value_at_quantile(0.9999),
            max: histogram.max(),
        })
    }
}

impl Totals {
    /// Adds what a shard measured; `is_measured` when it belongs to the duration.
    pub fn add(&mut self, slice: &Slice, is_measured: bool) {
        self.whole.merge(slice);
        if is_measured {
            self.measured.merge(slice);
        }
    }

    /// The times of the duration by operation and outcome.
    #[must_use]
    pub fn latencies(&self) -> Vec<LatencySummary> {
        let summary = |(operation, outcome, latency): (Operation, Outcome, &super::Latency)| {
            Some(LatencySummary {
                operation,
                outcome,
                response: Spread::of(&latency.response)?,
                service: Spread::of(&latency.service)?,
            })
        };
        self.measured.latencies().filter_map(summary).collect()
    }

    /// Polls of the duration that were answered or given up.
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.answers(Series::Operation(Operation::Token))
    }

    /// The 99th percentile of their response times, in microseconds.
    #[must_use]
    pub fn poll_p99(&self) -> Option<u64> {
        let polls = self.histogram(Timed::Response(Series::Operation(Operation::Token)))?;
        Some(polls.value_at_quantile(0.99))
    }

    /// The 99th percentile of the lag in the duration, in microseconds.
    #[must_use]
    pub fn lag_p99(&self) -> Option<u64> {
        Spread::of(&self.measured.lag).map(|lag| lag.p99)
    }

    /// Answers of one operation or outcome in the duration.
    fn answers(&self, series: Series) -> u64 {
        self.measured.count(|operation, outcome| series.has(operation, outcome))
    }

    fn of(&self, series: Series) -> impl Iterator<Item = &super::Latency> {
        self.measured
            .latencies()
            .filter(move |(operation, outcome, _)| series.has(*operation, *outcome))
            .map(|found| found.2)
    }

    /// The answers that mean one of these, in the whole run.
    fn whole_of(&self, outcomes: &[Outcome]) -> u64 {
        self.whole.count(|_, outcome| outcomes.contains(&outcome))
    }

    fn histogram(&self, timed: Timed) -> Option<Histogram<u64>> {
        let merged = |pick: fn(&super::Latency) -> &Histogram<u64>, series: Series| {
            let mut all = super::slice::histogram();
            for latency in self.of(series) {
                // Cannot fail: it grows as it needs.
                let _ = all.add(pick(latency));
            }
            all
        };
        let found = match timed {
            Timed::Response(series) => merged(|latency| &latency.response, series),
            Timed::Service(series) => merged(|latency| &latency.service, series),
            Timed::Lag => self.measured.lag.clone(),
            Timed::Wait => self.measured.wait.clone(),
            Timed::ApprovalToToken => self.measured.approval_to_token.clone(),
        };
        (!found.is_empty()).then_some(found)
    }
}

impl Figures for Totals {
    fn seconds(&self) -> f64 {
        self.length.as_secs_f64()
    }

    fn requests(&self) -> u64 {
        self.measured.count(|_, _| true)
    }

    fn count(&self, counted: Counted) -> Option<u64> {
        Some(match counted {
            Counted::Counter(Counter::Violations) => self.whole.violations.count(),
            Counted::Counter(Counter::Warnings) => self.whole.counters.warnings,
            Counted::Counter(Counter::Errors) => self.whole_of(&[Outcome::Broken, Outcome::Malformed]),
            Counted::Counter(Counter::Limited) => self.whole_of(&[Outcome::Limited]),
            Counted::Counter(Counter::Lost) => self.whole.counters.lost,
            Counted::Counter(Counter::SlowDowns) => self.whole.counters.slow_downs,
            Counted::Answers(series) => self.answers(series),
        })
    }

    fn share(&self, share: Share) -> Option<f64> {
        match share {
            Share::Grants => {
                let (kept, due) = (self.whole.counters.kept_grants, self.whole.counters.due_grants);
                #[expect(clippy::cast_precision_loss, reason = "counts of a run stay far below 2^52")]
                (due > 0).then(|| kept as f64 / due as f64)
            }
            Share::RunQueue => self.run_queue,
        }
    }

    fn percentile(&self, timed: Timed, percentile: Percentile) -> Option<Duration> {
        let value = self.histogram(timed)?.value_at_percentile(percentile.of_a_hundred());
        Some(Duration::from_micros(value))
    }
}
