//! A load run as JUnit XML: a test case for each threshold, each kind of violation, and whether the run says anything.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::sentence::sentence;
use crate::report::junit::{WHOLE, failed};
use crate::tally::LoadRecord;

/// Writes the document.
#[must_use]
pub fn junit(record: &LoadRecord) -> Vec<u8> {
    let began = record.began.as_ref();
    let mut report = Report::new(began.map_or("devgrant", |began| began.target.as_str()));
    let mut thresholds = TestSuite::new(began.map_or("load", |began| began.scenario.as_str()));
    for verdict in record.ended.iter().flat_map(|ended| &ended.thresholds) {
        thresholds.add_test_case(match verdict.verdict.as_str() {
            "met" => TestCase::new(verdict.threshold.clone(), TestCaseStatus::success()),
            "missed" => failed(&verdict.threshold, &verdict.text, NonSuccessKind::Failure),
            _ => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(verdict.text.clone());
                TestCase::new(verdict.threshold.clone(), status)
            }
        });
    }
    report.add_test_suite(thresholds);
    let found: Vec<TestCase> = record
        .totals
        .whole
        .violations
        .iter()
        .filter(|(kind, ..)| kind.is_violation)
        .map(|(kind, count, _)| {
            let requirement = kind.requirement.as_deref().unwrap_or("the oracle");
            let message = format!("{count} times: {}", kind.because);
            failed(&format!("{requirement}: {}", kind.because), &message, NonSuccessKind::Failure)
        })
        .collect();
    if !found.is_empty() {
        let mut suite = TestSuite::new("violations");
        suite.add_test_cases(found);
        report.add_test_suite(suite);
    }
    if record.ended.as_ref().is_none_or(|ended| ended.exit == 3 || ended.exit == 130) {
        let mut suite = TestSuite::new("devgrant");
        suite.add_test_case(failed(WHOLE, &sentence(record), NonSuccessKind::Error));
        report.add_test_suite(suite);
    }
    if let Some(ended) = &record.ended {
        report.set_time(Duration::from_millis(ended.at_ms));
    }
    crate::report::xml(&report)
}
