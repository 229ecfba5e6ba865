//! A load run for programs, as one JSON document; times in microseconds.

use std::collections::BTreeMap;

use serde::Serialize;

use super::sentence::sentence;
use crate::tally::{
    Began, Ended, Kind, LatencySummary, LoadRecord, Second, Spread, Told, Transcript, UnderLoad,
};

/// The version of this document's shape.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    exit_code: Option<u8>,
    judgement: String,
    run: Option<&'a Began>,
    ended: Option<&'a Ended>,
    /// How long was measured.
    seconds: f64,
    /// Answers of the duration by operation and outcome.
    answers: Vec<LatencySummary>,
    lag: Option<Spread>,
    wait: Option<Spread>,
    approval_to_token: Option<Spread>,
    polls_per_grant: Option<Spread>,
    ends: &'a BTreeMap<String, u64>,
    still_waiting: u64,
    counters: &'a BTreeMap<String, u64>,
    /// Requests without an answer, by kind.
    failures: &'a BTreeMap<String, u64>,
    violations: u64,
    findings: Vec<Finding<'a>>,
    /// What the checks beside the load say, where there were any.
    checks_under_load: Option<UnderLoad>,
    /// CPU seconds and peak bytes of memory.
    generator: (f64, u64),
    server: Option<(f64, u64)>,
    run_queue: Option<f64>,
    remarks: &'a [Told],
    every_second: &'a [Second],
}

#[derive(Serialize)]
struct Finding<'a> {
    #[serde(flatten)]
    kind: &'a Kind,
    count: u64,
    transcripts: &'a [Transcript],
}

/// Writes the document.
#[must_use]
pub fn json(record: &LoadRecord) -> String {
    let measured = &record.totals.measured;
    let violations = &record.totals.whole.violations;
    let document = Document {
        version: VERSION,
        exit_code: record.ended.as_ref().map(|ended| ended.exit),
        judgement: sentence(record),
        run: record.began.as_ref(),
        ended: record.ended.as_ref(),
        seconds: record.totals.length.as_secs_f64(),
        answers: record.totals.latencies(),
        lag: Spread::of(&measured.lag),
        wait: Spread::of(&measured.wait),
        approval_to_token: Spread::of(&measured.approval_to_token),
        polls_per_grant: Spread::of(&measured.polls_per_grant),
        ends: &record.spent.ends,
        still_waiting: record.spent.still_waiting,
        counters: &record.spent.counters,
        failures: &record.spent.failures,
        violations: violations.count(),
        findings: violations
            .iter()
            .map(|(kind, count, transcripts)| Finding { kind, count, transcripts })
            .collect(),
        checks_under_load: record.under_load(),
        generator: record.spent.generator,
        server: record.spent.server,
        run_queue: record.totals.run_queue,
        remarks: &record.told,
        every_second: &record.seconds,
    };
    // Every map has words as keys and writing into memory cannot fail.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}
