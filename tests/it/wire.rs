//! Over real sockets: answers that no well-made server gives, and their exact verdicts.

use std::sync::Arc;
use std::time::Duration;

use devgrant::http::Wire;
use devgrant::record::RunRecord;
use devgrant::runner::Trouble;
use devgrant::verdict::Verdict;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::scripted::{Act, PENDING, codes, json, scripted};
use crate::stage::{Wanted, details, judge, not_green, target};

/// What needs no more than codes and a poll or two.
const CHECKS: [&str; 8] = [
    "device-authorization-request/public-client-gets-codes",
    "device-authorization-response",
    "token-request/form-is-understood",
    "token-response/pending-before-decision",
    "token-response/errors-have-status-400",
    "token-response/first-poll-is-not-slowed",
    "token-response/kept-pace-is-never-limited",
    "rfc6749-error-response",
];

async fn judged(origin: &str, timeout: Duration) -> Result<RunRecord, Trouble> {
    let target = target(&format!(
        "target: odd\nendpoints: {{ device_authorization: {origin}/code, token: {origin}/token }}\nclients: {{ tv: {{ id: tv }} }}\n"
    ));
    let wire = Arc::new(Wire::new(timeout).unwrap());
    let wanted = Wanted { checks: &CHECKS, ..Wanted::default() };
    tokio::time::timeout(Duration::from_secs(60), judge(wire, None, &target, &wanted)).await.unwrap()
}

/// What is not green, but for checks that had nothing to look at.
fn off(record: &RunRecord) -> Vec<String> {
    let nothing = record.cases.iter().filter(|case| {
        case.reason.as_deref().is_some_and(|reason| reason.starts_with("there was no such answer"))
    });
    let nothing: Vec<String> = nothing.map(|case| format!("{}: not exercised", case.case())).collect();
    not_green(record).into_iter().filter(|line| !nothing.contains(line)).collect()
}

/// Of these, what is against the server.
fn red(record: &RunRecord) -> Vec<String> {
    off(record).into_iter().filter(|line| !line.ends_with(": not exercised")).collect()
}

struct Mocked {
    server: MockServer,
}

impl Mocked {
    async fn new() -> Self {
        Self { server: MockServer::start().await }
    }

    async fn at(self, place: &str, answer: ResponseTemplate) -> Self {
        Mock::given(method("POST")).and(path(place)).respond_with(answer).mount(&self.server).await;
        self
    }

    /// Only for the first so many requests; mounted before what follows.
    async fn first(self, times: u64, place: &str, answer: ResponseTemplate) -> Self {
        let mock = Mock::given(method("POST")).and(path(place)).respond_with(answer);
        mock.up_to_n_times(times).mount(&self.server).await;
        self
    }

    async fn judged(self) -> RunRecord {
        let waiting = answer(400, PENDING);
        let good = answer(200, &codes(&self.server.uri()));
        // Mocks that were mounted first go first.
        let all = self.at("/code", good).await.at("/token", waiting).await;
        judged(&all.server.uri(), Duration::from_secs(10)).await.unwrap()
    }

    fn codes(&self) -> String {
        codes(&self.server.uri())
    }
}

fn answer(status: u16, body: &str) -> ResponseTemplate {
    bytes(status, body.as_bytes(), "application/json")
}

fn bytes(status: u16, body: &[u8], media_type: &str) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .insert_header("cache-control", "no-store")
        .set_body_raw(body.to_vec(), media_type)
}

const HTML: &[u8] = b"<!doctype html><html><body><h1>It works!</h1></body></html>";

#[tokio::test]
async fn a_server_with_nothing_odd_is_green() {
    let record = Mocked::new().await.judged().await;
    assert_eq!(off(&record), Vec::<String>::new(), "{}", details(&record));
    assert_eq!(record.exit_code(), 0);
}

#[tokio::test]
async fn html_in_place_of_codes() {
    let record = Mocked::new().await.at("/code", bytes(200, HTML, "text/html")).await.judged().await;
    let expected = ["device-authorization-request/public-client-gets-codes: fail"];
    assert_eq!(red(&record), expected, "{}", details(&record));
    assert_eq!(record.exit_code(), 1);
}

#[tokio::test]
async fn html_in_place_of_an_answer_to_a_poll() {
    let record = Mocked::new().await.at("/token", bytes(200, HTML, "text/html")).await.judged().await;
    assert_eq!(red(&record), ["token-request/form-is-understood: fail"], "{}", details(&record));
    assert_eq!(record.exit_code(), 1);
}

#[tokio::test]
async fn duplicated_members() {
    let mocked = Mocked::new().await;
    let twice = mocked.codes().replace('{', r#"{"user_code":"AAAA-AAAA","#);
    let record = mocked.at("/code", answer(200, &twice)).await.judged().await;
    assert_eq!(
        off(&record),
        ["device-authorization-response/members-come-once: fail"],
        "{}",
        details(&record)
    );
}

#[tokio::test]
async fn an_error_body_with_status_200() {
    let record = Mocked::new().await.at("/token", answer(200, PENDING)).await.judged().await;
    assert_eq!(off(&record), ["token-response/errors-have-status-400: fail"], "{}", details(&record));
}

#[tokio::test]
async fn pending_with_status_401() {
    let odd = answer(401, PENDING).insert_header("www-authenticate", "Bearer");
    let record = Mocked::new().await.at("/token", odd).await.judged().await;
    assert_eq!(off(&record), ["token-response/errors-have-status-400: fail"], "{}", details(&record));
}

#[tokio::test]
async fn a_crash_that_looks_like_an_error_body() {
    let crash = answer(500, r#"{"error":"Internal Server Error"}"#);
    let record = Mocked::new().await.at("/token", crash).await.judged().await;
    // What broke in the preflight is in no check: there it is the sign that polls are not understood.
    let expected =
        ["rfc6749-error-response/no-answer-is-5xx: warn", "token-request/form-is-understood: fail"];
    assert_eq!(red(&record), expected, "{}", details(&record));
    assert_eq!(record.exit_code(), 1);
}

#[tokio::test]
async fn a_crash_at_every_device_authorization_is_judged() {
    let crash = answer(500, r#"{"error":"Internal Server Error"}"#);
    let record = Mocked::new().await.at("/code", crash).await.judged().await;
    let fails: Vec<_> = red(&record).into_iter().filter(|line| line.ends_with("fail")).collect();
    assert_eq!(
        fails,
        ["device-authorization-request/public-client-gets-codes: fail"],
        "{}",
        details(&record)
    );
    assert_eq!(record.exit_code(), 1);
}

#[tokio::test]
async fn an_interval_that_is_a_text() {
    let mocked = Mocked::new().await;
    let odd = mocked.codes().replace(r#""interval":1"#, r#""interval":"1""#);
    let record = mocked.at("/code", answer(200, &odd)).await.judged().await;
    let expected = ["device-authorization-response/interval-is-a-number: fail"];
    assert_eq!(off(&record), expected, "{}", details(&record));
}

#[tokio::test]
async fn a_user_code_that_is_a_number() {
    let mocked = Mocked::new().await;
    let odd = mocked.codes().replace(r#""WDJB-MJHT""#, "12345678");
    let record = mocked.at("/code", answer(200, &odd)).await.judged().await;
    let expected = ["device-authorization-response/user-code-is-a-string: fail"];
    assert_eq!(off(&record), expected, "{}", details(&record));
}

#[tokio::test]
async fn a_verification_uri_under_its_old_name() {
    let mocked = Mocked::new().await;
    let odd = mocked.codes().replace("verification_uri", "verification_url");
    let record = mocked.at("/code", answer(200, &odd)).await.judged().await;
    let expected = ["device-authorization-response/verification-uri-is-absolute: fail"];
    assert_eq!(off(&record), expected, "{}", details(&record));
}

#[tokio::test]
async fn an_error_word_that_nobody_registered() {
    let record = Mocked::new().await.at("/token", answer(400, r#"{"error":"not_yet"}"#)).await.judged().await;
    let expected =
        ["rfc6749-error-response/error-codes-are-registered: warn", "token-request/form-is-understood: fail"];
    assert_eq!(red(&record), expected, "{}", details(&record));
}

#[tokio::test]
async fn a_limiter_is_waited_out() {
    let limited = || {
        ResponseTemplate::new(429).insert_header("retry-after", "1").set_body_raw(HTML.to_vec(), "text/html")
    };
    let mocked = Mocked::new().await.first(2, "/code", limited()).await;
    let record = mocked.first(1, "/token", limited()).await.judged().await;
    assert_eq!(off(&record), Vec::<String>::new(), "{}", details(&record));
    let answered = record.exchanges.values().filter(|exchange| exchange.status == Some(429)).count();
    assert_eq!(answered, 3);
    assert_eq!(record.exit_code(), 0);
}

#[tokio::test]
async fn a_limiter_in_the_middle_is_waited_out_and_remarked_once() {
    // The first poll is the preflight's.
    let limited = ResponseTemplate::new(429).insert_header("retry-after", "1");
    let mocked = Mocked::new().await.first(1, "/token", answer(400, PENDING)).await;
    let record = mocked.first(2, "/token", limited).await.judged().await;
    assert_eq!(off(&record), ["token-response/kept-pace-is-never-limited: warn"], "{}", details(&record));
}

#[tokio::test]
async fn service_unavailable_as_html_is_a_limiter_too() {
    let away = bytes(503, HTML, "text/html").insert_header("retry-after", "1");
    let record = Mocked::new().await.first(2, "/code", away).await.judged().await;
    assert_eq!(off(&record), Vec::<String>::new(), "{}", details(&record));
}

#[tokio::test]
async fn a_byte_order_mark() {
    let mocked = Mocked::new().await;
    let odd = format!("\u{feff}{}", mocked.codes());
    let record = mocked.at("/code", answer(200, &odd)).await.judged().await;
    let expected = ["device-authorization-response/answers-are-utf-8: fail"];
    assert_eq!(off(&record), expected, "{}", details(&record));
}

#[tokio::test]
async fn a_body_in_latin_1() {
    let mocked = Mocked::new().await;
    let mut odd = mocked.codes().into_bytes();
    odd.splice(1..1, *b"\"message\":\"f\xfcr Sie\",");
    let record = mocked.at("/code", bytes(200, &odd, "application/json")).await.judged().await;
    let expected = ["device-authorization-response/answers-are-utf-8: fail"];
    assert_eq!(off(&record), expected, "{}", details(&record));
}

// What no HTTP library sends.

async fn polls_answered(act: Act) -> RunRecord {
    let server = scripted(move |request| {
        if request.starts_with("POST /code ") {
            json("200 OK", &codes("http://127.0.0.1"))
        } else {
            act.clone()
        }
    })
    .await;
    judged(&format!("http://{}", server.address), Duration::from_secs(1)).await.unwrap()
}

/// Polls that never bring an answer: one red, whatever the reason, and nothing is called an error of ours.
fn assert_no_polls(record: &RunRecord, reason: &str) {
    let expected =
        ["rfc6749-error-response/no-answer-is-5xx: warn", "token-request/form-is-understood: fail"];
    assert_eq!(red(record), expected, "{}", details(record));
    assert_eq!(record.count(Verdict::Error), 0);
    assert_eq!(record.exit_code(), 1);
    let said: Vec<&str> = record.exchanges.values().filter_map(|e| e.no_answer.as_deref()).collect();
    assert!(!said.is_empty() && said.iter().all(|said| said.contains(reason)), "{said:?}");
}

#[tokio::test]
async fn a_body_that_is_cut_off() {
    let cut = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 200\r\n\r\n{\"error\":\"authorization_pending\"}";
    assert_no_polls(&polls_answered(Act::Say(cut.to_vec())).await, "cut off");
}

#[tokio::test]
async fn a_connection_that_is_closed_before_any_answer() {
    assert_no_polls(&polls_answered(Act::Hang).await, "cut off");
}

#[tokio::test]
async fn no_answer_at_all() {
    assert_no_polls(&polls_answered(Act::Silence).await, "no answer within 1 s");
}

#[tokio::test]
async fn garbage_in_place_of_http() {
    assert_no_polls(&polls_answered(Act::Say(b"220 mail.example ESMTP\r\n".to_vec())).await, "cut off");
}

#[tokio::test]
async fn headers_without_end() {
    let record = polls_answered(Act::Flood(b"HTTP/1.1 200 OK\r\nx-more: and more\r\n".to_vec())).await;
    assert_no_polls(&record, "cut off");
}

#[tokio::test]
async fn a_body_without_end() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n".to_vec();
    let endless = [head, vec![b' '; 64 * 1024]].concat();
    assert_no_polls(&polls_answered(Act::Flood(endless)).await, "larger than");
}

#[tokio::test]
async fn no_answer_at_the_device_authorization_endpoint_is_judged() {
    let server = scripted(|_| Act::Silence).await;
    let record = judged(&format!("http://{}", server.address), Duration::from_secs(1)).await.unwrap();
    let fails: Vec<_> = red(&record).into_iter().filter(|line| line.ends_with("fail")).collect();
    assert_eq!(
        fails,
        ["device-authorization-request/public-client-gets-codes: fail"],
        "{}",
        details(&record)
    );
    assert_eq!(record.exit_code(), 1);
}

#[tokio::test]
async fn one_answer_that_is_cut_off_is_nobodys_red() {
    let count = std::sync::atomic::AtomicU32::new(0);
    let server = scripted(move |request| {
        if request.starts_with("POST /code ") {
            return json("200 OK", &codes("http://127.0.0.1"));
        }
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if number == 0 { Act::Hang } else { json("400 Bad Request", PENDING) }
    })
    .await;
    let record = judged(&format!("http://{}", server.address), Duration::from_secs(5)).await.unwrap();
    assert_eq!(off(&record), ["rfc6749-error-response/no-answer-is-5xx: warn"], "{}", details(&record));
}
