//! The fault matrix: every fault of the reference server against the whole catalogue, in process and in virtual time.
//!
//! Each fault is caught by checks that are about it, and trips no other but with a reason; `src/matrix/reviewed.yaml` says
//! which, and its own tests see that it is complete. Here the server is really judged.

use std::num::NonZero;

use devgrant::selftest::{Played, Report, run};
use devgrant::server::faults::{self, Fault};

fn played(wanted: &[&'static Fault]) -> Report {
    let jobs = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let report = run(wanted, jobs, &|_: &Played| ()).unwrap();
    let slowest = report.faults.iter().max_by_key(|compared| compared.played.took);
    let slowest = slowest.map(|compared| (compared.fault.id, compared.played.took));
    println!("{} faults in {:?}; the slowest: {slowest:?}", report.faults.len(), report.took);
    report
}

#[track_caller]
fn assert_as_reviewed(report: &Report) {
    assert_eq!(report.clean.trouble, None);
    assert!(report.clean.cases.is_empty(), "without a fault: {}", report.clean.details());
    let wrong = report.faults.iter().filter(|compared| !compared.is_as_reviewed());
    let wrong: Vec<String> = wrong
        .map(|compared| {
            format!("{}: {:?}\n{}", compared.fault.id, compared.differences, compared.played.details())
        })
        .collect();
    assert!(wrong.is_empty(), "src/matrix/reviewed.yaml says otherwise:\n{}", wrong.join("\n"));
}

/// A part of the matrix, for every run of the tests; the whole is `devgrant selftest`, a gate of `.ci/run`.
#[test]
fn every_twelfth_fault_is_caught_by_checks_that_are_about_it() {
    let wanted: Vec<&Fault> = faults::all().step_by(12).collect();
    assert_as_reviewed(&played(&wanted));
}

/// The whole of it.
#[test]
#[ignore = "minutes in a debug build: cargo run --release -- selftest"]
fn every_fault_is_caught_by_checks_that_are_about_it() {
    let wanted: Vec<&Fault> = faults::all().collect();
    assert_as_reviewed(&played(&wanted));
}
