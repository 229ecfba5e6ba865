//! `load --with-check` by the real binary: what is red while many devices poll, and green without them, is a finding; a
//! good server has none.
//!
//! Nothing here depends on the machine's speed: a run that could not be judged is played again, a verdict never is.

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use devgrant::server::{Config, app};
use devgrant::tally::{self, LoadRecord, UnderLoad, When};
use tokio::time::Instant;

use crate::binary::{Binary, Ended};
use crate::repository;

/// Played beside the load; two polls each.
const CHECK: &str = "token-response/redeemed-code-is-refused";

/// More polls in a second than the check sends by itself, and far fewer than the devices do.
const MANY: usize = 12;

/// How often a run is played that could not be judged.
const TRIES: usize = 4;

const SCENARIO: &str = "scenario: beside
title: Devices that wait, beside the checks
why: Some servers keep the rules only while few poll.
embedded: { interval: 1 s, lifetime: 60 s }
duration: 14 s
groups:
  - name: waiting
    arrive: { hold: { devices: 80, fill: 1 s } }
    user: [{ nothing: { weight: 1 } }]
thresholds: [violations == 0]
";

struct Played {
    ended: Ended,
    record: LoadRecord,
    found: UnderLoad,
    again: Ended,
    json: serde_json::Value,
}

/// Plays it until the checks say something.
fn play(target: Option<&str>) -> Played {
    let tries = std::iter::repeat_with(|| play_once(target)).take(TRIES);
    let mut last = None;
    for played in tries {
        let is_judged = played.found.doubt.is_none();
        last = Some(played);
        if is_judged {
            break;
        }
    }
    last.unwrap()
}

fn play_once(target: Option<&str>) -> Played {
    let binary = Binary::new();
    let (scenario, record) = (binary.file("beside.yaml", SCENARIO), binary.name("load.jsonl"));
    let target = target.map(|text| binary.file("target.yaml", text));
    let mut arguments = vec!["load", scenario.as_str(), "--no-pin", "--record", record.as_str()];
    arguments.extend(target.iter().flat_map(|target| ["--target", target.as_str()]));
    arguments.extend(["--with-check", CHECK, "--skip", "*/polling-*", "--max-wait", "6 s"]);
    let ended = binary.run(&arguments);
    let text = std::fs::read_to_string(&record).unwrap_or_else(|error| panic!("{error}: {}", ended.all()));
    let read = tally::read(&text).unwrap();
    let json = binary.run(&["report", &record, "--format", "json"]);
    Played {
        found: read.under_load().unwrap_or_else(|| panic!("no checks: {}", ended.all())),
        record: read,
        again: binary.run(&["report", &record]),
        json: serde_json::from_str(&json.out).unwrap(),
        ended,
    }
}

/// A server that forgets in a crowd that a code was used: it is pending again.
fn forgetful() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let latest = Arc::new(Mutex::new(VecDeque::new()));
    let layer = from_fn(move |request: Request, next: Next| {
        let latest = Arc::clone(&latest);
        async move {
            if request.uri().path() != "/oauth/token" {
                return next.run(request).await;
            }
            let is_crowded = is_one_of_many(&latest);
            let response = next.run(request).await;
            if !is_crowded || response.status() != StatusCode::BAD_REQUEST {
                return response;
            }
            let (mut parts, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let text = String::from_utf8(body.to_vec()).unwrap();
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(text.replace("invalid_grant", "authorization_pending")))
        }
    });
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let mut config = Config::embedded();
            config.set_lifetime(Duration::from_secs(60));
            let router = app(config, &format!("http://{address}")).public.layer(layer);
            axum::serve(listener, router).await.unwrap();
        });
    });
    address
}

fn is_one_of_many(latest: &Mutex<VecDeque<Instant>>) -> bool {
    let (mut latest, now) = (latest.lock().unwrap(), Instant::now());
    latest.push_back(now);
    while latest.front().is_some_and(|poll| now - *poll > Duration::from_secs(1)) {
        latest.pop_front();
    }
    latest.len() > MANY
}

#[test]
fn what_is_red_under_load_alone_is_a_finding() {
    let target = repository::text("fixtures/targets/embedded.yaml")
        .replace("http://127.0.0.1:8628", &format!("http://{}", forgetful()));
    let Played { ended, record, found, again, json } = play(Some(&target));
    let cases: Vec<&str> = found.findings.iter().map(|case| case.case.as_str()).collect();
    assert_eq!(cases, [CHECK], "{}", ended.all());
    let red = &found.findings[0].red;
    assert!(red.len() >= 2, "{red:?}");
    assert!(red.iter().all(|(_, mismatches)| mismatches[0].actual.contains("authorization_pending")));
    assert_eq!(ended.code, Some(1), "{}", ended.all());
    // The oracle saw nothing of it: no device of the load replays.
    assert_eq!(record.totals.whole.violations.count(), 0, "{}", ended.all());
    for words in ["1 is red under load alone", CHECK, "1 case is red under load alone."] {
        assert!(ended.out.contains(words), "{words}: {}", ended.all());
    }
    assert!(ended.out.ends_with(again.out.split_once("engine\n").unwrap().1), "{}\n{}", ended.out, again.out);
    assert_eq!(json["checks_under_load"]["findings"][0]["case"], CHECK);
    assert_eq!(json["exit_code"], 1);
}

#[test]
fn a_good_server_is_not_blamed_and_all_runs_are_in_the_record() {
    let Played { ended, record, found, again, .. } = play(None);
    assert_eq!((found.findings.len(), found.doubt), (0, None), "{}", ended.all());
    assert!(found.once.is_empty() && found.red_anyway.is_empty(), "{}", ended.all());
    assert_eq!(found.compared, 1);
    // A machine that is busy is no reason to blame anybody.
    assert!(matches!(ended.code, Some(0 | 3)), "{}", ended.all());
    let whens: Vec<When> = record.checks.iter().map(|run| run.when).collect();
    assert_eq!((whens[0], whens[1], whens[whens.len() - 1]), (When::Before, When::During, When::After));
    // Under load: once the devices are there, and not before.
    assert!(record.checks[1].at_ms.unwrap() >= 1000, "{:?}", record.checks[1]);
    assert!(again.out.contains("1 case compared"), "{}", again.out);
}

#[test]
fn what_cannot_be_played_beside_a_load_is_refused_before_anything_is_sent() {
    let binary = Binary::new();
    let scenario = binary.file("beside.yaml", SCENARIO);
    for (arguments, words) in [
        (vec!["--with-check", "token-respons"], "did you mean \"token-response\"?"),
        (vec!["--with-check", "token-response", "--skip", "*"], "the selection leaves no check"),
        (vec!["--skip", "token-response"], "add --with-check"),
        (vec!["--with-check", "card"], "none of these checks can be played beside a load"),
    ] {
        let ended = binary.run(&[vec!["load", scenario.as_str()], arguments.clone()].concat());
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.all());
        assert!(ended.all().contains(words), "{arguments:?}: {}", ended.all());
    }
}
