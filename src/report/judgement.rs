//! The judgement in words: one sentence that every format ends or begins with.

use crate::event::CaseResult;
use crate::protocol::{Level, Severity};
use crate::record::{RunRecord, plural};
use crate::verdict::{Verdict, Weight};

/// Every weight, the heaviest first.
const WEIGHTS: [Weight; 8] = [
    Weight::Severity(Severity::Critical),
    Weight::Severity(Severity::High),
    Weight::Level(Level::Must),
    Weight::Severity(Severity::Medium),
    Weight::Severity(Severity::Low),
    Weight::Level(Level::Should),
    Weight::Level(Level::Implied),
    Weight::Level(Level::May),
];

/// What the run says about the server, in a sentence or two.
#[must_use]
pub fn sentence(record: &RunRecord) -> String {
    let red = failures(record);
    if record.ended.as_ref().is_none_or(|ended| ended.interrupted) {
        return interrupted(record, &red);
    }
    let not_judged = record.not_judged_because();
    if !red.is_empty() {
        let besides = not_judged
            .map_or_else(String::new, |because| format!(" Not all of it could be judged: {because}."));
        return format!("{}. {}.{besides}", listed(&red), condemnation(record));
    }
    if let Some(because) = not_judged {
        return if record.cases.iter().any(|case| case.verdict.is_judged()) {
            format!(
                "Nothing failed, but not all of it could be judged: {}.",
                because.trim_end_matches(['.', '?'])
            )
        } else {
            "Could not judge: no case came to a verdict about the server.".to_owned()
        };
    }
    let stale = stale_known(record);
    if stale > 0 {
        let is = plural(stale, "entry of the known failures is", "entries of the known failures are");
        return format!("Nothing failed, but {stale} {is} out of date.");
    }
    nothing_failed(record)
}

/// How many cases were judged or tried: all but those left out beforehand.
#[must_use]
pub fn played(record: &RunRecord) -> usize {
    record.cases.len() - record.count(Verdict::Skip)
}

/// How many failures are on the target's list of known failures.
#[must_use]
pub fn known(record: &RunRecord) -> usize {
    record.cases.iter().filter(|case| is_known(case)).count()
}

/// A failure that the target's list of known failures names.
#[must_use]
pub fn is_known(case: &CaseResult) -> bool {
    case.verdict == Verdict::Fail && case.known.is_some()
}

/// A failure that does not count: the case came with an edition newer than the one that is scored.
#[must_use]
pub fn is_unscored(case: &CaseResult) -> bool {
    case.verdict == Verdict::Fail && case.unscored.is_some() && !is_known(case)
}

/// How many failures do not count because their cases are newer than the edition that is scored.
#[must_use]
pub fn unscored(record: &RunRecord) -> usize {
    record.cases.iter().filter(|case| is_unscored(case)).count()
}

fn stale_known(record: &RunRecord) -> usize {
    record.ended.as_ref().map_or(0, |ended| ended.stale_known.len())
}

fn interrupted(record: &RunRecord, red: &[String]) -> String {
    let judged = played(record);
    let of = record.began.as_ref().map_or_else(
        || format!("{judged} {}", plural(judged, "case", "cases")),
        |began| format!("{judged} of {} {}", began.cases, plural(began.cases, "case", "cases")),
    );
    let failed = if red.is_empty() { String::new() } else { format!(", {} so far", listed(red)) };
    format!("Interrupted after {of}{failed}; what was judged is in the record.")
}

/// `2 must-level failures`, `1 critical security failure`; the heaviest first.
fn failures(record: &RunRecord) -> Vec<String> {
    WEIGHTS
        .iter()
        .filter_map(|weight| {
            let n = record.cases.iter().filter(|case| case.is_red() && case.weight == *weight).count();
            let label = match weight {
                Weight::Level(level) => format!("{level}-level"),
                Weight::Severity(_) | Weight::Card => weight.label(),
            };
            (n > 0).then(|| format!("{n} {label} {}", plural(n, "failure", "failures")))
        })
        .collect()
}

/// Conformance is about the standards' sentences, security about the danger: each is denied by its own kind.
fn condemnation(record: &RunRecord) -> &'static str {
    let red =
        |wanted: fn(Weight) -> bool| record.cases.iter().any(|case| case.is_red() && wanted(case.weight));
    let must = red(|weight| weight == Weight::Level(Level::Must));
    let danger = red(|weight| matches!(weight, Weight::Severity(Severity::Critical | Severity::High)));
    match (must, danger) {
        (true, true) => "Not conformant, not secure",
        (true, false) => "Not conformant",
        (false, true) => "Not secure",
        (false, false) => "Not conformant by --mode strict",
    }
}

fn nothing_failed(record: &RunRecord) -> String {
    if record.cases.is_empty() {
        return "Nothing was to be judged; the behaviour was measured.".to_owned();
    }
    let (known, unscored) = (known(record), unscored(record));
    let mut remarks = Vec::new();
    let mut remark = |n: usize, one: &str, many: &str| {
        if n > 0 {
            remarks.push(format!("{n} {}", plural(n, one, many)));
        }
    };
    remark(known, "known failure", "known failures");
    remark(unscored, "failure not scored", "failures not scored");
    remark(record.count(Verdict::Warn), "warning", "warnings");
    remark(record.count(Verdict::NotExercised), "case not exercised", "cases not exercised");
    remark(record.count(Verdict::Inconclusive), "case inconclusive", "cases inconclusive");
    match (known, unscored) {
        _ if remarks.is_empty() => "Conformant: nothing failed.".to_owned(),
        (0, 0) => format!("Nothing failed, {}.", listed(&remarks)),
        (0, _) => format!("Nothing that is scored failed, {}.", listed(&remarks)),
        (_, _) => format!("Nothing new failed, {}.", listed(&remarks)),
    }
}

fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn green() -> RunRecord {
        RunRecord::read(include_str!("../../fixtures/records/green.jsonl")).unwrap()
    }

    fn with(verdicts: &[(Verdict, Weight)]) -> RunRecord {
        let mut record = green();
        for (case, (verdict, weight)) in record.cases.iter_mut().zip(verdicts) {
            (case.verdict, case.weight) = (*verdict, *weight);
        }
        record
    }

    #[test]
    fn the_sentence_says_what_counts_most() {
        let must = Weight::Level(Level::Must);
        let should = Weight::Level(Level::Should);
        let danger = Weight::Severity(Severity::Critical);
        let with = |verdicts: &[(Verdict, Weight)]| sentence(&with(verdicts));
        assert_eq!(with(&[]), "Conformant: nothing failed.");
        assert_eq!(with(&[(Verdict::Fail, must)]), "1 must-level failure. Not conformant.");
        assert_eq!(with(&[(Verdict::Fail, must); 2]), "2 must-level failures. Not conformant.");
        assert_eq!(with(&[(Verdict::Fail, danger)]), "1 critical security failure. Not secure.");
        assert_eq!(
            with(&[(Verdict::Fail, should)]),
            "1 should-level failure. Not conformant by --mode strict."
        );
        assert_eq!(with(&[(Verdict::Warn, should)]), "Nothing failed, 1 warning.");
        assert_eq!(
            with(&[(Verdict::Warn, should), (Verdict::NotExercised, should), (Verdict::NotExercised, must)]),
            "Nothing failed, 1 warning and 2 cases not exercised."
        );
        assert_eq!(
            with(&[(Verdict::Error, should)]),
            "Nothing failed, but not all of it could be judged: 1 case ended in an error of our own."
        );
        assert_eq!(
            with(&[(Verdict::Skip, must); 7]),
            "Could not judge: no case came to a verdict about the server."
        );
    }

    #[test]
    fn known_failures_and_their_stale_entries_are_not_forgotten() {
        let mut record = with(&[(Verdict::Fail, Weight::Level(Level::Must))]);
        record.cases[0].known = Some("listed".to_owned());
        assert_eq!(sentence(&record), "Nothing new failed, 1 known failure.");
        assert_eq!(record.exit_code(), 0);
        record.ended.as_mut().unwrap().stale_known.push("a/b".to_owned());
        assert_eq!(sentence(&record), "Nothing failed, but 1 entry of the known failures is out of date.");
        assert_eq!(record.exit_code(), 1);
    }

    #[test]
    fn what_is_newer_than_the_edition_turns_nothing_red() {
        let must = Weight::Level(Level::Must);
        let mut record =
            with(&[(Verdict::Fail, must), (Verdict::Error, must), (Verdict::Inconclusive, must)]);
        assert_eq!(record.exit_code(), 1);
        for case in record.cases.iter_mut().take(3) {
            case.unscored = Some("2026.2".to_owned());
        }
        assert_eq!(
            sentence(&record),
            "Nothing that is scored failed, 1 failure not scored and 1 case inconclusive."
        );
        assert_eq!(record.exit_code(), 0);
        record.cases[0].known = Some("listed".to_owned());
        assert_eq!((known(&record), unscored(&record)), (1, 0));
    }

    #[test]
    fn a_run_that_did_not_end_says_how_far_it_got() {
        let mut record = with(&[(Verdict::Fail, Weight::Level(Level::Must))]);
        record.ended = None;
        assert_eq!(
            sentence(&record),
            "Interrupted after 6 of 6 cases, 1 must-level failure so far; what was judged is in the record."
        );
        assert_eq!(
            sentence(&RunRecord::default()),
            "Interrupted after 0 cases; what was judged is in the record."
        );
    }
}
