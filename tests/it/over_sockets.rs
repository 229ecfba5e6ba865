//! A part of the fault matrix over real sockets and in real time: all races, and a fault of each other family. Each server
//! has a thread and a runtime of its own, so that it and the judge meet as two programs do.
//!
//! A fault is played with the checks that are about it, and they say what was reviewed. What could not be measured on a
//! machine that is busy is played again; a verdict never is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use devgrant::catalog::Catalog;
use devgrant::event::CaseResult;
use devgrant::http::{HttpPages, Wire};
use devgrant::judge::{Endpoints, Judge};
use devgrant::matrix::{Matrix, Row, TRIPPED, Tripped};
use devgrant::record::RunRecord;
use devgrant::server::faults::{self, Fault};
use devgrant::server::{Config, start};
use devgrant::target::Target;
use devgrant::verdict::Verdict;
use tokio::sync::oneshot;

use crate::repository;
use crate::stage::{details, target};

/// All of its faults are played.
const RACES: &str = "Redemption and races";

/// What races, or is seen late, in other families; and a fault of each family that has none of these.
const OTHERS: &[&str] = &[
    "slow-down-shared-across-codes",
    "storage-error-is-access-denied",
    "expired-user-code-approvable",
    "approve-after-deny-flips",
    "wrong-secret-burns-code",
    "verification-url-name",
    "token-type-missing",
    "broken-escape-500",
    "user-code-collides",
    "metadata-wrong-issuer",
    "scope-required-at-da",
    "two-tabs-overwrite",
    "second-user-rebinds-approved-code",
    "refresh-token-not-rotated",
    "replay-revokes-token",
    "resource-refused",
    "id-token-bad-signature",
];

/// Checks over all answers of a run want a run: polls that race, a denial, and the end of a code.
const A_RUN: [&str; 3] = [
    "token-response/losers-of-a-race-are-refused",
    "token-response/denial-reaches-the-device",
    "token-response/expired-though-polled-all-along",
];

/// How often a fault is played until nothing is uncertain.
const TRIES: usize = 5;

/// How many faults are played beside each other; they mostly wait.
const AT_ONCE: usize = 12;

/// How long the server of a run may be asked.
const LIMIT: Duration = Duration::from_secs(20);

/// A server on a thread of its own; gone with this value.
struct Server {
    public: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    fn start(config: Config) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            runtime().block_on(async {
                let any = SocketAddr::from(([127, 0, 0, 1], 0));
                let running = start(config, any, any).await.unwrap();
                tell.send(running.public()).unwrap();
                // An error means that the test is over.
                let _ = stopped.await;
            });
        });
        Self { public: told.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    /// The embedded target at this server; its endpoints are named, so that faults of the metadata leave something to
    /// judge.
    fn target(&self) -> Target {
        let origin = format!("http://{}", self.public);
        let text =
            repository::text("fixtures/targets/embedded.yaml").replace("http://127.0.0.1:8628", &origin);
        let endpoints = Endpoints::at(format!("{origin}/oauth/device/code"), format!("{origin}/oauth/token"));
        target(&text).with_endpoints(endpoints)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().map(std::thread::JoinHandle::join).transpose().unwrap();
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Plays these checks against a server of its own.
fn play(fault: Option<&'static Fault>, checks: &BTreeSet<&str>) -> RunRecord {
    let server = Server::start(Config::embedded().with_faults(fault));
    let target = server.target();
    runtime().block_on(async {
        let pages = HttpPages::new().unwrap();
        let judge = Judge::through(Arc::new(Wire::new(LIMIT).unwrap()), Some(Arc::new(pages)), target);
        let judged = judge.only(checks.iter().copied()).in_real_time().await;
        judged.unwrap_or_else(|trouble| panic!("{:?}: {trouble}", fault.map(|fault| fault.id))).record
    })
}

/// What could not be measured.
fn uncertain(record: &RunRecord) -> Option<String> {
    let cases = record.cases.iter().filter(|case| case.verdict == Verdict::Inconclusive);
    let words: Vec<String> = cases
        .map(|case| format!("{}: {}", case.case(), case.reason.as_deref().unwrap_or_default()))
        .collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// Plays until nothing is uncertain.
fn play_until_certain(fault: Option<&'static Fault>, checks: &BTreeSet<&str>) -> Result<RunRecord, String> {
    let mut reasons = Vec::new();
    for _ in 0..TRIES {
        let record = play(fault, checks);
        match uncertain(&record) {
            None => return Ok(record),
            Some(reason) => reasons.push(reason),
        }
    }
    Err(format!("uncertain {TRIES} times: {}", reasons.join("\n")))
}

fn tripped(cases: &[CaseResult]) -> Tripped {
    let mut tripped = Tripped::new();
    for case in cases.iter().filter(|case| TRIPPED.contains(&case.verdict)) {
        tripped.entry(case.check.clone()).or_default().insert(case.verdict);
    }
    tripped
}

/// How a run differs from what was reviewed: the checks about the fault say the same, and others are red only where
/// somebody said why.
fn differs(row: &Row, record: &RunRecord) -> Option<String> {
    let tripped = tripped(&record.cases);
    let about: BTreeMap<&str, BTreeSet<Verdict>> = row.about().collect();
    let missing: Vec<_> =
        about.iter().filter(|(check, is)| tripped.get(**check).is_none_or(|found| found != *is)).collect();
    let unexplained: Vec<_> = tripped
        .keys()
        .filter(|check| !about.contains_key(check.as_str()) && !row.also().contains_key(*check))
        .collect();
    let is_same = missing.is_empty() && unexplained.is_empty();
    (!is_same).then(|| format!("missing {missing:?}, unexplained {unexplained:?}\n{}", details(record)))
}

/// The faults that are played here.
fn played() -> Vec<&'static Fault> {
    let races = faults::FAMILIES.iter().find(|family| family.title == RACES).unwrap();
    races.faults.iter().chain(OTHERS.iter().map(|id| faults::find(id).unwrap())).collect()
}

/// The checks that are about a fault, and what they need beside them.
fn checks<'a>(catalog: &Catalog, row: &'a Row) -> BTreeSet<&'a str> {
    let mut checks: BTreeSet<&str> = row.about().map(|(check, _)| check).collect();
    if checks.iter().any(|check| catalog.get(check).unwrap().check.over.is_some()) {
        checks.extend(A_RUN);
    }
    checks
}

#[test]
fn a_fault_of_each_family_is_played_over_sockets() {
    let played: BTreeSet<&str> = played().iter().map(|fault| fault.id).collect();
    for family in faults::FAMILIES.iter().filter(|family| family.shows == faults::Shows::ToChecks) {
        assert!(family.faults.iter().any(|fault| played.contains(fault.id)), "{}", family.title);
    }
}

#[test]
fn every_race_is_caught_over_sockets_as_it_was_reviewed_and_the_clean_server_is_green() {
    let catalog = Catalog::builtin().unwrap();
    let matrix = Matrix::builtin(&catalog).unwrap();
    let faults = played();
    let all: BTreeSet<&str> =
        faults.iter().flat_map(|fault| checks(&catalog, &matrix.rows[fault.id])).collect();
    let wrong = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    let clean = std::thread::scope(|scope| {
        let clean = scope.spawn(|| play_until_certain(None, &all));
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let row = &matrix.rows[fault.id];
                    let found = match play_until_certain(Some(fault), &checks(&catalog, row)) {
                        Ok(record) => differs(row, &record),
                        Err(reason) => Some(reason),
                    };
                    wrong.lock().unwrap().extend(found.map(|found| format!("{}: {found}", fault.id)));
                }
            });
        }
        clean.join().unwrap().unwrap()
    });
    let green = clean.cases.iter().all(|case| case.verdict == Verdict::Pass);
    assert!(green, "the clean server\n{}", details(&clean));
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
