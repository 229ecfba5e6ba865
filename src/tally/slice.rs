//! What one shard measured in a while.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::violation::Violations;
use crate::outcome::Outcome;
use crate::protocol::words::words;
use crate::scenario::Operation;

/// Significant digits of every histogram.
const DIGITS: u8 = 3;

words! {
    /// How the life of a device ended.
    End {
        /// With a token.
        Granted = "granted",
        /// With `access_denied`.
        Denied = "denied",
        /// With `expired_token`, or because the announced lifetime was over.
        Expired = "expired",
        /// With another error word.
        Refused = "refused",
        /// With an answer from which nothing follows.
        Unusable = "unusable",
        /// It got no codes.
        NoCodes = "no_codes",
        /// It polled no more, as the scenario has it.
        Abandoned = "abandoned",
    }
}

/// The times of the answers of one operation that mean the same.
#[derive(Debug, Clone)]
pub struct Latency {
    /// From the intended instant to the whole answer.
    pub response: Histogram<u64>,
    /// From the first byte sent to the whole answer.
    pub service: Histogram<u64>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Devices that were given codes.
    pub issued: u64,
    /// Decisions that came out: approvals.
    pub approved: u64,
    /// Decisions that came out: denials.
    pub denied: u64,
    /// Decisions that the driver could not bring out.
    pub undecided: u64,
    /// Approvals that left the device time for one poll: at least one interval and `propagation` before the end of the
    /// code and of the run.
    pub due_grants: u64,
    /// Of those, the ones that brought the token.
    pub kept_grants: u64,
    /// Tokens that were made, and whose answer was lost on the way.
    pub lost: u64,
    /// `slow_down` to devices that kept their interval.
    pub slow_downs: u64,
    /// Milder findings of the oracle.
    pub warnings: u64,
    /// Answers that were judged.
    pub judged: u64,
    /// Connections that were made.
    pub connections: u64,
}

/// What one shard measured in a while.
#[derive(Debug, Clone)]
pub struct Slice {
    latencies: Vec<Option<Box<Latency>>>,
    /// Requests without an answer, by operation.
    pub failures: BTreeMap<(Operation, &'static str), u64>,
    /// From the intended instant until a request was taken up.
    pub lag: Histogram<u64>,
    /// Waiting for a free connection, and connecting.
    pub wait: Histogram<u64>,
    /// From the end of an approval to the receipt of the token.
    pub approval_to_token: Histogram<u64>,
    /// From when a decision was due until the driver took it up.
    pub decision_wait: Histogram<u64>,
    /// Polls that a device needed to its grant.
    pub polls_per_grant: Histogram<u64>,
    /// Ends of devices.
    pub ends: [u64; End::ALL.len()],
    /// Counts.
    pub counters: Counters,
    /// Violations and what else the oracle found.
    pub violations: Violations,
}

impl Default for Slice {
    fn default() -> Self {
        Self {
            latencies: (0..Operation::ALL.len() * Outcome::ALL.len()).map(|_| None).collect(),
            failures: BTreeMap::new(),
            lag: histogram(),
            wait: histogram(),
            approval_to_token: histogram(),
            decision_wait: histogram(),
            polls_per_grant: histogram(),
            ends: [0; End::ALL.len()],
            counters: Counters::default(),
            violations: Violations::default(),
        }
    }
}

impl Slice {
    /// Takes note of an answer.
    pub fn answered(
        &mut self,
        operation: Operation,
        outcome: Outcome,
        response: Duration,
        service: Duration,
    ) {
        let place = operation as usize * Outcome::ALL.len() + outcome as usize;
        if let Some(place) = self.latencies.get_mut(place) {
            let latency = place.get_or_insert_with(Box::default);
            record(&mut latency.response, response);
            record(&mut latency.service, service);
        }
    }

    /// Takes note of a request that got no answer; it counts as [`Outcome::Broken`] too.
    pub fn failed(&mut self, operation: Operation, kind: &'static str) {
        *self.failures.entry((operation, kind)).or_default() += 1;
    }

    /// Takes note of the end of a device.
    pub fn ended(&mut self, end: End) {
        if let Some(count) = self.ends.get_mut(end as usize) {
            *count += 1;
        }
    }

    /// The times of one operation and outcome, those that occurred.
    pub fn latencies(&self) -> impl Iterator<Item = (Operation, Outcome, &Latency)> {
        let keys = Operation::ALL.iter().flat_map(|&o| Outcome::ALL.iter().map(move |&outcome| (o, outcome)));
        keys.zip(&self.latencies)
            .filter_map(|((operation, outcome), latency)| Some((operation, outcome, latency.as_deref()?)))
    }

    /// How many answers there were of these operations and outcomes.
    pub fn count(&self, which: impl Fn(Operation, Outcome) -> bool) -> u64 {
        let these = self.latencies().filter(|(operation, outcome, _)| which(*operation, *outcome));
        these.map(|(.., latency)| latency.response.len()).sum()
    }

    /// Puts in what a record tells of one operation and outcome.
    pub(super) fn put(&mut self, operation: Operation, outcome: Outcome, latency: Latency) {
        let place = operation as usize * Outcome::ALL.len() + outcome as usize;
        if let Some(place) = self.latencies.get_mut(place) {
            *place = Some(Box::new(latency));
        }
    }

    /// Adds another slice.
    pub fn merge(&mut self, other: &Self) {
        for (mine, other) in self.latencies.iter_mut().zip(&other.latencies) {
            let Some(other) = other else { continue };
            mine.get_or_insert_with(Box::default).merge(other);
        }
        for (key, count) in &other.failures {
            *self.failures.entry(*key).or_default() += count;
        }
        add(&mut self.lag, &other.lag);
        add(&mut self.wait, &other.wait);
        add(&mut self.approval_to_token, &other.approval_to_token);
        add(&mut self.decision_wait, &other.decision_wait);
        add(&mut self.polls_per_grant, &other.polls_per_grant);
        for (mine, other) in self.ends.iter_mut().zip(other.ends) {
            *mine += other;
        }
        self.counters += other.counters;
        self.violations.merge(&other.violations);
    }
}

impl Latency {
    /// Adds others.
    pub fn merge(&mut self, other: &Self) {
        add(&mut self.response, &other.response);
        add(&mut self.service, &other.service);
    }
}

impl Default for Latency {
    fn default() -> Self {
        Self { response: histogram(), service: histogram() }
    }
}

impl Counters {
    /// Each with its name.
    #[must_use]
    pub fn named(mut self) -> [(&'static str, u64); 11] {
        self.places().map(|(name, place)| (name, *place))
    }

    /// From names; what is not named is 0.
    #[must_use]
    pub fn from_named(names: &BTreeMap<String, u64>) -> Self {
        let mut counters = Self::default();
        for (name, place) in counters.places() {
            *place = names.get(name).copied().unwrap_or(0);
        }
        counters
    }

    fn places(&mut self) -> [(&'static str, &mut u64); 11] {
        [
            ("issued", &mut self.issued),
            ("approved", &mut self.approved),
            ("denied", &mut self.denied),
            ("undecided", &mut self.undecided),
            ("due_grants", &mut self.due_grants),
            ("kept_grants", &mut self.kept_grants),
            ("lost", &mut self.lost),
            ("slow_downs", &mut self.slow_downs),
            ("warnings", &mut self.warnings),
            ("judged", &mut self.judged),
            ("connections", &mut self.connections),
        ]
    }
}

impl AddAssign for Counters {
    fn add_assign(&mut self, mut other: Self) {
        for ((_, mine), (_, other)) in self.places().into_iter().zip(other.places()) {
            *mine += *other;
        }
    }
}

/// An empty histogram of microseconds that grows as it needs.
#[must_use]
pub(super) fn histogram() -> Histogram<u64> {
    // Three digits are within what the crate takes; the fallback is the same with its own bounds.
    Histogram::new(DIGITS).unwrap_or_else(|_| unreachable!("0 to 5 digits are permitted"))
}

/// Takes note of a time.
pub fn record(histogram: &mut Histogram<u64>, time: Duration) {
    count(histogram, u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
}

/// Takes note of a number.
pub fn count(histogram: &mut Histogram<u64>, number: u64) {
    // It grows by itself, and only what 64 bits cannot hold would be refused.
    let _ = histogram.record(number);
}

fn add(mine: &mut Histogram<u64>, other: &Histogram<u64>) {
    if !other.is_empty() {
        // Cannot fail: it grows as it needs.
        let _ = mine.add(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_any_length_are_kept_and_merged() {
        let (mut a, mut b) = (Slice::default(), Slice::default());
        let times = [40_u64, 2_000, 65_000, 9_000_000];
        for (index, micros) in times.into_iter().enumerate() {
            let time = Duration::from_micros(micros);
            let slice = if index % 2 == 0 { &mut a } else { &mut b };
            slice.answered(Operation::Token, Outcome::Granted, time, time / 2);
        }
        a.merge(&b);
        let (operation, outcome, latency) = a.latencies().next().unwrap();
        assert_eq!((operation, outcome, latency.response.len()), (Operation::Token, Outcome::Granted, 4));
        for (nth, micros) in times.into_iter().enumerate() {
            let found = latency.response.value_at_quantile((nth as f64 + 1.0) / 4.0);
            assert!(found.abs_diff(micros) <= micros / 1000, "{found} for {micros}");
            let service = latency.service.value_at_quantile((nth as f64 + 1.0) / 4.0);
            assert!(service.abs_diff(micros / 2) <= micros / 1000, "{service} for {micros}");
        }
    }
}
