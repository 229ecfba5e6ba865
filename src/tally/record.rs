//! The record of a load run: one event a line, as it happens, and all of it read again.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer as HistogramReader, Serializer as _, V2DeflateSerializer};
use serde::{Deserialize, Serialize};

use super::checked::{CheckRun, UnderLoad};
use super::figures::Totals;
use super::slice::{Counters, End, Latency, Slice};
use super::violation::{Kind, Transcript};
use crate::outcome::Outcome;
use crate::protocol::words::words;
use crate::scenario::{Judgement, Operation, Stage, Threshold};

/// The format of the lines; another number cannot be read.
pub const FORMAT: u32 = 1;

/// How the record of a load run begins, and no other one.
pub const RECORD_BEGINS: &str = "{\"load_began\"";

/// One line of the record of a load run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadEvent {
    /// The run begins.
    LoadBegan(Box<Began>),
    /// One second of it.
    Second(Box<Second>),
    /// Something that a reader should know, at its instant: a new stage, a warning.
    Told(Told),
    /// The checks were played, in quiet or under load.
    Checked(Box<CheckRun>),
    /// What one operation and outcome came to.
    Series(Box<SeriesLine>),
    /// What else was measured.
    Spent(Box<Spent>),
    /// The run is over.
    LoadEnded(Box<Ended>),
}

/// How a load run began.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Began {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of devgrant.
    pub devgrant: String,
    /// When, in UTC.
    pub at: String,
    /// The scenario's name.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// A fingerprint of all that the scenario says after scaling: two records with the same one are comparable.
    pub fingerprint: String,
    /// The seed.
    pub seed: u64,
    /// Devices that live at the same time, at most.
    pub devices: u64,
    /// The target's name.
    pub target: String,
    /// The endpoint that is polled.
    pub endpoint: String,
    /// The engine: `native` or `goose`.
    pub engine: String,
    /// The interval that the server announces, in seconds.
    pub interval_s: f64,
    /// The lifetime that it announces, in seconds.
    pub lifetime_s: f64,
    /// How many threads play devices.
    pub shards: u32,
    /// When each stage ends, in seconds from the start: fill, warm-up, duration, drain.
    pub stages_s: [f64; 4],
    /// How users decide: `admin hook`, `form`, `nobody`.
    pub approvals: String,
    /// How devices are connected: `pooled, at most 256`.
    pub connections: String,
    /// The faults of the embedded server, if any.
    pub faults: Vec<String>,
    /// This machine.
    pub machine: Machine,
}

/// The machine that plays the devices.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Cores that may be used.
    pub cores: usize,
    /// Where the generator is pinned to, if it is.
    pub pinned: Vec<usize>,
    /// Where the server is pinned to, if it is ours.
    pub server_pinned: Vec<usize>,
    /// Where the checks beside the load are pinned to, if they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks_pinned: Vec<usize>,
}

/// One second of a run, all shards together. Times in microseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// When it ended, in ms since the start of the run.
    pub at_ms: u64,
    /// The stage.
    pub stage: Stage,
    /// Devices with live codes.
    pub waiting: u64,
    /// Polls answered or given up in it.
    pub polls: u64,
    /// Device authorization requests.
    pub codes: u64,
    /// Answers by operation and outcome: `token pending`.
    #[serde(default)]
    pub answers: BTreeMap<String, u64>,
    /// Decisions that came out.
    pub decisions: u64,
    /// Devices whose decision is due and not yet taken up.
    pub decisions_late: u64,
    /// Tokens.
    pub granted: u64,
    /// The median response time of polls.
    pub p50: u64,
    /// Its 99th percentile.
    pub p99: u64,
    /// The 99th percentile of their service time.
    pub service_p99: u64,
    /// The 99th percentile of the lag.
    pub lag_p99: u64,
    /// The 99th percentile of waiting for a connection.
    pub wait_p99: u64,
    /// Violations in it.
    pub violations: u64,
    /// Errors by kind.
    pub errors: BTreeMap<String, u64>,
    /// Answers 429 or 503.
    pub limited: u64,
    /// Open connections.
    pub connections: u64,
    /// CPU seconds that the generator used.
    pub cpu: f64,
    /// Its memory in bytes.
    pub memory: u64,
    /// The same of the server, where it can be seen.
    pub server_cpu: Option<f64>,
    /// Its memory in bytes.
    pub server_memory: Option<u64>,
    /// The part of it that the worst shard's thread waited in the run queue.
    pub run_queue: Option<f64>,
}

/// A remark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When, in ms since the start of the run.
    pub at_ms: u64,
    /// What.
    pub text: String,
}

/// The answers of one operation and outcome in the duration, as histograms that merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesLine {
    /// The operation.
    pub operation: Operation,
    /// What the answers mean.
    pub outcome: Outcome,
    /// How many there were in the whole run.
    pub whole: u64,
    /// Response times in the duration, HdrHistogram V2 deflated, in base64; nothing where there were none.
    pub response: Option<String>,
    /// Service times.
    pub service: Option<String>,
}

/// What else a run came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// How long was measured, in seconds.
    pub seconds: f64,
    /// Lag in the duration, as in [`SeriesLine`].
    pub lag: Option<String>,
    /// Waiting for a connection.
    pub wait: Option<String>,
    /// From the end of an approval to the token.
    pub approval_to_token: Option<String>,
    /// From when a decision was due until it was taken up.
    pub decision_wait: Option<String>,
    /// Polls for each grant.
    pub polls_per_grant: Option<String>,
    /// Ends of devices, in the whole run.
    pub ends: BTreeMap<String, u64>,
    /// Devices that still waited at the end.
    pub still_waiting: u64,
    /// Requests without an answer, `token: closed early`.
    pub failures: BTreeMap<String, u64>,
    /// Counts of the whole run.
    pub counters: BTreeMap<String, u64>,
    /// Violations and milder findings: the kind, how many, the first transcripts.
    pub findings: Vec<(Kind, u64, Vec<Transcript>)>,
    /// See [`Totals::run_queue`].
    pub run_queue: Option<f64>,
    /// CPU seconds of the generator, its peak memory in bytes.
    pub generator: (f64, u64),
    /// The same of the server, where it can be seen.
    pub server: Option<(f64, u64)>,
}

words! {
    /// Why a run ended.
    #[derive(Default)]
    Ending {
        /// As the scenario has it.
        #[default]
        Complete = "complete",
        /// Somebody stopped it.
        Interrupted = "interrupted",
        /// A condition of `--abort-on` held.
        Aborted = "aborted",
        /// The target refused every connection.
        Refused = "refused",
    }
}

/// One threshold and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// As it is written.
    pub threshold: String,
    /// `met`, `missed`, `not judged`.
    pub verdict: String,
    /// With its figure: `missed: 312 ms`.
    pub text: String,
}

/// How a load run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Why.
    pub ending: Ending,
    /// In words, where there is more to say.
    pub because: Option<String>,
    /// When, in ms since the start of the run.
    pub at_ms: u64,
    /// Thresholds, in the order of the scenario.
    pub thresholds: Vec<Verdict>,
    /// What must hold of the generator.
    pub validity: Vec<Verdict>,
    /// Why the generator was the limit, if it was.
    pub limit: Vec<String>,
    /// 0, 1, 3 or 130.
    pub exit: u8,
}

/// A load run as its record tells it.
#[derive(Debug, Clone, Default)]
pub struct LoadRecord {
    /// How it began.
    pub began: Option<Began>,
    /// Its seconds.
    pub seconds: Vec<Second>,
    /// Remarks.
    pub told: Vec<Told>,
    /// The runs of the checks beside it, where it had any.
    pub checks: Vec<CheckRun>,
    /// What it came to.
    pub totals: Totals,
    /// What else it came to.
    pub spent: Spent,
    /// How it ended; missing when the process was killed.
    pub ended: Option<Ended>,
}

/// Why a load record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadRecordError {
    /// A line is not an event.
    #[error("line {line} is not an event of a load record: {message}")]
    NotAnEvent {
        /// Which line, from 1 on.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// Written by another version.
    #[error("the load record has format {0}, this devgrant reads format {FORMAT}")]
    OtherFormat(u32),
    /// There is nothing in it.
    #[error("the load record is empty")]
    Empty,
}

impl LoadRecord {
    /// What the checks beside the load say; nothing where there were none.
    #[must_use]
    pub fn under_load(&self) -> Option<UnderLoad> {
        (!self.checks.is_empty()).then(|| UnderLoad::of(&self.checks))
    }

    /// Takes one event in.
    ///
    /// # Errors
    /// A histogram cannot be decoded.
    pub fn fold(&mut self, event: LoadEvent) -> Result<(), String> {
        match event {
            LoadEvent::LoadBegan(began) => self.began = Some(*began),
            LoadEvent::Second(second) => self.seconds.push(*second),
            LoadEvent::Told(told) => self.told.push(told),
            LoadEvent::Checked(run) => self.checks.push(*run),
            LoadEvent::Series(line) => {
                let read = |text: &Option<String>| text.as_deref().map(decode).transpose();
                let latency = Latency {
                    response: read(&line.response)?.unwrap_or_else(super::slice::histogram),
                    service: read(&line.service)?.unwrap_or_else(super::slice::histogram),
                };
                self.totals.measured.put(line.operation, line.outcome, latency);
                let mut whole = Latency::default();
                // Times of the whole run are not in a record, their number is.
                let _ = whole.response.record_n(0, line.whole);
                self.totals.whole.put(line.operation, line.outcome, whole);
            }
            LoadEvent::Spent(spent) => {
                self.totals.take(&spent)?;
                self.spent = *spent;
            }
            LoadEvent::LoadEnded(ended) => self.ended = Some(*ended),
        }
        Ok(())
    }
}

/// Reads a load record: one event a line. A last line that was cut off is left out.
///
/// # Errors
/// A line in the middle is no event, the record is of another format, or there is nothing in it.
pub fn read(text: &str) -> Result<LoadRecord, LoadRecordError> {
    let mut record = LoadRecord::default();
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
    if lines.peek().is_none() {
        return Err(LoadRecordError::Empty);
    }
    while let Some((index, line)) = lines.next() {
        let wrong = |message: String| LoadRecordError::NotAnEvent { line: index + 1, message };
        match serde_json::from_str::<LoadEvent>(line) {
            Ok(LoadEvent::LoadBegan(began)) if began.format != FORMAT => {
                return Err(LoadRecordError::OtherFormat(began.format));
            }
            Ok(event) => record.fold(event).map_err(wrong)?,
            Err(_) if lines.peek().is_none() && !text.ends_with('\n') => {}
            Err(error) => return Err(wrong(error.to_string())),
        }
    }
    Ok(record)
}

impl Totals {
    /// What a record tells of it.
    #[must_use]
    pub fn lines(&self) -> Vec<SeriesLine> {
        let mut lines = Vec::new();
        for (operation, outcome, whole) in self.whole.latencies() {
            let measured =
                self.measured.latencies().find(|(o, means, _)| (*o, *means) == (operation, outcome));
            let measured = measured.map(|(.., latency)| latency);
            lines.push(SeriesLine {
                operation,
                outcome,
                whole: whole.response.len(),
                response: measured.and_then(|latency| encode(&latency.response)),
                service: measured.and_then(|latency| encode(&latency.service)),
            });
        }
        lines
    }

    /// What a record tells beside the series; `generator` and `server` are CPU seconds and peak memory in bytes.
    #[must_use]
    pub fn spent(&self, still_waiting: u64, generator: (f64, u64), server: Option<(f64, u64)>) -> Spent {
        let Slice { failures, ends, counters, violations, .. } = &self.whole;
        let failures = failures.iter().map(|((o, kind), count)| (format!("{o}: {kind}"), *count));
        Spent {
            seconds: self.length.as_secs_f64(),
            lag: encode(&self.measured.lag),
            wait: encode(&self.measured.wait),
            approval_to_token: encode(&self.measured.approval_to_token),
            decision_wait: encode(&self.measured.decision_wait),
            polls_per_grant: encode(&self.measured.polls_per_grant),
            ends: End::ALL.iter().zip(ends).map(|(end, count)| (end.word().to_owned(), *count)).collect(),
            still_waiting,
            failures: failures.collect(),
            counters: counters.named().into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
            findings: violations
                .iter()
                .map(|(kind, count, kept)| (kind.clone(), count, kept.to_vec()))
                .collect(),
            run_queue: self.run_queue,
            generator,
            server,
        }
    }

    fn take(&mut self, spent: &Spent) -> Result<(), String> {
        let read =
            |text: &Option<String>| text.as_deref().map_or_else(|| Ok(super::slice::histogram()), decode);
        self.measured.lag = read(&spent.lag)?;
        self.measured.wait = read(&spent.wait)?;
        self.measured.approval_to_token = read(&spent.approval_to_token)?;
        self.measured.decision_wait = read(&spent.decision_wait)?;
        self.measured.polls_per_grant = read(&spent.polls_per_grant)?;
        self.length = Duration::try_from_secs_f64(spent.seconds).map_err(|error| error.to_string())?;
        self.run_queue = spent.run_queue;
        for (end, place) in End::ALL.iter().zip(&mut self.whole.ends) {
            *place = spent.ends.get(end.word()).copied().unwrap_or(0);
        }
        self.whole.counters = Counters::from_named(&spent.counters);
        for (kind, count, kept) in &spent.findings {
            self.whole.violations.put(kind.clone(), *count, kept.clone());
        }
        Ok(())
    }
}

impl Verdict {
    /// What became of a threshold.
    #[must_use]
    pub fn of(threshold: &Threshold, judgement: &Judgement) -> Self {
        let verdict = match judgement {
            Judgement::Met(_) => "met",
            Judgement::Missed(_) => "missed",
            Judgement::NotJudged(_) => "not judged",
        };
        Self { threshold: threshold.to_string(), verdict: verdict.to_owned(), text: judgement.to_string() }
    }
}

fn encode(histogram: &Histogram<u64>) -> Option<String> {
    if histogram.is_empty() {
        return None;
    }
    let mut bytes = Vec::new();
    // Writing to memory does not fail.
    V2DeflateSerializer::new().serialize(histogram, &mut bytes).ok()?;
    Some(STANDARD.encode(bytes))
}

fn decode(text: &str) -> Result<Histogram<u64>, String> {
    let bytes = STANDARD.decode(text).map_err(|error| format!("a histogram is no base64: {error}"))?;
    HistogramReader::new()
        .deserialize(&mut bytes.as_slice())
        .map_err(|error| format!("a histogram cannot be read: {error:?}"))
}
