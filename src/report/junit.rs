//! JUnit XML, for CI servers. A fail is a failure and an error an error; what could not be judged is skipped, with its
//! reason; a run that says nothing as a whole has an error of its own, so that no reader shows green.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::judgement::{self, is_known, is_unscored};
use super::terminal::{Style, Verbosity, finding};
use crate::event::CaseResult;
use crate::record::RunRecord;
use crate::verdict::Verdict;

/// The test case that tells of the run as a whole.
pub(super) const WHOLE: &str = "devgrant.run";

/// Writes the document.
pub(super) fn write(record: &RunRecord) -> Vec<u8> {
    let target = record.began.as_ref().map_or("devgrant", |began| began.target.as_str());
    let mut report = Report::new(target);
    let mut names: Vec<&str> =
        record.began.iter().flat_map(|began| &began.suites).map(String::as_str).collect();
    // A record of an interrupted run may have no beginning, and has no cases then.
    names.retain(|name| record.cases.iter().any(|case| case.suite == *name));
    for name in names {
        let mut suite = TestSuite::new(name);
        suite.add_test_cases(
            record.cases.iter().filter(|case| case.suite == name).map(|case| of(case, record)),
        );
        report.add_test_suite(suite);
    }
    let stale = record.ended.iter().flat_map(|ended| &ended.stale_known);
    let stale: Vec<TestCase> =
        stale.map(|entry| failed("known failures", entry, NonSuccessKind::Failure)).collect();
    if !stale.is_empty() {
        let mut suite = TestSuite::new("known-failures");
        suite.add_test_cases(stale);
        report.add_test_suite(suite);
    }
    if let Some(because) = trouble(record) {
        let mut suite = TestSuite::new("devgrant");
        suite.add_test_case(failed(WHOLE, &because, NonSuccessKind::Error));
        report.add_test_suite(suite);
    }
    if let Some(ended) = &record.ended {
        report.set_time(Duration::from_millis(ended.took_ms));
    }
    super::xml(&report)
}

/// Why the run as a whole says nothing, or not all, where it does.
fn trouble(record: &RunRecord) -> Option<String> {
    match record.exit_code() {
        0 => None,
        130 => Some(judgement::sentence(record)),
        // A red run may have its own trouble besides.
        _ => record.not_judged_because(),
    }
}

/// A test case that stands for no check.
pub(super) fn failed(name: &str, message: &str, kind: NonSuccessKind) -> TestCase {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message);
    TestCase::new(name, status)
}

fn of(case: &CaseResult, record: &RunRecord) -> TestCase {
    let text = finding(case, record, &Style::plain(Verbosity::Verbose));
    let skipped = |reason: &str| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(reason);
        status
    };
    let reason = case.reason.as_deref().unwrap_or_default();
    let status = match case.verdict {
        Verdict::Fail if is_known(case) => {
            skipped(&format!("known failure: {}", case.known.as_deref().unwrap_or_default()))
        }
        Verdict::Fail if is_unscored(case) => {
            skipped("fails, and came with an edition that is newer than the one that is scored")
        }
        Verdict::Fail | Verdict::Error => {
            let kind =
                if case.verdict == Verdict::Fail { NonSuccessKind::Failure } else { NonSuccessKind::Error };
            let mut status = TestCaseStatus::non_success(kind);
            let message = case.mismatches.first().map_or_else(
                || reason.to_owned(),
                |first| format!("{}: expected {}, got {}", case.title, first.expected, first.actual),
            );
            status.set_message(message).set_type(format!("{} · {}", case.weight.label(), case.clause));
            status.set_description(text.trim());
            status
        }
        Verdict::Skip | Verdict::NotExercised | Verdict::Inconclusive => {
            skipped(&format!("{}: {reason}", case.verdict))
        }
        Verdict::Pass | Verdict::Acceptable | Verdict::Warn => TestCaseStatus::success(),
    };
    let mut test = TestCase::new(case.case(), status);
    test.set_classname(case.suite.clone()).set_time(Duration::from_millis(case.took_ms));
    if matches!(case.verdict, Verdict::Warn | Verdict::Acceptable) {
        test.set_system_out(text.trim());
    }
    test
}
