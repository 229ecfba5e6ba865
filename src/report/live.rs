//! What a run is doing right now, folded from its events. Draws nothing and knows no clock: the caller says the time.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Event, Waiting};
use crate::record::plural;
use crate::report::span;
use crate::verdict::Verdict;

/// A run in motion.
#[derive(Debug, Clone, Default)]
pub struct Live {
    cases: usize,
    estimate_ms: f64,
    judged: usize,
    failed: usize,
    /// Cases of which something was heard and that are not judged yet.
    under_way: BTreeSet<String>,
    waits: BTreeMap<String, Waiting>,
}

/// What a run is doing at one instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// How much of the cases is judged, from 0 to 1.
    pub fraction: f64,
    /// `171/203   2 failed   18 s left`.
    pub counts: String,
    /// `waiting for: expiry of 14 cases (11 s) · recovery from slow_down (6 s) · 3 requests`; empty when for nothing.
    pub waiting: String,
}

impl Live {
    /// Takes one event in.
    pub fn fold(&mut self, event: &Event) {
        match event {
            Event::Began(began) => {
                *self = Self {
                    cases: began.cases,
                    // Milliseconds below 2^53: exact.
                    estimate_ms: began.estimate_ms as f64,
                    ..Self::default()
                };
            }
            Event::Exchanged(exchange) => {
                self.waits.remove(&exchange.case);
                // The preflight is no case: its name has no suite.
                if exchange.case.contains('/') {
                    self.under_way.insert(exchange.case.clone());
                }
            }
            Event::Waiting(waiting) => {
                self.under_way.insert(waiting.case.clone());
                self.waits.insert(waiting.case.clone(), waiting.clone());
            }
            Event::Judged(case) => {
                let name = case.case();
                self.waits.remove(&name);
                self.under_way.remove(&name);
                self.judged += usize::from(case.verdict != Verdict::Skip);
                self.failed += usize::from(case.is_red());
            }
            Event::Measured(line) => {
                self.waits.remove(&line.check);
                self.under_way.remove(&line.check);
            }
            Event::Ended(_) => {
                self.waits.clear();
                self.under_way.clear();
            }
        }
    }

    /// What to show `now_ms` after the run's start, in `width` columns.
    #[must_use]
    pub fn line(&self, now_ms: f64, width: usize) -> Line {
        let total = self.cases.max(self.judged);
        let mut counts = format!("{}/{total}   {} failed", self.judged, self.failed);
        if let Some(left) = self.left_ms(now_ms) {
            counts.push_str(&format!("   {} left", span::about(left)));
        }
        Line {
            // Counts of cases: far below 2^53.
            fraction: if total == 0 { 0.0 } else { self.judged as f64 / total as f64 },
            counts,
            waiting: self.waiting(now_ms, width),
        }
    }

    /// The estimate, or the longest wait when that ends later; nothing when both are over.
    fn left_ms(&self, now_ms: f64) -> Option<f64> {
        let end = self.waits.values().map(|wait| wait.until_ms).fold(self.estimate_ms, f64::max);
        (self.judged < self.cases && end > now_ms).then_some(end - now_ms)
    }

    fn waiting(&self, now_ms: f64, width: usize) -> String {
        let mut groups: BTreeMap<&str, (usize, f64)> = BTreeMap::new();
        for wait in self.waits.values().filter(|wait| wait.until_ms > now_ms) {
            let (cases, until) = groups.entry(&wait.what).or_default();
            *cases += 1;
            *until = until.max(wait.until_ms);
        }
        let pending: usize = groups.values().map(|(cases, _)| cases).sum();
        let mut parts: Vec<(&str, usize, f64)> =
            groups.into_iter().map(|(what, (cases, until))| (what, cases, until)).collect();
        parts.sort_by_key(|(_, cases, _)| std::cmp::Reverse(*cases));
        let mut parts: Vec<String> = parts
            .into_iter()
            .map(|(what, cases, until)| {
                let left = span::about(until - now_ms);
                if cases == 1 {
                    format!("{what} ({left})")
                } else {
                    format!("{what} of {cases} cases ({left})")
                }
            })
            .collect();
        let requests = self.under_way.len().saturating_sub(pending);
        if requests > 0 {
            parts.push(format!("{requests} {}", plural(requests, "request", "requests")));
        }
        fitting(&parts, width)
    }
}

/// As many parts as fit into the width, and a sign that there are more.
fn fitting(parts: &[String], width: usize) -> String {
    let mut text = String::new();
    for (index, part) in parts.iter().enumerate() {
        let lead = if index == 0 { "waiting for: " } else { " · " };
        let more = if index + 1 < parts.len() { " · …".chars().count() } else { 0 };
        if text.chars().count() + lead.chars().count() + part.chars().count() + more > width {
            text.push_str(if index == 0 { "" } else { " · …" });
            break;
        }
        text.push_str(lead);
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RunRecord;

    fn mixed() -> RunRecord {
        RunRecord::read(include_str!("../../fixtures/records/mixed.jsonl")).unwrap()
    }

    fn wait(case: &str, what: &str, until_ms: f64) -> Event {
        Event::Waiting(Waiting { case: case.to_owned(), what: what.to_owned(), until_ms })
    }

    #[test]
    fn waits_are_grouped_and_end_with_the_next_event_or_with_their_time() {
        let record = mixed();
        let mut live = Live::default();
        live.fold(&Event::Began(Box::new(record.began.clone().unwrap())));
        for n in 0..3 {
            live.fold(&wait(&format!("s/c{n}"), "expiry", 10_000.0 + f64::from(n)));
        }
        live.fold(&wait("s/slow", "recovery from slow_down", 6000.0));
        assert_eq!(
            live.line(1000.0, 100).waiting,
            "waiting for: expiry of 3 cases (10 s) · recovery from slow_down (5 s)"
        );
        assert_eq!(live.line(1000.0, 45).waiting, "waiting for: expiry of 3 cases (10 s) · …");
        assert_eq!(live.line(7000.0, 100).waiting, "waiting for: expiry of 3 cases (4 s) · 1 request");
        let mut exchange = record.exchanges.values().next().unwrap().clone();
        exchange.case = "s/c0".to_owned();
        live.fold(&Event::Exchanged(Box::new(exchange)));
        assert_eq!(live.line(7000.0, 100).waiting, "waiting for: expiry of 2 cases (4 s) · 2 requests");
    }

    #[test]
    fn counts_leave_skips_and_known_failures_out_and_time_left_is_the_longer_of_estimate_and_waits() {
        let record = mixed();
        let began = record.began.clone().unwrap();
        let mut live = Live::default();
        live.fold(&Event::Began(Box::new(began.clone())));
        assert_eq!(live.line(0.0, 100).counts, format!("0/{}   0 failed   34 s left", began.cases));
        live.fold(&wait("s/c", "expiry", 60_000.0));
        assert!(live.line(30_000.0, 100).counts.ends_with("   30 s left"));
        for case in &record.cases {
            live.fold(&Event::Judged(Box::new(case.clone())));
        }
        let line = live.line(90_000.0, 100);
        assert_eq!(line.counts, format!("{0}/{0}   3 failed", began.cases));
        assert!((line.fraction - 1.0).abs() < 1e-9);
    }
}
