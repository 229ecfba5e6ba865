//! Everything for programs, as one JSON document:
//!
//! ```json
//! { "version": 1, "run": { ... }, "exit_code": 1, "judgement": "2 must-level failures. Not conformant.",
//!   "verdicts": { "pass": 74, ... }, "tallies": { "rfc8628": { "pass": 40, ... }, ... },
//!   "cases": [ ... ], "card": [ ... ], "exchanges": [ ... ], "ended": { ... } }
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::event::{Began, CardLine, CaseResult, Ended, ShownExchange};
use crate::protocol::Tally;
use crate::record::RunRecord;
use crate::report::judgement;
use crate::verdict::Verdict;

/// The version of this document's shape.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    exit_code: u8,
    judgement: String,
    run: Option<&'a Began>,
    ended: Option<&'a Ended>,
    /// How many cases have each verdict. Known failures are among `fail` here, and counted again in `known_failures`.
    verdicts: BTreeMap<Verdict, usize>,
    known_failures: usize,
    /// Failures of cases that came after the edition that is scored; among `fail` in `verdicts`, too.
    unscored_failures: usize,
    tallies: BTreeMap<Tally, BTreeMap<Verdict, usize>>,
    cases: &'a [CaseResult],
    /// The behaviour card.
    card: &'a [CardLine],
    /// The exchanges of the cases that are neither green nor skipped.
    exchanges: Vec<&'a ShownExchange>,
}

/// Writes the document.
pub(super) fn write(record: &RunRecord) -> Vec<u8> {
    let wanted: BTreeSet<u32> = record
        .cases
        .iter()
        .filter(|case| !matches!(case.verdict, Verdict::Pass | Verdict::Acceptable | Verdict::Skip))
        .flat_map(|case| {
            case.exchanges.iter().chain(case.mismatches.iter().filter_map(|m| m.exchange.as_ref()))
        })
        .copied()
        .collect();
    let mut tallies: BTreeMap<Tally, BTreeMap<Verdict, usize>> = BTreeMap::new();
    for case in &record.cases {
        *tallies.entry(case.tally).or_default().entry(case.verdict).or_default() += 1;
    }
    let document = Document {
        version: VERSION,
        exit_code: record.exit_code(),
        judgement: judgement::sentence(record),
        run: record.began.as_ref(),
        ended: record.ended.as_ref(),
        verdicts: Verdict::ALL.iter().map(|verdict| (*verdict, record.count(*verdict))).collect(),
        known_failures: judgement::known(record),
        unscored_failures: judgement::unscored(record),
        tallies,
        cases: &record.cases,
        card: &record.card,
        exchanges: wanted.iter().filter_map(|number| record.exchanges.get(number)).collect(),
    };
    // Every map has words as keys and writing into memory cannot fail.
    let mut text = serde_json::to_vec_pretty(&document).unwrap_or_default();
    text.push(b'\n');
    text
}
