//! Load runs by the real binary: the embedded server's faults are found while many codes are live, the clean one is never
//! blamed, and a run that ends before its time writes its record.
//!
//! Nothing here depends on the machine's speed: a generator that was slow judges no time, and the oracle knows when each
//! answer was asked for and when it was in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use devgrant::server::{Config, app};
use devgrant::tally::{self, Ending, LoadRecord};
use tokio::net::TcpListener;

use crate::binary::{Binary, Ended, Playing};
use crate::repository;

/// So many runs at the same time.
const AT_ONCE: usize = 3;

/// How often a run is played that could not be judged.
const TRIES: usize = 4;

/// Faults of the state of a code, each with the requirement that the oracle must say is broken, or its words.
const FAULTS: [(&str, &str); 11] = [
    ("double-redeem-race", "INV-5"),
    ("replay-mints-new-token", "INV-5"),
    ("poll-write-loses-approval", "INV-12"),
    ("approval-lost-to-pollers", "INV-12"),
    ("approved-outlives-expiry", "INV-10"),
    ("expired-user-code-approvable", "INV-10"),
    ("expired-once-then-pending", "INV-10"),
    ("denial-is-told-once", "RFC8628-3.5-i"),
    ("denied-stays-pending", "RFC8628-3.5-i"),
    ("user-code-collides", "INV-8"),
    ("expired-is-invalid-grant", "the record went at once"),
];

/// The one that the oracle warns of: a violation with `--mode strict` only.
const WARNED: &str = "expired-is-invalid-grant";

struct Played {
    ended: Ended,
    record: LoadRecord,
}

impl Played {
    /// What was wrong: the requirement and the words of each violation.
    fn broken(&self) -> BTreeSet<String> {
        let all = self.record.totals.whole.violations.iter().filter(|(kind, ..)| kind.is_violation);
        all.map(|(kind, ..)| format!("{} {}", kind.requirement.as_deref().unwrap_or_default(), kind.because))
            .collect()
    }
}

fn scenario() -> String {
    repository::path("fixtures/load/states.yaml").to_str().unwrap().to_owned()
}

/// Plays it until it says something: a machine that is busy may hide a race, and never a verdict.
fn play_until_judged(more: &[&str]) -> Played {
    let tries = std::iter::repeat_with(|| play(more)).take(TRIES);
    let mut last = None;
    for played in tries {
        let is_judged = played.ended.code != Some(3);
        last = Some(played);
        if is_judged {
            break;
        }
    }
    last.unwrap()
}

fn play(more: &[&str]) -> Played {
    let binary = Binary::new();
    let (scenario, record) = (scenario(), binary.name("load.jsonl"));
    let mut arguments = vec!["load", scenario.as_str(), "--no-pin", "--record", record.as_str()];
    arguments.extend(more);
    let ended = binary.run(&arguments);
    let text = std::fs::read_to_string(&record).unwrap_or_else(|error| panic!("{error}: {}", ended.all()));
    Played { record: tally::read(&text).unwrap(), ended }
}

#[test]
fn faults_of_state_are_named_and_the_clean_server_is_not_blamed() {
    let mut runs: Vec<(Option<&str>, &str)> =
        FAULTS.iter().map(|(fault, requirement)| (Some(*fault), *requirement)).collect();
    runs.insert(0, (None, ""));
    for some in runs.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            for &(fault, requirement) in some {
                scope.spawn(move || one_run(fault, requirement));
            }
        });
    }
}

fn one_run(fault: Option<&str>, requirement: &str) {
    let Some(fault) = fault else {
        let played = play(&[]);
        assert_eq!(played.broken(), BTreeSet::new(), "{}", played.ended.all());
        // A machine that is busy is no reason to blame anybody.
        assert!(matches!(played.ended.code, Some(0 | 3)), "{}", played.ended.all());
        assert!(played.record.totals.whole.counters.judged > 500, "{}", played.ended.all());
        return;
    };
    let mut arguments = vec!["--fault", fault];
    if fault == WARNED {
        arguments.extend(["--mode", "strict"]);
    }
    let played = play_until_judged(&arguments);
    assert_eq!(played.ended.code, Some(1), "{fault}: {}", played.ended.all());
    let is_named = played.broken().iter().any(|words| words.contains(requirement));
    assert!(is_named, "{fault}: {}", played.ended.all());
    assert!(played.ended.out.contains(requirement), "{fault}: {}", played.ended.all());
}

#[test]
fn a_slow_down_for_devices_that_keep_their_interval_is_counted() {
    let played = play(&["--fault", "slow-down-shared-across-codes"]);
    assert!(played.record.totals.whole.counters.slow_downs > 0, "{}", played.ended.all());
    let missed = played.record.ended.iter().flat_map(|ended| &ended.thresholds);
    let missed: Vec<&str> = missed.filter(|v| v.verdict == "missed").map(|v| v.threshold.as_str()).collect();
    // A generator that was slow judges no figure.
    assert!(missed == ["slow_downs == 0"] || played.ended.code == Some(3), "{}", played.ended.all());
}

#[test]
fn an_interrupted_run_writes_its_record_and_shows_it_again() {
    let binary = Binary::new();
    let (scenario, record) = (scenario(), binary.name("load.jsonl"));
    let arguments = ["load", scenario.as_str(), "--record", record.as_str()];
    let mut playing = Playing::start(binary.command(&arguments));
    playing.line_with("engine");
    // Some of it must have been played.
    while std::fs::read_to_string(&record).unwrap_or_default().lines().count() < 4 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    playing.interrupt();
    let ended = playing.end();
    assert_eq!(ended.code, Some(130), "{}", ended.all());
    let read = tally::read(&std::fs::read_to_string(&record).unwrap()).unwrap();
    assert_eq!(read.ended.as_ref().unwrap().ending, Ending::Interrupted);
    assert!(read.totals.whole.counters.judged > 0);
    let again = binary.run(&["report", &record]);
    assert_eq!(again.code, Some(0), "{}", again.all());
    assert!(again.out.contains("Interrupted: what was measured until then stands above."), "{}", again.out);
    assert!(ended.out.ends_with(again.out.split_once("engine\n").unwrap().1), "{}\n{}", ended.out, again.out);
}

#[test]
fn a_condition_that_holds_ends_the_run_before_its_time() {
    let played = play(&["--abort-on", "count(pending) > 1/s for 1 s"]);
    assert_eq!(played.ended.code, Some(1), "{}", played.ended.all());
    let ended = played.record.ended.unwrap();
    assert_eq!(ended.ending, Ending::Aborted);
    assert_eq!(ended.because.as_deref(), Some("count(pending) > 1/s for 1 s held"));
}

#[test]
fn a_server_that_goes_away_is_told_from_one_that_errs() {
    let server = Binary::new();
    let ready = server.name("ready.json");
    let flags = ["serve", "--port", "0", "--short", "--ready-file", ready.as_str()];
    let mut serving = Playing::start(server.command(&flags));
    serving.line_with("stop");
    // The file appears whole, and a moment after the words for people.
    while !server.path("ready.json").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let issuer: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&ready).unwrap()).unwrap();
    let target = repository::text("fixtures/targets/embedded.yaml")
        .replace("http://127.0.0.1:8628", issuer["issuer"].as_str().unwrap());
    let binary = Binary::new();
    let (target, scenario, record) = (binary.file("t.yaml", &target), scenario(), binary.name("load.jsonl"));
    let arguments =
        ["load", &scenario, "--target", &target, "--duration", "60 s", "--record", record.as_str()];
    let mut playing = Playing::start(binary.command(&arguments));
    playing.line_with("engine");
    drop(serving);
    let ended = playing.end();
    assert_eq!(ended.code, Some(3), "{}", ended.all());
    let read = tally::read(&std::fs::read_to_string(&record).unwrap()).unwrap();
    assert_eq!(read.ended.unwrap().ending, Ending::Refused);
    let pinned = read.began.unwrap().machine.server_pinned;
    assert!(pinned.is_empty(), "a server of somebody else's is on no core of ours: {pinned:?}");
}

#[test]
fn what_cannot_be_played_is_refused_before_anything_is_sent() {
    let binary = Binary::new();
    let far = binary.file(
        "far.yaml",
        "target: far\nendpoints: { device_authorization: \"http://192.0.2.1/code\", token: \"http://192.0.2.1/token\" }\nclients: { tv: { id: tv } }\n",
    );
    let scenario = scenario();
    for (arguments, code, words) in [
        (vec!["load", "steady_poler"], 2, "did you mean \"steady_pollers\"?"),
        (vec!["load", &scenario, "--target", &far], 2, "--i-may-load-this-host"),
        (vec!["load", &scenario, "--devices", "1"], 2, "too few"),
        (vec!["load", &scenario, "--abort-on", "p99(pendin) > 2 s"], 2, "did you mean \"pending\"?"),
        (vec!["load", "million", "--dry-run"], 0, "nothing was sent"),
        (vec!["load", "ten_million", "--dry-run", "--target", &far], 0, "assumed"),
    ] {
        let ended = binary.run(&arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.all());
        assert!(ended.all().contains(words), "{arguments:?}: {}", ended.all());
    }
}

/// Answers the first decision as the server does, and every later one with a server error that decides nothing.
async fn breaks_over_decisions(decisions: Arc<AtomicU32>, request: Request, next: Next) -> Response {
    let is_decision = request.method() == Method::POST && request.uri().path() == "/activate/decision";
    if is_decision && decisions.fetch_add(1, Ordering::Relaxed) > 0 {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    next.run(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_ended_in_a_server_error_is_no_decision_that_got_lost() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let decisions = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&decisions);
    let breaking = from_fn(move |request, next| breaks_over_decisions(Arc::clone(&counted), request, next));
    let router = app(Config::embedded(), &origin).public.layer(breaking);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let binary = Binary::new();
    let target = repository::text("fixtures/targets/embedded.yaml");
    let target = binary.file("target.yaml", &target.replacen("http://127.0.0.1:8628", &origin, 1));
    let scenario = "scenario: broken\ntitle: Decisions that break\nwhy: Whoever saw an error has decided nothing.\n\
        duration: 8 s\ngroups:\n  - name: households\n    arrive: { hold: { devices: 6, fill: 1 s } }\n    \
        user: [{ approve: { weight: 1, after: 1 s } }]\nthresholds: [violations == 0]\n";
    let scenario = binary.file("broken.yaml", scenario);
    let record = binary.name("load.jsonl");
    let played = tokio::task::spawn_blocking(move || {
        let ended = binary.run(&["load", &scenario, "--target", &target, "--record", &record]);
        let text =
            std::fs::read_to_string(&record).unwrap_or_else(|error| panic!("{error}: {}", ended.all()));
        Played { record: tally::read(&text).unwrap(), ended }
    });
    let played = played.await.unwrap();
    assert!(decisions.load(Ordering::Relaxed) > 2, "{}", played.ended.all());
    assert!(played.ended.out.contains("decision refused"), "{}", played.ended.all());
    assert_eq!(played.broken(), BTreeSet::new(), "{}", played.ended.all());
    assert!(played.record.totals.whole.counters.judged > 0, "{}", played.ended.all());
}
