//! What happened: the only contract between doing and showing. One event is one line of a record.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;
use crate::protocol::{Endpoint, Tally};
use crate::verdict::{Mismatch, Verdict, Weight};

/// The version of the written form; 2 has lines of the behaviour card.
pub const FORMAT: u32 = 2;

/// The oldest version that can still be read.
pub const OLDEST_FORMAT: u32 = 1;

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The run begins; preflight is over and the plan is made.
    Began(Box<Began>),
    /// One request was sent and answered, or not.
    Exchanged(Box<ShownExchange>),
    /// A case waits. For the live view only; not in a record.
    Waiting(Waiting),
    /// A case was judged.
    Judged(Box<CaseResult>),
    /// A line of the behaviour card is known.
    Measured(Box<CardLine>),
    /// The run is over.
    Ended(Box<Ended>),
}

/// How a run begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Began {
    /// The version of the written form, [`FORMAT`].
    pub format: u32,
    /// The version of devgrant.
    pub devgrant: String,
    /// The target's name.
    pub target: String,
    /// The token endpoint, or whatever shows best where the server is.
    pub at: String,
    /// When, as RFC 3339.
    pub started: String,
    /// How many checks are judged.
    pub checks: usize,
    /// In how many cases.
    pub cases: usize,
    /// How many cases are left out, each told as a skip with its reason.
    pub left_out: usize,
    /// The suites, in the order in which they are read.
    pub suites: Vec<String>,
    /// How many of the cases need a user's decision.
    pub decisions: usize,
    /// The approval driver, if there is one.
    pub driver: Option<String>,
    /// How many requests the plan sends, about.
    pub requests: usize,
    /// How long it takes, about, in milliseconds.
    pub estimate_ms: u64,
    /// The interval that the server announced (5 when it announced none), in seconds.
    pub interval_s: f64,
    /// The lifetime that the server announced, in seconds.
    pub lifetime_s: f64,
    /// The tolerances of this run, by name: `tol_late` is `5 s`.
    pub constants: BTreeMap<String, String>,
    /// `--mode strict`.
    pub strict: bool,
    /// The edition whose cases are scored; all of them where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// Where the target is described, if it is in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_file: Option<TargetFile>,
    /// Remarks that a reader should know: `http on loopback: transport rows not assessed`.
    pub notes: Vec<String>,
}

/// The place in a target file that says which server is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetFile {
    /// The file, as it was named on the command line.
    pub path: String,
    /// The line of its `target:`, from 1 on.
    pub line: usize,
}

/// One exchange, redacted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownExchange {
    /// Its number in the run.
    pub number: u32,
    /// The case it belongs to, `token-response/pending-before-decision`, with `[variant]` behind it.
    pub case: String,
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// The method.
    pub method: String,
    /// The URL, redacted.
    pub url: String,
    /// Request headers, redacted.
    pub request_headers: Vec<(String, String)>,
    /// The request body, redacted.
    pub request_body: String,
    /// The status, if an answer came.
    pub status: Option<u16>,
    /// Response headers, redacted.
    pub response_headers: Vec<(String, String)>,
    /// The response body, redacted.
    pub response_body: String,
    /// Why no answer came.
    pub no_answer: Option<String>,
    /// What it means.
    pub outcome: Outcome,
    /// Milliseconds from the run's start to the first byte out.
    pub sent_ms: f64,
    /// Milliseconds from the run's start to the last byte in.
    pub done_ms: f64,
}

/// A case waits until an instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// Which case.
    pub case: String,
    /// For what: `expiry`, `interval`, `recovery from slow_down`, `decision`.
    pub what: String,
    /// Until when, in milliseconds from the run's start.
    pub until_ms: f64,
}

/// What became of one case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseResult {
    /// The suite's id.
    pub suite: String,
    /// The check's full id, `suite/check`.
    pub check: String,
    /// The variant, where the check has variants.
    pub variant: Option<String>,
    /// What is true of a good server.
    pub title: String,
    /// How much it weighs.
    pub weight: Weight,
    /// The tally it counts in.
    pub tally: Tally,
    /// The rows of the catalogue it judges.
    pub requirements: Vec<String>,
    /// The clause of the first of them, `RFC 8628 §3.5`.
    pub clause: String,
    /// What goes wrong when it does not hold.
    pub why: String,
    /// What became of it.
    pub verdict: Verdict,
    /// Why it was skipped, not exercised, inconclusive or in error.
    pub reason: Option<String>,
    /// Every difference.
    pub mismatches: Vec<Mismatch>,
    /// The reason it is on the target's list of known failures, if it is.
    pub known: Option<String>,
    /// The edition it came with, where that is newer than the one that is scored: it is judged and does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unscored: Option<String>,
    /// Its exchanges, by number.
    pub exchanges: Vec<u32>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl CaseResult {
    /// The check's id with the variant behind it, `client-authentication/wrong-secret[basic]`.
    #[must_use]
    pub fn case(&self) -> String {
        case_name(&self.check, self.variant.as_deref())
    }

    /// Does it turn the run red: a failure that counts and is not a known one?
    #[must_use]
    pub fn is_red(&self) -> bool {
        self.verdict == Verdict::Fail && self.known.is_none() && self.unscored.is_none()
    }
}

/// One line of the behaviour card: worth knowing, and neither right nor wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CardLine {
    /// Its key, `enforced-interval`; the same in every version.
    pub key: String,
    /// Its place on the card: lines come in any order.
    pub place: usize,
    /// The check that measures it, `suite/check`.
    pub check: String,
    /// What it is about, in a few words.
    pub title: String,
    /// What came of it.
    pub reading: Reading,
    /// Its exchanges, by number.
    pub exchanges: Vec<u32>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// What came of a measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// What the server does, in words, with units.
    Measured(String),
    /// Why nothing can be said.
    NotMeasured(String),
}

impl CardLine {
    /// What the server does; nothing where that was not measured.
    #[must_use]
    pub fn measured(&self) -> Option<&str> {
        match &self.reading {
            Reading::Measured(text) => Some(text),
            Reading::NotMeasured(_) => None,
        }
    }
}

/// A check's id with the variant behind it.
#[must_use]
pub fn case_name(check: &str, variant: Option<&str>) -> String {
    variant.map_or_else(|| check.to_owned(), |variant| format!("{check}[{variant}]"))
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// It was interrupted; what was judged until then stands.
    pub interrupted: bool,
    /// How long the run took, in milliseconds.
    pub took_ms: u64,
    /// Capabilities that the target declares and that never once came out, with what happened instead.
    pub never_came_out: Vec<String>,
    /// Entries of the known failures that no longer fail, are out of date, or name no check, with what it is.
    pub stale_known: Vec<String>,
    /// For each document: how many of the requirements that show at a server were judged.
    pub coverage: Vec<Coverage>,
    /// Why nothing was judged, where the run did not come to its first case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// What was repeated with nothing beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alone: Option<Alone>,
}

/// Cases that were repeated, or that are played last, with nothing beside them: the time of each adds to the run's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alone {
    /// How many.
    pub cases: usize,
    /// How long all of them took, in milliseconds.
    pub took_ms: u64,
}

impl Ended {
    /// The end of a run that did not come to its first case, and why.
    #[must_use]
    pub fn without_cases(interrupted: bool, took: Duration, because: Option<String>) -> Self {
        Self {
            interrupted,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            never_came_out: Vec::new(),
            stale_known: Vec::new(),
            coverage: Vec::new(),
            because,
            alone: None,
        }
    }
}

/// How much of one document was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// The document, `RFC 8628`.
    pub document: String,
    /// How many requirements were judged.
    pub judged: usize,
    /// How many show at a server.
    pub testable: usize,
}
