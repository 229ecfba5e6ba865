//! The fault matrix, played: the reference server without a fault and with each one, against the whole catalogue, in
//! process and in virtual time; what came is compared with what was reviewed.
//!
//! The only place that brings server and judge together for this; neither knows the other.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::catalog::{Catalog, Entry};
use crate::diagnostic::{Diagnostic, Mistakes};
use crate::event::CaseResult;
use crate::judge::judge;
use crate::matrix::{Difference, Matrix, TRIPPED, Tripped};
use crate::record::RunRecord;
use crate::server::faults::Fault;
use crate::server::{Config, app};
use crate::target::{Endpoints, Target};
use crate::verdict::Verdict;

/// Where the reference server says it is. Loopback, so that plain http is nothing to remark on.
const ORIGIN: &str = "http://127.0.0.1:8628";

/// The target of the embedded server; `check` has other times for it.
const TARGET: &str = include_str!("../fixtures/targets/embedded.yaml");

/// No run takes longer than this on its own clock.
const LONGEST: Duration = Duration::from_secs(86_400);

/// What came of the catalogue against one server.
#[derive(Debug)]
pub struct Played {
    /// Its fault; none for the clean server.
    pub fault: Option<&'static Fault>,
    /// The cases that did not simply pass, and were not left out.
    pub cases: Vec<CaseResult>,
    /// Why the run as a whole says nothing, if so.
    pub trouble: Option<String>,
    /// How long it took on the clock of the wall.
    pub took: Duration,
}

/// One fault, and how it differs from what was reviewed.
#[derive(Debug)]
pub struct Compared {
    /// The fault.
    pub fault: &'static Fault,
    /// What came.
    pub played: Played,
    /// What was reviewed otherwise.
    pub differences: Vec<Difference>,
}

/// The whole of it.
#[derive(Debug)]
pub struct Report {
    /// The clean server.
    pub clean: Played,
    /// The faults, in their order.
    pub faults: Vec<Compared>,
    /// Must-level checks that no fault trips.
    pub untripped: Vec<String>,
    /// How long it took on the clock of the wall.
    pub took: Duration,
}

impl Played {
    /// The checks that noticed something, with the verdicts of their cases.
    #[must_use]
    pub fn tripped(&self) -> Tripped {
        let mut tripped = Tripped::new();
        for case in self.cases.iter().filter(|case| TRIPPED.contains(&case.verdict)) {
            tripped.entry(case.check.clone()).or_default().insert(case.verdict);
        }
        tripped
    }

    /// Everything about what did not simply pass, a few lines a case.
    #[must_use]
    pub fn details(&self) -> String {
        let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
        let mut lines = Vec::new();
        for case in &self.cases {
            *counts.entry(case.verdict).or_default() += 1;
            lines.push(format!(
                "{} {} {}",
                case.verdict,
                case.case(),
                case.reason.as_deref().unwrap_or_default()
            ));
            for mismatch in &case.mismatches {
                lines.push(format!("    expected {}", mismatch.expected));
                lines.push(format!("    actual   {}", mismatch.actual));
            }
        }
        lines.extend(self.trouble.iter().map(|trouble| format!("not judged: {trouble}")));
        let counts = counts.iter().map(|(verdict, count)| format!("{count} {verdict}"));
        lines.insert(0, counts.collect::<Vec<_>>().join(", "));
        lines.join("\n")
    }
}

impl Compared {
    /// Caught as it was reviewed, or not noticed if it shows only under load; and by a run that says something.
    #[must_use]
    pub const fn is_as_reviewed(&self) -> bool {
        self.differences.is_empty() && self.played.trouble.is_none()
    }
}

impl Report {
    /// The clean server is green, every fault is caught as reviewed or shows only under load, and every must-level
    /// check can fail.
    #[must_use]
    pub fn is_as_reviewed(&self) -> bool {
        self.clean.cases.is_empty()
            && self.clean.trouble.is_none()
            && self.untripped.is_empty()
            && self.faults.iter().all(Compared::is_as_reviewed)
    }
}

/// Plays the clean server and these faults, `jobs` at a time, and compares; `told` hears of each that is done.
///
/// # Errors
///
/// The mistakes of the shipped suites or of the reviewed matrix; tests prove that they have none.
pub fn run(
    faults: &[&'static Fault],
    jobs: NonZero<usize>,
    told: &(impl Fn(&Played) + Sync),
) -> Result<Report, Vec<Diagnostic>> {
    let start = Instant::now();
    let catalog = Catalog::builtin()?;
    let matrix = Matrix::builtin(&catalog)?;
    let clean = play(None, &[]);
    told(&clean);
    let faults = side_by_side(faults, &matrix, jobs, told).into_iter().map(|(fault, played)| {
        let tripped = played.tripped();
        let differences = matrix.row(fault).differences(&tripped);
        Compared { fault, played, differences }
    });
    let faults = faults.collect();
    let untripped = matrix.untripped(&catalog).into_iter().map(|entry: &Entry| entry.id.clone()).collect();
    Ok(Report { clean, faults, untripped, took: start.elapsed() })
}

/// Plays these faults, `jobs` at a time, each with the checks that the matrix lets it have, and gives them back in their order.
pub fn side_by_side(
    faults: &[&'static Fault],
    matrix: &Matrix,
    jobs: NonZero<usize>,
    told: &(impl Fn(&Played) + Sync),
) -> Vec<(&'static Fault, Played)> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(faults.len()));
    std::thread::scope(|scope| {
        for _ in 0..jobs.get().min(faults.len()) {
            scope.spawn(|| {
                while let Some((index, fault)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    faults.get(index).map(|fault| (index, *fault))
                } {
                    let alone = matrix.rows.get(fault.id).and_then(|row| row.alone());
                    let played = play(Some(fault), &alone.map(|(checks, _)| checks).unwrap_or_default());
                    told(&played);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((index, (fault, played)));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, row)| row).collect()
}

/// These checks, or the whole catalogue, against the reference server, on a runtime of its own whose clock is paused.
#[must_use]
pub fn play(fault: Option<&'static Fault>, checks: &[&str]) -> Played {
    let start = Instant::now();
    let record = in_virtual_time(fault, checks);
    let (cases, trouble) = match record {
        Err(trouble) => (Vec::new(), Some(trouble)),
        Ok(record) => {
            let trouble = (record.exit_code() == 3).then(|| record.not_judged_because()).flatten();
            let mut cases = record.cases;
            cases.retain(|case| !matches!(case.verdict, Verdict::Pass | Verdict::Skip));
            (cases, trouble)
        }
    };
    Played { fault, cases, trouble, took: start.elapsed() }
}

fn in_virtual_time(fault: Option<&'static Fault>, checks: &[&str]) -> Result<RunRecord, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    let runtime = runtime.map_err(|error| format!("no runtime could be started: {error}"))?;
    runtime.block_on(async {
        let server = app(Config::reference().with_faults(fault), ORIGIN).public;
        let judged = judge(server, target()?).only(checks.iter().copied()).verdicts_alone().into_future();
        match tokio::time::timeout(LONGEST, judged).await {
            Ok(judged) => judged.map(|judged| judged.record).map_err(|trouble| trouble.to_string()),
            Err(_) => Err("the run never ended".to_owned()),
        }
    })
}

/// The embedded target with the default constants. Its endpoints are named, so that faults of the metadata leave
/// something to judge.
fn target() -> Result<Target, String> {
    let mut target = Target::from_yaml(TARGET).map_err(|mistakes: Mistakes| mistakes.to_string())?;
    target.constants.clear();
    target.endpoints = Endpoints {
        device_authorization: Some(format!("{ORIGIN}/oauth/device/code")),
        token: Some(format!("{ORIGIN}/oauth/token")),
        ..target.endpoints
    };
    Ok(target)
}
