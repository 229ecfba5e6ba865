//! How the server carries many sessions: by hand, in release, for the figures in front of a load run.
//!
//! ```text
//! cargo test --release --lib many -- --ignored --nocapture
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use tower::ServiceExt as _;

use super::client::authorize;
use crate::machine::{process, thread};
use crate::server::faults::Effects;
use crate::server::moment::Moment;
use crate::server::policy::Policy;
use crate::server::rules::Rules;
use crate::server::scope::Scopes;
use crate::server::session::{Asked, PollOutcome};
use crate::server::sessions::Sessions;
use crate::server::terms::Terms;
use crate::server::{Config, app};

/// What a session may take, in bytes.
const PER_SESSION: u64 = 1024;

const STEPS: [usize; 3] = [10_000, 100_000, 1_000_000];

/// The time between two sessions: a million start in less than their lifetime.
const APART: Duration = Duration::from_micros(100);

/// So many polls are timed at each step.
const POLLS: usize = 200_000;

#[test]
#[ignore = "takes a gigabyte and measures time"]
fn a_million_sessions_and_their_polls() {
    let mut rng = rand::rng();
    let terms =
        Terms { rules: Rules::all(), policy: Arc::new(Policy::reference()), effects: Effects::default() };
    let client: Arc<str> = "tv-public".into();
    let mut sessions = Sessions::default();
    let mut device_codes: Vec<Box<str>> = Vec::with_capacity(1_000_000);
    let mut now = Moment::after_start(Duration::from_secs(1));
    let before = process::of_self().unwrap().memory;
    for step in STEPS {
        let mut issues = Times::default();
        while device_codes.len() < step {
            now = now + APART;
            let asked = asked(&terms, &client);
            let session = issues.of(|| sessions.issue(&mut rng, now, 0, &terms, asked)).unwrap();
            device_codes.push((&*session.device_code).into());
        }
        // The list of codes is the test's own: 16 bytes and an allocation of 64 for 43.
        let taken =
            process::of_self().unwrap().memory.saturating_sub(before).saturating_sub(80 * step as u64);
        let per_session = taken / step as u64;
        let mut polls = Times::default();
        for number in 0..POLLS {
            // A stride that is no divisor, so that polls jump about in memory as real ones do.
            let code = &device_codes[number * 7919 % step];
            let outcome = polls.of(|| sessions.poll(code, "tv-public", now, &terms));
            assert!(matches!(outcome, PollOutcome::Pending | PollOutcome::SlowDown));
        }
        println!("{step} sessions: {per_session} B each; issue {issues}; poll {polls}");
        assert!(step < 1_000_000 || per_session < PER_SESSION, "{per_session} B a session");
    }
    // All million are to be forgotten, a few at each issue.
    now = now + terms.policy.lifetime + terms.policy.retention;
    let mut issues = Times::default();
    for _ in 0..300_000 {
        now = now + APART;
        issues.of(|| sessions.issue(&mut rng, now, 0, &terms, asked(&terms, &client)).map(drop)).unwrap();
    }
    println!("while they are forgotten: issue {issues}");
    let mut forgotten = |code: &str| sessions.poll(code, "tv-public", now, &terms) == PollOutcome::Unknown;
    assert!(device_codes.iter().all(|code| forgotten(code)));
}

fn asked(terms: &Terms, client: &Arc<str>) -> Asked {
    Asked {
        client: Arc::clone(client),
        scopes: Scopes::parse(terms.policy.default_scope).unwrap(),
        interval: Duration::from_secs(5),
        lifetime: Duration::from_secs(600),
        nonce: None,
        from: None,
    }
}

/// The time on a CPU that something took each time: what else runs on this machine has no part in it.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn of<T>(&mut self, what: impl FnOnce() -> T) -> T {
        let start = thread::cpu().unwrap();
        let done = what();
        self.0.push(thread::cpu().unwrap() - start);
        done
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut times = self.0.clone();
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 1000];
        write!(f, "p50 {:?}, p99 {:?}, p99.9 {:?}, max {:?}", at(500), at(990), at(999), at(1000))
    }
}

#[tokio::test]
#[ignore = "measures time"]
async fn a_poll_through_the_router() {
    let app = app(Config::reference(), "http://127.0.0.1:1");
    let codes = authorize(&app, "client_id=tv-public").await;
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
    for others in [0, 100_000] {
        for _ in 0..others {
            authorize(&app, "client_id=tv-public").await;
        }
        let body = format!("client_id=tv-public&{grant}&device_code={}", codes.device_code);
        let start = tokio::time::Instant::now();
        for _ in 0..POLLS {
            let request = Request::post("/oauth/token")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(body.clone()))
                .unwrap();
            let response = app.public.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), 400);
        }
        let poll = start.elapsed() / u32::try_from(POLLS).unwrap();
        println!("{others} other sessions: {poll:?} a poll through the router");
    }
}
