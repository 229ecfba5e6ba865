//! The whole catalogue against the reference server, in process and in virtual time.

use std::sync::Arc;
use std::time::Duration;

use devgrant::http::InProcess;
use devgrant::matrix::OVER_TLS_ONLY;
use devgrant::record::RunRecord;
use devgrant::server::{Config, app};
use devgrant::target::Target;
use devgrant::verdict::Verdict;

use crate::binary::now;
use crate::repository;
use crate::stage::{Wanted, details, judge, of_verdict, target};

/// Where the reference server says it is. Loopback, so that plain http is nothing to remark on.
pub(crate) const ORIGIN: &str = "http://127.0.0.1:8628";

/// The target of the embedded server, with the default constants where `constants` says so.
pub(crate) fn reference_target() -> Target {
    let mut target = target(&repository::text("fixtures/targets/embedded.yaml"));
    target.constants.clear();
    target
}

async fn whole_catalogue(config: Config, target: &Target, seed: u64) -> RunRecord {
    let server = InProcess::new(app(config, ORIGIN).public, seed);
    let wanted = Wanted::default();
    let judged = judge(Arc::new(server.clone()), Some(Arc::new(server)), target, &wanted);
    tokio::time::timeout(Duration::from_secs(86_400), judged).await.unwrap().unwrap()
}

/// What is not judged because there is no TLS without a socket, and none on loopback.
pub(crate) const TRANSPORT: &[&str] = &OVER_TLS_ONLY;

fn assert_good(record: &RunRecord) {
    for verdict in [
        Verdict::Fail,
        Verdict::Error,
        Verdict::Warn,
        Verdict::Acceptable,
        Verdict::Inconclusive,
        Verdict::NotExercised,
    ] {
        assert_eq!(of_verdict(record, verdict), Vec::<String>::new(), "{verdict}\n{}", details(record));
    }
    assert_eq!(of_verdict(record, Verdict::Skip), TRANSPORT);
    assert_eq!(record.exit_code(), 0);
    let ended = record.ended.as_ref().unwrap();
    assert!(!ended.interrupted);
    assert_eq!((&ended.never_came_out, &ended.stale_known), (&vec![], &vec![]));
}

#[tokio::test(start_paused = true)]
async fn the_reference_server_is_good_at_every_check() {
    let start = now();
    let record = whole_catalogue(Config::reference(), &reference_target(), 1).await;
    println!("reference times: {:?} of wall time\n{}", start.elapsed(), details(&record));
    assert_good(&record);
}

#[tokio::test(start_paused = true)]
async fn the_reference_server_is_good_at_every_check_with_the_embedded_times() {
    let start = now();
    let target = target(&repository::text("fixtures/targets/embedded.yaml"));
    let record = whole_catalogue(Config::embedded(), &target, 2).await;
    println!("embedded times: {:?} of wall time\n{}", start.elapsed(), details(&record));
    assert_good(&record);
}
