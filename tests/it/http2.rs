//! Load runs over HTTP/2: the same judgement as over HTTP/1.1, with requests that share a connection.

use std::collections::BTreeSet;

use devgrant::tally::{self, LoadRecord};

use crate::binary::{Binary, Ended, Playing};
use crate::device_tests::tls::{Shown, authority, config};
use crate::over_tls::{WAITING, reference};
use crate::repository;

fn read(path: &str, ended: &Ended) -> LoadRecord {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{error}: {}", ended.all()));
    tally::read(&text).unwrap()
}

/// What was wrong, by requirement.
fn broken(record: &LoadRecord) -> BTreeSet<String> {
    let all = record.totals.whole.violations.iter().filter(|(kind, ..)| kind.is_violation);
    all.map(|(kind, ..)| kind.requirement.clone().unwrap_or_default()).collect()
}

/// States of codes, races and decisions with many requests on few connections.
fn play(more: &[&str]) -> (Ended, LoadRecord) {
    let binary = Binary::new();
    let text = repository::text("fixtures/load/states.yaml");
    let scenario = binary.file("states.yaml", &format!("{text}connections: {{ http: h2 }}\n"));
    let record = binary.name("load.jsonl");
    let arguments = [&["load", scenario.as_str(), "--no-pin", "--record", record.as_str()], more].concat();
    let ended = binary.run(&arguments);
    let record = read(&record, &ended);
    (ended, record)
}

#[test]
fn over_http2_the_clean_server_is_not_blamed_and_a_fault_of_state_is_named() {
    let (ended, record) = play(&[]);
    assert!(matches!(ended.code, Some(0 | 3)), "{}", ended.all());
    assert_eq!(broken(&record), BTreeSet::new(), "{}", ended.all());
    let whole = &record.totals.whole.counters;
    assert!(whole.judged > 500, "{}", ended.all());
    assert!(!ended.out.contains("without an answer"), "{}", ended.all());
    // Those of the admin hook, and those that are shared: over HTTP/1.1 each poll of a race has one.
    assert!(whole.connections < 40, "{} connections: {}", whole.connections, ended.all());

    let (ended, record) = play(&["--fault", "replay-mints-new-token"]);
    assert_eq!(ended.code, Some(1), "{}", ended.all());
    assert!(broken(&record).contains("INV-5"), "{}", ended.all());
}

/// Waits at a server behind TLS that offers these versions.
async fn behind_tls(offers: &[&[u8]]) -> (Ended, LoadRecord) {
    let trusted = authority("trusted");
    let mut config = config(Shown::Good, &trusted);
    config.alpn_protocols = offers.iter().map(|offer| offer.to_vec()).collect();
    let (origin, _) = reference(config).await;
    let binary = Binary::new();
    binary.file("ca.pem", &trusted.pem());
    let target = format!(
        "target: ours\nissuer: {origin}\nclients: {{ tv: {{ id: tv-public }} }}\ntls: {{ ca: ca.pem }}\n"
    );
    let target = binary.file("target.yaml", &target);
    let scenario = binary.file("waiting.yaml", &format!("{WAITING}connections: {{ http: h2 }}\n"));
    let record = binary.name("load.jsonl");
    let ended = tokio::task::spawn_blocking(move || {
        let command = binary.command(&["load", &scenario, "--target", &target, "--record", &record]);
        let ended = Playing::start(command).end();
        let record = read(&record, &ended);
        (ended, record)
    });
    ended.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_server_chooses_http2_or_there_is_no_connection() {
    let (ended, record) = behind_tls(&[b"h2", b"http/1.1"]).await;
    assert!(!ended.out.contains("without an answer"), "{}", ended.all());
    assert!(record.totals.whole.counters.judged > 0, "{}", ended.all());

    let (ended, record) = behind_tls(&[]).await;
    assert_eq!(record.totals.whole.counters.judged, 0, "{}", ended.all());
    assert!(ended.out.contains("connect no http2"), "{}", ended.all());
}
