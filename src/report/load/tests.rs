use std::time::Duration;

use super::*;
use crate::report::terminal::{Colour, Kept, Verbosity};
use crate::tally::{self, CheckRun, CheckedCase, Tolerances, When};
use crate::verdict::{Grade, Mismatch, Verdict};

const RECORD: &str = include_str!("../../../fixtures/records/load.jsonl");

fn style(width: usize, verbose: Verbosity) -> Style {
    Style { colour: Colour::Off, width, verbose, kept: Kept::InAFile }
}

fn record() -> LoadRecord {
    tally::read(RECORD).unwrap()
}

#[test]
fn a_record_is_shown_as_it_was_at_the_end_of_the_run() {
    insta::assert_snapshot!(render(&record(), &style(100, Verbosity::Normal)));
    insta::assert_snapshot!(render(&record(), &style(60, Verbosity::Verbose)));
}

#[test]
fn a_record_without_an_end_is_shown_too() {
    let cut: String = RECORD.split_inclusive('\n').take(6).collect();
    let killed = tally::read(&cut).unwrap();
    let shown = render(&killed, &style(100, Verbosity::Normal));
    assert!(shown.contains("devgrant was killed"), "{shown}");
}

/// A run of the checks: a case that lives on or not, and one that was not judged.
fn checked(when: When, verdict: Verdict, void: Option<&str>) -> CheckRun {
    let mismatch = Mismatch {
        grade: Grade::Mismatch,
        expected: "outcome pending".to_owned(),
        actual: "400  {\"error\":\"expired_token\",\"error_description\":\"The code has come to its end.\"}"
            .to_owned(),
        because: None,
        exchange: Some(7),
    };
    let case = |case: &str, title: &str, verdict| CheckedCase {
        case: case.to_owned(),
        title: title.to_owned(),
        verdict,
        is_known: false,
        reason: (verdict == Verdict::NotExercised).then(|| "alone: run".to_owned()),
        mismatches: (verdict == Verdict::Fail).then(|| mismatch.clone()).into_iter().collect(),
    };
    CheckRun {
        when,
        at_ms: (when == When::During).then_some(4000),
        took_ms: 3000,
        cpu: Some(0.3),
        void: void.map(ToOwned::to_owned),
        cases: vec![
            case("suite/lives-on", "A code lives to its announced end, however many poll", verdict),
            case("suite/never-alone", "What needs a run of its own", Verdict::NotExercised),
        ],
    }
}

#[test]
fn what_the_checks_say_under_load_is_a_section_and_a_sentence() {
    let mut record = record();
    let section = |record: &LoadRecord, width| checks::checks(record, &style(width, Verbosity::Normal));
    assert_eq!(section(&record, 100), "");
    record.checks = vec![
        checked(When::Before, Verdict::Pass, None),
        checked(When::During, Verdict::Fail, None),
        checked(When::During, Verdict::Fail, None),
        checked(
            When::During,
            Verdict::Pass,
            Some("the load was not measured any more before it came to its end"),
        ),
        checked(When::After, Verdict::Pass, None),
    ];
    insta::assert_snapshot!(section(&record, 100));
    insta::assert_snapshot!(section(&record, 60));
    let said = sentence(&record);
    assert!(said.ends_with(" And 1 case is red under load alone."), "{said}");
    let document: serde_json::Value = serde_json::from_str(&json(&record)).unwrap();
    assert_eq!(document["checks_under_load"]["findings"][0]["case"], "suite/lives-on");
    record.checks.pop();
    insta::assert_snapshot!(section(&record, 100));
}

#[test]
fn every_second_is_a_line() {
    let seconds = record().seconds;
    let line = line(&seconds[8], Duration::from_secs(14));
    insta::assert_snapshot!(format!("{}\n{}\n{:.2}", line.counts, line.waiting, line.fraction));
}

#[test]
fn a_record_is_no_worse_than_itself() {
    let record = record();
    let found = tally::compare(&record, &record, &Tolerances::default()).unwrap();
    assert!(!found.is_worse());
    insta::assert_snapshot!(comparison::text(&record, &record, &found, &style(100, Verbosity::Normal)));
}

#[test]
fn programs_read_everything_as_json() {
    let document: serde_json::Value = serde_json::from_str(&json(&record())).unwrap();
    let violations = document["violations"].as_u64().unwrap();
    let counted: u64 = document["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["is_violation"] == true)
        .map(|finding| finding["count"].as_u64().unwrap())
        .sum();
    assert!(violations > 0);
    assert_eq!(counted, violations);
    assert_eq!(document["exit_code"], 1);
}

#[test]
fn prometheus_reads_what_happened_so_far() {
    let metrics = Metrics::new();
    let record = record();
    let pending = Second {
        answers: [("token pending".to_owned(), 7)].into(),
        errors: [("timeout".to_owned(), 2)].into(),
        ..record.seconds[8].clone()
    };
    metrics.second(&pending);
    metrics.second(&pending);
    let text = metrics.text();
    for line in [
        "devgrant_answers_total{operation=\"token\",outcome=\"pending\"} 14".to_owned(),
        "devgrant_failures_total{kind=\"timeout\"} 4".to_owned(),
        format!("devgrant_devices_waiting {}", pending.waiting),
        format!("devgrant_violations_total {}", pending.violations * 2),
        format!("devgrant_memory_bytes{{process=\"server\"}} {}", pending.server_memory.unwrap()),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
}
