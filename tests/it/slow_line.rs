//! A slow and unsteady line to a good server, in virtual time: what it makes uncertain is inconclusive, and nothing is the
//! server's fault.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use devgrant::approval::{PageError, Pages};
use devgrant::compose::Composed;
use devgrant::exchange::NoAnswer;
use devgrant::http::{Exchanger, InProcess, Sent, Transport};
use devgrant::record::RunRecord;
use devgrant::server::{Config, app, faults};
use devgrant::verdict::Verdict;
use futures_util::future::{BoxFuture, FutureExt, join_all};

use crate::stage::{Wanted, details, judge, of_verdict};
use crate::virtual_time::{ORIGIN, reference_target};

/// Each way takes up to so many milliseconds longer, in turn.
#[derive(Clone)]
struct Slow {
    inner: InProcess,
    delays: &'static [u64],
    next: Arc<Mutex<usize>>,
}

impl Slow {
    async fn travel(&self) {
        let delay = {
            let mut next = self.next.lock().unwrap();
            *next += 1;
            self.delays[*next % self.delays.len()]
        };
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }

    async fn exchange(&self, request: &Composed) -> Sent {
        let sent = tokio::time::Instant::now();
        self.travel().await;
        let answered = self.inner.send(request).await;
        self.travel().await;
        Sent { sent, done: tokio::time::Instant::now(), ..answered }
    }
}

impl Exchanger for Slow {
    fn send<'a>(&'a self, request: &'a Composed) -> BoxFuture<'a, Sent> {
        self.exchange(request).boxed()
    }
}

impl Transport for Slow {
    fn race<'a>(&'a self, requests: &'a [Composed]) -> BoxFuture<'a, Vec<Sent>> {
        join_all(requests.iter().map(|request| self.exchange(request))).boxed()
    }

    fn handshake<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), NoAnswer>> {
        self.inner.handshake(url)
    }

    fn fresh(&self) -> Result<Arc<dyn Transport>, NoAnswer> {
        Ok(Arc::new(self.clone()))
    }
}

impl Pages for Slow {
    fn fetch(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<bytes::Bytes>, PageError>> {
        async move {
            self.travel().await;
            self.inner.fetch(request).await
        }
        .boxed()
    }
}

async fn play(fault: Option<&str>, delays: &'static [u64], wanted: &Wanted<'_>) -> RunRecord {
    let config = Config::reference().with_faults(fault.and_then(faults::find));
    let inner = InProcess::new(app(config, ORIGIN).public, 1);
    let slow = Slow { inner, delays, next: Arc::default() };
    judge(Arc::new(slow.clone()), Some(Arc::new(slow)), &reference_target(), wanted).await.unwrap()
}

const PACE: [&str; 2] =
    ["token-response/kept-pace-is-never-slowed", "token-response/first-poll-is-not-slowed"];

#[tokio::test(start_paused = true)]
async fn a_good_server_at_the_end_of_a_slow_line_is_blamed_for_nothing() {
    let record = play(None, &[900, 400, 1_600, 100, 2_500], &Wanted::default()).await;
    for verdict in [Verdict::Fail, Verdict::Error, Verdict::Warn] {
        assert_eq!(of_verdict(&record, verdict), Vec::<String>::new(), "{}", details(&record));
    }
    let pace = record.cases.iter().find(|case| case.check == PACE[0]).unwrap();
    assert_eq!(pace.verdict, Verdict::Inconclusive, "{}", details(&record));
    let reason = pace.reason.as_deref().unwrap();
    assert!(reason.contains("too much to judge pace by; round trip "), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_throttle_is_proven_on_a_fair_line_only_and_the_verdict_says_by_what() {
    let wanted = Wanted { checks: &PACE[..1], ..Wanted::default() };
    let fault = Some("interval-advertised-too-small");
    let fair = play(fault, &[5, 40, 20], &wanted).await;
    let case = fair.cases.iter().find(|case| case.check == PACE[0]).unwrap();
    assert_eq!(case.verdict, Verdict::Warn, "{}", details(&fair));
    let actual = &case.mismatches[0].actual;
    assert!(actual.contains("; g_round 1 s; round trip ") && actual.contains("jitter "), "{actual}");
    let slow = play(fault, &[700, 900], &wanted).await;
    let case = slow.cases.iter().find(|case| case.check == PACE[0]).unwrap();
    assert_eq!(case.verdict, Verdict::Inconclusive, "{}", details(&slow));
}

#[tokio::test(start_paused = true)]
async fn a_late_decision_says_how_long_the_way_was_and_what_is_tolerated() {
    let checks = ["token-response/token-after-approval"];
    let record =
        play(Some("approval-visible-late"), &[5, 40, 20], &Wanted { checks: &checks, ..Wanted::default() })
            .await;
    let case = record.cases.iter().find(|case| case.check == checks[0]).unwrap();
    let actual = &case.mismatches[0].actual;
    assert!(actual.contains("; propagation 2 s; round trip "), "{actual}");
}

#[tokio::test(start_paused = true)]
async fn a_series_of_polls_that_outlasts_its_code_proves_nothing() {
    let checks = ["token-response/polling-again-is-no-replay"];
    let record = play(None, &[70_000], &Wanted { checks: &checks, ..Wanted::default() }).await;
    let case = record.cases.iter().find(|case| case.check == checks[0]).unwrap();
    assert_eq!(case.verdict, Verdict::Inconclusive, "{}", details(&record));
    assert!(case.reason.as_deref().unwrap().contains("near to the end of the code's life"), "{case:?}");
}
