//! The fault matrix: every fault of the reference server against the whole catalogue, in process and in virtual time.
//!
//! Each fault is caught by a check that is about it, and trips no other; the snapshot says which ones, and a change
//! of it is reviewed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use devgrant::catalog::Catalog;
use devgrant::http::InProcess;
use devgrant::protocol::Level;
use devgrant::record::RunRecord;
use devgrant::server::faults::{self, Fault};
use devgrant::server::{Config, app};
use devgrant::verdict::{Verdict, Weight};

use crate::binary::now;
use crate::repository;
use crate::stage::{Wanted, details, judge, not_green};
use crate::virtual_time::{ORIGIN, TRANSPORT, reference_target};

/// What a server with one fault made of the catalogue.
struct Row {
    fault: &'static Fault,
    /// The checks that say so, with their verdicts.
    caught: BTreeSet<String>,
    /// The checks that could not be judged.
    unjudged: BTreeSet<String>,
    details: String,
    took: Duration,
}

/// One run on a runtime of its own, whose clock is paused.
fn play(fault: Option<&'static Fault>) -> Result<RunRecord, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let config = Config::reference().with_faults(fault);
        let server = InProcess::new(app(config, ORIGIN).public, 1);
        let wanted = Wanted::default();
        let mut target = reference_target();
        // Named here too, so that faults of the metadata leave something to judge.
        target.endpoints.device_authorization = Some(format!("{ORIGIN}/oauth/device/code"));
        target.endpoints.token = Some(format!("{ORIGIN}/oauth/token"));
        let judged = judge(Arc::new(server.clone()), Some(Arc::new(server)), &target, &wanted);
        match tokio::time::timeout(Duration::from_secs(86_400), judged).await {
            Ok(record) => record.map_err(|trouble| trouble.to_string()),
            Err(_) => Err("the run never ended".to_owned()),
        }
    })
}

fn row(fault: &'static Fault) -> Row {
    let start = now();
    let played = play(Some(fault));
    let mut row = Row {
        fault,
        caught: BTreeSet::new(),
        unjudged: BTreeSet::new(),
        details: String::new(),
        took: start.elapsed(),
    };
    match played {
        Err(trouble) => row.details = format!("nothing was judged: {trouble}"),
        Ok(record) => {
            for case in &record.cases {
                match case.verdict {
                    Verdict::Fail | Verdict::Warn | Verdict::Acceptable => {
                        row.caught.insert(format!("{}: {}", case.check, case.verdict));
                    }
                    Verdict::Pass => {}
                    Verdict::Skip if TRANSPORT.contains(&case.check.as_str()) => {}
                    verdict => {
                        row.unjudged.insert(format!("{}: {verdict}", case.check));
                    }
                }
            }
            row.details = details(&record);
        }
    }
    row
}

/// The rows of these faults, in their order, several at a time.
fn rows(wanted: &[&'static Fault]) -> Vec<Row> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(fault) = wanted.get(index) else { return };
                    let row = row(fault);
                    done.lock().unwrap().push((index, row));
                }
            });
        }
    });
    let mut rows = done.into_inner().unwrap();
    rows.sort_by_key(|(index, _)| *index);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// The must-level checks that no fault trips.
fn untripped(rows: &[Row]) -> Vec<String> {
    let catalog = Catalog::builtin().unwrap();
    let tripped = |id: &str| {
        rows.iter().any(|row| row.caught.iter().any(|caught| caught.split(": ").next() == Some(id)))
    };
    let musts = catalog.entries.iter().filter(|entry| entry.weight == Weight::Level(Level::Must));
    musts
        .map(|entry| entry.id.clone())
        .filter(|id| !TRANSPORT.contains(&id.as_str()) && !tripped(id))
        .collect()
}

/// The reviewed matrix.
const REVIEWED: &str = "tests/it/fault_matrix.txt";

/// One fault and what it trips, as the reviewed matrix has it.
fn lines(row: &Row) -> String {
    let caught: String = row.caught.iter().map(|caught| format!("    {caught}\n")).collect();
    format!("{}\n{caught}", row.fault.id)
}

/// The clean server is green, each fault is caught, and by no other checks than those that were reviewed.
fn assert_caught(wanted: &[&'static Fault]) -> Vec<Row> {
    let clean = play(None).unwrap();
    assert_eq!(not_green(&clean), Vec::<String>::new(), "{}", details(&clean));
    let start = now();
    let rows = rows(wanted);
    let slowest = rows.iter().max_by_key(|row| row.took).map(|row| (row.fault.id, row.took));
    println!("{} faults in {:?}; the slowest: {slowest:?}", rows.len(), start.elapsed());
    let uncaught: Vec<&str> =
        rows.iter().filter(|row| row.caught.is_empty()).map(|row| row.fault.id).collect();
    assert_eq!(uncaught, Vec::<&str>::new(), "these are caught by no check");
    rows
}

/// Compares with the reviewed matrix.
fn assert_reviewed(rows: &[Row]) {
    let reviewed = repository::text(REVIEWED);
    let mut changed = String::new();
    for row in rows {
        let found = lines(row);
        let known = reviewed.split("\n\n").any(|part| part.trim() == found.trim());
        if !known {
            let (details, unjudged) = (&row.details, row.unjudged.len());
            // Writing to a String cannot fail.
            let _ = writeln!(changed, "{found}    ({unjudged} not judged)\n{details}");
        }
    }
    assert!(
        changed.is_empty(),
        "{REVIEWED} has other rows, see whether they are about the fault:\n{changed}"
    );
}

/// A part of the matrix, for every run of the tests.
#[test]
fn every_twelfth_fault_is_caught_by_checks_that_are_about_it() {
    let wanted: Vec<&Fault> = faults::all().step_by(12).collect();
    assert_reviewed(&assert_caught(&wanted));
}

/// Some of it, to see what a new fault or a changed check does: `DEVGRANT_FAULTS=complete-uri` in the ids.
#[test]
#[ignore = "for work on the faults that DEVGRANT_FAULTS names"]
fn named_faults_are_caught_by_checks_that_are_about_them() {
    let named = std::env::var("DEVGRANT_FAULTS").unwrap_or_default();
    let is_named = |fault: &&Fault| named.split(',').any(|part| fault.id.contains(part));
    let wanted: Vec<&Fault> = faults::all().filter(is_named).collect();
    assert_reviewed(&assert_caught(&wanted));
}

/// The whole of it. With DEVGRANT_UPDATE=1 it writes the reviewed matrix anew.
#[test]
#[ignore = "minutes in a debug build: cargo test --release --test it fault_matrix -- --ignored"]
fn every_fault_is_caught_by_checks_that_are_about_it() {
    let wanted: Vec<&Fault> = faults::all().collect();
    let rows = assert_caught(&wanted);
    println!("must-level checks that no fault trips: {:#?}", untripped(&rows));
    if std::env::var_os("DEVGRANT_UPDATE").is_some() {
        let all: Vec<String> = rows.iter().map(lines).collect();
        std::fs::write(repository::path(REVIEWED), all.join("\n")).unwrap();
    }
    assert_reviewed(&rows);
}
