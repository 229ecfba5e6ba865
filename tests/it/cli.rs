//! `devgrant check` as a person meets it: what it says, what it leaves behind, how it ends.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use devgrant::record::RunRecord;
use devgrant::verdict::Verdict;

use crate::binary::{Binary, Ended, Playing, now};
use crate::scripted::{Act, PENDING, Scripted, codes, json, scripted};

pub(crate) const QUICK: &str = "token-response/errors-have-status-400";

/// A server that does what is asked of it here, and nothing more.
pub(crate) async fn plain() -> Scripted {
    answering(PENDING, "400 Bad Request").await
}

pub(crate) async fn answering(poll: &'static str, status: &'static str) -> Scripted {
    scripted(move |request| match request.split(' ').nth(1) {
        Some("/code") => json("200 OK", &codes("http://127.0.0.1")),
        _ => json(status, poll),
    })
    .await
}

/// Runs the binary beside the servers of the test.
pub(crate) async fn run(binary: Binary, arguments: &[&str]) -> (Binary, Ended) {
    let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
    tokio::task::spawn_blocking(move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let ended = binary.run(&arguments);
        (binary, ended)
    })
    .await
    .unwrap()
}

async fn check(origin: &str, arguments: &[&str]) -> (Binary, Ended) {
    let binary = Binary::new();
    let target = binary.target(origin);
    run(binary, &[&["check", "--target", &target], arguments].concat()).await
}

/// It ended as one that judged nothing: the sentence, and no talk of a failure.
#[track_caller]
pub(crate) fn assert_not_judged(ended: &Ended, sentence: &str) {
    assert_eq!(ended.code, Some(3), "{}", ended.all());
    assert!(ended.err.starts_with(&format!("error: {sentence}")), "{}", ended.all());
    assert!(!ended.all().to_lowercase().contains("fail"), "{}", ended.all());
    assert!(ended.err.contains("\nhelp: "), "{}", ended.err);
}

async fn free_port() -> u16 {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn nobody_listens() {
    let origin = format!("http://127.0.0.1:{}", free_port().await);
    let (binary, ended) = check(&origin, &[]).await;
    assert_not_judged(&ended, &format!("nobody listens at {origin}\n"));
    assert!(ended.took < Duration::from_secs(5), "{:?}", ended.took);
    let (_, again) = run(binary, &["report"]).await;
    assert!(again.out.contains("exit 3") && !again.out.contains("nterrupted"), "{}", again.all());
}

#[tokio::test]
async fn nobody_accepts_the_connection() {
    // A backlog that is full: what comes is neither refused nor taken.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(300), tokio::net::TcpStream::connect(address)).await
    {
        waiting.push(stream);
        assert!(waiting.len() < 100, "this system has no end of a backlog");
    }
    let (_, ended) = check(&format!("http://{address}"), &[]).await;
    assert_not_judged(&ended, &format!("http://{address}: "));
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
}

#[tokio::test]
async fn every_client_is_refused_by_name() {
    let refused = r#"{"error":"invalid_client","error_description":"Client not found."}"#;
    let server = scripted(|_| json("401 Unauthorized", refused)).await;
    let (_, ended) = check(&format!("http://{}", server.address), &[]).await;
    assert_not_judged(&ended, "the device authorization endpoint knows none of the configured clients\n");
    assert!(ended.err.contains("/code as tv was answered 401 invalid_client"), "{}", ended.err);
}

#[tokio::test]
async fn every_client_is_refused_by_name_at_the_token_endpoint_only() {
    let server = answering(r#"{"error":"unauthorized_client"}"#, "400 Bad Request").await;
    let (_, ended) = check(&format!("http://{}", server.address), &[]).await;
    assert_not_judged(&ended, "the token endpoint knows none of the configured clients");
    assert!(ended.err.contains("/token as tv was answered 400 unauthorized_client"), "{}", ended.err);
}

#[tokio::test]
async fn a_path_is_not_there() {
    for missing in ["/code", "/token"] {
        let server = scripted(move |request| match request.split(' ').nth(1) {
            Some(path) if path == missing => {
                Act::Say(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec())
            }
            Some("/code") => json("200 OK", &codes("http://127.0.0.1")),
            _ => json("400 Bad Request", PENDING),
        })
        .await;
        let (_, ended) = check(&format!("http://{}", server.address), &[]).await;
        assert_not_judged(&ended, "there is nothing at the ");
        assert!(ended.err.contains(&format!("{missing} was answered 404")), "{}", ended.err);
    }
}

#[tokio::test]
async fn an_issuer_without_metadata_is_named_with_the_places_looked_at() {
    let server = scripted(|_| json("404 Not Found", "{}")).await;
    let binary = Binary::new();
    let issuer = format!("http://{}/realm", server.address);
    let target = binary
        .file("target.yaml", &format!("target: odd\nissuer: {issuer}\nclients: {{ tv: {{ id: tv }} }}\n"));
    let (_, ended) = run(binary, &["check", "--target", &target]).await;
    assert_not_judged(&ended, &format!("the issuer {issuer} publishes no metadata"));
    let places = [
        format!("http://{}/.well-known/oauth-authorization-server/realm", server.address),
        format!("{issuer}/.well-known/openid-configuration"),
    ];
    assert!(places.iter().all(|place| ended.err.contains(place)), "{}", ended.err);
}

#[tokio::test]
async fn a_server_that_answers_badly_is_judged() {
    let first = "device-authorization-request/public-client-gets-codes";
    for (status, body) in [
        ("500 Internal Server Error", r#"{"error":"Internal Server Error"}"#),
        ("200 OK", "<!doctype html><title>Welcome</title>"),
        ("200 OK", r#"{"device_code":"GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNh"}"#),
    ] {
        let server = scripted(move |_| json(status, body)).await;
        let (_, ended) = check(&format!("http://{}", server.address), &["--check", first]).await;
        assert_eq!(ended.code, Some(1), "{}", ended.all());
        assert!(ended.out.contains(first) && ended.out.contains("FAIL"), "{}", ended.all());
        assert!(!ended.err.contains("error:"), "{}", ended.err);
        assert!(!ended.all().contains("GmRhmhcxhwAzkoEqiMEg"), "{}", ended.all());
    }
}

#[test]
fn what_is_written_wrong_is_shown_and_nothing_is_sent() {
    let binary = Binary::new();
    let suite = binary.file("bad.yaml", "suite: bad\ntitle: Bad\nchecks:\n  - id: one\n    title: One\n    level: must\n    requirements: [RFC8628-3.5-c]\n    why: Because.\n    steps:\n      - authorize: { as: tv, expect: [{ outcome: codse }] }\n");
    let without_tv = binary.file("no-tv.yaml", "target: odd\nendpoints: { device_authorization: \"http://127.0.0.1:1/code\", token: \"http://127.0.0.1:1/token\" }\nclients: { pace: { id: pace } }\n");
    for (arguments, said) in [
        (
            &["check", "--suite", &suite][..],
            &["bad.yaml:10:", "^^^^^", "did you mean \"codes\"?", "1 error"][..],
        ),
        (&["check", "--target", "gone.yaml"], &["gone.yaml"]),
        (&["check", "--target", &without_tv], &["no-tv.yaml:3:", "tv"]),
        (&["check", "--no-such-flag"], &["--no-such-flag"]),
        (&["check", "--check", "nonsense"], &["no check matches \"nonsense\"", "help: "]),
        (
            &["check", "--check", "token-response/pending-befor-decision"],
            &["did you mean \"token-response/pending-before-decision\"?"],
        ),
        (&["check", "--level", "perhaps"], &["perhaps"]),
        (&["check", "--jobs", "0"], &["0"]),
        (&["check", "--report", "xml=out.xml"], &["xml", "json"]),
        (&["check", "--known-failures", "gone.yaml"], &["gone.yaml"]),
        (&["report", "gone.jsonl"], &["gone.jsonl"]),
        (&["report"], &["there is no record yet"]),
        (&["show", "1"], &["there is no record yet"]),
    ] {
        let ended = binary.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.all());
        assert_eq!(ended.out, "", "{arguments:?}");
        for part in said {
            assert!(ended.err.contains(part), "{arguments:?} says no {part}: {}", ended.err);
        }
        assert!(!ended.err.contains("panicked"), "{}", ended.err);
    }
    assert_eq!(binary.records(), Vec::<std::path::PathBuf>::new(), "nothing was begun");
}

#[tokio::test]
async fn a_dry_run_asks_little_and_judges_nothing() {
    let server = plain().await;
    let (binary, ended) = check(&format!("http://{}", server.address), &["--dry-run"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert!(ended.out.contains("nothing was judged"), "{}", ended.out);
    assert!(ended.out.contains("token-response/pending-before-decision"), "{}", ended.out);
    assert!(server.requests.lock().unwrap().len() <= 4, "{:?}", server.requests.lock().unwrap());
    assert_eq!(binary.records().len(), 0);
}

#[tokio::test]
async fn known_failures_are_shown_as_known_and_must_fail() {
    let odd = answering(PENDING, "401 Unauthorized").await;
    let good = plain().await;
    let list = |id: &str| format!("- {{ id: {id}, reason: \"RFC 6749 is read otherwise here\" }}\n");
    for (server, id, code, said) in [
        (&odd, QUICK, 0, "RFC 6749 is read otherwise here"),
        (&good, QUICK, 1, "it does not fail any more"),
        (&good, "token-response/no-such-check", 1, "there is no such check"),
        (&odd, "token-response/pending-before-decision", 1, "it does not fail any more"),
    ] {
        let binary = Binary::new();
        let target = binary.target(&format!("http://{}", server.address));
        let known = binary.file("known.yaml", &list(id));
        let checks = ["--check", QUICK, "--check", "token-response/pending-before-decision"];
        let arguments = [&["check", "--target", &target, "--known-failures", &known], &checks[..]].concat();
        let (_, ended) = run(binary, &arguments).await;
        assert_eq!(ended.code, Some(code), "{id}: {}", ended.all());
        assert!(ended.out.contains(said), "{id} {said}: {}", ended.all());
    }
}

#[tokio::test]
async fn a_record_is_private_and_can_be_shown_again() {
    let server = plain().await;
    let report = Binary::new();
    let json_path = report.name("out.json");
    let (binary, ended) = check(
        &format!("http://{}", server.address),
        &[
            "--check",
            QUICK,
            "--check",
            "token-response/pending-before-decision",
            "--report",
            &format!("json={json_path}"),
        ],
    )
    .await;
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let records = binary.records();
    assert_eq!(records.len(), 1);
    let record = records[0].clone();
    assert_eq!(record.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(record.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let text = std::fs::read_to_string(&record).unwrap();
    assert!(!text.contains("GmRhmhcxhwAzkoEqiMEg"), "a device code is in the record");
    let read = RunRecord::read(&text).unwrap();
    assert_eq!((read.cases.len(), read.exit_code()), (2, 0));
    let report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(json_path).unwrap()).unwrap();
    assert!(report.is_object());

    let path = record.to_str().unwrap().to_owned();
    let copy = binary.name("copy.jsonl");
    std::fs::copy(&record, &copy).unwrap();
    for (arguments, code, said) in [
        (&["show", "1"][..], 0, "/code"),
        (&["show", "2"], 0, "/token"),
        (&["show", "1", "--record", &copy], 0, "/code"),
        (&["show", "999"], 2, "999"),
        (&["show", "1", "--record", "gone.jsonl"], 2, "gone.jsonl"),
        (&["report"], 0, "exit 0"),
        (&["report", &path], 0, "exit 0"),
        (&["report", "--format", "json"], 0, "\"suite\""),
    ] {
        let (_, shown) = {
            let ended = binary.run(arguments);
            ((), ended)
        };
        assert_eq!(shown.code, Some(code), "{arguments:?}: {}", shown.all());
        assert!(shown.all().contains(said), "{arguments:?} {said}: {}", shown.all());
        assert!(!shown.all().contains("GmRhmhcxhwAzkoEqiMEg"), "{arguments:?}");
    }
}

#[test]
fn an_interrupted_run_leaves_a_complete_record_of_what_was_judged() {
    let binary = Binary::new();
    let record = binary.name("run.jsonl");
    let playing = Playing::start(binary.command(&["check", "--record", &record]));
    let begun = now();
    loop {
        let text = std::fs::read_to_string(&record).unwrap_or_default();
        if text.contains("{\"judged\":") && text.matches("\"verdict\":\"pass\"").count() > 3 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing is judged: {text}");
        std::thread::sleep(Duration::from_millis(20));
    }
    playing.interrupt();
    let interrupted = now();
    let ended = playing.end();
    assert!(interrupted.elapsed() < Duration::from_secs(5), "{:?}", interrupted.elapsed());
    assert_eq!(ended.code, Some(130), "{}", ended.all());
    let read = RunRecord::read(&std::fs::read_to_string(&record).unwrap()).unwrap();
    assert!(read.ended.as_ref().unwrap().interrupted);
    assert!(read.began.is_some());
    assert!(read.count(Verdict::Pass) > 3, "what was judged until then is there");
    assert!(read.cases.len() < read.began.as_ref().unwrap().cases + read.count(Verdict::Skip));
    assert_eq!(read.exit_code(), 130);
    let again = binary.run(&["report", &record]);
    assert!(again.out.contains("exit 130"), "{}", again.all());
}

#[tokio::test]
async fn an_interrupted_preflight_ends_at_once() {
    let server = scripted(|_| Act::Silence).await;
    let binary = Binary::new();
    let target = binary.target(&format!("http://{}", server.address));
    let record = binary.name("run.jsonl");
    let playing = Playing::start(binary.command(&["check", "--target", &target, "--record", &record]));
    let asked = async {
        while server.requests.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asked).await.unwrap();
    playing.interrupt();
    let ended = tokio::task::spawn_blocking(|| playing.end()).await.unwrap();
    assert_eq!(ended.code, Some(130), "{}", ended.all());
    assert!(ended.took < Duration::from_secs(8), "{:?}", ended.took);
    let read = RunRecord::read(&std::fs::read_to_string(&record).unwrap()).unwrap();
    assert!(read.ended.is_some_and(|ended| ended.interrupted));
}
